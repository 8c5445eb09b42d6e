"""A TCP proxy on 127.0.0.1 that can be slow, cut, or swallow everything while it keeps connections open."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

HOST = "127.0.0.1"
_CHUNK_BYTES = 65_536


class FaultProxy:
    """Stands between a client and the server on `target_port`."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
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
        self._target_port = target_port
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._deaf: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.port}"

    async def start(self) -> None:
        listening = socket.create_server((HOST, self.port))
        if self.holds_bytes is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.holds_bytes)
        self._server = await asyncio.start_server(self._connect, sock=listening)
        self.port = listening.getsockname()[1]

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

    async def cut(self) -> None:
        """Break every connection."""
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self.cut()

    async def _connect(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = to_client
        to_server: asyncio.StreamWriter | None = None
        pumps: list[asyncio.Task[None]] = []
        try:
            from_server, to_server = await asyncio.open_connection(HOST, self._target_port)
            pumps = [
                asyncio.create_task(self._pump(from_client, to_server, b"")),
                asyncio.create_task(self._pump(from_server, to_client, self.greeting_suffix)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except (OSError, asyncio.CancelledError):
            pass  # cut, stopped, or no server: for the client it is all the same
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for writer in (to_client, to_server):
                if writer is not None:
                    writer.transport.abort()
                    with suppress(OSError):
                        await writer.wait_closed()
            del self._connections[task]
            self._deaf.discard(to_client)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, suffix: bytes) -> None:
        loop_time = asyncio.get_running_loop().time
        last = loop_time()
        while chunk := await source.read(_CHUNK_BYTES):
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


class ConnectProxy:
    """An HTTP proxy that connects through (CONNECT) to this machine, and remembers to where it was asked."""

    def __init__(self) -> None:
        self.port = 0
        self.answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
        """What a request gets; only a 200 is followed by a connection."""
        self.asked: list[bytes] = []
        """The request lines."""
        self.carried = b""
        """The first bytes of what the clients sent through it."""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connect, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writers = [to_client]
        try:
            head = await from_client.readuntil(b"\r\n\r\n")
            line = head.partition(b"\r\n")[0]
            self.asked.append(line)
            to_client.write(self.answer)
            await to_client.drain()
            if b" 200 " in self.answer:
                port = int(line.split(b" ")[1].rpartition(b":")[2])
                from_server, to_server = await asyncio.open_connection(HOST, port)
                writers.append(to_server)
                await asyncio.wait(
                    [
                        asyncio.ensure_future(self._pump(from_client, to_server, notes=True)),
                        asyncio.ensure_future(self._pump(from_server, to_client, notes=False)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            for writer in writers:
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()
            self._tasks.discard(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, notes: bool) -> None:
        with suppress(OSError):
            while chunk := await source.read(_CHUNK_BYTES):
                if notes and len(self.carried) < _CHUNK_BYTES:
                    self.carried += chunk
                sink.write(chunk)
                await sink.drain()
