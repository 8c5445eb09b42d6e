"""An enquiry: a hub's case about one or more subjects, and what officers may say to the desk about it.

What commands bring in becomes these types once, here, and is refused here, naming the field. Owns no key, no store and
no clock. Whether something may be asked is not decided here: the coordinator and the agency do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from broker.node.clock import PERMITTED_SKEW_MS
from schemas.identifiers import IdentifierInvalid, IdentifierKind, parse_identifier
from schemas.messages.fields import Hex16, Hex64, IsoDate, Millis, Prose, Slug, Word
from schemas.messages.model import FieldInvalid, Message, Part, failure_of
from schemas.messages.request import (
    MAX_CATEGORIES,
    MAX_SUBJECTS,
    AddressGiven,
    CategoryAsked,
    IdentifierGiven,
    NameGiven,
    Subject,
)
from schemas.vocabulary import ConsentState, Decision, LawfulBasis, Purpose, Rag, Stage, SubjectRole

MAX_OFFICERS: Final = 32
MAX_COMMAND_BYTES: Final = 256 * 1024
"""As much as the body of a request: what does not fit there cannot be asked anyway."""


class EnquiryState(StrEnum):
    """Where an enquiry stands at the desk."""

    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"
    ERASING = "erasing"
    """Erasure was ordered and has begun; it is finished at the next start if it was interrupted."""
    ERASED = "erased"


class Command(BaseModel):
    """What an officer tells the desk: frozen, strict, nothing unknown in it, silent about its input when it fails."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)


class IdentifierWritten(Command):
    """An identifier as somebody wrote it; its canonical form is made here."""

    kind: IdentifierKind
    value: Annotated[str, Field(min_length=1, max_length=32)]


class SubjectGiven(Command):
    """A person an enquiry is about, as the officer knows them."""

    role: SubjectRole
    name: NameGiven | None = None
    other_names: Annotated[list[NameGiven], Field(max_length=8)] = []
    birth_date: IsoDate | None = None
    expected_on: IsoDate | None = None
    sex: Literal["female", "male", "other", "unknown"] | None = None
    identifiers: Annotated[list[IdentifierWritten], Field(max_length=8)] = []
    addresses: Annotated[list[AddressGiven], Field(max_length=8)] = []


class OpenEnquiry(Command):
    """Open an enquiry."""

    subjects: Annotated[list[SubjectGiven], Field(min_length=1, max_length=MAX_SUBJECTS)]
    stage: Stage
    rag: Rag
    purpose: Purpose
    lawful_bases: Annotated[list[LawfulBasis], Field(min_length=1, max_length=8)]
    consent: ConsentState
    allocated: bool = False
    """Whether somebody it is about has an allocated social worker already."""
    reason: Prose
    received_at: Millis
    reference: Word | None = None
    officers: Annotated[list[Slug], Field(max_length=MAX_OFFICERS - 1)] = []
    conflicts: Annotated[list[Slug], Field(max_length=MAX_OFFICERS)] = []
    """Officers who must not see it: they are in it, related to somebody in it, or alleged to have done it."""


class Conflicted(Command):
    """Put an officer on an enquiry's conflict list, or take one off it."""

    officer: Slug


class GlassToBreak(Part):
    """In an emergency: the manager who is to sign beside the officer, why, and until when it is good."""

    manager: Slug
    reason: Prose
    until: Millis


class IssueRequest(Command):
    """Ask one agency. Without `subjects` it is asked about all of them; without times the clock table gives them."""

    agency: Slug
    categories: Annotated[list[CategoryAsked], Field(min_length=1, max_length=MAX_CATEGORIES)]
    subjects: Annotated[list[Hex16], Field(min_length=1, max_length=MAX_SUBJECTS)] | None = None
    deadline_at: Millis | None = None
    expires_at: Millis | None = None
    break_glass: GlassToBreak | None = None


class SignRequest(Command):
    """The officer's signature of a prepared request's digest."""

    signature: Hex64


class Decide(Command):
    """Record what the hub decided, and why."""

    decision: Decision
    reason: Prose


class Content(Message):
    """What is sealed at rest of an enquiry: who it is about, why, on what legal footing, and the hub's own number."""

    subjects: Annotated[list[Subject], Field(min_length=1, max_length=MAX_SUBJECTS)]
    lawful_bases: Annotated[list[LawfulBasis], Field(min_length=1, max_length=8)]
    consent: ConsentState
    allocated: Literal[True] | None = None
    """Absent, as in enquiries from before it was asked for, where nobody has an allocated worker."""
    reason: Prose
    reference: Word | None = None


