"""The bus over a real nats-server, core NATS only.

Owns the connection's supervision: a `Link` is made, held and watched, and when it ends, for whatever reason, another is
made after a jittered wait, with every subscription on it before the owner is told. Refuses to know JetStream, and
refuses any server that is not on this machine (`address.read_address`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Final

import structlog

from broker.node.bus.address import ServerAddress, read_address
from broker.node.bus.dialling import BusTimings
from broker.node.bus.link import Link, LinkFailed
from broker.node.bus.listener import Listener, QueueLimits
from broker.node.bus.patterns import check_pattern, check_subject
from broker.node.bus.port import BusAway, BusCounts, BusEvents, Receive, check_payload
from broker.node.bus.reporter import Reporter

_log: Final = structlog.get_logger(__name__)
_chance: Final = secrets.SystemRandom()

_CANCEL_EVERY_S: Final = 3.0
"""Longer than a link takes to write what is left and be dismantled, so that a second cancel does not cut that short."""
_DEFAULT_TIMINGS: Final = BusTimings()
_DEFAULT_LIMITS: Final = QueueLimits()


class NatsBus:
    """One party's supervised connection to a nats-server, or to whichever of several answers."""

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        name: str,
        setting: str = "bus.url",
        timings: BusTimings = _DEFAULT_TIMINGS,
        limits: QueueLimits = _DEFAULT_LIMITS,
    ) -> None:
        """Check where to connect to; nothing is dialled before `start`.

        Args:
            url: `nats://host:port`, or several, tried in turn.
            name: the part this program plays; shown in the server's monitoring.
            setting: what the operator calls `url`; named in errors.

        Raises:
            BadBusUrl: not such a URL, or one that holds credentials.
            NotLoopback: another machine, which needs TLS and an admission.
        """
        urls = [url] if isinstance(url, str) else url
        self._addresses = [read_address(each, setting=setting) for each in urls]
        self._name = name
        self._timings = timings
        self._limits = limits
        self.counts = BusCounts()
        self._reporter = Reporter(self.counts)
        self._listeners: list[Listener] = []
        self._link: Link | None = None
        self._newest: Link | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why there is no connection just now, in words for an operator; None when there is one."""
        return self._trouble

    async def start(self, events: BusEvents) -> None:
        """Begin to connect, and keep at it until `close`."""
        self._reporter.report_to(events)
        self._supervision = asyncio.get_running_loop().create_task(self._supervise(), name=f"bus of {self._name}")

    async def subscribe(self, subject: str, receive: Receive) -> None:
        """Listen on a subject or pattern, for good; when connected, returns once the server knows."""
        check_pattern(subject)
        listener = Listener(subject, receive, self._limits, self._reporter)
        self._listeners.append(listener)
        link = self._link
        if link is None:
            return  # the supervision subscribes every listener on the next link
        try:
            async with asyncio.timeout(self._timings.connect_within.total_seconds()):
                await link.subscribe(listener)
                await link.confirm()
        except (LinkFailed, TimeoutError):
            await link.dismantle()  # the supervision notices, and makes the next

    async def publish(self, subject: str, payload: bytes) -> None:
        """Hand one message to the server."""
        check_subject(subject)
        check_payload(payload)
        link = self._link
        if link is None or not link.stands:
            raise BusAway("the bus is not connected")
        await link.publish(subject, payload)
        self.counts.published += 1

    async def close(self) -> None:
        """Leave the bus for good, writing what was published if the server takes it within a second."""
        supervision, self._supervision = self._supervision, None
        while supervision is not None and not supervision.done():
            # Again and again: nats-py waits with `wait_for` and swallows cancellations of its own accord as well.
            supervision.cancel()
            await asyncio.wait({supervision}, timeout=_CANCEL_EVERY_S)
        if self._newest is not None:
            await self._newest.dismantle()  # the cancellation may have come in the middle of that
        for listener in self._listeners:
            await listener.close()

    async def _supervise(self) -> None:
        tried = failed = 0
        while True:
            address = self._addresses[tried % len(self._addresses)]
            tried += 1
            link = self._newest = Link(address, name=self._name, timings=self._timings, events=self._reporter)
            try:
                await self._connect(link, address)
                failed = 0
                await link.until_gone()
                self._lose(link.reason, address)
            except LinkFailed as problem:
                self._report_trouble(problem.detail, address)
                failed += 1
            except asyncio.CancelledError:
                self._link = None
                await link.leave()
                raise
            await link.dismantle()
            await asyncio.sleep(self._jittered_wait_s(failed))

    async def _connect(self, link: Link, address: ServerAddress) -> None:
        try:
            async with asyncio.timeout(self._timings.connect_within.total_seconds()):
                await link.open()
                known = 0
                while known < len(self._listeners):  # `subscribe` may add to them meanwhile
                    for listener in self._listeners[known:]:
                        await link.subscribe(listener)
                        known += 1
                    await link.confirm()
                if not known:
                    await link.confirm()
        except TimeoutError:
            raise LinkFailed("the server did not answer in time") from None
        # No await since the last look at the listeners: a `subscribe` either was seen there, or finds this link.
        self._link = link
        self._trouble = None
        _log.info("bus_connected", bus=self._name, host=address.host, port=address.port)
        self._reporter.connected()

    def _lose(self, reason: str, address: ServerAddress) -> None:
        self._link = None
        self._report_trouble(reason, address)
        self._reporter.disconnected()

    def _report_trouble(self, reason: str, address: ServerAddress) -> None:
        if reason != self._trouble:  # once a reason, not once an attempt
            _log.warning("bus_away", bus=self._name, host=address.host, port=address.port, reason=reason)
        self._trouble = reason

    def _jittered_wait_s(self, failed: int) -> float:
        first, longest = self._timings.first_wait, self._timings.longest_wait
        # Twenty doublings pass any sensible limit; more would overflow timedelta over a weekend's outage.
        return _chance.uniform(0, min(longest, first * 2 ** min(failed, 20)).total_seconds())
