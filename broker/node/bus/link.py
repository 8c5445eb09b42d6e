"""One connection to the server, from dialling to its end; never revived.

Owns one nats-py 2.16 client, and every trap of it that shows during a connection's life; each is told where it is
disarmed. Refuses to know what comes after: `nats.NatsBus` makes a new link.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Final, Protocol

import nats.errors
import structlog
from nats.aio.client import PING_PROTO, Client

from broker.node.bus.access import Access
from broker.node.bus.address import ServerAddress
from broker.node.bus.claims import decode
from broker.node.bus.dialling import PLAIN_INBOX, BusTimings, connect_options, credentials, timings_over
from broker.node.bus.listener import Listener
from broker.node.bus.patterns import is_in_account
from broker.node.bus.port import MAX_PAYLOAD_BYTES, BusAway
from broker.node.bus.pulse import Pulse
from broker.node.bus.reasons import (
    ADMITS_ANYBODY,
    NOT_PERMITTED,
    TAKES_TOO_LITTLE,
    TOO_SLOW,
    Reason,
    reason_for,
)
from broker.node.bus.sieve import Sieve, SiftingParser
from broker.node.bus.transport import WireTransport
from broker.node.bus.unheard import UnheardWatch
from broker.node.bus.wire import Wire, lay
from schemas.failures import Away, Failure

_log: Final = structlog.get_logger(__name__)

_GRACE_S: Final = 0.005
"""A subscription that the server has confirmed reaches the last node of a cluster this much later (measured)."""
_YIELD_AT_BYTES: Final = 256 * 1024
"""Unwritten bytes at which a publisher lets nats-py's writer have a turn; it never would in a tight loop."""
_BACKLOG_BYTES: Final = 8 * 1024 * 1024
"""Unwritten bytes at which a publisher waits: eight of the largest messages."""
_BACKLOG_LOOK_S: Final = 0.005
_CLOSE_WITHIN_S: Final = 1.0
_NOBODY_HEARD: Final = b"NATS/1.0 503"

Hear = Callable[[str, bytes, bytes | None], None]
"""Called with subject, payload and headers of a message as it is parsed; must not wait."""
Take = Callable[["Link", Listener, str, bytes], None]
"""Called with a message for a listener that came by this link."""


class LinkFailed(Away):
    """The connection could not be made, or did not hold."""

    code = "bus_link_failed"

    def __init__(self, reason: Reason, behind: Failure | None = None) -> None:
        """`behind` is a failure of our own that says more to our own operator."""
        super().__init__(reason.words)
        self.reason = reason
        self.behind = behind


class LinkEvents(Protocol):
    """What a link tells the bus it belongs to."""

    def message_unheard(self, subject: str) -> None:
        """A message came back as heard by nobody."""


class _Client(Client):
    """nats-py's client, but every message is given away as it is parsed.

    Its own way goes over a queue and a task for each subscription: half of what a message costs, a second place to
    overflow, and a subject that is not UTF-8 ends its read loop. Headers are not parsed either: ours have none.
    """

    def __init__(self, sieve: Sieve) -> None:
        super().__init__()
        self._ps = SiftingParser(self, sieve)
        self.hear: dict[int, Hear] = {}
        self.told: nats.errors.Error | None = None
        """What the server said was wrong, before whatever came of it."""
        self.pulse: Pulse | None = None

    def ask_for_life(self) -> None:
        """Send a ping that nobody waits for; its pong is found in its turn, or never comes."""
        if self._transport is not None:
            self._pongs.append(asyncio.get_running_loop().create_future())
            with suppress(OSError):  # gone already, which the read loop is about to find
                self._transport.write(PING_PROTO)

    async def listen(self, pattern: str, hear: Hear) -> None:
        """Subscribe."""
        self.hear[self._sid + 1] = hear  # before the server can send anything
        await self.subscribe(pattern)

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        hear = self.hear.get(sid)
        if hear is not None:
            hear(subject.decode("ascii", "replace"), data, headers)

    async def _send_ping(self, future: asyncio.Future[bool] | None = None) -> None:
        if self.pulse is not None:
            self.pulse.pinged()
        await super()._send_ping(future)

    async def _process_err(self, err_msg: str) -> None:
        # Kept here, since nats-py puts the end of the connection that follows in its place.
        self.told = self.told or nats.errors.Error(f"nats: {err_msg}")
        await super()._process_err(err_msg)

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():
            # Whoever waited for it has given up, which nats-py's read loop would not survive.
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()


