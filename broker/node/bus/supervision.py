"""That there is a connection: made, watched, replaced, and made again whenever it ends, until it is no longer wanted.

Owns when to dial which server, how long to wait, and what is said about it. A `Link` that ends, for whatever reason, is
followed by another after a jittered wait, with every subscription on it before the owner is told. One that still stands
is replaced without a gap when its credentials near their end, when they were changed, or when its server says that it
will go: the next one hears everything before the old one is let go. Refuses to know what is said on a connection.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import structlog

from broker.node.bus.access import Access, Lapse, MakeAccess
from broker.node.bus.address import ServerAddress
from broker.node.bus.dialling import BusTimings
from broker.node.bus.link import Link, LinkFailed, Take
from broker.node.bus.listener import Listener
from broker.node.bus.overlap import Overlap
from broker.node.bus.port import BusAway
from broker.node.bus.reasons import NO_ANSWER, UNUSABLE, Reason, reason_for
from broker.node.bus.reporter import Reporter
from broker.node.bus.sieve import Sieve
from broker.node.clock import Clock
from schemas.failures import Failure

_log: Final = structlog.get_logger(__name__)
_chance: Final = secrets.SystemRandom()

_LOOK_EVERY_S: Final = 1.0
_ECHOES_LAST_S: Final = 1.0
"""For how long one connection may be behind the other: another node of the cluster, a busier link."""
_CANCEL_EVERY_S: Final = 3.0
"""Longer than a link takes to write what is left and be dismantled, so that a second cancel does not cut that short."""


class Supervision:
    """Keeps a connection to one of several servers."""

    def __init__(
        self,
        addresses: Sequence[ServerAddress],
        *,
        proxy: ServerAddress | None,
        access: MakeAccess | None,
        name: str,
        timings: BusTimings,
        clock: Clock,
        reporter: Reporter,
        take: Take,
        sieve: Sieve,
    ) -> None:
        """`access` is None for plaintext."""
        # Each program in an order of its own: a thousand that were given the same list share the servers evenly.
        self._addresses = _chance.sample(addresses, len(addresses))
        self._proxy = proxy
        self._make_access = access
        self._name = name
        self._timings = timings
        self._clock = clock
        self._reporter = reporter
        self._take = take
        self._sieve = sieve
        self._tried = 0
        self._listeners: list[Listener] = []
        self._link: Link | None = None
        self._links: set[Link] = set()
        self._overlap: Overlap | None = None
        self._retiring: Link | None = None
        self._fading: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Event()
        self._is_over = False
        self._goes_elsewhere = False
        self._renewals: list[asyncio.Future[None]] = []
        self._asked: list[asyncio.Future[None]] = []
        self._said: dict[ServerAddress, str] = {}
        self.trouble: str | None = None
        """Why there is no connection just now, in words for an operator; None when there is one."""

    @property
    def link(self) -> Link | None:
        """The connection, if there is one."""
        return self._link

    def begin(self) -> None:
        """Begin to connect, and keep at it until `end`."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"bus of {self._name}")

    async def end(self) -> None:
        """Leave, writing what was published if the server takes it within a second."""
        task, self._task = self._task, None
        self._is_over = True
        while task is not None and not task.done():
            # Again and again, and with `_is_over` for its loops to see: nats-py waits with `wait_for`, and swallows
            # cancellations of its own accord as well.
            task.cancel()
            await asyncio.wait({task}, timeout=_CANCEL_EVERY_S)
        for link in list(self._links):
            await self._forget(link)  # the cancellation may have come in the middle of that
        self._asked += self._renewals
        self._settle_renewals(BusAway("the bus was closed"))
        if self._fading is not None:
            self._fading.cancel()

    async def add(self, listener: Listener) -> None:
        """Subscribe a listener on this connection and all further ones; when connected, until the server knows."""
        self._listeners.append(listener)
        link = self._link
        if link is None:
            return  # it is subscribed on the next link, with all the others
        try:
            async with asyncio.timeout(self._timings.connect_within.total_seconds()):
                await link.subscribe(listener)
                await link.confirm()
        except (LinkFailed, TimeoutError):
            await link.dismantle()  # noticed by the watch, which makes the next

    async def renew(self, *, elsewhere: bool = False) -> None:
        """Change to a new connection with what access gives now, or make one at once if there is none.

        `elsewhere`: to another server, and the owner is told; nothing is done if only one is known.

        Raises:
            BusAway: the new connection could not be made; one that there was stays.
        """
        if self._task is None or (elsewhere and len(self._addresses) == 1):
            return
        self._goes_elsewhere |= elsewhere
        done = asyncio.get_running_loop().create_future()
        self._renewals.append(done)
        self._turn.set()
        await done

    def is_echo(self, link: Link, listener: Listener, subject: str, payload: bytes) -> bool:
        """Whether this was heard already, on the other of two connections that overlap."""
        if self._overlap is None:
            return False
        return not self._overlap.is_first(int(link is self._retiring), id(listener), subject, payload)

    async def _run(self) -> None:
        failed = 0
        try:
            while not self._is_over:
                try:
                    link = await self._connect(None)
                except LinkFailed as failure:
                    failed += 1
                    await self._rest(self._wait_s(failed, failure.reason))
                    continue
                failed = 0
                self._take_up(link)
                await self._hold(link)
                await self._rest(self._wait_s(failed, None))  # a moment, so that not all come at once
        finally:
            self._link = None
            for link in list(self._links):
                await link.leave()

    async def _hold(self, link: Link) -> None:
        """Keep what stands, replacing it when there is cause, until it is gone."""
        loop = asyncio.get_running_loop()
        failed, not_before, renew_at = 0, 0.0, self._renew_at(link)
        while link.stands and not self._is_over:
            has_cause = link.is_lame_duck or (renew_at is not None and self._clock.now() >= renew_at)
            if self._renewals or (has_cause and loop.time() >= not_before):
                try:
                    link = await self._replace(link)
                    failed, renew_at = 0, self._renew_at(link)
                except LinkFailed as failure:
                    failed += 1
                    not_before = loop.time() + self._wait_s(failed, failure.reason)
            else:
                # Looked at, not only waited for: with bytes unwritten, nats-py waits for the dead link to take them
                # before it calls back; and a dead read loop never calls back at all.
                await self._until_turn(min(_LOOK_EVERY_S, self._timings.ping_interval.total_seconds() / 2))
                link.look()
        if not self._is_over:
            self._lose(link)
            await self._forget(link)

    async def _replace(self, old: Link) -> Link:
        try:
            fresh = await self._connect(old)
            # No await since it last looked at the listeners: `add` either was seen there, or finds the new link.
            if old.stands:
                await self._change(old, fresh)
            else:
                # What came between the two is lost, and peers have to be told that we are back.
                self._lose(old)
                self._take_up(fresh)
                await self._forget(old)
        finally:
            # Also if it failed: what it heard until then may still be on its way on the old one.
            self._let_echoes_fade()
        return fresh

    async def _change(self, old: Link, fresh: Link) -> None:
        self._link = fresh
        _log.info("bus_renewed", bus=self._name, host=fresh.address.host, port=fresh.address.port)
        if fresh.address != old.address and self._goes_elsewhere:
            # What was said on the old one may have reached nobody, and peers have to be told where we are heard.
            self._reporter.connected()
        self._settle_renewals(None)
        await old.retire()
        self._links.discard(old)

    async def _connect(self, old: Link | None) -> Link:
        """A link with every listener on it. The caller takes it up without waiting for anything first."""
        is_left = old is not None and (old.is_lame_duck or self._goes_elsewhere)
        address = self._next_address(old.address if old is not None and is_left else None)
        self._asked, self._renewals = [*self._asked, *self._renewals], []
        access = None
        try:
            access = await self._read_access()
            return await self._open(address, access, old)
        except LinkFailed as problem:
            failure = problem
        if access is not None and failure.reason.is_refusal:
            for other in access.others:
                with suppress(LinkFailed):  # what is told is why the first was refused
                    return await self._open(address, other, old)
        self._report(failure, address, access)
        self._settle_renewals(BusAway(failure.detail))
        raise failure

    async def _open(self, address: ServerAddress, access: Access | None, old: Link | None) -> Link:
        """A link to that server, admitted, with every listener on it."""
        link = Link(
            address,
            name=self._name,
            timings=self._timings,
            events=self._reporter,
            take=self._take,
            sieve=self._sieve,
            wake=self._turn.set,
        )
        self._links.add(link)
        try:
            async with asyncio.timeout(self._timings.connect_within.total_seconds()):
                await link.open(access, proxy=self._proxy, now=self._clock.now())
                if old is not None:
                    self._begin_overlap(old)
                await self._subscribe_all(link)
        except TimeoutError:
            failure = LinkFailed(NO_ANSWER)
        except LinkFailed as problem:
            failure = problem
        else:
            return link
        await self._forget(link)
        raise failure

    async def _read_access(self) -> Access | None:
        if self._make_access is None:
            return None
        try:
            return await asyncio.to_thread(self._make_access)
        except Failure as failure:
            raise LinkFailed(UNUSABLE, failure) from None
        except Exception as problem:  # noqa: BLE001 - whatever it is, to stop trying would be a silence for ever
            raise LinkFailed(reason_for(problem)) from None

    async def _subscribe_all(self, link: Link) -> None:
        known = 0
        while known < len(self._listeners):  # `add` may add to them meanwhile
            for listener in self._listeners[known:]:
                await link.subscribe(listener)
                known += 1
            await link.confirm()
        if not known:
            await link.confirm()

    def _take_up(self, link: Link) -> None:
        self._link = link
        self.trouble = None
        self._said.clear()
        _log.info("bus_connected", bus=self._name, host=link.address.host, port=link.address.port)
        self._reporter.connected()
        self._settle_renewals(None)

    def _lose(self, link: Link) -> None:
        self._link = None
        self._report(LinkFailed(link.reason), link.address, None)
        self._reporter.disconnected()

    async def _forget(self, link: Link) -> None:
        await link.dismantle()
        self._links.discard(link)

    def _begin_overlap(self, old: Link) -> None:
        # Not before the first subscription: what only the old one hears has no echo, and the same bytes sent again
        # would be taken for it.
        if self._fading is not None:
            self._fading.cancel()
        self._overlap, self._retiring = Overlap(), old

    def _let_echoes_fade(self) -> None:
        if self._fading is not None:
            self._fading.cancel()
        self._fading = asyncio.get_running_loop().call_later(_ECHOES_LAST_S, self._end_overlap)

    def _end_overlap(self) -> None:
        self._overlap = self._retiring = None

    def _report(self, failure: LinkFailed, address: ServerAddress, access: Access | None) -> None:
        lapse = self._lapse_behind(failure.reason, access)
        words = failure.reason.words if lapse is None else f"{lapse.what} has expired"
        if self._link is None:
            self.trouble = _told(words, failure, lapse)
        if self._said.get(address) != words:  # once a reason, not once an attempt
            self._said[address] = words
            _log.warning(
                "bus_away" if self._link is None else "bus_not_renewed",
                bus=self._name,
                host=address.host,
                port=address.port,
                reason=words,
                ends_at=None if lapse is None else lapse.at,
                code=None if failure.behind is None else failure.behind.code,
            )

    def _lapse_behind(self, reason: Reason, access: Access | None) -> Lapse | None:
        """What of ours has expired: the server refuses us without saying why."""
        if access is None or not reason.is_refusal:
            return None
        return next((lapse for lapse in access.lapses if lapse.at <= self._clock.now()), None)

    def _settle_renewals(self, failure: BusAway | None) -> None:
        self._goes_elsewhere = False
        asked, self._asked = self._asked, []
        for done in asked:
            if not done.done():
                done.set_result(None) if failure is None else done.set_exception(failure)

    def _next_address(self, avoid: ServerAddress | None) -> ServerAddress:
        address = self._addresses[self._tried % len(self._addresses)]
        self._tried += 1
        if address == avoid and len(self._addresses) > 1:
            return self._next_address(avoid)
        return address

    def _renew_at(self, link: Link) -> int | None:
        """Somewhere between half and three quarters of the JWT's life, so that not all renew at once."""
        if link.ends_at is None:
            return None
        now = self._clock.now()
        return now + int((link.ends_at - now) * _chance.uniform(0.5, 0.75))

    def _wait_s(self, failed: int, reason: Reason | None) -> float:
        first, longest = self._timings.first_wait, self._timings.longest_wait
        if reason is not None and reason.is_refusal and failed >= len(self._addresses):
            longest = self._timings.longest_wait_refused
        # Twenty doublings pass any sensible limit; more would overflow timedelta over a weekend's outage.
        return _chance.uniform(0, min(longest, first * 2 ** min(failed, 20)).total_seconds())

    async def _rest(self, wait_s: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while not self._renewals and not self._is_over and (left := until - loop.time()) > 0:
            await self._until_turn(left)

    async def _until_turn(self, at_most_s: float) -> None:
        # Not with `wait_for`, which in Python 3.11 swallows a cancellation that comes together with the result.
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._turn.wait()
        self._turn.clear()


def _told(words: str, failure: LinkFailed, lapse: Lapse | None) -> str:
    if lapse is not None:
        return f"{words}, at {datetime.fromtimestamp(lapse.at / 1000, UTC):%Y-%m-%d %H:%M:%SZ}; {lapse.remedy}"
    return words if failure.behind is None else f"{words}: {failure.behind.detail}"
