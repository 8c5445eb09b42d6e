"""What is sealed at rest of an exchange: its subject references, the opened answer, and what exceeded the grant."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from broker.desk.excess import Cut
from schemas.messages.answer import OutcomeRow
from schemas.messages.fields import Hex16, Line
from schemas.messages.model import Message

LIMIT_BYTES: Final = 1_000_000
"""As much as a whole message: more can have come in with none."""


class Kept(StrEnum):
    """Where in the vault each sealed thing lies; part of what it is bound to and of its key."""

    CONTENT = "enquiry-content"
    DECISION = "enquiry-decision"
    REFERENCES = "exchange-references"
    OUTCOMES = "answer-outcomes"
    EXCESS = "quarantine-excess"
    BREAK_GLASS = "break-glass-reason"
    UNREAD = "quarantine-unread"
    """An answer that could not be read: its sealed body, as it came."""


class References(Message):
    """The random references of one request, and the enquiry's own reference each stands for."""

    local: dict[Hex16, Hex16]


class KeptAnswer(Message):
    """What of an answer may be shown, what was cut out of it, and what its originator asks of whoever reads it."""

    outcomes: Annotated[list[OutcomeRow], Field(max_length=1024)]
    cuts: Annotated[list[Cut], Field(max_length=1024)]
    handling: Line | None = None
    """None where nobody can read the answer."""


class KeptExcess(Message):
    """Outcomes that exceeded their grant, as they came. Never shown; kept until the enquiry is erased."""

    outcomes: Annotated[list[OutcomeRow], Field(max_length=1024)]
