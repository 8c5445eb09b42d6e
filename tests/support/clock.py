"""A clock that stands still until a test turns it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Final

NOON: Final = 1_795_348_800_000
"""2026-11-22T12:00:00Z, when most stories begin."""


class HandClock:
    """Implements `broker.node.clock.Clock`. Whoever waits by it is woken in the order of the times waited for."""

    def __init__(self, at: int = NOON) -> None:
        self._now = at
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> int:
        """The present instant."""
        return self._now

    async def sleep_until(self, at: int) -> None:
        """Return once the clock was turned to `at` or later."""
        if at <= self._now:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (at, next(self._order), woken))
        await woken

    def turn(self, milliseconds: int) -> None:
        """Let time pass, waking whoever waits for any instant up to then."""
        self.set(self._now + milliseconds)

    def set(self, at: int) -> None:
        """Let it be `at`; also backwards, as operating systems' clocks sometimes go."""
        self._now = at
        while self._waiting and self._waiting[0][0] <= at:
            woken = heapq.heappop(self._waiting)[2]
            if not woken.done():
                woken.set_result(None)

    def is_awaited(self, at: int) -> bool:
        """Whether somebody waits for just that instant: then turning the clock to it wakes him, not one to come."""
        return any(when == at and not woken.done() for when, _, woken in self._waiting)

    def next_wake_at(self) -> int | None:
        """When somebody waits to be woken next."""
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        return self._waiting[0][0] if self._waiting else None
