"""The exchange as a table: every state with every event, and what each step asks for."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.coordinator.effects import (
    Alert,
    Append,
    CancelTimers,
    Deliver,
    EntryKind,
    ForgetRequest,
    NoticeAgent,
    NoticeDesk,
    SetTimer,
    TimerKind,
)
from broker.coordinator.events import (
    DUE,
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
from broker.coordinator.exchange import (
    CONCLUSIONS,
    TRANSITIONS,
    Concluded,
    Exchange,
    OutOfOrder,
    Progress,
    diagram,
    step,
)
from schemas.vocabulary import Rag, ReviewRole

MINUTE = 60_000
NEW: Final = Exchange(
    id="e",
    enquiry="q",
    agency="northshire-police",
    rag=Rag.RED,
    request_digest="r",
    asked_at=0,
    deadline_at=100 * MINUTE,
    expires_at=1000 * MINUTE,
)
EVENTS: Final[tuple[Event, ...]] = (
    Permitted("g"),
    Refused(),
    Acknowledged(),
    PutInReview(ReviewRole.DUTY_REVIEWER),
    Released("a"),
    WithdrawAsked(),
    AgencyRemoved(),
    Opened(),
    Quarantined(),
    ReviewClosed(),
    ReminderDue(),
    WarningDue(),
    DeadlinePassed(undecided=False),
    EscalationDue(),
    ExpiryReached(),
)
HAPPENS: Final[dict[Progress, dict[type[Event], Progress]]] = {
    Progress.ASKED: {Permitted: Progress.PERMITTED, Refused: Progress.REFUSED},
    Progress.PERMITTED: {
        ReviewClosed: Progress.PERMITTED,
        Acknowledged: Progress.DELIVERED,
        PutInReview: Progress.PERMITTED,
        Released: Progress.ANSWERED,
        WithdrawAsked: Progress.WITHDRAWN,
        AgencyRemoved: Progress.WITHDRAWN,
        ReminderDue: Progress.PERMITTED,
        WarningDue: Progress.PERMITTED,
        DeadlinePassed: Progress.OVERDUE,
        ExpiryReached: Progress.EXPIRED,
    },
    Progress.DELIVERED: {
        PutInReview: Progress.DELIVERED,
        ReviewClosed: Progress.DELIVERED,
        Released: Progress.ANSWERED,
        WithdrawAsked: Progress.WITHDRAWN,
        AgencyRemoved: Progress.WITHDRAWN,
        ReminderDue: Progress.DELIVERED,
        WarningDue: Progress.DELIVERED,
        DeadlinePassed: Progress.OVERDUE,
        ExpiryReached: Progress.EXPIRED,
    },
    Progress.OVERDUE: {
        ReviewClosed: Progress.OVERDUE,
        Acknowledged: Progress.OVERDUE,
        PutInReview: Progress.OVERDUE,
        Released: Progress.ANSWERED,
        WithdrawAsked: Progress.WITHDRAWN,
        AgencyRemoved: Progress.WITHDRAWN,
        EscalationDue: Progress.OVERDUE,
        ExpiryReached: Progress.EXPIRED,
    },
    Progress.REFUSED: {},
    Progress.ANSWERED: {
        ReviewClosed: Progress.ANSWERED,
        Acknowledged: Progress.ANSWERED,
        PutInReview: Progress.ANSWERED,
        Opened: Progress.ANSWERED,
        Quarantined: Progress.ANSWERED,
    },
    Progress.EXPIRED: {
        Acknowledged: Progress.EXPIRED,
        PutInReview: Progress.EXPIRED,
        ReviewClosed: Progress.EXPIRED,
    },
    Progress.WITHDRAWN: {
        Acknowledged: Progress.WITHDRAWN,
        PutInReview: Progress.WITHDRAWN,
        ReviewClosed: Progress.WITHDRAWN,
    },
}


def at(progress: Progress) -> Exchange:
    return replace(NEW, progress=progress)


def after(*events: Event, now: int = MINUTE) -> Exchange:
    exchange = NEW
    for event in events:
        exchange = step(exchange, event, now).exchange
    return exchange


@pytest.mark.parametrize(("progress", "event"), list(product(Progress, EVENTS)))
def test_each_event_in_each_state_goes_where_the_story_says_or_is_refused(progress: Progress, event: Event) -> None:
    expected = HAPPENS[progress].get(type(event))
    if expected is not None:
        assert step(at(progress), event, MINUTE).exchange.progress is expected
    else:
        with pytest.raises(Concluded if progress in CONCLUSIONS else OutOfOrder):
            step(at(progress), event, MINUTE)


def test_the_events_tried_are_all_there_are() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))
    assert set(DUE) == set(TimerKind)
    assert {event for _, event in TRANSITIONS} == set(get_args(Event))


def test_no_conclusion_is_ever_left() -> None:
    for (start, _), end in TRANSITIONS.items():
        assert start not in CONCLUSIONS or end is start


def test_a_permit_is_entered_delivered_and_timed() -> None:
    effects = step(NEW, Permitted("g"), 0).effects
    assert effects == (
        Append(EntryKind.REQUEST),
        Deliver(),
        SetTimer(TimerKind.REMINDER, 50 * MINUTE),
        SetTimer(TimerKind.WARNING, 80 * MINUTE),
        SetTimer(TimerKind.OVERDUE, 100 * MINUTE),
        SetTimer(TimerKind.ESCALATION, 125 * MINUTE),
        SetTimer(TimerKind.EXPIRY, 1000 * MINUTE),
    )


def test_of_a_broken_glass_the_agency_is_told_before_it_is_asked() -> None:
    effects = step(NEW, Permitted("g", is_glass_broken=True), 0).effects
    assert effects[:4] == (
        Append(EntryKind.REQUEST),
        Append(EntryKind.BREAK_GLASS),
        NoticeAgent(EntryKind.BREAK_GLASS),
        Deliver(),
    )


def test_an_escalation_that_would_come_after_the_expiry_is_not_set() -> None:
    effects = step(replace(NEW, expires_at=110 * MINUTE), Permitted("g"), 0).effects
    assert [effect.kind for effect in effects if isinstance(effect, SetTimer)] == [
        TimerKind.REMINDER,
        TimerKind.WARNING,
        TimerKind.OVERDUE,
        TimerKind.EXPIRY,
    ]


def test_a_refusal_is_entered_and_told_to_the_agency_and_sets_no_timer() -> None:
    assert step(NEW, Refused(), 0).effects == (Append(EntryKind.REFUSAL), NoticeAgent(EntryKind.REFUSAL))


def test_a_removed_agency_is_told_nothing_and_the_desk_that_the_request_is_withdrawn() -> None:
    assert step(at(Progress.DELIVERED), AgencyRemoved(), MINUTE).effects == (
        Append(EntryKind.WITHDRAWN),
        NoticeDesk(EntryKind.WITHDRAWN),
        CancelTimers(),
        ForgetRequest(),
    )


def test_a_withdrawal_enters_the_desks_deed_before_the_entry_that_names_it() -> None:
    effects = step(at(Progress.DELIVERED), WithdrawAsked(), MINUTE).effects
    assert [effect.kind for effect in effects if isinstance(effect, Append)] == [EntryKind.DEED, EntryKind.WITHDRAWN]
    assert NoticeAgent(EntryKind.WITHDRAWN) in effects
    assert NoticeDesk(EntryKind.WITHDRAWN) in effects


@pytest.mark.parametrize("event", [Released("a"), WithdrawAsked(), ExpiryReached()])
def test_every_conclusion_ends_the_timers_and_forgets_the_sealed_request(event: Event) -> None:
    effects = step(at(Progress.OVERDUE), event, MINUTE).effects
    assert CancelTimers() in effects
    assert ForgetRequest() in effects


def test_an_answer_after_it_was_overdue_is_marked_late_and_one_before_is_not() -> None:
    overdue = after(Permitted("g"), Acknowledged(), DeadlinePassed(undecided=False))
    assert step(overdue, Released("a"), 101 * MINUTE).exchange.is_late
    assert not after(Permitted("g"), Acknowledged(), Released("a")).is_late


def test_a_deadline_in_an_outage_is_undecided() -> None:
    assert after(Permitted("g"), DeadlinePassed(undecided=True)).is_undecided
    assert not after(Permitted("g"), DeadlinePassed(undecided=False)).is_undecided


def test_an_escalation_is_remembered_and_shown() -> None:
    done = step(after(Permitted("g"), DeadlinePassed(undecided=False)), EscalationDue(), MINUTE)
    assert done.exchange.is_escalated
    assert Alert(TimerKind.ESCALATION) in done.effects


@pytest.mark.parametrize("event", [Released("a"), WithdrawAsked()])
def test_expired_is_final_even_before_the_expiry_is_recorded(event: Event) -> None:
    with pytest.raises(Concluded):
        step(at(Progress.OVERDUE), event, NEW.expires_at)


def test_reminder_and_warning_change_nothing_but_what_people_are_shown() -> None:
    reminded = step(at(Progress.DELIVERED), ReminderDue(), MINUTE)
    assert reminded.effects == (Alert(TimerKind.REMINDER),)
    assert reminded.exchange == replace(at(Progress.DELIVERED), alerted=TimerKind.REMINDER)
    assert step(reminded.exchange, WarningDue(), MINUTE).effects == (Alert(TimerKind.WARNING),)


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_however_events_come_there_is_at_most_one_conclusion_and_notices_follow_their_entries(
    events: list[Event],
) -> None:
    exchange, conclusions = NEW, 0
    for event in events:
        try:
            done = step(exchange, event, MINUTE)
        except (Concluded, OutOfOrder):
            continue
        conclusions += done.exchange.is_concluded and not exchange.is_concluded
        exchange = done.exchange
        appended = set()
        for effect in done.effects:
            if isinstance(effect, Append):
                appended.add(effect.kind)
            elif isinstance(effect, NoticeAgent | NoticeDesk):
                assert effect.kind in appended
            elif isinstance(effect, Deliver):
                assert EntryKind.REQUEST in appended
    assert conclusions <= 1


def test_the_diagram_shows_every_transition_and_every_end() -> None:
    lines = diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert "    overdue --> answered: Released" in lines
    assert len(lines) == 2 + len(TRANSITIONS) + len(CONCLUSIONS)
