"""What nats-py 2.16 reads and writes: a connection that stands already.

Owns nats-py's `Transport` over a `Wire`, so that nats-py never dials, upgrades or reconnects by itself. Refuses to know
what the bytes are.
"""

from __future__ import annotations

import asyncio
import fcntl
import re
import ssl
import struct
import termios
from contextlib import suppress
from typing import Final
from urllib.parse import ParseResult

import nats.errors
from nats.aio.transport import Transport

from broker.node.bus.wire import Wire

A_TURN_BYTES: Final = 16 * 1024
"""What is read before all else has a turn: some eighty small messages, a millisecond. A flood comes in blocks of up to
256 KiB, asyncio's buffer of TLS."""

_COMPLAINT: Final = re.compile(rb"-ERR '([^'\r\n]{1,200})'")


class WireTransport(Transport):
    """NATS over TLS, or over plain TCP in tests."""

    def __init__(self, wire: Wire, *, is_encrypted: bool) -> None:
        self._wire = wire
        self._is_encrypted = is_encrypted
        self._is_more_there = False
        self._loop_time = asyncio.get_running_loop().time
        self.written_bytes = 0
        """How much was written, whether or not anybody has taken it."""
        self.heard_at = self._loop_time()
        """When anything came last, by the loop's clock."""

    @property
    def taken_bytes(self) -> int:
        """How much of what was written the other end's machine has taken; where the kernel does not tell, how much
        the kernel has."""
        transport = self._wire.writer.transport
        waiting = transport.get_write_buffer_size()
        link = transport.get_extra_info("socket")  # TLS that has ended has none
        with suppress(OSError, ValueError):  # closed, or a system that knows no such question
            if link is not None:
                waiting += struct.unpack("i", fcntl.ioctl(link.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
        return self.written_bytes - waiting

    @property
    def complaint(self) -> str | None:
        """What the server said was wrong and nobody has read: asyncio gives nothing of what came before a connection
        broke once it has found out, and a server that refuses breaks it at once."""
        said = _COMPLAINT.search(bytes(self._wire.reader._buffer))  # type: ignore[attr-defined]
        return None if said is None else said[1].decode("ascii", "replace")

    def abort(self) -> None:
        """Cut the connection, whatever is still unwritten: a half-open link never takes it."""
        self._wire.cut()

    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        """Nothing to do: the wire stands."""

    async def connect_tls(
        self, uri: str | ParseResult, ssl_context: ssl.SSLContext, buffer_size: int, connect_timeout: int
    ) -> None:
        """Nothing to do: TLS began with the first byte. If it did not, it is too late for it now."""
        if not self._is_encrypted:
            raise nats.errors.SecureConnRequiredError

    def write(self, payload: bytes) -> None:
        """Take bytes to be sent."""
        self._put(payload)

    def writelines(self, payload: list[bytes]) -> None:
        """Take bytes to be sent."""
        self.write(b"".join(payload))

    async def drain(self) -> None:
        """Wait until the connection takes more bytes."""
        await self._wire.writer.drain()

    async def read(self, buffer_size: int) -> bytes:
        """The next bytes; none at the end of the connection."""
        return await self._get(buffer_size)

    async def readline(self) -> bytes:
        """The next line."""
        try:
            return await self._wire.reader.readline()
        except ValueError:  # longer than the reader's limit
            raise nats.errors.ProtocolError from None

    def at_eof(self) -> bool:
        """Whether the connection has ended and everything was read."""
        return self._wire.reader.at_eof()

    def close(self) -> None:
        """Begin to close, once everything is written."""
        self._wire.close()

    async def wait_closed(self) -> None:
        """Wait until it is closed."""
        await self._wire.until_closed()

    def _put(self, data: bytes) -> None:
        self.written_bytes += len(data)
        self._wire.writer.write(data)

    async def _get(self, at_most_bytes: int) -> bytes:
        if self._is_more_there:
            await asyncio.sleep(0)  # asyncio's reader gives what it has without a turn of the loop
        data = await self._wire.reader.read(min(at_most_bytes, A_TURN_BYTES))
        self._is_more_there = len(data) == A_TURN_BYTES
        self.heard_at = self._loop_time()
        return data

    def __bool__(self) -> bool:
        return True
