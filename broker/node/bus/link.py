"""One connection to the server, from dialling to its end; never revived.

Owns one nats-py 2.16 client, and every trap of it that shows during a connection's life; each is told where it is
disarmed. Refuses to know what comes after: `nats.NatsBus` makes a new link.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Protocol

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from broker.node.bus.address import ServerAddress
from broker.node.bus.dialling import BusTimings, connect_options, reason_for
from broker.node.bus.listener import Listener
from broker.node.bus.port import MAX_PAYLOAD_BYTES, BusAway
from broker.node.bus.unheard import UnheardWatch
from schemas.failures import Away

_log: Final = structlog.get_logger(__name__)

_GRACE_S: Final = 0.005
"""A subscription that the server has confirmed reaches the last node of a cluster this much later (measured)."""
_YIELD_AT_BYTES: Final = 256 * 1024
"""Unwritten bytes at which a publisher lets nats-py's writer have a turn; it never would in a tight loop."""
_BACKLOG_BYTES: Final = 8 * 1024 * 1024
"""Unwritten bytes at which a publisher waits: eight of the largest messages."""
_BACKLOG_LOOK_S: Final = 0.005
_WATCH_AT_MOST_S: Final = 1.0
_CLOSE_WITHIN_S: Final = 1.0
_NATS_QUEUE_MESSAGES: Final = 65_536
"""nats-py's own queue only lasts until its task next runs; `Listener` is the one that bounds."""


class LinkFailed(Away):
    """The connection could not be made, or did not hold."""

    code = "bus_link_failed"


class LinkEvents(Protocol):
    """What a link tells the bus it belongs to."""

    def message_dropped(self, subject: str) -> None:
        """A message was lost to a full queue of nats-py."""

    def message_unheard(self, subject: str) -> None:
        """A message came back as heard by nobody."""