class Link:
    """A nats-py client for one connection: `open`, `subscribe`, `confirm`; then `publish`; then `dismantle`."""

    def __init__(
        self,
        address: ServerAddress,
        *,
        name: str,
        timings: BusTimings,
        events: LinkEvents,
        take: Take,
        sieve: Sieve,
        wake: Callable[[], None],
    ) -> None:
        """`wake` is called when something has changed that the supervision should look at."""
        self.address = address
        self.is_lame_duck = False
        """Whether the server has said that it will go."""
        self.ends_at: int | None = None
        """When the server will cut the connection because our JWT ends, in milliseconds UTC."""
        self._name = name
        self._timings = timings
        self._events = events
        self._take = take
        self._wake = wake
        self._client = _Client(sieve)
        self._transport: WireTransport | None = None
        self._is_closed = False
        self._trouble: Exception | None = None
        self._was_refused = False
        self._unheard = UnheardWatch()
        self._inbox = PLAIN_INBOX
        self.account: str | None = None
        """The account that the connection is in; None without access."""

    @property
    def stands(self) -> bool:
        """Whether the connection looks alive from here."""
        # nats-py's read loop dies of some bytes while `is_connected` stays true; only the task itself tells.
        reading = self._client._reading_task
        return self._client.is_connected and not self._is_closed and reading is not None and not reading.done()

    @property
    def reason(self) -> Reason:
        """Why the connection ended."""
        return reason_for(self._client.told or self._client.last_error or self._trouble or TimeoutError())

    async def open(self, access: Access | None, *, proxy: ServerAddress | None, now: int) -> None:
        """Connect and be admitted; without access, in plaintext. The caller limits the time.

        Raises:
            LinkFailed: says why.
        """
        shown: dict[str, Any] = {}
        with self._failing_as_link():
            tls = None
            if access is not None:
                self.account = access.account
                tls = await asyncio.to_thread(access.tls)
                user_jwt = access.user_jwt(now)
                self.ends_at = decode(user_jwt).expires_at
                shown = credentials(access, user_jwt, tls)
            wire = await lay(self.address, tls=tls, proxy=proxy)
            timings = timings_over(self._timings, is_probed=wire.is_probed and not self.address.is_websocket)
            # nats-py takes a transport that is there already, and has no way to dial another.
            self._transport = self._client._transport = WireTransport(wire, is_encrypted=tls is not None)
            if self.address.is_websocket:
                await self._change_to_websocket(wire)
            await self._client.connect(**shown, **self._options(timings))
            self._client.pulse = Pulse(self._transport, timings, ping=self._client.ask_for_life, give_up=self._give_up)
        self._check_greeting(access)
        self._inbox = self._client.new_inbox()
        await self._listen(f"{self._inbox}.*", self._on_reply)

    async def subscribe(self, listener: Listener) -> None:
        """Ask the server for a listener's messages; `confirm` makes sure.

        A subject of another account of ours is left to the connection in that one: here the server refuses it.

        Raises:
            LinkFailed: the connection is gone.
        """

        if self.account is not None and not is_in_account(listener.pattern, self.account):
            return

        def hear(subject: str, payload: bytes, _: bytes | None) -> None:
            self._take(self, listener, subject, payload)

        await self._listen(listener.pattern, hear)

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
            raise LinkFailed(NOT_PERMITTED)
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
        if self._client.pulse is not None:
            self._client.pulse.said()

    def suspect(self) -> None:
        """Ask for a sign of life if nothing came since something was published; the link ends if there is none."""
        if self._client.pulse is not None:
            self._client.pulse.suspect()

    def look(self) -> None:
        """Ask for a sign of life if a regular ping goes unanswered for long; the link ends if there is none."""
        if self._client.pulse is not None:
            self._client.pulse.look()

    async def retire(self) -> None:
        """Hear what is on its way here and nothing after it, write what was published, and close; in two seconds."""
        with suppress(LinkFailed, TimeoutError, nats.errors.Error, OSError):
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                for sid in self._client.hear:
                    await self._client._send_unsubscribe(sid)
                await self.confirm()
        await self.leave()

    async def leave(self) -> None:
        """Write what was published, as far as the server takes it within a second, and close."""
        with suppress(Exception):  # nats-py has its own for a client that never connected
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._client.close()
        await self.dismantle()

    async def dismantle(self) -> None:
        """Cut the connection and end every task of the client, whatever state both are in."""
        client, transport = self._client, self._transport
        if client.pulse is not None:
            client.pulse.stop()
        if transport is not None:
            # A graceful close waits for the peer to take what is unwritten; a half-open link never does.
            transport.abort()
        with suppress(Exception):  # the connection is over either way
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await client.close()
        tasks = [task for task in (client._reading_task, client._ping_interval_task, client._flusher_task) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if transport is not None:
            await transport.wait_closed()

    @property
    def _flush_within_s(self) -> int:
        return math.ceil(self._timings.connect_within.total_seconds()) + 1  # whole seconds; the caller's limit is first

    def _options(self, timings: BusTimings) -> dict[str, Any]:
        return connect_options(
            self.address,
            name=self._name,
            timings=timings,
            error_cb=self._on_error,
            closed_cb=self._on_closed,
            lame_duck_mode_cb=self._on_lame_duck,
        )

    async def _change_to_websocket(self, wire: Wire) -> None:
        from broker.node.bus.websocket import WebSocketTransport  # a library of its own, for few sites

        transport = WebSocketTransport(wire, self.address)
        self._transport = self._client._transport = transport
        await transport.shake_hands()

    def _check_greeting(self, access: Access | None) -> None:
        if not self.stands:
            # The server's PING came before its PONG: nats-py took the one for the other and returned half-dead.
            raise LinkFailed(TOO_SLOW)
        greeting = self._client._server_info
        if access is not None and not (greeting.get("auth_required") and greeting.get("nonce")):
            raise LinkFailed(ADMITS_ANYBODY)
        if self._client.max_payload < MAX_PAYLOAD_BYTES:
            raise LinkFailed(TAKES_TOO_LITTLE)

    async def _listen(self, pattern: str, hear: Hear) -> None:
        with self._failing_as_link():
            await self._client.listen(pattern, hear)

    @contextmanager
    def _failing_as_link(self) -> Iterator[None]:
        try:
            yield
        except Exception as problem:  # noqa: BLE001 - nats-py lets anything through; each is a reason to try again
            # What was told first says more than what came of it: "nothing listens" before "no servers available".
            unread = self._unread_complaint()
            raise LinkFailed(reason_for(self._client.told or unread or self._trouble or problem)) from None

    def _unread_complaint(self) -> nats.errors.Error | None:
        said = None if self._transport is None else self._transport.complaint
        return None if said is None else nats.errors.Error(f"nats: {said}")

    async def _make_room(self) -> None:
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._timings.backlog_within / timedelta(seconds=1)
        while self._client.pending_data_size > _BACKLOG_BYTES:
            if not self.stands or loop.time() > give_up_at:
                raise BusAway("the link takes no more bytes")
            await asyncio.sleep(_BACKLOG_LOOK_S)

    def _give_up(self) -> None:
        # Whoever sees that it does not stand any more dismantles it, so that no late pong matters.
        self._trouble, self._is_closed = nats.errors.StaleConnectionError(), True
        self._wake()

    def _on_reply(self, inbox: str, payload: bytes, headers: bytes | None) -> None:
        # Only the server's status counts. Whatever else is sent to an inbox of ours is nobody's to send.
        if payload or not headers or not headers.startswith(_NOBODY_HEARD):
            return
        subject = self._unheard.resolve(inbox.rpartition(".")[2])
        if subject is not None:
            self._events.message_unheard(subject)

    async def _on_error(self, problem: Exception) -> None:
        if reason_for(problem) is NOT_PERMITTED:
            self._was_refused = True
            _log.error("bus_permission_refused", bus=self._name)
            return
        self._trouble = problem

    async def _on_closed(self) -> None:
        self._is_closed = True
        self._wake()

    async def _on_lame_duck(self) -> None:
        self.is_lame_duck = True
        self._wake()
