"""The hub's half of admitting an agency: a request is checked and answered, a person compares words, it is admitted.

Owns the order. `offer` makes everything that will be in effect and puts nothing in effect; `admit`, after the person's
yes, checks once more what may have changed since and commits it as a whole; `withdraw` takes an offer back. What does
not hold is refused with its reason and entered. Refuses to know files, telephones and terminals (`broker.cli.agency`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from broker.enrolment.books import records
from broker.enrolment.books.records import Account, Certificate, Member, MemberState, Offer
from broker.enrolment.books.register import Register, keys_of, party_of
from broker.enrolment.books.room import Room
from broker.enrolment.books.to_hold import of_agency
from broker.enrolment.members.trust_file import trust_file
from broker.enrolment.tls.authority import CertificateRequest, expires_at, read_request
from broker.node.clock import DAY_MS
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest
from schemas.failures import Rejected
from schemas.messages.admission import Welcome, read_reply, seal_challenge, state_reply
from schemas.messages.enrolment import EnrolmentRequest, KeyShared, read_enrolment
from schemas.messages.newcomer import check_newcomer
from schemas.messages.party import Party
from schemas.messages.words import ceremony_words, check_words

OFFER_LIFE_MS: Final = 14 * DAY_MS
"""Two weeks between the hub's reply and the telephone call."""
OFFER_WITHDRAWN: Final = "offer_withdrawn"
"""The reason that is entered when the hub takes an offer back."""


class OfferGone(Rejected):
    """Nothing was offered to an agency of that name, or it was too long ago."""

    code = "offer_gone"


class AgencyExpelled(Rejected):
    """The agency was expelled; it comes back with a new root and new keys."""

    code = "agency_expelled"


@dataclass(frozen=True, slots=True)
class Offered:
    """What the administrator is shown: who asks, the words to compare, the file to hand over."""

    agency: str
    name: str
    fingerprint: str
    words: str
    reply: bytes
    expires_at: int
    replaces: bool


