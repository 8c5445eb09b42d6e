"""What a step of an exchange asks for: a closed set. Who carries it out is `acting`; nothing here does anything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class EntryKind(StrEnum):
    """An entry to be appended to the sharing log: the coordinator's own, or the deed that came in, as it is."""

    REQUEST = "request"
    REFUSAL = "refusal"
    BREAK_GLASS = "break-glass"
    DEED = "deed"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class TimerKind(StrEnum):
    """What happens when time passes and nothing else does."""

    REMINDER = "reminder"
    WARNING = "warning"
    OVERDUE = "overdue"
    ESCALATION = "escalation"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class Append:
    """Append an entry."""

    kind: EntryKind


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send request, grant and the receipt of the request entry to the agency."""


@dataclass(frozen=True, slots=True)
class NoticeAgent:
    """Send the agency the receipt of the entry of that kind, appended in this step."""

    kind: EntryKind


@dataclass(frozen=True, slots=True)
class NoticeDesk:
    """Send the desk the receipt of the entry of that kind, appended in this step."""

    kind: EntryKind


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Have a timer fire at `due_at` (milliseconds UTC)."""

    kind: TimerKind
    due_at: int


@dataclass(frozen=True, slots=True)
class CancelTimers:
    """The exchange has no more timers."""


@dataclass(frozen=True, slots=True)
class ForgetRequest:
    """Delete the coordinator's own sealed copy of the request; a delivery under way keeps its own."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Tell the people of the hub that time runs; it is shown, counted and not an entry."""

    kind: TimerKind


Effect: TypeAlias = Append | Deliver | NoticeAgent | NoticeDesk | SetTimer | CancelTimers | ForgetRequest | Alert
