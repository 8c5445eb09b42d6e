"""An exchange and how it moves: state and event in, state and effects out.

A request and all that follows from it, until its one conclusion. `step` is pure: it does not wait, store, send, log or
draw random numbers. What is not in `TRANSITIONS` does not happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

from broker.coordinator.effects import (
    Alert,
    Append,
    CancelTimers,
    Deliver,
    Effect,
    EntryKind,
    ForgetRequest,
    NoticeAgent,
    NoticeDesk,
    SetTimer,
    TimerKind,
)
from broker.coordinator.events import (
    Acknowledged,
    AgencyRemoved,
    DeadlinePassed,
    EscalationDue,
    Event,
    ExpiryReached,
    Opened,
    Permitted,
    PutInReview,
    Quarantined,
    Refused,
    Released,
    ReminderDue,
    ReviewClosed,
    WarningDue,
    WithdrawAsked,
)
from schemas.failures import Rejected
from schemas.vocabulary import Rag, ReviewRole

REMINDER_PERCENT: Final = 50
WARNING_PERCENT: Final = 80
ESCALATION_PERCENT: Final = 125
"""Of the time from asking to the deadline (DOMAIN section 7.2: reminder, warning, then the hub's manager)."""


class Progress(StrEnum):
    """Where an exchange stands; the last four are its conclusions."""

    ASKED = "asked"
    PERMITTED = "permitted"
    DELIVERED = "delivered"
    OVERDUE = "overdue"
    REFUSED = "refused"
    ANSWERED = "answered"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


CONCLUSIONS: Final = frozenset({Progress.REFUSED, Progress.ANSWERED, Progress.EXPIRED, Progress.WITHDRAWN})


class Concluded(Rejected):
    """The exchange has its conclusion; there is exactly one."""

    code = "concluded"


class OutOfOrder(Rejected):
    """An event that cannot follow on where the exchange stands."""

    code = "out_of_order"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange, as the coordinator knows it. Times are milliseconds UTC."""

    id: str
    enquiry: str
    agency: str
    rag: Rag
    request_digest: str
    asked_at: int
    deadline_at: int
    expires_at: int
    progress: Progress = Progress.ASKED
    grant_digest: str = ""
    answer_digest: str = ""
    alerted: TimerKind | None = None
    is_undecided: bool = False
    """The deadline fell into an outage of the hub."""
    is_escalated: bool = False
    is_late: bool = False
    """Answered after it was recorded as overdue."""
    reviewer: ReviewRole | None = None
    """In which role a person at the agency reviews it, or did; None: none is known of."""

    @property
    def is_concluded(self) -> bool:
        """Whether it has its conclusion."""
        return self.progress in CONCLUSIONS


_P: Final = Progress
TRANSITIONS: Final[Mapping[tuple[Progress, type[Event]], Progress]] = {
    (_P.ASKED, Permitted): _P.PERMITTED,
    (_P.ASKED, Refused): _P.REFUSED,
    (_P.PERMITTED, Acknowledged): _P.DELIVERED,
    (_P.PERMITTED, PutInReview): _P.PERMITTED,  # waiting for a person stops no clock
    (_P.PERMITTED, Released): _P.ANSWERED,  # its acknowledgement was overtaken, or lost on the way
    (_P.PERMITTED, WithdrawAsked): _P.WITHDRAWN,
    (_P.PERMITTED, AgencyRemoved): _P.WITHDRAWN,
    (_P.PERMITTED, ReminderDue): _P.PERMITTED,
    (_P.PERMITTED, WarningDue): _P.PERMITTED,
    (_P.PERMITTED, DeadlinePassed): _P.OVERDUE,
    (_P.PERMITTED, ExpiryReached): _P.EXPIRED,
    (_P.DELIVERED, PutInReview): _P.DELIVERED,
    (_P.DELIVERED, Released): _P.ANSWERED,
    (_P.DELIVERED, WithdrawAsked): _P.WITHDRAWN,
    (_P.DELIVERED, AgencyRemoved): _P.WITHDRAWN,
    (_P.DELIVERED, ReminderDue): _P.DELIVERED,
    (_P.DELIVERED, WarningDue): _P.DELIVERED,
    (_P.DELIVERED, DeadlinePassed): _P.OVERDUE,
    (_P.DELIVERED, ExpiryReached): _P.EXPIRED,
    (_P.OVERDUE, Acknowledged): _P.OVERDUE,
    (_P.OVERDUE, PutInReview): _P.OVERDUE,
    (_P.OVERDUE, Released): _P.ANSWERED,  # late is better than never
    (_P.OVERDUE, WithdrawAsked): _P.WITHDRAWN,
    (_P.OVERDUE, AgencyRemoved): _P.WITHDRAWN,
    (_P.OVERDUE, EscalationDue): _P.OVERDUE,
    (_P.OVERDUE, ExpiryReached): _P.EXPIRED,
    # A deed that was done is recorded, however late its word of it comes in: the agency has it in its own log.
    (_P.ANSWERED, Acknowledged): _P.ANSWERED,
    (_P.EXPIRED, Acknowledged): _P.EXPIRED,
    (_P.WITHDRAWN, Acknowledged): _P.WITHDRAWN,
    (_P.ANSWERED, PutInReview): _P.ANSWERED,
    (_P.EXPIRED, PutInReview): _P.EXPIRED,
    (_P.WITHDRAWN, PutInReview): _P.WITHDRAWN,
    (_P.ANSWERED, Opened): _P.ANSWERED,
    (_P.ANSWERED, Quarantined): _P.ANSWERED,
    # A review takes its time; the exchange goes on, or has ended.
    (_P.PERMITTED, ReviewClosed): _P.PERMITTED,
    (_P.DELIVERED, ReviewClosed): _P.DELIVERED,
    (_P.OVERDUE, ReviewClosed): _P.OVERDUE,
    (_P.ANSWERED, ReviewClosed): _P.ANSWERED,
    (_P.EXPIRED, ReviewClosed): _P.EXPIRED,
    (_P.WITHDRAWN, ReviewClosed): _P.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Step:
    """Where an exchange now stands, and what is to be done in the same commit."""

    exchange: Exchange
    effects: tuple[Effect, ...]


def step(exchange: Exchange, event: Event, now: int) -> Step:
    """Move an exchange on.

    Args:
        now: milliseconds UTC.

    Raises:
        Concluded: it has its conclusion, or its expiry has passed and only the record of that is outstanding.
        OutOfOrder: this cannot follow on that.
    """
    progress = TRANSITIONS.get((exchange.progress, type(event)))
    if progress is None:
        raise Concluded() if exchange.is_concluded else OutOfOrder()
    if isinstance(event, Released | WithdrawAsked) and now >= exchange.expires_at:
        raise Concluded("past its expiry")  # expired is final, also in the moment before that is recorded
    return Step(_moved(exchange, event, progress), _effects(exchange, event))


def _moved(before: Exchange, event: Event, progress: Progress) -> Exchange:
    after = replace(before, progress=progress)
    match event:
        case Permitted(grant_digest):
            return replace(after, grant_digest=grant_digest)
        case PutInReview(reviewer):
            return replace(after, reviewer=reviewer)
        case Released(answer_digest):
            return replace(after, answer_digest=answer_digest, is_late=before.progress is Progress.OVERDUE)
        case ReminderDue():
            return replace(after, alerted=TimerKind.REMINDER)
        case WarningDue():
            return replace(after, alerted=TimerKind.WARNING)
        case DeadlinePassed(undecided):
            return replace(after, alerted=TimerKind.OVERDUE, is_undecided=undecided)
        case EscalationDue():
            return replace(after, alerted=TimerKind.ESCALATION, is_escalated=True)
        case (
            Refused()
            | Acknowledged()
            | WithdrawAsked()
            | AgencyRemoved()
            | Opened()
            | Quarantined()
            | ReviewClosed()
            | ExpiryReached()
        ):
            return after
        case _:
            assert_never(event)


def _effects(exchange: Exchange, event: Event) -> tuple[Effect, ...]:
    match event:
        case Permitted(is_glass_broken=True):
            # Both entries before the delivery: an agent answers nothing while a number of the hub's is missing.
            told = (Append(EntryKind.BREAK_GLASS), NoticeAgent(EntryKind.BREAK_GLASS))
            return (Append(EntryKind.REQUEST), *told, Deliver(), *_timers(exchange))
        case Permitted():
            return (Append(EntryKind.REQUEST), Deliver(), *_timers(exchange))
        case Refused():
            return (Append(EntryKind.REFUSAL), NoticeAgent(EntryKind.REFUSAL))
        case Acknowledged() | PutInReview():
            return (Append(EntryKind.DEED), NoticeDesk(EntryKind.DEED))
        case Released():
            return (Append(EntryKind.DEED), NoticeDesk(EntryKind.DEED), CancelTimers(), ForgetRequest())
        case WithdrawAsked():
            # The desk's own deed first: the withdrawal names it.
            return (Append(EntryKind.DEED), *_told_to_both(EntryKind.WITHDRAWN), CancelTimers(), ForgetRequest())
        case AgencyRemoved():
            # The agency hears nothing more: it is cut off, and what it was sent is taken back.
            return (
                Append(EntryKind.WITHDRAWN),
                NoticeDesk(EntryKind.WITHDRAWN),
                CancelTimers(),
                ForgetRequest(),
            )
        case Opened():
            return (Append(EntryKind.DEED),)
        case Quarantined() | ReviewClosed():
            # Its lead hears of it from the hub, and not from whoever reads the log some day.
            return (Append(EntryKind.DEED), NoticeAgent(EntryKind.DEED))
        case ReminderDue():
            return (Alert(TimerKind.REMINDER),)
        case WarningDue():
            return (Alert(TimerKind.WARNING),)
        case DeadlinePassed():
            return (*_told_to_both(EntryKind.OVERDUE), Alert(TimerKind.OVERDUE))
        case EscalationDue():
            return (*_told_to_both(EntryKind.ESCALATED), Alert(TimerKind.ESCALATION))
        case ExpiryReached():
            return (*_told_to_both(EntryKind.EXPIRED), CancelTimers(), ForgetRequest(), Alert(TimerKind.EXPIRY))
        case _:
            assert_never(event)


def _told_to_both(kind: EntryKind) -> tuple[Effect, ...]:
    return Append(kind), NoticeAgent(kind), NoticeDesk(kind)


def _timers(exchange: Exchange) -> tuple[SetTimer, ...]:
    span = exchange.deadline_at - exchange.asked_at
    escalation_at = exchange.asked_at + span * ESCALATION_PERCENT // 100
    timers = [
        SetTimer(TimerKind.REMINDER, exchange.asked_at + span * REMINDER_PERCENT // 100),
        SetTimer(TimerKind.WARNING, exchange.asked_at + span * WARNING_PERCENT // 100),
        SetTimer(TimerKind.OVERDUE, exchange.deadline_at),
        SetTimer(TimerKind.ESCALATION, escalation_at),
        SetTimer(TimerKind.EXPIRY, exchange.expires_at),
    ]
    return tuple(timer for timer in timers if timer.kind is TimerKind.EXPIRY or timer.due_at < exchange.expires_at)


def diagram() -> str:
    """The transitions as a Mermaid state diagram, for SPEC.md."""
    lines = ["stateDiagram-v2", f"    [*] --> {Progress.ASKED}"]
    lines += [f"    {start} --> {end}: {event.__name__}" for (start, event), end in TRANSITIONS.items()]
    lines += [f"    {progress} --> [*]" for progress in Progress if progress in CONCLUSIONS]
    return "\n".join([*lines, ""])
