"""How fast an agency may send, counted by its token."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from broker.node.bus.flood import FloodGauge, FloodLimits

LIMITS = FloodLimits(a_second=100, at_once=50, tell_every=timedelta(milliseconds=100))
SECOND = 1_000_000


class Ear:
    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def tell(self, token: str, rate: int) -> None:
        self.told.append((token, rate))


def _gauge(limits: FloodLimits = LIMITS) -> tuple[FloodGauge, Ear]:
    ear = Ear()
    return FloodGauge(limits, ear.tell), ear


def test_what_is_within_the_limit_passes_for_ever() -> None:
    gauge, ear = _gauge()
    assert all(gauge.takes("from.A.desk", at) for at in range(0, 20 * SECOND, 10_000))
    assert ear.told == []


def test_as_many_as_may_come_at_once_pass_and_the_next_does_not() -> None:
    gauge, _ = _gauge()
    assert [gauge.takes("from.A.desk", 5) for _ in range(52)] == [True] * 50 + [False] * 2


def test_a_flood_is_told_with_its_token_and_rate_and_then_every_tenth_of_a_second() -> None:
    gauge, ear = _gauge()
    for at in range(0, SECOND, 100):  # ten thousand a second
        gauge.takes("from.A.desk", at)
    assert 9 <= len(ear.told) <= 11
    assert {token for token, _ in ear.told} == {"A"}
    assert all(9_000 < rate < 11_000 for _, rate in ear.told[1:])


def test_a_flood_takes_nothing_from_another_agency() -> None:
    gauge, ear = _gauge()
    for at in range(0, SECOND, 100):
        gauge.takes("from.A.desk", at)
        if at % 20_000 == 0:
            assert gauge.takes("from.B.desk", at)
    assert {token for token, _ in ear.told} == {"A"}


def test_a_large_message_counts_as_several() -> None:
    gauge, _ = _gauge()
    assert [gauge.takes("from.A.desk", 5, 15 * LIMITS.bytes_apiece) for _ in range(4)] == [True] * 3 + [False]
    assert not gauge.takes("from.A.desk", 6), "nothing of it is let in for a while"
    assert gauge.takes("from.A.desk", 6 + LIMITS.shut_for // timedelta(microseconds=1))


def test_an_agency_that_stops_flooding_is_heard_again() -> None:
    gauge, ear = _gauge()
    for at in range(0, SECOND, 100):
        gauge.takes("from.A.desk", at)
    told = len(ear.told)
    assert gauge.takes("from.A.desk", SECOND + 20_000)
    assert all(gauge.takes("from.A.desk", 3 * SECOND + at * 10_000) for at in range(100))
    assert len(ear.told) == told


def test_the_quiet_are_forgotten_before_they_fill_the_memory_and_a_flooder_is_not() -> None:
    gauge, _ = _gauge()
    for _ in range(60):
        gauge.takes("from.A.desk", 0)
    for number in range(10_000):
        gauge.takes(f"from.T{number}.desk", number * 20)
    assert len(gauge._flows) <= 4096 + 1
    assert not gauge.takes("from.A.desk", 1)


@given(st.lists(st.integers(min_value=0, max_value=30_000), min_size=1, max_size=400))
def test_no_more_passes_in_any_stretch_than_the_limit_says(apart: list[int]) -> None:
    gauge, _ = _gauge()
    at, passed = 0, []
    for step in apart:
        at += step
        if gauge.takes("from.A.desk", at):
            passed.append(at)
    for first in range(0, len(passed), 7):
        for last in range(first, len(passed), 11):
            stretch_s = (passed[last] - passed[first]) / SECOND
            assert last - first + 1 <= LIMITS.at_once + LIMITS.a_second * stretch_s + 1


def test_small_messages_are_too_many_sooner_than_large_ones() -> None:
    gauge, _ = _gauge(FloodLimits(a_second=100, at_once=50, messages_at_once=10))
    assert [gauge.takes("from.A.desk", 5) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [gauge.takes("from.B.desk", 5, 9 * LIMITS.bytes_apiece) for _ in range(6)] == [True] * 5 + [False]


def test_whoever_was_too_much_is_shut_for_a_while_and_nobody_else() -> None:
    gauge, _ = _gauge()
    assert not gauge.shut(5)
    for _ in range(51):
        gauge.takes("from.A.desk", 5)
    gauge.takes("from.B.desk", 5)
    opens_at = 5 + LIMITS.shut_for // timedelta(microseconds=1)
    assert list(gauge.shut(6)) == [b"A"]
    assert list(gauge.shut(opens_at - 1)) == [b"A"]
    assert not gauge.shut(opens_at)


def test_what_is_passed_over_unread_is_told_like_what_is_dropped() -> None:
    gauge, ear = _gauge()
    for at in range(0, SECOND, 1000):  # twenty thousand a second, in twenties
        for _ in range(20):
            if b"A" not in gauge.shut(at):
                gauge.takes("from.A.desk", at)
            else:
                gauge.passed_over(b"A", 1, 128, at)
    assert 9 <= len(ear.told) <= 11
    assert all(18_000 < rate < 22_000 for _, rate in ear.told[1:])
    gauge.passed_over(b"B", 1, 100 * LIMITS.bytes_apiece, SECOND)
    assert ear.told[-1] == ("B", 101 * 10)
