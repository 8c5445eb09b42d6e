"""One look at what is held, and what the officer's tries allow to be said of it. What a look is, is `look`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from agents.runtime.gatekeeping.outcomes import Looked
from agents.runtime.looking.look import Looking, cap_tries
from agents.runtime.matching.tries import Tries
from broker.node.post.office import Post
from schemas.messages.grant import Grant
from schemas.messages.request import RequestHeader, Told

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Glancing:
    """Looks. `places` is how many requests are looked at at once."""

    post: Post
    looking: Looking
    places: asyncio.Semaphore

    async def look(self, grant: Grant, told: Told) -> tuple[Looked, ...]:
        """What is found now. Failures are in it; nothing is raised."""
        async with self.places:
            return await self.looking.look(grant, told)

    async def capped(self, header: RequestHeader, told: Told, looked: tuple[Looked, ...]) -> tuple[Looked, ...]:
        """What may be said of it, by how often the officer has tried; durable before anything is said."""
        now = self.post.clock.now()
        capped = await self.post.commit(lambda tx: cap_tries(Tries.of(tx, header.officer, now), told, looked))
        if capped != looked:
            self.looking.metrics.tries_capped.inc()
            _log.warning("tries_capped", exchange=header.exchange)
        return capped
