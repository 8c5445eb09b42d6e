"""A request: a header of codes, a body sealed to the agency, signed by the desk and by the officer (SPEC 5).

The header may be read by the coordinator; the body by the agency alone. What the header binds is DESIGN section 5.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from schemas.canonical import without_member
from schemas.crypto.failures import SignatureMissing
from schemas.crypto.keys import Identity, PublicKey, SigningKey, public_key
from schemas.crypto.padding import LENGTH_BYTES, ContentTooLarge
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.sealing import Sealing, open_sealed, seal
from schemas.crypto.signing import Verified, sign, verify
from schemas.envelope import Envelope, Signature, digest
from schemas.identifiers import IdentifierInvalid, IdentifierKind, canonical_identifier
from schemas.messages.fields import (
    Base64,
    Count,
    Hex16,
    Hex32,
    IsoDate,
    Line,
    Millis,
    One,
    Origin,
    Prose,
    Slug,
    decode_base64,
)
from schemas.messages.model import Message, Part, RuleBroken, read
from schemas.vocabulary import Category, ConsentState, LawfulBasis, Mode, OfficerRole, Purpose, Rag, Stage, SubjectRole

MAX_SUBJECTS: Final = 16
MAX_CATEGORIES: Final = 64
MAX_BODY_BYTES: Final = 256 * 1024 - LENGTH_BYTES
"""The bucket of 256 KiB: a delivery holds the body, its addendum and all proofs within the bus's 1 MiB."""
BODY_DIGEST: Final = "body_digest"
MAX_BREAK_GLASS_MS: Final = 24 * 3600 * 1000
"""A day: time to bring the enquiry to where its rules fit what has become known."""


class SubjectRef(Part):
    """A subject as the coordinator sees it: a random reference, made for this request alone, and a role."""

    ref: Hex16
    role: SubjectRole


class CategoryAsked(Part):
    """One category in one mode."""

    category: Category
    mode: Mode


class BreakGlass(Part):
    """A manager's word beside the officer's: what the hub's own rules keep shut is to be opened, in an emergency."""

    manager: Slug
    manager_key: Hex16
    until: Millis = Field(description="The request is taken in before that, and its grant ends then.")


class PolicyStated(Part):
    """The version of the hub's policy that the desk holds to be in force when it asks (SPEC 11.4)."""

    number: Annotated[Count, Field(ge=1)]
    statement_digest: Hex32


class RequestHeader(Message):
    """What is asked, in codes (SPEC 5.1). Every field is bound by the desk's signature and by the officer's."""

    kind: Literal["request"] = "request"
    suite: Literal[1] = 1
    hub: Slug
    log: Origin = Field(description="Origin of the log the request must be found in.")
    desk_key: Hex16 = Field(description="Key id of the desk's request key.")
    agency: Slug
    seal_key: Hex16 = Field(description="Key id of the agency's sealing key that the body is sealed to.")
    seal_epoch: Count
    enquiry: Hex16 = Field(description="Random, one for each enquiry and agency.")
    exchange: Hex16
    message_id: Hex16
    received_at: Millis = Field(description="When the hub received the enquiry; deadlines count from it.")
    asked_at: Millis
    deadline_at: Millis
    expires_at: Millis
    purpose: Purpose
    lawful_bases: Annotated[list[LawfulBasis], Field(min_length=1, max_length=8)]
    stage: Stage
    rag: Rag
    consent: ConsentState
    allocated: bool = Field(default=False, description="Somebody it is about has an allocated social worker already.")
    officer: Slug
    officer_key: Hex16
    officer_role: OfficerRole
    break_glass: BreakGlass | None = None
    policy: PolicyStated | None = Field(
        default=None, description="The version of the policy in force at `asked_at`, as the desk holds it (11.4)."
    )
    subjects: Annotated[list[SubjectRef], Field(min_length=1, max_length=MAX_SUBJECTS)]
    categories: Annotated[list[CategoryAsked], Field(min_length=1, max_length=MAX_CATEGORIES)]
    reply_key: Base64 = Field(description="The enquiry's public reply key: 1216 bytes, ML-KEM-768 then X25519.")
    addendum_digest: Hex32
    body_digest: Hex32
    part: One = 1
    parts: One = 1

    @model_validator(mode="after")
    def _times_and_lists_hold(self) -> RequestHeader:
        if not self.received_at <= self.asked_at < self.deadline_at < self.expires_at:
            raise RuleBroken("received_at <= asked_at < deadline_at < expires_at does not hold")
        if len({subject.ref for subject in self.subjects}) != len(self.subjects):
            raise RuleBroken("two subjects with one reference")
        asked = [asked.category for asked in self.categories]
        if len(set(asked)) != len(asked):
            raise RuleBroken("one category twice")
        if sorted(set(self.lawful_bases)) != self.lawful_bases:
            raise RuleBroken("lawful bases not sorted, or one twice")
        return self

    @model_validator(mode="after")
    def _two_people_break_the_glass(self) -> RequestHeader:
        broken = self.break_glass
        if broken is None:
            return self
        if broken.manager == self.officer or broken.manager_key == self.officer_key:
            raise RuleBroken("the officer who asks cannot be the manager")
        if not self.asked_at < broken.until <= min(self.asked_at + MAX_BREAK_GLASS_MS, self.expires_at):
            raise RuleBroken("the glass is broken for no time, for more than a day, or beyond the request's expiry")
        return self

    def recipient(self) -> PublicKey:
        """The enquiry's reply key, checked.

        Raises:
            KeyMalformed: not a hybrid public key.
        """
        return public_key(KeyPurpose.REPLY, decode_base64(self.reply_key))


