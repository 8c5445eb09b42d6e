"""An agency's answer: a header that binds it to request and grant, a body sealed to the enquiry (SPEC 6)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue, StringConstraints, model_validator

from schemas.canonical import without_member
from schemas.crypto.keys import Identity, PublicKey
from schemas.crypto.padding import MAX_CONTENT_BYTES
from schemas.crypto.sealing import Sealing, open_sealed, seal
from schemas.messages.fields import Hex16, Hex32, Line, Millis, One, Prose, Slug, Word
from schemas.messages.model import Message, Part, RuleBroken, read
from schemas.records.registry import fields_of
from schemas.vocabulary import AgencyReason, AgencyRule, Category, Evidence, Mode, Outcome

BODY_DIGEST: Final = "body_digest"
MAX_FACTS: Final = 1000
"""Most facts of one outcome: far more records of one category than anybody has who is not a mistake."""
DECLINED: Final = "declined."
"""Before a `DeclineReason`: the reason of what a person at the agency declined."""
MAX_WRITTEN: Final = 8_000
"""Most letters of all the different reasons in words of one answer: two at their longest, or many short ones."""
MAX_FIELDS: Final = 64
"""Most field names in the facts of one outcome; the largest record category has half as many."""


class AnswerHeader(Message):
    """What an answer is to and from (SPEC 6.1); signed by the agency's answer key."""

    kind: Literal["answer"] = "answer"
    suite: Literal[1] = 1
    hub: Slug
    agency: Slug
    exchange: Hex16
    message_id: Hex16
    answer_key: Hex16
    request_digest: Hex32
    grant_digest: Hex32
    reply_key: Hex16 = Field(description="Key id of the enquiry's reply key the body is sealed to.")
    answered_at: Millis
    expires_at: Millis
    body_digest: Hex32
    part: One = 1
    parts: One = 1

    @model_validator(mode="after")
    def _times_hold(self) -> AnswerHeader:
        if not self.answered_at < self.expires_at:
            raise RuleBroken("answered_at < expires_at does not hold")
        return self


class OutcomeRow(Part):
    """What became of one category about one subject."""

    subject: Hex16 = Field(description="The subject's reference in the request.")
    category: Category
    mode: Mode
    outcome: Outcome
    rule: AgencyRule | None = Field(default=None, description="The agency's rule that released or withheld it.")
    reason: AgencyReason | None = Field(default=None, description="Why withheld, not looked at, or given in part.")
    written: Prose | None = Field(
        default=None, description="Declined by a person: the reason in the words of the agency, for the hub's officers."
    )
    confirm: Annotated[list[Evidence], Field(max_length=8)] = Field(
        default_factory=list,
        description="Possible match: kinds of identity evidence that would settle it; never what is held.",
    )
    facts: Annotated[list[dict[Word, JsonValue]], Field(max_length=MAX_FACTS, default_factory=list)]

    @model_validator(mode="after")
    def _says_what_its_outcome_may(self) -> OutcomeRow:
        if bool(self.facts) != (self.outcome is Outcome.ANSWERED):
            raise RuleBroken("facts stand with the outcome answered and with no other")
        if self.outcome in (Outcome.WITHHELD, Outcome.COULD_NOT_LOOK) and self.reason is None:
            raise RuleBroken("an outcome of that kind has a reason")
        is_declined = (self.reason or "").startswith(DECLINED)
        if is_declined and self.outcome is not Outcome.WITHHELD:
            raise RuleBroken("what a person declined is withheld")
        if self.written is not None and not is_declined:
            raise RuleBroken("a reason in words stands beside one that a person declined for")
        if self.confirm and self.outcome is not Outcome.POSSIBLE_MATCH:
            raise RuleBroken("evidence to confirm stands with a possible match and with no other outcome")
        if self.outcome is Outcome.NOT_KNOWN and (self.rule is not None or self.reason is not None):
            # A silent refusal shows as this outcome (DESIGN section 2, promise 4): nothing may tell the two apart.
            raise RuleBroken("the outcome not known has neither rule nor reason")
        if len(self.field_names()) > MAX_FIELDS:
            raise RuleBroken("more field names than one category has")
        return self

    def field_names(self) -> list[str]:
        """The names of the fields that any of its facts has, sorted."""
        return sorted({name for fact in self.facts for name in fact})


class AnswerBody(Message):
    """The outcomes, one for each subject and category granted, and the key of the release's addendum (SPEC 6.2)."""

    exchange: Hex16
    outcomes: Annotated[list[OutcomeRow], Field(min_length=1, max_length=1024)]
    matcher: Hex32 = Field(
        description="Digest of the weights that people were matched by: which version of the matcher this agency runs."
    )
    handling: Line = Field(description="The originator's handling caveat: what the recipient may do with it.")
    addendum_key: Hex32
    filler: Annotated[str, StringConstraints(pattern=r"^ *$")] = Field(
        default="", description="Spaces, so that answers that must look alike fall in one bucket."
    )

    @model_validator(mode="after")
    def _one_outcome_each(self) -> AnswerBody:
        named = [(row.subject, row.category) for row in self.outcomes]
        if len(set(named)) != len(named):
            raise RuleBroken("two outcomes for one subject and category")
        if sum(map(len, {row.written for row in self.outcomes if row.written is not None})) > MAX_WRITTEN:
            raise RuleBroken("more reasons in words than one answer may have")
        return self


class OutcomeTold(Part):
    """One outcome as the log's addendum keeps it."""

    subject: Hex16
    category: Category
    mode: Mode
    outcome: Outcome
    rule: AgencyRule | None = None
    reason: AgencyReason | None = None
    facts: Annotated[int, Field(ge=0, le=MAX_FACTS)] = 0
    fields: Annotated[list[Word], Field(max_length=MAX_FIELDS, default_factory=list)]

    @model_validator(mode="after")
    def _names_fields_of_the_record(self) -> OutcomeTold:
        if self.fields != sorted(fields_of(self.category, self.mode).intersection(self.fields)):
            raise RuleBroken("fields names what is no field of the record, or is out of order")
        return self


class ReleaseTold(Message):
    """The content of a release's addendum: outcomes and counts, never facts (SPEC 7.4)."""

    exchange: Hex16
    outcomes: Annotated[list[OutcomeTold], Field(max_length=1024)]


def told_of(row: OutcomeRow) -> OutcomeTold:
    """What the addendum keeps of an outcome: which fields left, how many facts, by which rule.

    A name that is no field of the record is left out: an agency could have written anything there.
    """
    return OutcomeTold(
        subject=row.subject,
        category=row.category,
        mode=row.mode,
        outcome=row.outcome,
        rule=row.rule,
        reason=row.reason,
        facts=len(row.facts),
        fields=sorted(fields_of(row.category, row.mode).intersection(row.field_names())),
    )


def seal_answer(header_bytes: bytes, body: AnswerBody, recipient: PublicKey) -> bytes:
    """The sealed body for a header whose bytes still lack `body_digest`.

    Raises:
        ContentTooLarge: more than one part holds; the agency then answers *could not look: too large*.
    """
    return seal(Sealing.ANSWER, header_bytes, body.encode(), recipient)


def open_answer(header_bytes: bytes, sealed: bytes, identity: Identity) -> AnswerBody:
    """The body that belongs to the complete header `header_bytes`.

    Raises:
        SealBroken, PaddingInvalid: it does not open with this identity under this header.
        Rejected: its content is not an answer body.
    """
    plain = open_sealed(Sealing.ANSWER, without_member(header_bytes, BODY_DIGEST), sealed, identity)
    return read(AnswerBody, plain, limit_bytes=MAX_CONTENT_BYTES)
