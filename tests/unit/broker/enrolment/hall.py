"""A hub with its coordinator and admission as they run, and agencies that enrol, on a bus in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from agents.runtime.home.enrolling import Enrolled, accept, request
from agents.runtime.home.initialising import NewAgent, initialise
from broker.coordinator import records as coordinator_records
from broker.coordinator.program import Coordinator, build_coordinator
from broker.enrolment.at_rest.founding import found
from broker.enrolment.books import records
from broker.enrolment.claims.check import Trusted, check_claims
from broker.enrolment.program import Admission, build_admission
from broker.enrolment.servers.guard import Suspend, SuspensionReason
from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.ground import open_ground
from broker.node.home import Home, PartyPlan
from broker.node.log import get_leaves
from broker.node.metrics import build_metrics
from broker.node.store.connection import CommitStep, commit_durably
from broker.node.store.port import StoreClosed
from schemas.crypto import nkey
from schemas.messages.entry import AdmissionEntry, Entry, KeyEntry, read_entry
from schemas.messages.party import Party, PartyKind
from schemas.vocabulary import AgencyKind
from tests.support.clock import NOON, HandClock
from tests.support.made_once import made_once

HUB = "testhub"
# Nobody is there, and nobody need be asked where it is.
ADDRESS = "tls://127.0.0.1:9"


class KeptServers:
    """Servers that hold whatever they are shown, while they are there."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.is_away = False
        self.missed = frozenset[str]()
        """Others, which are away; they count as told when they are none of these any more."""
        self.shown: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.operator = ("", frozenset[str]())
        """The operator that the one server was started with, and its signing keys."""
        self.system = ""
        self.renewed = 0
        self._suspend: Callable[[Suspend], Awaitable[None]] | None = None
        self.suspending: asyncio.Future[None] | None = None

    def start(self, claims: Mapping[str, str], suspend: Callable[[Suspend], Awaitable[None]]) -> None:
        self.held = dict(claims)
        self._suspend = suspend

    async def close(self) -> None:
        """Nothing to do."""

    async def show(self, accounts: Mapping[str, str]) -> frozenset[str]:
        if self.is_away:
            return frozenset()
        self.held.update(accounts)
        self.shown += accounts
        self.texts += accounts.items()
        return frozenset({"n1"})

    async def forget(self, accounts: Collection[str], order: str) -> bool:
        if self.is_away:
            return False
        for account in accounts:
            self.held.pop(account, None)
        return True

    async def operators(self) -> Mapping[str, tuple[str, frozenset[str]]]:
        return {} if self.is_away else {"n1": self.operator}

    async def tell(self, claims: str) -> frozenset[str]:
        if self.is_away:
            return frozenset()
        self.system = claims
        return frozenset({"n1"})

    async def renew(self) -> None:
        self.renewed += 1

    def reported(self, account: str, rate: int) -> None:
        assert self._suspend is not None
        self.suspending = asyncio.ensure_future(self._suspend(Suspend(account, SuspensionReason.FLOODING)))

    def present_on(self, account: str) -> list[str]:
        return ["n1"] if account in self.held else []

    @property
    def current(self) -> frozenset[str]:
        return frozenset() if self.is_away else frozenset({"n1"})

    @property
    def stale(self) -> frozenset[str]:
        return self.missed | {"n1"} if self.is_away else self.missed


