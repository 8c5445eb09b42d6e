"""Where an exchange may go, and what an officer is told of it."""

from __future__ import annotations

import itertools

import pytest

from broker.desk.progress import (
    EARLY,
    TRANSITIONS,
    Concluded,
    Event,
    NotRuledYet,
    Progress,
    Standing,
    advance,
)
from tests.support.clock import NOON

DEADLINE = NOON + 1000
EXPIRY = NOON + 9000
ENDS = (Progress.REFUSED, Progress.NOT_ACCEPTED, Progress.EXPIRED, Progress.WITHDRAWN)


def standing(progress: Progress, *, undecided: bool = False, **at: int) -> Standing:
    return Standing(progress, {Event(name): when for name, when in at.items()}, DEADLINE, EXPIRY, undecided)


def test_nothing_leaves_an_end() -> None:
    for end, event in itertools.product(ENDS, Event):
        assert TRANSITIONS.get((end, event), end) is end


def test_every_pair_is_a_line_of_the_table_or_too_early_or_an_error() -> None:
    for at, event in itertools.product(Progress, Event):
        if (at, event) in TRANSITIONS:
            assert advance(at, event) is TRANSITIONS[at, event]
        else:
            with pytest.raises(NotRuledYet if (at, event) in EARLY else Concluded):
                advance(at, event)
    assert not set(TRANSITIONS) & EARLY


def test_an_answer_that_overtakes_its_notices_is_opened() -> None:
    at = Progress.PERMITTED
    for event in (Event.OPENED, Event.RELEASED, Event.ACKNOWLEDGED, Event.OVERDUE):
        at = advance(at, event)
    assert at is Progress.OPENED


def test_an_answer_before_its_ruling_is_left_for_later() -> None:
    with pytest.raises(NotRuledYet):
        advance(Progress.ASKED, Event.OPENED)


@pytest.mark.parametrize("end", ENDS)
def test_no_answer_is_opened_after_the_end(end: Progress) -> None:
    with pytest.raises(Concluded):
        advance(end, Event.OPENED)


def test_an_answer_after_its_deadline_is_late_by_the_agencys_own_word() -> None:
    assert standing(Progress.OPENED, released=DEADLINE + 1).is_late
    assert not standing(Progress.OPENED, released=DEADLINE).is_late


def test_an_answer_that_the_hub_recorded_as_overdue_is_late_whatever_its_date_says() -> None:
    assert standing(Progress.OPENED, released=DEADLINE, overdue=DEADLINE + 5).is_late


def test_an_answer_due_inside_an_outage_of_the_hub_is_undecided_and_not_late() -> None:
    found = standing(Progress.OPENED, released=DEADLINE, overdue=DEADLINE + 5, undecided=True)
    assert not found.is_late
    assert found.shown()["undecided"] is True


def test_an_unanswered_exchange_past_its_deadline_is_overdue_until_it_is_answered() -> None:
    assert standing(Progress.DELIVERED, overdue=DEADLINE).is_overdue
    assert not standing(Progress.OPENED, overdue=DEADLINE, released=DEADLINE + 1).is_overdue


def test_an_exchange_past_its_expiry_is_not_waited_for_even_if_its_end_was_never_told() -> None:
    found = standing(Progress.ASKED, submitted=NOON)
    assert found.is_outstanding(EXPIRY)
    assert not found.is_outstanding(EXPIRY + 3_600_000)
