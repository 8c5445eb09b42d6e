"""Admission's connection to the servers of a `HubBus`: the product's resolver, and what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from broker.enrolment.claims.accounts import ACCOUNT_LIFE_MS, expelled_claims, suspended_claims
from broker.enrolment.servers.connection import SystemConnection
from broker.enrolment.servers.resolver import Pushed, Resolver
from broker.node.clock import SystemClock
from tests.support.hub_bus import PATIENCE_S, AgencyOnBus, HubBus, now_ms

LATER_MS = 1000
"""Servers count in whole seconds: a second set of claims is issued a second after the first."""
QUICK_LOOK = timedelta(milliseconds=200)
"""Servers are counted five times as often as deployed."""


@dataclass
class Told:
    """What the resolver told its owner."""

    facts: list[tuple[str, str, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    strangers: int = 0

    def account_connected(self, account: str, server: str) -> None:
        """Noted."""
        self._note("connected", account, server)

    def account_disconnected(self, account: str, server: str) -> None:
        """Noted."""
        self._note("disconnected", account, server)

    def stranger_refused(self, server: str) -> None:
        """Counted; noted once for each server."""
        self.strangers += 1
        self.changed.set()
        if ("refused", "", server) not in self.facts:
            self._note("refused", "", server)

    def server_joined(self, server: str) -> None:
        """Noted."""
        self._note("joined", "", server)

    def server_left(self, server: str) -> None:
        """Noted."""
        self._note("left", "", server)

    async def until(self, *fact: str) -> None:
        """Wait until that was told; what is left out may be anything."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(told[: len(fact)] == fact for told in self.facts):
                self.changed.clear()
                await self.changed.wait()

    def _note(self, *fact: str) -> None:
        self.facts.append((fact[0], fact[1], fact[2]))
        self.changed.set()


class Admitting:
    """A resolver on a system connection, and agencies pushed through it."""

    def __init__(
        self, bus: HubBus, names: Collection[str] | None = None, *, look_every: timedelta = QUICK_LOOK
    ) -> None:
        self.bus = bus
        self.told = Told()
        user = bus.system_user
        self.connection = SystemConnection(bus.urls, lambda: user, inbox=user.inbox, clock=SystemClock())
        self.resolver = Resolver(
            self.connection,
            self.told,
            names=lambda: bus.names if names is None else names,
            look_every=look_every,
        )

    @classmethod
    @asynccontextmanager
    async def of(
        cls, bus: HubBus, *, names: Collection[str] | None = None, look_every: timedelta = QUICK_LOOK
    ) -> AsyncIterator[Admitting]:
        """Connected, every server current (of those named; all, if none are given); closed at the end."""
        side = cls(bus, names, look_every=look_every)
        side.resolver.start({bus.identity.hub: bus.identity.hub_claims})
        try:
            async with asyncio.timeout(PATIENCE_S):
                await side.resolver.until_current()
            yield side
        finally:
            await side.resolver.close()

    async def admit(self, agency: AgencyOnBus) -> Pushed:
        """Have an agency's claims hold."""
        return await self.resolver.push(agency.token, agency.claims)

    async def admitted(self, **options: bool) -> AgencyOnBus:
        """A new agency, admitted on every server."""
        agency = self.bus.agency(**options)
        assert (await self.admit(agency)).is_everywhere
        return agency

    async def suspend(self, agency: AgencyOnBus) -> Pushed:
        """Let the agency connect nowhere until it is resumed."""
        now = now_ms() + LATER_MS
        claims = suspended_claims(
            agency.plan,
            self.bus.identity.hub,
            self.bus.operator_signer,
            issued_at=now,
            expires_at=now + ACCOUNT_LIFE_MS,
        )
        return await self.resolver.push(agency.token, claims)

    async def resume(self, agency: AgencyOnBus) -> Pushed:
        """Let it in again."""
        return await self.resolver.push(agency.token, self.bus.claims_for(agency.plan, later_ms=2 * LATER_MS))

    async def expel(self, agency: AgencyOnBus) -> Pushed:
        """Let it in nowhere for good."""
        now = now_ms() + 3 * LATER_MS
        claims = expelled_claims(
            agency.plan.account, self.bus.operator_signer, issued_at=now, expires_at=now + 2 * ACCOUNT_LIFE_MS
        )
        return await self.resolver.push(agency.token, claims)