class IdentifierGiven(Part):
    """An identifier of a subject in its canonical form, its check digits valid."""

    kind: IdentifierKind
    value: Annotated[str, Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _is_canonical(self) -> IdentifierGiven:
        try:
            canonical = canonical_identifier(self.kind, self.value)
        except IdentifierInvalid as invalid:
            raise RuleBroken(invalid.detail) from None
        if canonical != self.value:
            raise RuleBroken(f"{self.kind} is not in its canonical form")
        return self


class NameGiven(Part):
    """A name a person has or had."""

    given: Line
    family: Line


class AddressGiven(Part):
    """Where a subject lives or lived, as far as the hub knows."""

    line: Line | None = None
    postcode: Line | None = None


class Subject(Part):
    """Who a reference stands for. Only ever inside a seal."""

    ref: Hex16
    role: SubjectRole
    name: NameGiven | None = Field(default=None, description="Absent for an unborn child.")
    other_names: Annotated[list[NameGiven], Field(max_length=8, default_factory=list)]
    birth_date: IsoDate | None = None
    expected_on: IsoDate | None = Field(default=None, description="Expected date of delivery of an unborn child.")
    sex: Literal["female", "male", "other", "unknown"] | None = None
    identifiers: Annotated[list[IdentifierGiven], Field(max_length=8, default_factory=list)]
    addresses: Annotated[list[AddressGiven], Field(max_length=8, default_factory=list)]


class OfficerNamed(Part):
    """The officer who asks, as a person the agency may ring back."""

    id: Slug
    name: Line
    position: Line
    contact: Line | None = None


class BreakGlassTold(Part):
    """Who broke the glass, as a person whom either lead may ring, and why."""

    manager: OfficerNamed
    reason: Prose


class Told(Part):
    """What body and addendum must say alike, byte for byte: who, by whom, at which stage, and why."""

    subjects: Annotated[list[Subject], Field(min_length=1, max_length=MAX_SUBJECTS)]
    officer: OfficerNamed
    stage: Stage = Field(description="Where the enquiry stands; the header's.")
    reason: Prose
    break_glass: BreakGlassTold | None = Field(default=None, description="There exactly if the header has it.")

    @model_validator(mode="after")
    def _one_subject_each(self) -> Told:
        if len({subject.ref for subject in self.subjects}) != len(self.subjects):
            raise RuleBroken("two subjects with one reference")
        return self


class RequestBody(Message):
    """Who the request is about and why, and the key of its addendum (SPEC 5.2). Sealed to one agency."""

    exchange: Hex16
    told: Told
    addendum_key: Hex32


def seal_body(header_bytes: bytes, body: RequestBody, recipient: PublicKey) -> bytes:
    """The sealed body for a header whose bytes still lack `body_digest`.

    Raises:
        ContentTooLarge: more than `MAX_BODY_BYTES`.
        WrongPurpose: not a sealing key.
    """
    content = body.encode()
    if len(content) > MAX_BODY_BYTES:
        raise ContentTooLarge(f"{len(content)} bytes, at most {MAX_BODY_BYTES}")
    return seal(Sealing.REQUEST, header_bytes, content, recipient)


def open_body(header_bytes: bytes, sealed: bytes, identity: Identity) -> RequestBody:
    """The body that belongs to the complete header `header_bytes`.

    Raises:
        SealBroken, PaddingInvalid: it does not open with this identity under this header.
        Rejected: its content is not a request body.
    """
    plain = open_sealed(Sealing.REQUEST, without_member(header_bytes, BODY_DIGEST), sealed, identity)
    return read(RequestBody, plain, limit_bytes=MAX_BODY_BYTES)


def request_digest(header_bytes: bytes) -> str:
    """What the officer signs, and what grant, answer and log entry name: SHA-256 of the header's bytes."""
    return digest(header_bytes)


def sign_as_officer(key: SigningKey, digest_of_request: str) -> Signature:
    """The officer's word for the request of that digest (SPEC 5.1): Ed25519 over its 64 hexadecimal digits.

    Raises:
        WrongPurpose: not an officer key.
    """
    return Signature(key.id, sign(key, KeyPurpose.OFFICER, digest_of_request.encode("ascii")))


def verify_officer(envelope: Envelope, key: PublicKey) -> Verified[str]:
    """The request digest, known to be signed by the officer's key.

    Raises:
        SignatureMissing: no signature in the frame, or more than one, claims that key.
        SignatureInvalid, WrongPurpose: it does not hold.
    """
    claimed = [signature for signature in envelope.signatures if signature.key_id == key.id]
    if len(claimed) != 1:
        raise SignatureMissing("not exactly one signature by the officer key")
    value = request_digest(envelope.header)
    return verify(key, KeyPurpose.OFFICER, value.encode("ascii"), claimed[0].raw, value)


def signatures_of(header: RequestHeader) -> int:
    """How many signatures the frame of a request has: the desk's, the officer's, and the manager's if there is one."""
    return 2 if header.break_glass is None else 3


class RequestTold(Message):
    """The content of a request's addendum: what the body says too, byte for byte (SPEC 7.4)."""

    exchange: Hex16
    told: Told
