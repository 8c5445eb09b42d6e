"""The clock port: programs ask it for the time and wait by it, so that tests can turn it by hand."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final, Protocol

DAY_MS: Final = 24 * 3600 * 1000
PERMITTED_SKEW_MS: Final = 120_000
"""Two minutes: what two parties' clocks may differ by. Wider would lengthen how long ids must be remembered."""


class Clock(Protocol):
    """Tells the time in whole milliseconds UTC; never goes back by more than an operating system's own correction."""

    def now(self) -> int:
        """The present instant."""

    async def sleep_until(self, at: int) -> None:
        """Return once `now()` is `at` or later; at once if it is already."""


async def woken_or_at(wake: asyncio.Event, clock: Clock, at: int | None) -> None:
    """Return once the event is set, or at that instant if one is given: whichever comes first."""
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(wake.wait())]
    if at is not None:
        waits.append(asyncio.ensure_future(clock.sleep_until(at)))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


class SystemClock:
    """The operating system's clock."""

    def now(self) -> int:
        """The present instant."""
        return time.time_ns() // 1_000_000

    async def sleep_until(self, at: int) -> None:
        """Return once `now()` is `at` or later."""
        # In steps: the operating system's clock may be set while we wait, and asyncio's own clock would not notice.
        while (left := at - self.now()) > 0:  # noqa: ASYNC110  # there is no event to wait for but the time itself
            await asyncio.sleep(min(left, 60_000) / 1000)
