"""A relay on 127.0.0.1: takes connections, makes one onward for each, and ends both together.

What happens to the bytes in between is each heir's business.
"""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, Final, TypeAlias

HOST: Final = "127.0.0.1"
CHUNK_BYTES: Final = 65_536

Ends: TypeAlias = "tuple[asyncio.StreamReader, asyncio.StreamWriter]"


class Relay(ABC):
    """Stands before the server on `target_port`, once `listen` was called."""

    def __init__(self, target_port: int = 0) -> None:
        self.port = 0
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Take connections from now on; on the port of before, if there was one."""
        await self.listen(socket.create_server((HOST, self.port)))

    async def listen(self, listening: socket.socket) -> None:
        """Take connections on that socket."""
        self._server = await asyncio.start_server(self._take, sock=listening)
        self.port = listening.getsockname()[1]

    async def cut(self) -> None:
        """Break every connection."""
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Take none any more, and break those there are."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    async def onward(self, client: Ends) -> Ends | None:
        """The connection onward for this one; None if there is to be none."""
        return await asyncio.open_connection(HOST, self._target_port)

    @abstractmethod
    def pumps(self, client: Ends, server: Ends) -> tuple[Coroutine[Any, Any, None], Coroutine[Any, Any, None]]:
        """What carries from client to server, and back."""

    def _take(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        # Known from the first moment, and the client's end closed whatever happens: a task that is cancelled before it
        # has begun runs nothing of what is in it.
        task = asyncio.create_task(self._carry((from_client, to_client)))
        self._connections[task] = to_client

        def forget(ended: asyncio.Task[None]) -> None:
            to_client.transport.abort()
            del self._connections[ended]

        task.add_done_callback(forget)

    async def _carry(self, client: Ends) -> None:
        try:
            server = await self.onward(client)
        except (OSError, asyncio.IncompleteReadError):
            return  # for the client it is as if it were cut
        if server is None:
            return
        pumps = [asyncio.create_task(pump) for pump in self.pumps(client, server)]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # All that must happen comes before the first wait: a relay that is stopped now cancels the wait.
            for pump in pumps:
                pump.cancel()
            for _, writer in (client, server):
                writer.transport.abort()
            closed = (writer.wait_closed() for _, writer in (client, server))
            await asyncio.gather(*pumps, *closed, return_exceptions=True)
