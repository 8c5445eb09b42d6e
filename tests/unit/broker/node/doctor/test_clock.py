"""The doctor on clocks: two minutes are tolerated, and what is further off is told."""

from __future__ import annotations

import pytest

from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.clock import check_clock, check_others, judge
from broker.node.home import Home
from tests.support.clock import NOON


def test_a_clock_before_what_was_signed_is_told_and_two_minutes_are_not(home: Home) -> None:
    assert "2 minutes of difference are tolerated" in check_clock([home], NOON - PERMITTED_SKEW_MS)
    with pytest.raises(NotWell, match=r"northshire .* NTP"):
        check_clock([home], NOON - PERMITTED_SKEW_MS - 1)


@pytest.mark.parametrize(
    ("offset", "said"), [(45_000, "45 seconds ahead of ours"), (-119_000, "119 seconds behind ours")]
)
def test_a_peers_clock_half_a_minute_off_is_worth_a_word(offset: int, said: str) -> None:
    found = judge(0, {"coordinator": offset, "desk": 3}, {})
    assert isinstance(found, Warned)
    assert f"the clock of coordinator is {said}" in found.said


def test_a_peers_clock_seconds_off_is_well() -> None:
    assert judge(0, {"coordinator": -2_400}, {"desk": -500_000, "coordinator": 0}) == (
        "at most 3 s from the clock of coordinator"
    )
    assert isinstance(judge(0, {}, {}), str)


def test_messages_refused_for_their_dates_are_told() -> None:
    found = judge(7, {}, {})
    assert isinstance(found, Warned)
    assert "7 messages were refused" in found.said


def test_whose_messages_were_refused_for_their_dates_is_named() -> None:
    found = judge(7, {"police": 180_000, "health": 300}, {})
    assert isinstance(found, Warned)
    assert "7 messages were refused" in found.said
    assert "the clock of police is 180 seconds ahead of ours" in found.said
    assert "health" not in found.said


def test_one_whose_clock_is_so_far_ahead_that_nobody_takes_its_messages_is_told() -> None:
    found = judge(0, {}, {"coordinator": -180_500, "desk": -181_000})
    assert isinstance(found, Warned)
    assert "no message came sooner than 180 seconds after its date: our clock is ahead" in found.said
    assert not isinstance(judge(0, {}, {"coordinator": -900}), Warned)


def test_a_program_that_does_not_run_is_compared_with_nobody(home: Home) -> None:
    assert "not running" in str(check_others(home))
