"""What can happen to an exchange: decisions, deeds of its parties, and time. A closed set of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from broker.coordinator.effects import TimerKind
from schemas.vocabulary import ReviewRole


@dataclass(frozen=True, slots=True)
class Permitted:
    """The decision is a grant."""

    grant_digest: str
    is_glass_broken: bool = False
    """A manager broke the glass for it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The decision is a refusal."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The agency's signed word that it has the request."""


@dataclass(frozen=True, slots=True)
class PutInReview:
    """The agency's signed word that a person there reviews it before it is answered."""

    reviewer: ReviewRole


@dataclass(frozen=True, slots=True)
class Released:
    """The agency's signed word that it has committed an answer, or the answer that it could not look."""

    answer_digest: str


@dataclass(frozen=True, slots=True)
class WithdrawAsked:
    """The desk's signed word that it takes the request back."""


@dataclass(frozen=True, slots=True)
class AgencyRemoved:
    """The agency asked is no member of the hub any more."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The desk's signed word that it opened the answer."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The desk's signed word that it kept back what exceeds the grant."""


@dataclass(frozen=True, slots=True)
class ReviewClosed:
    """A lead's signed word, handed in by the desk, that the review of the broken glass is over."""


@dataclass(frozen=True, slots=True)
class ReminderDue:
    """Half of the time is over."""


@dataclass(frozen=True, slots=True)
class WarningDue:
    """Most of the time is over."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The deadline is over; `undecided` if it fell into an outage of the hub."""

    undecided: bool


@dataclass(frozen=True, slots=True)
class EscalationDue:
    """It is overdue for so long that the hub's manager is to know."""


@dataclass(frozen=True, slots=True)
class ExpiryReached:
    """No answer is accepted any more."""


Event: TypeAlias = (
    Permitted
    | Refused
    | Acknowledged
    | PutInReview
    | Released
    | WithdrawAsked
    | AgencyRemoved
    | Opened
    | Quarantined
    | ReviewClosed
    | ReminderDue
    | WarningDue
    | DeadlinePassed
    | EscalationDue
    | ExpiryReached
)

DUE: Final[Mapping[TimerKind, type[Event]]] = {
    TimerKind.REMINDER: ReminderDue,
    TimerKind.WARNING: WarningDue,
    TimerKind.OVERDUE: DeadlinePassed,
    TimerKind.ESCALATION: EscalationDue,
    TimerKind.EXPIRY: ExpiryReached,
}
"""Which event a timer becomes when it is due."""
