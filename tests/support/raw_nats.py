"""A client that speaks NATS byte by byte, so that a test can send what no client library would.

Owns one connection: its bytes, what the server said on it, and whether the server has cut it. Refuses to know what is
allowed: nothing is checked, nothing is escaped, nothing reconnects.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

CRLF: Final = b"\r\n"
WITHIN_S: Final = 60.0
"""Only a hang takes longer; it then fails the test."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as the server delivered it."""

    subject: str
    sid: str
    reply: str
    headers: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows: a user JWT, and how it answers the server's nonce."""

    jwt: str
    sign: Callable[[bytes], bytes]


class Refused(Exception):
    """The server ended the connection before it let the client in; the text is the server's."""


@dataclass(slots=True)
class RawNats:
    """One connection. Everything the server says is kept."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: dict[str, Any]
    """The server's INFO."""
    heard: list[Heard] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """The texts of `-ERR`."""
    cut: asyncio.Event = field(default_factory=asyncio.Event)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared, the client takes nothing from its socket any more: a slow consumer."""
    _pongs: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _sids: int = 0

    @classmethod
    async def dial(
        cls, host: str, port: int, tls: ssl.SSLContext | None = None, *, name: str | None = None, buffer: int = 2**24
    ) -> RawNats:
        """Connect, with TLS from the first byte if given a context, and take the server's INFO.

        Raises:
            Refused: no INFO came.
            ssl.SSLError: the handshake failed here.
        """
        async with asyncio.timeout(WITHIN_S):
            reader, writer = await asyncio.open_connection(
                host, port, ssl=tls, server_hostname=name or host if tls else None, limit=buffer
            )
            try:
                line = await reader.readline()
            except OSError as problem:  # a TLS 1.3 server refuses a certificate after the client thinks it is through
                writer.transport.abort()
                raise Refused(type(problem).__name__) from None
        if not line.startswith(b"INFO "):
            writer.transport.abort()
            raise Refused(line.decode(errors="replace").strip())
        client = cls(reader, writer, json.loads(line[5:]))
        client.reading.set()
        return client

    async def enter(self, credentials: Credentials | None = None, **fields: Any) -> RawNats:
        """Say CONNECT and wait for the first PONG.

        Raises:
            Refused: the server ended the connection instead.
        """
        shown: dict[str, Any] = {
            "verbose": False,
            "pedantic": False,
            "lang": "raw",
            "version": "0",
            "protocol": 1,
            "headers": True,
            "no_responders": True,
            "echo": True,
        }
        if credentials is not None:
            nonce = str(self.server.get("nonce", "")).encode()
            signature = base64.urlsafe_b64encode(credentials.sign(nonce)).rstrip(b"=").decode()
            shown |= {"jwt": credentials.jwt, "sig": signature}
        self._task = asyncio.create_task(self._read())
        await self.send(b"CONNECT " + json.dumps(shown | fields).encode() + CRLF)
        if not await self.barrier():
            said = "; ".join(self.errors) or "connection closed"
            await self.close()
            raise Refused(said)
        return self

    async def send(self, raw: bytes) -> None:
        """Write bytes as they are; silently nothing once the server has cut the connection."""
        if self.writer.transport.is_closing():
            return
        with suppress(OSError):
            self.writer.write(raw)
            await self.writer.drain()

    async def subscribe(self, subject: str, queue: str = "") -> str:
        """Ask for a subject's messages; gives back the subscription's id. Whether it is granted is not known yet."""
        self._sids += 1
        sid = str(self._sids)
        await self.send(b" ".join(one.encode() for one in ("SUB", subject, queue, sid) if one) + CRLF)
        return sid

    async def publish(self, subject: str, payload: bytes = b"", *, reply: str = "", headers: bytes = b"") -> None:
        """Publish to any subject whatever, with any reply subject and headers."""
        names = " ".join(one for one in (subject, reply) if one)
        if headers:
            head = f"HPUB {names} {len(headers)} {len(headers) + len(payload)}"
        else:
            head = f"PUB {names} {len(payload)}"
        await self.send(head.encode() + CRLF + headers + payload + CRLF)

    async def barrier(self) -> bool:
        """Wait until the server has dealt with everything sent so far; False when it has cut the connection."""
        await self.send(b"PING" + CRLF)
        pong, cut = asyncio.ensure_future(self._pongs.get()), asyncio.ensure_future(self.cut.wait())
        try:
            async with asyncio.timeout(WITHIN_S):
                await asyncio.wait({pong, cut}, return_when=asyncio.FIRST_COMPLETED)
            return pong.done()
        finally:
            pong.cancel()
            cut.cancel()

    async def until_cut(self) -> None:
        """Wait until the server has ended the connection."""
        async with asyncio.timeout(WITHIN_S):
            await self.cut.wait()

    async def until_heard(self, count: int) -> list[Heard]:
        """Wait until so many messages have come in all, and give them."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.heard) < count:
                assert not self.cut.is_set(), f"cut while waiting: {self.errors}"
                self._came.clear()
                await self._came.wait()
        return self.heard

    async def close(self) -> None:
        """Drop the connection."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def _read(self) -> None:
        try:
            while True:
                await self.reading.wait()
                line = await self.reader.readline()
                if not line:
                    return
                await self._take(line.rstrip())
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self.cut.set()
            self._came.set()

    async def _take(self, line: bytes) -> None:
        verb, _, rest = line.partition(b" ")
        match verb:
            case b"PING":
                await self.send(b"PONG" + CRLF)
            case b"PONG":
                self._pongs.put_nowait(None)
            case b"-ERR":
                self.errors.append(rest.decode(errors="replace").strip("'"))
            case b"INFO":
                self.server = json.loads(rest)
            case b"MSG" | b"HMSG":
                words = rest.decode(errors="replace").split(" ")
                head = int(words[-2]) if verb == b"HMSG" else 0
                body = await self.reader.readexactly(int(words[-1]) + 2)
                names = words[: -2 if verb == b"HMSG" else -1]
                reply = names[2] if len(names) > 2 else ""
                self.heard.append(Heard(names[0], names[1], reply, body[:head], body[head:-2]))
                self._came.set()
            case _:
                return
