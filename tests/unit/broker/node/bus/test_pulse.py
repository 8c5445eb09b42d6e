"""When a connection is doubted, and when it is given up; on a clock that only waiting moves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from broker.node.bus.dialling import BusTimings
from broker.node.bus.pulse import Pulse

TIMINGS = BusTimings()
PING_S = TIMINGS.ping_interval.total_seconds()
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


async def idle(line: Line, *, for_s: float) -> None:
    """Nothing is said but the regular pings."""
    pulse, loop = Pulse(line, TIMINGS, ping=line.ping, give_up=line.give_up), asyncio.get_running_loop()
    pings = 0
    while loop.time() < for_s and not line.given_up_at:
        await asyncio.sleep(LOOK_S)
        if loop.time() >= (pings + 1) * PING_S:
            pings += 1
            pulse.pinged()
            line.ping()
        pulse.look()
    pulse.stop()


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=TurnedLoop) as runner:
        runner.run(story)


def test_an_idle_link_is_given_up_seventeen_seconds_after_it_died_at_the_latest() -> None:
    for tenths in range(0, int(PING_S) * 20, 7):
        line = Line(dies_at=60 + tenths / 10)
        run(idle(line, for_s=600))
        (given_up_at,) = line.given_up_at
        assert given_up_at - line.dies_at <= 17 + LOOK_S


def test_an_idle_link_that_lives_is_asked_nothing_but_the_regular_pings() -> None:
    line = Line(dies_at=3600, answers_after_s=2.5)
    run(idle(line, for_s=600))
    assert len(line.asked_at) == 600 // PING_S
    assert line.given_up_at == []


def test_a_pong_that_is_late_costs_a_ping_and_no_connection() -> None:
    line = Line(dies_at=3600, answers_after_s=4.5)
    run(idle(line, for_s=600 + PING_S / 2))
    assert len(line.asked_at) == 2 * 600 // PING_S
    assert line.given_up_at == []
