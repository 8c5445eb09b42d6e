"""Whether the other end of a connection still lives, asked only when there is a doubt.

Owns when a doubt begins and how it ends: by anything that is received, by bytes that are still being taken, or by a
verdict. The kernel finds a machine that is gone (`broker.node.bus.wire`), and NATS's regular pings every dead link,
within half a minute; to have those closer together would cost a server with a thousand idle agents too much. Refuses to
know what is said, and what comes of the verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from broker.node.bus.dialling import BusTimings


class Heartbeat(Protocol):
    """The connection, as far as it can be felt from here."""

    @property
    def heard_at(self) -> float:
        """When anything came last, by the loop's clock."""

    @property
    def written_bytes(self) -> int:
        """How much was written."""

    @property
    def taken_bytes(self) -> int:
        """How much the other end's machine has taken of what was written."""


class Pulse:
    """Feels one connection from when it stands until it is given up; made anew for each."""

    def __init__(
        self, heartbeat: Heartbeat, timings: BusTimings, *, ping: Callable[[], None], give_up: Callable[[], None]
    ) -> None:
        """`ping` asks for a sign of life; `give_up` is told once that there was none."""
        self._heartbeat = heartbeat
        self._timings = timings
        self._ping = ping
        self._give_up = give_up
        self._now = asyncio.get_running_loop().time
        self._said_at = self._pinged_at = heartbeat.heard_at
        self._doubt: asyncio.Task[None] | None = None

    def said(self) -> None:
        """Something was published."""
        if self._said_at <= self._heartbeat.heard_at:
            self._said_at = self._now()

    def pinged(self) -> None:
        """A regular ping was sent."""
        if self._pinged_at <= self._heartbeat.heard_at:
            self._pinged_at = self._now()

    def suspect(self) -> None:
        """Ask for a sign of life if nothing came since something was published, longer ago than the way there and back
        takes."""
        self._begin(self._said_at, self._timings.suspect_after.total_seconds())

    def look(self) -> None:
        """The same, if nothing came since a regular ping."""
        within = min(self._timings.pong_within, self._timings.ping_interval / 2)
        self._begin(self._pinged_at, within.total_seconds())

    def stop(self) -> None:
        """Doubt no more."""
        if self._doubt is not None:
            self._doubt.cancel()

    def _begin(self, since: float, after_s: float) -> None:
        is_silent = since > self._heartbeat.heard_at and self._now() - since >= after_s
        if is_silent and (self._doubt is None or self._doubt.done()):
            self._doubt = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        within_s = self._timings.life_within.total_seconds()
        heard_at = self._heartbeat.heard_at
        self._ping()
        asked_by = self._heartbeat.written_bytes
        while True:
            taken, due_at = self._heartbeat.taken_bytes, self._now() + within_s
            await asyncio.sleep(within_s)
            if self._heartbeat.heard_at > heard_at:
                return
            if self._now() - due_at > within_s / 2:
                continue  # we were held up ourselves: what came meanwhile may be unread
            if taken < asked_by and self._heartbeat.taken_bytes > taken:
                continue  # a large message on a slow line: the question is still behind it
            self._give_up()
            return
