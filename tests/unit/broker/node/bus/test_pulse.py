"""When a connection is doubted, and when it is given up; on a clock that only waiting moves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from broker.node.bus.dialling import BusTimings, timings_over
from broker.node.bus.pulse import Pulse

DIRECT, RELAYED = (timings_over(BusTimings(), is_probed=is_probed) for is_probed in (True, False))
EACH = pytest.mark.parametrize("timings", [DIRECT, RELAYED], ids=["direct", "relayed"])
LOOK_S = 1.0
"""As the supervision looks."""


class TurnedLoop(asyncio.SelectorEventLoop):
    """Its time is that of the next thing that is due, as soon as nothing else is to be done."""

    _at = 0.0

    def time(self) -> float:
        return self._at

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._at = max(self._at, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


@dataclass
class Line:
    """A connection, as far as it can be felt, and when it was asked and given up."""

    dies_at: float
    answers_after_s: float = 0.01
    heard_at: float = 0.0
    written_bytes: int = 0
    taken_bytes: int = 0
    asked_at: list[float] = field(default_factory=list)
    given_up_at: list[float] = field(default_factory=list)

    def ping(self) -> None:
        loop = asyncio.get_running_loop()
        self.asked_at.append(loop.time())
        self.written_bytes += 6
        loop.call_later(self.answers_after_s, self._pong)

    def give_up(self) -> None:
        self.given_up_at.append(asyncio.get_running_loop().time())

    def _pong(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self.dies_at:
            self.heard_at, self.taken_bytes = loop.time(), self.written_bytes


def ping_s(timings: BusTimings) -> float:
    return timings.ping_interval.total_seconds()


async def idle(line: Line, timings: BusTimings, *, for_s: float) -> None:
    """Nothing is said but the regular pings."""
    pulse, loop = Pulse(line, timings, ping=line.ping, give_up=line.give_up), asyncio.get_running_loop()
    pings = 0
    while loop.time() < for_s and not line.given_up_at:
        await asyncio.sleep(LOOK_S)
        if loop.time() >= (pings + 1) * ping_s(timings):
            pings += 1
            pulse.pinged()
            line.ping()
        pulse.look()
    pulse.stop()


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=TurnedLoop) as runner:
        runner.run(story)


@pytest.mark.parametrize(("timings", "within_s"), [(DIRECT, 30), (RELAYED, 17)], ids=["direct", "relayed"])
def test_an_idle_link_is_given_up_by_its_pings_in_time_after_it_died(timings: BusTimings, within_s: int) -> None:
    for tenths in range(0, int(ping_s(timings)) * 20, 7):
        line = Line(dies_at=60 + tenths / 10)
        run(idle(line, timings, for_s=600))
        (given_up_at,) = line.given_up_at
        assert given_up_at - line.dies_at <= within_s + LOOK_S


@EACH
def test_an_idle_link_that_lives_is_asked_nothing_but_the_regular_pings(timings: BusTimings) -> None:
    line = Line(dies_at=3600, answers_after_s=2.5)
    run(idle(line, timings, for_s=600))
    assert len(line.asked_at) == 600 // ping_s(timings)
    assert line.given_up_at == []


@EACH
def test_a_pong_that_is_late_costs_a_ping_and_no_connection(timings: BusTimings) -> None:
    line = Line(dies_at=3600, answers_after_s=4.5)
    run(idle(line, timings, for_s=600 + ping_s(timings) / 2))
    assert len(line.asked_at) == 2 * 600 // ping_s(timings)
    assert line.given_up_at == []