async def offer(
    room: Room,
    file: bytes,
    *,
    officers: Sequence[Party] = (),
    replaces: bool = False,
    may_run_leaf: bool | None = None,
) -> Offered:
    """Check a request and write the reply to it. The same request again is given the same reply.

    Args:
        may_run_leaf: the agency may connect a server of its own; one that may already keeps that with a new root. None
            leaves it as it was offered: else words that were read out already would be those of another reply.

    Raises:
        Rejected: the request does not hold; that was entered, and nothing else happened.
    """
    try:
        request = read_enrolment(file, hub=room.hub, now=room.post.clock.now())
        certificate_request = read_request(request.certificate_request)
    except Rejected as failure:
        await note_refusal(room, failure, digest(file))
        raise
    made: list[Offer] = []

    def step(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
        check(tx, register, request, certificate_request, replaces=replaces)
        before = records.offers(tx).get(request.party.id)
        member = register.members.get(request.party.id) if replaces else None
        has_leaf = _asked_for_leaf(may_run_leaf, request, before) or (member is not None and member.may_run_leaf)
        wanted = (request.digest, replaces, has_leaf)
        is_same = before is not None and (before.request_digest, before.replaces, before.may_run_leaf) == wanted
        if before is not None and is_same and now < before.expires_at:
            made.append(before)
            return ()
        offered = _write(
            room, register, request, certificate_request, officers, now, replaces=replaces, may_run_leaf=has_leaf
        )
        records.put_offer(tx, offered)
        made.append(offered)
        return (room.deeds.step("offered", request.party, now, file_digest=request.digest),)

    try:
        await room.commit(step)
    except Rejected as failure:
        await note_refusal(room, failure, digest(file), agency=_known(room, request.party.id))
        raise
    # A group that is rolled back and run again runs the step again: what committed is what was made last.
    offered = made[-1]
    party = party_of(offered.statement)
    return Offered(
        party.id,
        party.statement.name,
        party.fingerprint,
        offered.words,
        offered.reply,
        offered.expires_at,
        offered.replaces,
    )


def _asked_for_leaf(asked: bool | None, request: EnrolmentRequest, before: Offer | None) -> bool:
    if asked is not None or before is None or before.request_digest != request.digest:
        return bool(asked)
    return before.may_run_leaf


async def admit(room: Room, agency: str, words: str) -> tuple[Party, frozenset[str]]:
    """Put an offer into effect, after a person has compared the words.

    Returns:
        The agency, and the servers of the bus that let it in already.

    Raises:
        WordsDiffer: they are others; that was entered, and the offer stands.
        OfferGone, and what `offer` raises: it cannot be put into effect any more.
    """
    made: list[Party] = []
    offered_digest: list[str] = []

    def step(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
        offered = records.offers(tx).get(agency)
        if offered is None or now >= offered.expires_at:
            raise OfferGone("nothing is offered to that agency; take its request in again")
        offered_digest.append(offered.request_digest)
        check_words(words, offered.words.split())
        party = party_of(offered.statement)
        # The names and keys of others may have changed since the offer.
        _check_keys(tx, register, party, offered.certificate_key)
        before = register.members.get(agency)
        records.put_member(
            tx,
            Member(
                agency=agency,
                state=MemberState.ADMITTED,
                statement=offered.statement,
                request_digest=offered.request_digest,
                challenge_digest=offered.challenge_digest,
                is_proven=False,
                since=now,
                may_run_leaf=offered.may_run_leaf,
            ),
        )
        records.keep_keys(tx, agency, [*keys_of(party), offered.certificate_key])
        records.put_certificate(
            tx, Certificate(agency, offered.certificate_key, offered.certificate, expires_at(offered.certificate))
        )
        records.take_request(tx, offered.nonce, agency, now)
        records.drop_offer(tx, agency)
        made.append(party)
        is_replaced = before is not None and offered.replaces
        return (
            room.deeds.step(
                "root-replaced" if is_replaced else "admitted", party, now, file_digest=offered.request_digest
            ),
        )

    try:
        servers = await room.commit(step, touched=(agency,))
    except OfferGone:
        raise
    except Rejected as failure:
        await note_refusal(room, failure, offered_digest[-1], agency=_known(room, agency))
        raise
    return made[-1], servers


async def withdraw(room: Room, agency: str) -> None:
    """Take back what was offered and is not in effect: its words admit nobody any more.

    Raises:
        OfferGone: nothing is offered to that agency.
    """

    def step(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
        offered = records.offers(tx).get(agency)
        if offered is None:
            raise OfferGone("nothing is offered to that agency; see: broker agency list")
        records.drop_offer(tx, agency)
        known = agency if agency in register.members else None
        return (room.deeds.refused(OFFER_WITHDRAWN, offered.request_digest, now, agency=known),)

    await room.commit(step)


def check(
    tx: Transaction,
    register: Register,
    request: EnrolmentRequest,
    certificate_request: CertificateRequest,
    *,
    replaces: bool,
) -> None:
    """That a request clashes with nobody: SPEC 10.2, checks 9 to 11, and no key of it was ever anybody else's.

    Raises:
        Rejected: the failure names the check.
    """
    before = register.members.get(request.party.id)
    is_back = before is not None and before.state is MemberState.EXPELLED
    # Whoever was expelled is looked at below, key by key; its name it may have back.
    agencies = [one for name, one in register.agencies.items() if not (is_back and name == request.party.id)]
    check_newcomer(
        request,
        known=[*register.hub.values(), *agencies],
        seen=records.taken_requests(tx, request.header.nonce),
        replaces=replaces,
    )
    if is_back and records.owners(tx, [*keys_of(request.party), certificate_request.spki]):
        raise AgencyExpelled("an expelled agency comes back with a new root and keys that nobody has seen")
    _check_keys(tx, register, request.party, certificate_request.spki)


async def note_refusal(room: Room, failure: Rejected, file_digest: str, *, agency: str | None = None) -> None:
    """Enter that a file was refused, and why."""

    def step(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
        return (room.deeds.refused(failure.code, file_digest, now, agency=agency),)

    await room.commit(step)


def _check_keys(tx: Transaction, register: Register, party: Party, certificate_key: bytes) -> None:
    if records.owners(tx, [*keys_of(party), certificate_key]) - {party.id}:
        raise KeyShared("one of its keys is, or was, another party's")
    hub = {raw for other in register.hub.values() for raw in keys_of(other)}
    if hub & {*keys_of(party), certificate_key}:
        raise KeyShared("one of its keys is the hub's own")


def _write(
    room: Room,
    register: Register,
    request: EnrolmentRequest,
    certificate_request: CertificateRequest,
    officers: Sequence[Party],
    now: int,
    *,
    replaces: bool,
    may_run_leaf: bool,
) -> Offer:
    kind = request.party.statement.party_kind
    leaf = room.authorities.issuing().issue_client(certificate_request, kind, now=now).public_bytes(Encoding.PEM)
    challenge, challenge_digest = seal_challenge(request, now)
    accounts = of_agency(
        request.party, MemberState.ADMITTED, register.accounts, room.issuer(), now, may_run_leaf=may_run_leaf
    )
    welcome = Welcome(
        officers=tuple(officers),
        account=_newest(accounts, request.party).claims.encode("ascii"),
        authorities=room.authorities.trusted(),
        certificate=leaf,
        trust=trust_file(register.coordinator, now),
        challenge=challenge,
    )
    key = room.ground.ring.signing(KeyPurpose.ADMISSION)
    reply = state_reply(
        request,
        list(register.hub.values()),
        welcome,
        room.addresses,
        key,
        issued_at=now,
        expires_at=now + OFFER_LIFE_MS,
    )
    # Read as the agency will read it: what it would refuse is not handed out.
    words = ceremony_words(request, read_reply(reply, request=request, now=now))
    return Offer(
        agency=request.party.id,
        request_digest=request.digest,
        nonce=request.header.nonce,
        statement=request.party.frame,
        reply=reply,
        words=" ".join(words),
        challenge_digest=challenge_digest,
        certificate_key=certificate_request.spki,
        certificate=leaf,
        replaces=replaces,
        expires_at=now + OFFER_LIFE_MS,
        may_run_leaf=may_run_leaf,
    )


def _newest(accounts: Sequence[Account], party: Party) -> Account:
    return next(account for account in accounts if account.nkey == party.token)


def _known(room: Room, agency: str) -> str | None:
    # A name that a stranger chose is not put into the log.
    return agency if agency in room.register.members else None
