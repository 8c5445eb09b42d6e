"""A firewall that forgets connections on which nothing was said for a while: what comes later is swallowed, untold."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

HOST = "127.0.0.1"
_CHUNK_BYTES = 65_536


class IdleFirewall:
    """Stands before the server on `target_port`."""

    def __init__(self, target_port: int, forgets_after_s: float) -> None:
        self.port = 0
        self.connections = 0
        """How many were ever made through it."""
        self.forgotten = 0
        self.forgets_after_s = forgets_after_s
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Let connections through from now on."""
        self._server = await asyncio.start_server(self._connect, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        writers = [to_client]
        pumps: list[asyncio.Task[None]] = []
        try:
            from_server, to_server = await asyncio.open_connection(HOST, self._target_port)
            writers.append(to_server)
            flow = _Flow(self.forgets_after_s)
            pumps = [
                asyncio.create_task(self._pump(from_client, to_server, flow)),
                asyncio.create_task(self._pump(from_server, to_client, flow)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for writer in writers:
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()
            self._tasks.discard(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, flow: _Flow) -> None:
        with suppress(OSError):
            while chunk := await source.read(_CHUNK_BYTES):
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
