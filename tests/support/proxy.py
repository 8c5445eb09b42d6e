"""A TCP proxy on 127.0.0.1 that can be slow, cut, or swallow everything while it keeps connections open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from tests.support.relay import CHUNK_BYTES, HOST, Ends, Relay


class FaultProxy(Relay):
    """Stands between a client and the server on `target_port`."""

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self.latency_s = 0.0
        """Added to every chunk, each way."""
        self.greeting_suffix = b""
        """Bytes slipped in behind the first chunk that the server sends on each new connection."""
        self.forgets_after_s: float | None = None
        """How long a connection may say nothing in either direction before it is dropped, telling nobody."""
        self.holds_bytes: int | None = None
        """How much its own machine takes in before it carries on; set before the start. None for as much as it will."""
        self.carried_bytes = 0
        """What went through, both ways."""
        self._flows = asyncio.Event()
        self._flows.set()
        self._deaf: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.port}"

    async def start(self) -> None:
        listening = socket.create_server((HOST, self.port))
        if self.holds_bytes is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.holds_bytes)
        await self.listen(listening)

    def black_hole(self) -> None:
        """Carry nothing from now on, and tell nobody: connections stay open and new ones are taken."""
        self._flows.clear()

    def heal(self) -> None:
        """Carry again; what was on its way arrives late."""
        self._flows.set()

    def deafen(self) -> None:
        """Lose whatever the server says from now on, on the connections there are; new ones are not touched."""
        self._deaf |= set(self._connections.values())

    def say_to_clients(self, data: bytes) -> None:
        """Send bytes to every client as if the server had."""
        for client in self._connections.values():
            client.write(data)

    def pumps(self, client: Ends, server: Ends) -> tuple[Coroutine[Any, Any, None], Coroutine[Any, Any, None]]:
        (from_client, to_client), (from_server, to_server) = client, server
        return self._pump(from_client, to_server, b""), self._pump(from_server, to_client, self.greeting_suffix)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, suffix: bytes) -> None:
        loop_time = asyncio.get_running_loop().time
        last = loop_time()
        while chunk := await source.read(CHUNK_BYTES):
            await asyncio.sleep(self.latency_s)
            await self._flows.wait()
            if self.forgets_after_s is not None and loop_time() - last > self.forgets_after_s:
                await asyncio.Event().wait()
            last = loop_time()
            self.carried_bytes += len(chunk)
            if sink in self._deaf:
                continue
            sink.write(chunk + suffix)
            suffix = b""
            await sink.drain()


class ConnectProxy(Relay):
    """An HTTP proxy that connects through (CONNECT) to this machine, and remembers to where it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
        """What a request gets; only a 200 is followed by a connection."""
        self.asked: list[bytes] = []
        """The request lines."""
        self.carried = b""
        """The first bytes of what the clients sent through it."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def onward(self, client: Ends) -> Ends | None:
        """To where the client asks, if the answer is yes."""
        from_client, to_client = client
        head = await from_client.readuntil(b"\r\n\r\n")
        line = head.partition(b"\r\n")[0]
        self.asked.append(line)
        to_client.write(self.answer)
        await to_client.drain()
        if b" 200 " not in self.answer:
            return None
        return await asyncio.open_connection(HOST, int(line.split(b" ")[1].rpartition(b":")[2]))

    def pumps(self, client: Ends, server: Ends) -> tuple[Coroutine[Any, Any, None], Coroutine[Any, Any, None]]:
        (from_client, to_client), (from_server, to_server) = client, server
        return self._pump(from_client, to_server, notes=True), self._pump(from_server, to_client, notes=False)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, notes: bool) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK_BYTES):
                if notes and len(self.carried) < CHUNK_BYTES:
                    self.carried += chunk
                sink.write(chunk)
                await sink.drain()
