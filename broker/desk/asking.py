"""A request, built in two steps around the officer's own signature (SPEC 5).

`prepare` seals body and addendum and gives the header's bytes for the officer to read and sign; `complete` checks that
signature and only then signs for the desk. Pure but for the random numbers of sealing: keys, ids and times are given.
Whether the question may be asked is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from broker.desk.deadlines import Times
from broker.desk.enquiry import Enquiry, IssueRequest, fresh_references
from broker.desk.trust import Trust
from broker.node.restating import SEALED_AHEAD_MS
from schemas.canonical import without_member
from schemas.crypto.keys import PublicKey, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import Envelope, Signature, digest, pack
from schemas.messages.addendum import make_addendum
from schemas.messages.fields import encode_base64
from schemas.messages.model import FieldInvalid
from schemas.messages.party import KeyNotInForce, Party, PartyUnknown
from schemas.messages.request import (
    BODY_DIGEST,
    MAX_BREAK_GLASS_MS,
    BreakGlass,
    BreakGlassTold,
    OfficerNamed,
    PolicyStated,
    RequestBody,
    RequestHeader,
    RequestTold,
    Subject,
    SubjectRef,
    Told,
    request_digest,
    seal_body,
    verify_officer,
)
from schemas.records.registry import categories_of
from schemas.vocabulary import MANAGER_ROLES, Category

_NO_DIGEST = "0" * 64


class AgencyAway(FieldInvalid):
    """Nothing can be sealed to the agency just now; nothing was asked."""

    code = "agency_away"


@dataclass(frozen=True, slots=True)
class Question:
    """All that a request is made of, but keys."""

    exchange: str
    message_id: str
    enquiry: Enquiry = field(repr=False)
    command: IssueRequest
    reference: str
    """The enquiry's random reference towards this agency."""
    officer: OfficerNamed = field(repr=False)
    keys_since: int
    """When the keys began that the officer asks with, and signs with."""
    reply_key: PublicKey
    times: Times
    asked_at: int
    policy: PolicyStated | None = None
    """The version of the hub's policy that is in force, as the desk holds it."""
    manager: OfficerNamed | None = field(default=None, repr=False)
    """Who is to break the glass, if the command says so."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that waits for the officer's signature."""

    header: bytes
    sealed_body: bytes = field(repr=False)
    addendum: bytes = field(repr=False)
    references: dict[str, str] = field(repr=False)
    """The request's random subject references -> the enquiry's own."""

    @property
    def digest(self) -> str:
        """What the officer signs."""
        return request_digest(self.header)


def check_agency(command: IssueRequest, trust: Trust) -> Party:
    """The agency a command is about.

    Raises:
        FieldInvalid: no such agency, or a category that an agency of its kind does not hold.
    """
    try:
        agency = trust.agency(command.agency)
    except PartyUnknown:
        raise FieldInvalid("field agency names nobody who is admitted: broker agency list shows who is") from None
    kind = agency.statement.agency_kind
    held: frozenset[Category] = frozenset() if kind is None else frozenset(categories_of(kind))
    for place, asked in enumerate(command.categories):
        if asked.category not in held:
            raise FieldInvalid(f"field categories.{place}: an agency of that kind holds no {asked.category}")
    if len({asked.category for asked in command.categories}) != len(command.categories):
        raise FieldInvalid("field categories names one category twice")
    return agency


def prepare(question: Question, *, trust: Trust, desk_key: SigningKey, draw: Callable[[], str]) -> Prepared:
    """Seal what the agency is told, and make the header that binds all of it (DESIGN section 5).

    Args:
        draw: gives sixteen random bytes in hexadecimal, one for each subject.

    Raises:
        FieldInvalid: the command names what there is not.
        PartyUnknown, KeyNotInForce: officer or agency have no key in force.
        ContentTooLarge: more than one body holds.
    """
    command, now = question.command, question.asked_at
    agency = check_agency(command, trust)
    officer = trust.officer(question.officer.id)
    assert officer.statement.officer_role is not None  # every officer's statement has one
    seal_key, seal_epoch = _seal_key(trust, agency, now)
    subjects = _subjects(question.enquiry, command.subjects)
    references = dict(fresh_references(subjects, draw))
    told = _told(question, subjects, references)
    readers = [trust.ig_lead(trust.desk.id, now), trust.ig_lead(agency.id, now)]
    content = RequestTold(exchange=question.exchange, told=told).encode()
    addendum, addendum_key = make_addendum(trust.hub, question.exchange, content, readers)
    header = RequestHeader(
        hub=trust.hub,
        log=trust.origin,
        desk_key=desk_key.id,
        agency=agency.id,
        seal_key=seal_key.id,
        seal_epoch=seal_epoch,
        enquiry=question.reference,
        exchange=question.exchange,
        message_id=question.message_id,
        received_at=question.enquiry.received_at,
        asked_at=now,
        deadline_at=question.times.deadline_at,
        expires_at=question.times.expires_at,
        purpose=question.enquiry.purpose,
        lawful_bases=question.enquiry.content.lawful_bases,
        stage=question.enquiry.stage,
        rag=question.enquiry.rag,
        consent=question.enquiry.content.consent,
        allocated=question.enquiry.content.allocated is True,
        officer=officer.id,
        officer_key=trust.officer_key(officer.id, question.keys_since, now).id,
        officer_role=officer.statement.officer_role,
        break_glass=_break_glass(question, trust),
        policy=question.policy,
        subjects=[SubjectRef(ref=ref, role=subject.role) for subject, ref in zip(subjects, references, strict=True)],
        categories=command.categories,
        reply_key=encode_base64(question.reply_key.raw),
        addendum_digest=digest(addendum),
        body_digest=_NO_DIGEST,
    )
    body = RequestBody(exchange=question.exchange, told=told, addendum_key=addendum_key.hex())
    sealed = seal_body(without_member(header.encode(), BODY_DIGEST), body, seal_key)
    complete_header = header.model_copy(update={BODY_DIGEST: digest(sealed)}).encode()
    return Prepared(complete_header, sealed, addendum, references)


