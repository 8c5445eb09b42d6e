"""Admission and the servers of the bus: what is to hold is shown to them until they hold it, who floods is cut off.

Joins `resolver` (what each server has confirmed) and `guard` (when an agency is suspended without a person) to the
steps. Whoever is connected is known here for `broker agency list`, and forgotten at a restart.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta
from typing import Final

import structlog

from broker.enrolment.servers.connection import SystemConnection
from broker.enrolment.servers.guard import Guard, Suspend
from broker.enrolment.servers.resolver import Resolver
from broker.node.bus.port import BusAway
from broker.node.clock import Clock
from broker.node.metrics import AdmissionMetrics

_log = structlog.get_logger()

LOOK_EVERY: Final = timedelta(seconds=1)


class BusServers:
    """Implements `room.Servers` and `resolver.ResolverEvents`."""

    def __init__(
        self,
        connection: SystemConnection,
        *,
        clock: Clock,
        metrics: AdmissionMetrics,
        names: Callable[[], Collection[str]],
    ) -> None:
        """`names` gives the servers that were configured: one that is down since before the start is missed too."""
        self._resolver = Resolver(connection, self, names=names, look_every=LOOK_EVERY)
        self._guard = Guard()
        self._clock = clock
        self._metrics = metrics
        self._present: dict[str, Counter[str]] = {}
        self._suspend: Callable[[Suspend], Awaitable[None]] | None = None
        self._suspending: set[asyncio.Task[None]] = set()

    def start(self, claims: Mapping[str, str], suspend: Callable[[Suspend], Awaitable[None]]) -> None:
        """Begin to hold the servers to these claims; `suspend` is called for whoever is to be cut off."""
        self._suspend = suspend
        self._resolver.start(claims)
        self._metrics.bus_servers_stale.set_function(lambda: len(self._resolver.stale))

    async def close(self) -> None:
        """Stop; the servers go on with what they have."""
        for task in self._suspending:
            task.cancel()
        await asyncio.gather(*self._suspending, return_exceptions=True)
        await self._resolver.close()

    @property
    def current(self) -> frozenset[str]:
        """The servers that have confirmed everything."""
        return self._resolver.servers - self._resolver.stale

    @property
    def stale(self) -> frozenset[str]:
        """The servers that have not, or are away."""
        return self._resolver.stale

    def present_on(self, account: str) -> list[str]:
        """The servers on which somebody of that account is connected, as far as was heard since the start."""
        return sorted(server for server, users in self._present.get(account, Counter()).items() if users > 0)

    async def show(self, accounts: Mapping[str, str]) -> frozenset[str]:
        """Have these claims hold; gives back the servers that have confirmed them all."""
        confirmed = self._resolver.servers
        for account, claims in accounts.items():
            try:
                pushed = await self._resolver.push(account, claims)
            except BusAway:
                confirmed = frozenset()  # each server is shown everything when the connection is back
                continue
            if pushed.refused:
                _log.error("claims_refused_by_server", count=len(pushed.refused))
            confirmed &= pushed.confirmed
        return confirmed

    async def forget(self, accounts: Collection[str], order: str) -> bool:
        """Have accounts deleted whose claims have ended; whether every server has."""
        try:
            return (await self._resolver.forget(accounts, order)).is_everywhere
        except BusAway:
            return False

    async def tell(self, claims: str) -> frozenset[str]:
        """Have the system account's claims hold; gives back the servers that confirmed them."""
        return (await self._resolver.tell(claims)).confirmed

    async def operators(self) -> Mapping[str, tuple[str, frozenset[str]]]:
        """The operator that each server trusts, and the operator's signing keys."""
        return await self._resolver.operators()

    async def renew(self) -> None:
        """Connect anew, with the keys of the system account that are in use now."""
        await self._resolver.renew()

    def reported(self, account: str, rate: int) -> None:
        """Coordinator or desk say that more comes in under that account's token than its owner may send."""
        self._act(self._guard.reported(account, rate, now=self._clock.now()))

    # What the resolver tells.

    def account_connected(self, account: str, server: str) -> None:
        """A user of that account connected."""
        self._present.setdefault(account, Counter())[server] += 1
        self._act(self._guard.connected(account, now=self._clock.now()))

    def account_disconnected(self, account: str, server: str) -> None:
        """A user of that account left, or was cut off."""
        users = self._present.setdefault(account, Counter())
        users[server] = max(users[server] - 1, 0)

    def stranger_refused(self, server: str) -> None:
        """Somebody without an account here tried a server."""
        self._metrics.strangers_refused.inc()

    def server_joined(self, server: str) -> None:
        """A server appeared; it is being shown everything."""
        self._count()

    def server_left(self, server: str) -> None:
        """A server answers no more."""
        for users in self._present.values():
            users.pop(server, None)
        self._count()

    def _count(self) -> None:
        self._metrics.bus_servers.set(len(self._resolver.servers))

    def _act(self, verdict: Suspend | None) -> None:
        if verdict is None or self._suspend is None:
            return
        _log.critical("agency_floods", kind=verdict.reason.value)
        self._metrics.suspended_by_guard.labels(verdict.reason.value).inc()
        task = asyncio.ensure_future(self._suspend(verdict))
        self._suspending.add(task)
        task.add_done_callback(self._suspending.discard)
