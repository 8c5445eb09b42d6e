"""What the addenda of the desk's own deeds say to the information-governance leads (SPEC 7.4): codes, ids and times."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from broker.desk.excess import Cut
from schemas.messages.fields import Hex16, Millis, Prose, Slug
from schemas.messages.model import Message
from schemas.vocabulary import Decision, ReviewFinding


class QuarantineTold(Message):
    """Which categories and fields of an answer exceeded its grant; to the leads of both sides."""

    exchange: Hex16
    cuts: Annotated[list[Cut], Field(min_length=1, max_length=1024)]


class ConsultedTold(Message):
    """Which officer looked at which enquiry, when, and whose answers there were to see; to the hub's lead."""

    enquiry: Hex16
    officer: Slug
    at: Millis
    exchanges: Annotated[list[Hex16], Field(max_length=1024)]


class ConflictChange(StrEnum):
    """What became of an enquiry's conflict list."""

    ADDED = "added"
    REMOVED = "removed"
    TRIED = "tried"
    """An officer on the list tried to reach the enquiry, and was told that there is none."""


class ConflictTold(Message):
    """Which officer must not see which enquiry, by whose word and since when; to the hub's lead."""

    enquiry: Hex16
    officer: Slug
    by: Slug
    change: ConflictChange
    at: Millis


class ReviewTold(Message):
    """Which lead closed the review of a broken glass, and what was found; to the leads of both sides."""

    exchange: Hex16
    lead: Slug
    finding: ReviewFinding
    words: Prose
    at: Millis


class ClosedTold(Message):
    """Which officer closed which enquiry, and what had been decided; to the hub's lead."""

    enquiry: Hex16
    officer: Slug
    at: Millis
    decision: Decision | None = None
