"""The clock table counts from receipt, and says so when that time has gone."""

from __future__ import annotations

import pytest

from broker.desk.deadlines import LONGEST_EXPIRY_MS, DeadlinePassed, DeadlineTable, Span, Times
from schemas.messages.model import FieldInvalid
from schemas.vocabulary import Rag
from tests.support.clock import NOON

HOUR = 3_600_000
TABLE = DeadlineTable({Rag.RED: Span(4 * HOUR, 24 * HOUR)})


def times(received_at: int = NOON, now: int = NOON, rag: Rag = Rag.RED, **asked: int) -> Times:
    return TABLE.times(rag, received_at=received_at, now=now, **asked)


def test_the_deadline_counts_from_when_the_enquiry_was_received() -> None:
    assert times(now=NOON + HOUR) == Times(NOON + 4 * HOUR, NOON + 24 * HOUR)


def test_a_deadline_that_has_passed_since_receipt_is_refused_with_what_to_do() -> None:
    with pytest.raises(DeadlinePassed) as failed:
        times(now=NOON + 5 * HOUR)
    assert "name a later deadline" in failed.value.detail
    assert "60 minutes ago" in failed.value.detail


def test_a_later_deadline_may_be_asked_for_explicitly() -> None:
    assert times(now=NOON + 5 * HOUR, deadline_at=NOON + 6 * HOUR) == Times(NOON + 6 * HOUR, NOON + 26 * HOUR)


def test_an_explicit_deadline_in_the_past_is_refused() -> None:
    with pytest.raises(FieldInvalid, match="deadline_at"):
        times(deadline_at=NOON)


def test_a_request_may_not_expire_before_its_deadline() -> None:
    with pytest.raises(FieldInvalid, match="expires_at"):
        times(expires_at=NOON + 4 * HOUR)


def test_a_request_may_not_stay_open_longer_than_the_limit() -> None:
    with pytest.raises(FieldInvalid, match="expires_at"):
        times(expires_at=NOON + LONGEST_EXPIRY_MS + 1)


def test_a_rating_without_a_line_needs_both_times_named() -> None:
    with pytest.raises(FieldInvalid, match="deadline_at"):
        times(rag=Rag.BLUE)
    with pytest.raises(FieldInvalid, match="expires_at"):
        times(rag=Rag.BLUE, deadline_at=NOON + HOUR)
    assert times(rag=Rag.BLUE, deadline_at=NOON + HOUR, expires_at=NOON + 2 * HOUR).deadline_at == NOON + HOUR


@pytest.mark.parametrize(("deadline", "expiry"), [(0, 1), (2, 2), (3, 2), (1, LONGEST_EXPIRY_MS + 1)])
def test_a_line_of_the_table_has_its_times_in_order(deadline: int, expiry: int) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        Span(deadline, expiry)
