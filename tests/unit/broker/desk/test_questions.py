"""When a question is asked: never before its enquiry, whatever the clock did since."""

from __future__ import annotations

import pytest

from broker.desk.questions import ClockBehind, time_of_asking
from broker.node.clock import PERMITTED_SKEW_MS
from tests.support.clock import NOON


def test_a_question_is_dated_when_it_is_asked() -> None:
    assert time_of_asking(NOON - 1, NOON) == NOON


def test_a_clock_set_back_a_little_does_not_date_a_question_before_its_enquiry() -> None:
    assert time_of_asking(NOON, NOON - PERMITTED_SKEW_MS) == NOON


def test_a_clock_set_back_further_is_refused_with_what_to_do() -> None:
    with pytest.raises(ClockBehind, match=r"121 seconds before .* set the clock right"):
        time_of_asking(NOON, NOON - PERMITTED_SKEW_MS - 1000)
