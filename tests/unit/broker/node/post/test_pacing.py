"""An agent's pace against the hub's gauge: what keeps to the one is never too much for the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broker.node.bus.flood import FloodGauge, FloodLimits
from broker.node.bus.port import MAX_PAYLOAD_BYTES
from broker.node.post.pacing import Pace

LIMITS = FloodLimits()


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, MAX_PAYLOAD_BYTES)), min_size=1, max_size=300))
def test_whoever_keeps_to_the_pace_is_never_too_much(messages: list[tuple[int, int]]) -> None:
    told: list[str] = []
    gauge = FloodGauge(LIMITS, lambda token, rate: told.append(token))
    pace, now = Pace(), 1_000_000
    for apart, size in messages:
        now += apart
        now += pace.wait_ms(now)
        pace.sent(size, now)
        assert gauge.takes("from.A.desk", now * 1000, size)
    assert told == []


def test_what_is_within_the_limit_waits_for_nothing() -> None:
    pace = Pace()
    for _ in range(pace.messages_at_once):
        assert pace.wait_ms(5) == 0
        pace.sent(100, 5)
    pace.sent(100, 5)
    assert pace.wait_ms(5) > 0
    assert pace.wait_ms(5 + 2000) == 0


def test_a_clock_set_back_keeps_nobody_waiting_for_long() -> None:
    pace = Pace()
    pace.sent(100, 3_600_000)
    pace.sent(100, 0)
    assert pace.wait_ms(0) <= 2 * 1000
