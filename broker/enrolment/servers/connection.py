"""Admission's connection to the system account: asks every server at once, and hears what they tell.

Owns the connection: one nats-py client at a time, made anew when it ends, with every subscription on it before the
owner is told. Refuses to know what is asked: `broker.enrolment.servers.resolver`. It is not `broker.node.bus`: that one
carries messages between parties and hides answers, which here are the whole point.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, Protocol

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from broker.node.bus.access import Access
from broker.node.bus.port import BusAway, Receive
from broker.node.clock import Clock

_chance: Final = secrets.SystemRandom()

_LONGEST_WAIT: Final = timedelta(seconds=2)
"""Nobody is expelled while this connection is away, so it knocks more often than an agency does."""
_FIRST_WAIT: Final = timedelta(milliseconds=100)
_CONNECT_WITHIN: Final = timedelta(seconds=5)
_CLOSE_WITHIN_S: Final = 1.0
_PING_S: Final = 5
_LOOK_S: Final = 0.5


class SystemEvents(Protocol):
    """What the owner of the connection is told, on the event loop."""

    def connected(self) -> None:
        """(Again) connected, and every subscription is known to the server."""

    def disconnected(self) -> None:
        """The connection was lost."""

    def failed(self, failure: str) -> None:
        """Something went wrong, of that class; the connection is made anew, or stands all the same."""


class SystemConnection:
    """A supervised connection to whichever of the servers answers."""

    def __init__(self, urls: Sequence[str], access: Callable[[], Access], *, inbox: str, clock: Clock) -> None:
        """Nothing is dialled before `start`.

        Args:
            urls: `tls://host:port` of each server.
            access: read anew at each dial; it never says plaintext.
            inbox: the prefix below which the system's user may hear answers (`claims.inbox_of`), until access says.
        """
        self._tail = secrets.token_hex(8)
        self._urls = list(urls)
        self._access = access
        self._prefix = inbox
        self._clock = clock
        self._listeners: list[tuple[str | None, Receive]] = []
        self._client: Client | None = None
        self._supervision: asyncio.Task[None] | None = None

    @property
    def inbox(self) -> str:
        """What subjects for answers begin with; another one once the user's key was rotated."""
        return f"{self._prefix}.{self._tail}"

    def listen(self, subject: str, receive: Receive) -> None:
        """Hear a subject from `start` on, for good."""
        self._listeners.append((subject, receive))

    def listen_for_answers(self, receive: Receive) -> None:
        """Hear every subject below `inbox`."""
        self._listeners.append((None, receive))

    async def renew(self) -> None:
        """Leave the connection that stands for one with the keys that access has now, within a moment."""
        client = self._client
        if client is not None:
            await _dismantle(client)

    def start(self, events: SystemEvents) -> None:
        """Begin to connect, and keep at it until `close`."""
        self._supervision = asyncio.get_running_loop().create_task(self._supervise(events), name="system connection")

    async def ask(self, subject: str, payload: bytes, *, reply: str) -> None:
        """Publish, with the subject for answers, which is one below `inbox`.

        Raises:
            BusAway: not connected.
        """
        client = self._client
        if client is None or not _stands(client):
            raise BusAway("the system account is not connected")
        try:
            await client.publish(subject, payload, reply=reply)
        except (nats.errors.Error, OSError):
            raise BusAway("the system account is not connected") from None

    async def close(self) -> None:
        """Leave for good."""
        supervision, self._supervision = self._supervision, None
        while supervision is not None and not supervision.done():
            supervision.cancel()
            await asyncio.wait({supervision}, timeout=_CLOSE_WITHIN_S * 2)

    async def _supervise(self, events: SystemEvents) -> None:
        tried = failed = 0
        while True:
            client = Client()
            ended = asyncio.Event()
            try:
                async with asyncio.timeout(_CONNECT_WITHIN.total_seconds()):
                    await self._connect(client, self._urls[tried % len(self._urls)], ended, events)
                failed = 0
                self._client = client
                events.connected()
                await _until_gone(client, ended)
                events.disconnected()
            except Exception as problem:  # noqa: BLE001 - nats-py lets anything through; each is a reason to try again
                failed += 1
                events.failed(type(problem).__name__)
            finally:
                self._client = None
                await _dismantle(client)
            tried += 1
            most = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(failed, 10))
            await asyncio.sleep(_chance.uniform(0, most.total_seconds()))

    async def _connect(self, client: Client, url: str, ended: asyncio.Event, events: SystemEvents) -> None:
        access = await asyncio.to_thread(self._access)
        jwt = access.user_jwt(self._clock.now())
        self._prefix = access.inbox

        async def note(problem: Exception) -> None:
            # The class alone: a server's text may quote what it choked on.
            events.failed(type(problem).__name__)

        async def closed() -> None:
            ended.set()

        await client.connect(
            url,
            name="admission",
            user_jwt_cb=lambda: bytearray(jwt, "ascii"),
            signature_cb=lambda nonce: base64.b64encode(access.sign_nonce(nonce.encode("ascii"))),
            tls=access.tls(),
            # Without it nats-py goes on in plaintext with a server that asks for none.
            tls_handshake_first=True,
            inbox_prefix=self._prefix.encode("ascii"),
            allow_reconnect=False,
            max_reconnect_attempts=1,
            ping_interval=_PING_S,
            max_outstanding_pings=2,
            pending_size=-1,
            error_cb=note,
            closed_cb=closed,
        )
        for subject, receive in self._listeners:
            await client.subscribe(subject or f"{self.inbox}.*", cb=_passing_to(receive))
        # Twice: the first PING overtakes a SUB that is still in nats-py's buffer.
        await client.flush(int(_CONNECT_WITHIN.total_seconds()) + 1)
        await client.flush(int(_CONNECT_WITHIN.total_seconds()) + 1)


def _passing_to(receive: Receive) -> Callable[[Msg], Awaitable[None]]:
    async def take(message: Msg) -> None:
        await receive(message.subject, message.data)

    return take


def _stands(client: Client) -> bool:
    # nats-py's read loop dies of some bytes while `is_connected` stays true; only the task itself tells.
    reading = client._reading_task
    return client.is_connected and reading is not None and not reading.done()


async def _until_gone(client: Client, ended: asyncio.Event) -> None:
    while _stands(client) and not ended.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await ended.wait()


async def _dismantle(client: Client) -> None:
    writer = getattr(client._transport, "_io_writer", None)
    if writer is not None:
        # In Python 3.11.2, which is Debian 12's, TLS that was cut and then closed raises if it is cut again.
        with suppress(AttributeError):
            writer.transport.abort()
    with suppress(Exception):  # the connection is over either way
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            await client.close()
    tasks = [task for task in (client._reading_task, client._ping_interval_task, client._flusher_task) if task]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