class Link:
    """A nats-py client for one connection: `open`, `subscribe`, `confirm`; then `publish`; then `dismantle`."""

    def __init__(self, address: ServerAddress, *, name: str, timings: BusTimings, events: LinkEvents) -> None:
        self._address = address
        self._name = name
        self._timings = timings
        self._events = events
        self._client = Client()
        self._gone = asyncio.Event()
        self._trouble: Exception | None = None
        self._was_refused = False
        self._unheard = UnheardWatch()
        self._inbox = ""

    @property
    def stands(self) -> bool:
        """Whether the connection looks alive from here."""
        # nats-py's read loop dies of some bytes while `is_connected` stays true; only the task itself tells.
        reading = self._client._reading_task
        return self._client.is_connected and reading is not None and not reading.done()

    @property
    def reason(self) -> str:
        """Why the connection ended, in words that are safe to log."""
        return reason_for(self._client.last_error or self._trouble or TimeoutError())

    async def open(self) -> None:
        """Connect and be admitted. The caller limits the time, since nats-py may hang for ever.

        Raises:
            LinkFailed: says why.
        """
        options = connect_options(
            self._address,
            name=self._name,
            timings=self._timings,
            error_cb=self._on_error,
            closed_cb=self._on_closed,
        )
        with self._failing_as_link():
            await self._client.connect(**options)
        if not self.stands:
            # The server's PING came before its PONG: nats-py took the one for the other and returned half-dead.
            raise LinkFailed("the server was too slow to admit us")
        if self._client.max_payload < MAX_PAYLOAD_BYTES:
            raise LinkFailed(f"the server's max_payload is under the {MAX_PAYLOAD_BYTES} bytes of a message")
        self._inbox = self._client.new_inbox()
        await self._subscribe(f"{self._inbox}.*", self._on_reply)

    async def subscribe(self, listener: Listener) -> None:
        """Ask the server for a listener's messages; `confirm` makes sure.

        Raises:
            LinkFailed: the connection is gone.
        """

        async def pass_on(message: Msg) -> None:
            listener.offer(message.subject, message.data)

        await self._subscribe(listener.pattern, pass_on)

    async def confirm(self) -> None:
        """Wait until the server knows every subscription asked for. The caller limits the time, and on timeout must
        dismantle the link: a PONG that comes after its wait was given up kills nats-py's read loop.

        Raises:
            LinkFailed: the connection is gone, or a subscription was not permitted.
        """
        with self._failing_as_link():
            # Twice: nats-py writes this PING ahead of a SUB that is still in its buffer. By the first PONG the buffer
            # has been written, so the second PING follows the SUB, and the server answers in order.
            await self._client.flush(self._flush_within_s)
            await self._client.flush(self._flush_within_s)
        if self._was_refused:
            raise LinkFailed("permissions violation")
        if not self.stands:
            raise LinkFailed(self.reason)
        await asyncio.sleep(_GRACE_S)

    async def publish(self, subject: str, payload: bytes) -> None:
        """Give one message to nats-py's writer.

        Raises:
            BusAway: the connection is gone, or too many bytes have not been taken by it for too long.
        """
        if self._client.pending_data_size > _YIELD_AT_BYTES:
            await self._make_room()
        reply = f"{self._inbox}.{self._unheard.expect(subject)}"
        try:
            await self._client.publish(subject, payload, reply=reply)
        except (nats.errors.Error, OSError):
            raise BusAway("the bus is not connected") from None

    async def until_gone(self) -> None:
        """Wait until the connection has ended, for whatever reason."""
        every = min(_WATCH_AT_MOST_S, self._timings.ping_interval.total_seconds() / 2)
        while self.stands and not self._gone.is_set():
            # Looked at, not only waited for: with bytes unwritten, nats-py waits for the dead link to take them before
            # it calls back; and a dead read loop never calls back at all.
            # Not with `wait_for`, which in Python 3.11 swallows a cancellation that comes together with the result.
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await self._gone.wait()

    async def leave(self) -> None:
        """Write what was published, as far as the server takes it within a second, and close."""
        with suppress(TimeoutError, nats.errors.Error, OSError):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._client.close()
        await self.dismantle()

    async def dismantle(self) -> None:
        """Cut the connection and end every task of the client, whatever state both are in."""
        client = self._client
        writer = getattr(client._transport, "_io_writer", None)
        if writer is not None:
            # A graceful close waits for the peer to take what is unwritten; a half-open link never does.
            writer.transport.abort()
        with suppress(Exception):  # the connection is over either way
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await client.close()
        tasks = [task for task in (client._reading_task, client._ping_interval_task, client._flusher_task) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _flush_within_s(self) -> int:
        return math.ceil(self._timings.connect_within.total_seconds()) + 1  # whole seconds; the caller's limit is first

    async def _subscribe(self, pattern: str, receive: Callable[[Msg], Awaitable[None]]) -> None:
        with self._failing_as_link():
            await self._client.subscribe(pattern, cb=receive, pending_msgs_limit=_NATS_QUEUE_MESSAGES)

    @contextmanager
    def _failing_as_link(self) -> Iterator[None]:
        try:
            yield
        except Exception as problem:  # noqa: BLE001 - nats-py lets anything through; each is a reason to try again
            # What was told first says more than what came of it: "nothing listens" before "no servers available".
            raise LinkFailed(reason_for(self._trouble or problem)) from None

    async def _make_room(self) -> None:
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._timings.backlog_within.total_seconds()
        while self._client.pending_data_size > _BACKLOG_BYTES:
            if not self.stands or loop.time() > give_up_at:
                raise BusAway("the link takes no more bytes")
            await asyncio.sleep(_BACKLOG_LOOK_S)

    async def _on_reply(self, message: Msg) -> None:
        # Only the server's status counts. Whatever else is sent to an inbox of ours is nobody's to send.
        if message.data or not message.headers or message.headers.get("Status") != "503":
            return
        subject = self._unheard.resolve(message.subject.rpartition(".")[2])
        if subject is not None:
            self._events.message_unheard(subject)

    async def _on_error(self, problem: Exception) -> None:
        if isinstance(problem, nats.errors.SlowConsumerError):
            self._events.message_dropped(problem.subject)
            return
        reason = reason_for(problem)
        if reason == "permissions violation":
            self._was_refused = True
            _log.error("bus_permission_refused", bus=self._name)
            return
        self._trouble = problem

    async def _on_closed(self) -> None:
        self._gone.set()
