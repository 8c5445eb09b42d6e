"""The coordinator's decision: what may be released, or why not (SPEC 5.3)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from schemas.messages.fields import Hex16, Hex32, IsoDate, Line, Millis, Slug, Word
from schemas.messages.model import Message, Part, RuleBroken
from schemas.vocabulary import Category, LawfulBasis, Mode, SubjectRole

MAX_RULING_BYTES: Final = 256 * 1024
"""512 reasons of the longest words and 64 sentences."""


class Scope(Part):
    """One category that may be released: in which mode, about which roles, which fields, by which rule."""

    category: Category
    mode: Mode
    roles: Annotated[list[SubjectRole], Field(min_length=1, max_length=16)]
    fields: Annotated[list[Word], Field(min_length=1, max_length=64)]
    rule: Word

    @model_validator(mode="after")
    def _each_once(self) -> Scope:
        if len(set(self.roles)) != len(self.roles) or len(set(self.fields)) != len(self.fields):
            raise RuleBroken("one role or one field twice")
        return self


class Grant(Message):
    """A permit (SPEC 5.3). It only narrows the header it answers; signed by the coordinator's grant key."""

    kind: Literal["grant"] = "grant"
    hub: Slug
    agency: Slug
    exchange: Hex16
    grant_key: Hex16
    request_digest: Hex32
    policy_digest: Hex32
    rules: Annotated[list[Word], Field(min_length=1, max_length=128)]
    scope: Annotated[list[Scope], Field(min_length=1, max_length=256)]
    lifted: Annotated[list[Word], Field(min_length=1, max_length=32)] | None = Field(
        default=None, description="Rules of the hub that did not count, because a manager broke the glass."
    )
    not_before: Millis
    expires_at: Millis

    @model_validator(mode="after")
    def _times_hold(self) -> Grant:
        if not self.not_before < self.expires_at:
            raise RuleBroken("not_before < expires_at does not hold")
        return self


class Reason(Part):
    """Why something asked was not granted: the rule, what it was about, and the dates it rests on, if any."""

    rule: Word
    category: Category | None = None
    mode: Mode | None = None
    role: SubjectRole | None = None
    basis: LawfulBasis | None = Field(default=None, description="The legal basis that cannot be relied on.")
    agreement: Word | None = Field(default=None, description="The sharing agreement that does not reach so far.")
    in_force_from: IsoDate | None = Field(default=None, description="First day of that basis or agreement.")
    in_force_until: IsoDate | None = Field(default=None, description="Its last day.")


class Ruling(Message):
    """What the coordinator tells the desk: permitted (with a grant) or refused, and what was left out and why."""

    kind: Literal["ruling"] = "ruling"
    hub: Slug
    agency: Slug
    exchange: Hex16
    request_digest: Hex32
    policy_digest: Hex32
    permitted: bool
    reasons: Annotated[list[Reason], Field(max_length=512)]
    sentences: Annotated[
        dict[Word, Line],
        Field(max_length=64, description="What rules among the reasons say, in plain words, by their ids."),
    ]