class Decided(Message):
    """What is sealed at rest of a decision."""

    decision: Decision
    reason: Prose
    by: Slug
    at: Millis


@dataclass(frozen=True, slots=True)
class Enquiry:
    """An enquiry as the desk holds it in memory. Its representation shows codes only."""

    id: str
    state: EnquiryState
    stage: Stage
    rag: Rag
    purpose: Purpose
    received_at: int
    opened_at: int
    opened_by: str
    officers: frozenset[str]
    """Who may work on it and see its answers, `opened_by` among them."""
    reply_key: str
    """Key id of the reply key that every answer is sealed to."""
    content: Content = field(repr=False)
    decision: Decided | None = field(default=None, repr=False)

    def subject(self, local: str) -> Subject:
        """The subject of that local reference.

        Raises:
            FieldInvalid: the enquiry has no such subject.
        """
        for subject in self.content.subjects:
            if subject.ref == local:
                return subject
        raise FieldInvalid("field subjects names a subject that this enquiry does not have")

    def decided(self, command: Decide, *, by: str, now: int) -> Enquiry:
        """The enquiry with its decision.

        Raises:
            EnquiryNotOpen: it is closed.
        """
        if self.state not in (EnquiryState.OPEN, EnquiryState.DECIDED):
            raise EnquiryNotOpen(f"the enquiry is {self.state}; nothing can be decided in it")
        decision = Decided(decision=command.decision, reason=command.reason, by=by, at=now)
        return replace(self, state=EnquiryState.DECIDED, stage=Stage.DECIDED, decision=decision)


class EnquiryNotOpen(FieldInvalid):
    """What was ordered needs an enquiry in another state."""

    code = "enquiry_not_open"


C = TypeVar("C", bound=Command)


def read_command(model: type[C], raw: bytes) -> C:
    """The command in a request's body.

    Raises:
        Rejected: it is not one; the text names the field and never its value.
    """
    if len(raw) > MAX_COMMAND_BYTES:
        raise FieldInvalid(f"the command has {len(raw)} bytes, at most {MAX_COMMAND_BYTES} are read")
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise failure_of(model, error) from None


def open_enquiry(
    command: OpenEnquiry, *, by: str, reply_key: str, enquiry: str, draw: Callable[[], str], now: int
) -> Enquiry:
    """A new enquiry.

    Args:
        enquiry: its id, sixteen random bytes in hexadecimal.
        reply_key: key id of the reply key that was made for it.
        draw: gives sixteen random bytes in hexadecimal, for the subjects' local references.

    Raises:
        FieldInvalid: an identifier is not valid, the enquiry was received in the future, or somebody is to work on it
            who must not see it.
    """
    if command.received_at > now + PERMITTED_SKEW_MS:
        raise FieldInvalid("field received_at lies in the future; it is milliseconds since 1970 in UTC")
    for place, officer in enumerate(command.conflicts):
        if officer == by or officer in command.officers:
            raise FieldInvalid(f"field conflicts.{place} names an officer who is to work on the enquiry")
    content = Content(
        subjects=[_subject(given, place, draw()) for place, given in enumerate(command.subjects)],
        lawful_bases=sorted(set(command.lawful_bases)),
        consent=command.consent,
        allocated=True if command.allocated else None,
        reason=command.reason,
        reference=command.reference,
    )
    return Enquiry(
        id=enquiry,
        state=EnquiryState.OPEN,
        stage=command.stage,
        rag=command.rag,
        purpose=command.purpose,
        received_at=command.received_at,
        opened_at=now,
        opened_by=by,
        officers=frozenset({by, *command.officers}),
        reply_key=reply_key,
        content=content,
    )


def fresh_references(subjects: Sequence[Subject], draw: Callable[[], str]) -> Mapping[str, str]:
    """A new random reference for each subject, to be used in one request: reference -> local reference."""
    return {draw(): subject.ref for subject in subjects}


def _subject(given: SubjectGiven, place: int, ref: str) -> Subject:
    return Subject(
        ref=ref,
        role=given.role,
        name=given.name,
        other_names=given.other_names,
        birth_date=given.birth_date,
        expected_on=given.expected_on,
        sex=given.sex,
        identifiers=[
            _identifier(one, f"subjects.{place}.identifiers.{at}") for at, one in enumerate(given.identifiers)
        ],
        addresses=given.addresses,
    )


def _identifier(written: IdentifierWritten, place: str) -> IdentifierGiven:
    try:
        return IdentifierGiven(kind=written.kind, value=parse_identifier(written.kind, written.value).value)
    except IdentifierInvalid as invalid:
        raise FieldInvalid(f"field {place}.value: {invalid.detail}") from None
