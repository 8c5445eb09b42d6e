"""The bus over a real nats-server, core NATS only.

Owns what the port promises of publishing and listening; `Supervision` sees to it that there is a connection, and
`FloodGauge` that no agency takes the program's time from the others. Refuses to know JetStream, and to speak plaintext
for anybody who does not name it (`access.PLAINTEXT`).
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Collection, Sequence
from typing import Final

from broker.node.bus.access import MakeAccess, Plaintext
from broker.node.bus.address import ServerAddress, read_address, read_plaintext_address, read_proxy
from broker.node.bus.dialling import BusTimings
from broker.node.bus.flood import FROM_AGENCIES, FloodGauge, FloodLimits
from broker.node.bus.link import Link
from broker.node.bus.listener import Listener, QueueLimits
from broker.node.bus.patterns import check_pattern, check_subject
from broker.node.bus.port import BusAway, BusCounts, BusEvents, Receive, check_payload
from broker.node.bus.reporter import Reporter
from broker.node.bus.supervision import Supervision
from broker.node.clock import Clock, SystemClock
from schemas.failures import Rejected

_DEFAULT_TIMINGS: Final = BusTimings()
_DEFAULT_LIMITS: Final = QueueLimits()
_DEFAULT_FLOOD: Final = FloodLimits()
_DEFAULT_CLOCK: Final = SystemClock()


class WebSocketMissing(Rejected):
    """A `wss://` server is configured, and the library for it is not installed."""

    code = "bus_websocket_missing"


class NatsBus:
    """One party's supervised connection to a nats-server, or to whichever of several answers."""

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        name: str,
        access: MakeAccess | Plaintext,
        proxy: str | None = None,
        setting: str = "bus.url",
        timings: BusTimings = _DEFAULT_TIMINGS,
        limits: QueueLimits = _DEFAULT_LIMITS,
        flood: FloodLimits = _DEFAULT_FLOOD,
        clock: Clock = _DEFAULT_CLOCK,
    ) -> None:
        """Check where to connect to; nothing is dialled before `start`.

        Args:
            url: `tls://host:port` or `wss://host:port/path`, or several, tried in turn from any of them on.
            name: the part this program plays; shown in the server's monitoring.
            access: called for each connection, so that what was rotated is used from the next one on. `PLAINTEXT`, for
                tests on this machine, takes `nats://` URLs instead.
            proxy: `http://host:port` of a proxy that connects through, if there is no other way out.
            setting: what the operator calls `url`; named in errors.

        Raises:
            PlaintextRefused: a URL without TLS.
            BadBusUrl: not such a URL, or one that holds credentials.
            NotLoopback: plaintext to another machine.
            WebSocketMissing: says what to install.
        """
        urls = [url] if isinstance(url, str) else url
        is_plaintext = isinstance(access, Plaintext)
        read = read_plaintext_address if is_plaintext else read_address
        self.counts = BusCounts()
        self._timings = timings
        self._limits = limits
        self._reporter = Reporter(self.counts)
        self._gate = _Gate(FloodGauge(flood, self._reporter.flooding), self.counts)
        self._listeners: list[Listener] = []
        self._supervision = Supervision(
            _installed([read(each, setting=setting) for each in urls]),
            proxy=None if proxy is None else read_proxy(proxy, setting="bus.proxy"),
            access=None if isinstance(access, Plaintext) else access,
            name=name,
            timings=timings,
            clock=clock,
            reporter=self._reporter,
            take=self._take,
            sieve=self._gate,
        )

    @property
    def trouble(self) -> str | None:
        """Why there is no connection just now, in words for an operator; None when there is one."""
        return self._supervision.trouble

    @property
    def account(self) -> str | None:
        """The account that the connection is in, by its nkey; None while there is none, and in plaintext."""
        link = self._supervision.link
        return None if link is None else link.account

    async def start(self, events: BusEvents) -> None:
        """Begin to connect, and keep at it until `close`."""
        self._reporter.report_to(events)
        self._supervision.begin()

    async def subscribe(self, subject: str, receive: Receive) -> None:
        """Listen on a subject or pattern, for good; when connected, returns once the server knows."""
        check_pattern(subject)
        listener = Listener(subject, receive, self._limits, self._reporter)
        self._listeners.append(listener)
        await self._supervision.add(listener)

    async def publish(self, subject: str, payload: bytes) -> None:
        """Hand one message to the server."""
        check_subject(subject)
        check_payload(payload)
        link = self._supervision.link
        if link is None or not link.stands:
            raise BusAway("the bus is not connected")
        await link.publish(subject, payload)
        self.counts.published += 1

    def suspect(self) -> None:
        """Have the server give a sign of life, if nothing was received since something was published."""
        if self._supervision.link is not None:
            self._supervision.link.suspect()

    async def renew(self, *, elsewhere: bool = False) -> None:
        """Change to a new connection with what `access` gives now, without a gap; `elsewhere` to another server."""
        await self._supervision.renew(elsewhere=elsewhere)

    async def close(self) -> None:
        """Leave the bus for good, writing what was published if the server takes it within a second."""
        await self._supervision.end()
        for listener in self._listeners:
            await listener.close()

    def _take(self, link: Link, listener: Listener, subject: str, payload: bytes) -> None:
        if self._supervision.is_echo(link, listener, subject, payload):
            return
        if self._gate.lets_in(subject, payload):
            listener.offer(subject, payload)


class _Gate:
    """Lets in what is no flood, and counts the rest. A sieve, so that most of the rest is never read."""

    def __init__(self, gauge: FloodGauge, counts: BusCounts) -> None:
        self._gauge = gauge
        self._counts = counts

    def lets_in(self, subject: str, payload: bytes) -> bool:
        if not subject.startswith(FROM_AGENCIES) or self._gauge.takes(subject, _now_us(), len(payload)):
            return True
        self._counts.flooded += 1
        return False

    def shut(self) -> Collection[bytes]:
        return self._gauge.shut(_now_us())

    def passed_over(self, token: bytes, messages: int, size: int) -> None:
        self._counts.flooded += messages
        self._gauge.passed_over(token, messages, size, _now_us())


def _now_us() -> int:
    return time.monotonic_ns() // 1000


def _installed(addresses: list[ServerAddress]) -> list[ServerAddress]:
    if any(address.is_websocket for address in addresses) and importlib.util.find_spec("websockets") is None:
        raise WebSocketMissing("for wss:// servers a library is needed; install needtoknow[websocket]")
    return addresses