def complete(
    header: bytes,
    sealed_body: bytes,
    addendum: bytes,
    officer_signature: bytes,
    *,
    officer_key: PublicKey,
    desk_key: SigningKey,
    by_manager: tuple[PublicKey, bytes] | None = None,
) -> bytes:
    """The request envelope, signed by the desk, by the officer, and by the manager where the glass is broken.

    Args:
        officer_signature: 64 bytes, over the header's digest.
        officer_key: the key the header names, out of the officer's pinned file.
        by_manager: of a header that names one, the manager's key and signature, likewise.

    Raises:
        SignatureInvalid, SignatureMissing: it is not that officer's word for these bytes.
    """
    words = [check_word(header, officer_key, officer_signature)]
    if by_manager is not None:
        words.append(check_word(header, *by_manager))
    desk_signature = Signature(desk_key.id, sign(desk_key, KeyPurpose.REQUEST, header))
    return pack(header, [desk_signature, *words], [sealed_body, addendum])


def check_word(header: bytes, key: PublicKey, signature: bytes) -> Signature:
    """An officer's or a manager's word for these bytes.

    Raises:
        SignatureInvalid: it is not.
    """
    word = Signature(key.id, signature)
    verify_officer(Envelope(header, (word,), ()), key)
    return word


def check_manager(command: IssueRequest, officer: str, trust: Trust, now: int) -> None:
    """That a command's manager may break the glass for that officer, and for long enough.

    Raises:
        FieldInvalid: the text names the field and the next step.
    """
    glass = command.break_glass
    if glass is None:
        return
    if glass.manager == officer:
        raise FieldInvalid("field break_glass.manager: two people break the glass; name a manager who is not you")
    try:
        role = trust.officer(glass.manager).statement.officer_role
    except PartyUnknown:
        raise FieldInvalid("field break_glass.manager names no officer of this hub") from None
    if role not in MANAGER_ROLES:
        roles = " or ".join(sorted(MANAGER_ROLES))
        raise FieldInvalid(f"field break_glass.manager: only an officer admitted as {roles} breaks the glass")
    if not now < glass.until <= now + MAX_BREAK_GLASS_MS:
        raise FieldInvalid("field break_glass.until: a glass is broken for a time to come, of at most 24 hours")


def _told(question: Question, subjects: Sequence[Subject], references: Iterable[str]) -> Told:
    return Told(
        subjects=[subject.model_copy(update={"ref": ref}) for subject, ref in zip(subjects, references, strict=True)],
        officer=question.officer,
        stage=question.enquiry.stage,
        reason=question.enquiry.content.reason,
        break_glass=_why_broken(question),
    )


def _break_glass(question: Question, trust: Trust) -> BreakGlass | None:
    glass = question.command.break_glass
    if glass is None:
        return None
    key, _ = trust.directory.newest(glass.manager, KeyPurpose.OFFICER, question.asked_at)
    return BreakGlass(manager=glass.manager, manager_key=key.id, until=min(glass.until, question.times.expires_at))


def _why_broken(question: Question) -> BreakGlassTold | None:
    glass = question.command.break_glass
    if glass is None or question.manager is None:
        return None
    return BreakGlassTold(manager=question.manager, reason=glass.reason)


def _seal_key(trust: Trust, agency: Party, now: int) -> tuple[PublicKey, int]:
    """The agency's sealing key of the epoch that will be in force when the request is taken in.

    Raises:
        AgencyAway: none is in force: the agency has not made a next one, so it was not connected for days.
    """
    for at in (now + SEALED_AHEAD_MS, now):
        try:
            return trust.directory.newest(agency.id, KeyPurpose.SEAL, at)
        except KeyNotInForce:
            continue
    raise AgencyAway("the agency has no sealing key in force, so it was not connected for days: ring it")


def _subjects(enquiry: Enquiry, named: Sequence[str] | None) -> Sequence[Subject]:
    if named is None:
        return enquiry.content.subjects
    if len(set(named)) != len(named):
        raise FieldInvalid("field subjects names one subject twice")
    return [enquiry.subject(local) for local in named]
