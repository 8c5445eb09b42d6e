"""Who floods or connects again and again is suspended, once, and whoever does neither is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.enrolment.servers.guard import Guard, GuardLimits, Suspend, SuspensionReason, resumable_at
from broker.node.bus.flood import FloodGauge, FloodLimits
from broker.node.bus.port import MAX_PAYLOAD_BYTES
from broker.node.post.pacing import Pace

LIMITS = GuardLimits()
SECOND = 1000


def test_a_flood_is_ended_by_the_second_report() -> None:
    guard = Guard()
    assert guard.reported("A", 5_000, now=0) is None
    assert guard.reported("A", 5_000, now=100) == Suspend("A", SuspensionReason.FLOODING)


def test_a_flood_beyond_any_burst_is_ended_by_the_first_report() -> None:
    assert Guard().reported("A", LIMITS.at_once, now=0) == Suspend("A", SuspensionReason.FLOODING)


def test_two_reports_of_the_same_moment_are_one_burst() -> None:
    guard = Guard()
    assert guard.reported("A", 5_000, now=0) is None
    assert guard.reported("A", 5_000, now=3) is None


@pytest.mark.parametrize("size", [128, 16_384, MAX_PAYLOAD_BYTES])
def test_what_was_held_up_on_the_way_and_comes_at_once_suspends_nobody(size: int) -> None:
    """Five seconds of an agent with a day's messages to send: then a line that stands still is given up."""
    guard, now, verdicts = Guard(), 0, []
    gauge = FloodGauge(FloodLimits(), lambda token, rate: verdicts.append(guard.reported(token, rate, now=now)))
    pace, held_up = Pace(), 0
    for at in range(5 * SECOND):
        while not pace.wait_ms(at):
            pace.sent(size, at)
            held_up += 1
    for number in range(held_up):
        now = 70 * number // held_up
        gauge.takes("from.A.coordinator", now * 1000, size)
    assert verdicts == [None]


def test_a_burst_now_and_then_is_no_flood() -> None:
    guard = Guard()
    for at in range(0, 60 * SECOND, 2 * SECOND):
        assert guard.reported("A", 5_000, now=at) is None


def test_one_agencys_flood_is_not_held_against_another() -> None:
    guard = Guard()
    guard.reported("A", 5_000, now=0)
    assert guard.reported("B", 5_000, now=100) is None


@given(st.lists(st.tuples(st.integers(0, LIMITS.rate - 1), st.integers(0, 10_000)), max_size=50))
def test_whoever_stays_under_the_limit_is_never_suspended(reports: list[tuple[int, int]]) -> None:
    guard = Guard()
    assert not [report for report in reports if guard.reported("A", report[0], now=report[1])]


def test_what_was_counted_before_a_suspension_does_not_count_after_it() -> None:
    guard = Guard()
    guard.reported("A", 5_000, now=0)
    assert guard.reported("A", 5_000, now=100)
    assert guard.reported("A", 5_000, now=200) is None


def test_a_clock_that_goes_back_suspends_nobody() -> None:
    guard = Guard()
    guard.reported("A", 5_000, now=10_000)
    assert guard.reported("A", 5_000, now=0) is None


def test_connecting_again_and_again_is_ended() -> None:
    guard = Guard()
    found = [guard.connected("A", now=at) for at in range(0, 20 * SECOND, 100)]
    assert next(each for each in found if each) == Suspend("A", SuspensionReason.RECONNECTING)


def test_an_agent_that_waits_longer_each_time_is_not_suspended() -> None:
    guard = Guard()
    at = 0
    for wait in [250, 500, 1000, 2000, *[4000] * 200]:
        at += wait
        assert guard.connected("A", now=at) is None


def test_a_person_may_resume_after_ten_minutes_and_not_before() -> None:
    assert resumable_at(5) == 5 + 600_000