@dataclass
class Hall:
    """Everybody, one clock, one bus."""

    folder: Path
    hub: MemoryHub = field(default_factory=MemoryHub)
    clock: HandClock = field(default_factory=HandClock)
    servers: KeptServers = field(default_factory=KeptServers)
    commit: CommitStep = commit_durably

    async def start(self) -> None:
        """Start coordinator and admission, from homes as the first hall of a session made them."""
        made_once("hall", self.folder, lambda folder: replace(self, folder=folder)._make_homes())
        await self.start_coordinator()
        await self.start_admission()
        await self.settle()

    def _make_homes(self) -> None:
        made = {}
        for name, kind in (
            ("coordinator", PartyKind.COORDINATOR),
            ("desk", PartyKind.DESK),
            ("admission", PartyKind.ADMISSION),
        ):
            log = "testhub.example/log" if kind is PartyKind.COORDINATOR else None
            lead = self.folder / "lead.key" if kind is PartyKind.DESK else None
            plan = PartyPlan(HUB, name, kind, "The hub", log=log)
            made[name] = self.home(name).create(plan, now=NOON, ig_lead_key=lead)
        for name in made:
            for other, party in made.items():
                if other != name:
                    self.home(name).pin(party.raw)
        hub = [self.home("coordinator"), self.home("desk")]
        found(self.home("admission"), hub, hosts=["127.0.0.1"], addresses=[ADDRESS], now=NOON)

    def home(self, name: str) -> Home:
        """A party's directory."""
        return Home(self.folder / name)

    async def start_coordinator(self) -> None:
        """Start the coordinator from its home."""
        self.coordinator_bus = MemoryBus(self.hub, "coordinator")
        ground = await open_ground(
            self.home("coordinator"),
            migrations=coordinator_records.MIGRATIONS,
            bus=self.coordinator_bus,
            clock=self.clock,
            metrics=build_metrics(),
        )
        self.coordinator: Coordinator = build_coordinator(ground, settle_in=timedelta(seconds=1))
        await self.coordinator.start()

    async def start_admission(self) -> None:
        """Start admission from its home."""
        self.admission_bus = MemoryBus(self.hub, "admission")
        ground = await open_ground(
            self.home("admission"),
            migrations=records.MIGRATIONS,
            bus=self.admission_bus,
            clock=self.clock,
            metrics=build_metrics(),
            commit=self.commit,
        )
        self.admission: Admission = build_admission(ground, self.servers, (ADDRESS,))
        await self.admission.start()

    async def stop(self) -> None:
        """End everything."""
        await self.admission.stop()
        await self.coordinator.stop()

    async def settle(self) -> None:
        """Let everything happen that needs no turning of the clock."""
        for _ in range(8):
            await self.hub.settle()
            for party in (self.admission, self.coordinator):
                with suppress(StoreClosed):  # one that was stopped
                    await party.ground.store.read(lambda tx: None)
            for _ in range(8):
                await asyncio.sleep(0)

    async def turn(self, milliseconds: int) -> None:
        """Let time pass, in one leap."""
        self.clock.turn(milliseconds)
        await self.settle()

    async def command(self, name: str, /, **arguments: Any) -> Any:
        """Run a command of admission's socket."""
        found = await self.admission.commands[name](arguments)
        await self.settle()
        return found

    async def entries(self) -> list[Entry]:
        """The hub's log."""
        leaves = await self.coordinator.ground.store.read(lambda tx: get_leaves(tx, 0, 10**9))
        return [read_entry(leaf) for leaf in leaves]

    async def steps(self) -> list[tuple[str, str | None, str | None]]:
        """What admission entered: step, agency, reason."""
        return [(one.step, one.agency, one.reason) for one in await self.entries() if isinstance(one, AdmissionEntry)]

    async def versions(self) -> list[int]:
        """The versions of the directories that the log names."""
        return [one.version for one in await self.entries() if isinstance(one, KeyEntry)]

    # Agencies.

    def agency(self, name: str = "northshire", *, kind: AgencyKind = AgencyKind.POLICE, hub: str = HUB) -> Home:
        """An agency that has made its keys."""
        home = self.home(name)
        new = NewAgent(kind, hub, name, f"{name} police", None, self.folder / f"{name}-lead.key")
        initialise(home, new, now=self.clock.now())
        return home

    def ask(self, home: Home, *, replaces_root: bool = False) -> bytes:
        """An agency's request."""
        return request(home, now=self.clock.now(), replaces_root=replaces_root)

    async def offer(self, file: bytes, **options: Any) -> dict[str, Any]:
        """Take a request in."""
        offered = await self.command("offer", request=file.decode("utf-8", "replace"), **options)
        assert isinstance(offered, dict)
        return offered

    def take(self, home: Home, reply: str, *, says: Callable[[Sequence[str]], bool] = lambda words: True) -> Enrolled:
        """An agency takes the reply."""
        return accept(home, reply.encode(), now=self.clock.now(), compare=says)

    async def enrol(self, home: Home, **options: Any) -> None:
        """The whole ceremony."""
        offered = await self.offer(self.ask(home), **options)
        self.take(home, offered["reply"])
        await self.command("admit", agency=offered["agency"], words=offered["words"])

    async def member(self, name: str = "northshire") -> dict[str, Any]:
        """How an agency stands."""
        found = await self.command("agencies")
        return next(dict(one) for one in found["agencies"] if one["agency"] == name)

    def connections_of(self, party: Party) -> int | None:
        """How many connections the servers allow a party's newest account; None for no such account."""
        text = self.servers.held.get(party.token)
        if text is None:
            return None
        issuer = self.admission.room.issuer()
        claims = check_claims(text, Trusted(issuer.hub, [nkey.of(issuer.signer.public)]), now=self.clock.now())
        return int(claims.body["limits"]["conn"])
