"""A firewall that forgets connections on which nothing was said for a while: what comes later is swallowed, untold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from tests.support.relay import CHUNK_BYTES, Ends, Relay


class IdleFirewall(Relay):
    """Stands before the server on `target_port`."""

    def __init__(self, target_port: int, forgets_after_s: float) -> None:
        super().__init__(target_port)
        self.connections = 0
        """How many were ever made through it."""
        self.forgotten = 0
        self.forgets_after_s = forgets_after_s

    async def onward(self, client: Ends) -> Ends | None:
        self.connections += 1
        return await super().onward(client)

    def pumps(self, client: Ends, server: Ends) -> tuple[Coroutine[Any, Any, None], Coroutine[Any, Any, None]]:
        (from_client, to_client), (from_server, to_server) = client, server
        flow = _Flow(self.forgets_after_s)
        return self._pump(from_client, to_server, flow), self._pump(from_server, to_client, flow)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, flow: _Flow) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK_BYTES):
                if flow.is_forgotten():
                    self.forgotten += flow.first_swallowed()
                    continue
                sink.write(chunk)
                await sink.drain()


class _Flow:
    """One connection as the firewall remembers it."""

    def __init__(self, forgets_after_s: float) -> None:
        self._forgets_after_s = forgets_after_s
        self._last = time.monotonic()
        self._forgotten = False
        self._swallowed = 0

    def is_forgotten(self) -> bool:
        """Whether it was idle for too long; if not, it was not idle now."""
        now = time.monotonic()
        self._forgotten = self._forgotten or now - self._last > self._forgets_after_s
        self._last = now
        return self._forgotten

    def first_swallowed(self) -> bool:
        """Whether this is the first chunk that gets lost."""
        self._swallowed += 1
        return self._swallowed == 1
