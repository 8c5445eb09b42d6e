"""A World on a real bus: nats-servers in a cluster with TLS and accounts, and admission's own hold on them.

Everything but the servers' processes is the product's own and runs in this process: homes founded as `broker init`
founds them, programs that dial as they do when deployed. Time is the machine's, to which a party's clock may differ.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from broker.enrolment.at_rest.founding import found
from broker.enrolment.claims.accounts import ACCOUNT_LIFE_MS, AgencyAccount, agency_claims
from broker.enrolment.claims.keys import issuer_of
from broker.enrolment.configuration.files import Node, write_servers
from broker.enrolment.servers.access import SystemAccess
from broker.enrolment.servers.connection import SystemConnection
from broker.enrolment.servers.resolver import Resolver
from broker.enrolment.tls.access import give_access
from broker.enrolment.tls.authorities import Authorities
from broker.node.bus.access import HomeAccess, read_addresses
from broker.node.bus.dialling import BusTimings
from broker.node.bus.embedded import find_server
from broker.node.bus.nats import NatsBus
from broker.node.clock import SystemClock
from broker.node.ground import open_ground
from broker.node.home import Home
from broker.node.metrics import build_metrics
from broker.node.post.silence import Patience, patience_of
from schemas.crypto import nkey
from schemas.crypto.keys import PublicKey
from schemas.crypto.purposes import KeyPurpose
from tests.support.clock import HandClock
from tests.support.world import World, migrations_of

WITHIN_S = 60.0
"""Far longer than anything takes on a busy machine; when it has passed, something hangs."""
QUICK = BusTimings(
    connect_within=timedelta(seconds=2),
    ping_interval=timedelta(milliseconds=500),
    first_wait=timedelta(milliseconds=50),
    longest_wait=timedelta(milliseconds=500),
    suspect_after=timedelta(milliseconds=100),
    life_within=timedelta(seconds=1),
)
"""As deployed, but a tenth of the waiting; half of it where a busy machine may be slow."""
QUICK_APART = 10
"""So much sooner does a party leave a server where nobody answers."""


class WallClock(HandClock):
    """The machine's clock, or one that stands apart from it."""

    def __init__(self, ahead_ms: int = 0) -> None:
        super().__init__()
        self.ahead_ms = ahead_ms
        self._real = SystemClock()

    def now(self) -> int:
        """The present instant."""
        return self._real.now() + self.ahead_ms

    async def sleep_until(self, at: int) -> None:
        """Return once `now()` is `at` or later."""
        while (left := at - self.now()) > 0:  # noqa: ASYNC110 - in steps, since it may be set meanwhile
            await asyncio.sleep(min(left, 200) / 1000)


class Servers:
    """The processes of the cluster's servers. `prefix` is what a server's command begins with: where it runs."""

    def __init__(
        self, folder: Path, nodes: Sequence[Node], prefix: Callable[[str], list[str]] = lambda name: []
    ) -> None:
        self.folder = folder
        self.nodes = {node.name: node for node in nodes}
        self._prefix = prefix
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start a server; when it answers is another matter."""
        configuration = self.folder / name / "nats-server.conf"
        with open(configuration.with_name("nats-server.log"), "ab") as log:
            self._processes[name] = subprocess.Popen(
                [*self._prefix(name), find_server(), "--config", configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End a server without a word."""
        process = self._processes.pop(name)
        process.send_signal(number)
        process.wait(WITHIN_S)

    def empty(self, name: str) -> None:
        """Take away what a server that does not run has stored: nothing, if it ended before it was told anything."""
        shutil.rmtree(self.folder / name / "accounts", ignore_errors=True)

    def start_missing(self) -> None:
        """Start every server that does not run."""
        for name in self.nodes:
            if name not in self._processes:
                self.start(name)

    def stop(self) -> None:
        """End every server."""
        for name in list(self._processes):
            self.kill(name, signal.SIGTERM)

    def accounts(self, name: str) -> set[str]:
        """The accounts whose claims a server has stored."""
        return {path.stem for path in (self.folder / name / "accounts").glob("*.jwt")}


class _Unheard:
    """What the resolver tells its owner; nobody needs it here."""

    def account_connected(self, account: str, server: str) -> None:
        """Nothing to do."""

    def account_disconnected(self, account: str, server: str) -> None:
        """Nothing to do."""

    def stranger_refused(self, server: str) -> None:
        """Nothing to do."""

    def server_joined(self, server: str) -> None:
        """Nothing to do."""

    def server_left(self, server: str) -> None:
        """Nothing to do."""


@dataclass
class ClusteredWorld(World):
    """A World whose parties speak over real servers."""

    clock: HandClock = field(default_factory=WallClock)
    nodes: Sequence[Node] = ()
    prefix: Callable[[str], list[str]] = lambda name: []
    timings: BusTimings = QUICK
    clocks: dict[str, HandClock] = field(default_factory=dict)
    """A clock of its own for a party."""
    addresses: dict[str, list[str]] = field(default_factory=dict)
    """Where a party dials, if not at the servers themselves."""
    real_buses: dict[str, NatsBus] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._closing = AsyncExitStack()
        self.servers = Servers(self.folder / "servers", self.nodes, self.prefix)

    async def start(self) -> None:
        """Found the hub and its bus, start the servers, admit the agencies, start everybody."""
        officer = self.make_homes()
        self._claims = self._found()
        for node in self.nodes:
            self.servers.start(node.name)
        await self.follow_servers()
        for name in ("coordinator", "desk", "admission", *self.agencies):
            await self.start_party(name)
        await self.admit(officer)
        await self.connected(*self.running)

    async def follow_servers(self) -> None:
        """Have admission hold on to the servers; again, if its hold was let go."""
        self.resolver = self._resolver()
        self._closing.push_async_callback(self.resolver.close)
        self.resolver.start(self._claims)
        async with asyncio.timeout(WITHIN_S):
            await self.resolver.until_current()

    async def mend(self) -> None:
        """Have every server and every party there, the parties with the right clock and the servers' own addresses."""
        self.servers.start_missing()
        astray = {*self.addresses, *self.clocks}
        self.addresses.clear()
        self.clocks.clear()
        for name in ("coordinator", "desk", "admission", *self.agencies):
            if name in astray and name in self.running:
                await self.stop_party(name)
            if name not in self.running:
                await self.start_party(name)
        async with asyncio.timeout(WITHIN_S):
            await self.resolver.until_current()
        await self.connected(*self.running)

    def _found(self) -> dict[str, str]:
        """Make the bus's keys, the servers' folders and everybody's access; gives the agencies' claims."""
        now, urls = self.clock.now(), [node.url for node in self.nodes]
        admission, hub = self.home("admission"), [self.home("coordinator"), self.home("desk")]
        hosts = sorted({node.host for node in self.nodes} | {"127.0.0.1"})
        founded = found(admission, hub, hosts=hosts, addresses=urls, now=now)
        write_servers(
            self.folder / "servers",
            self.nodes,
            founded.identity,
            founded.authorities.issuing(),
            founded.authorities.trusted(),
            now=now,
        )
        held = admission.keys_to_read()
        issuer = issuer_of(admission, held)
        claims = {}
        for name in self.agencies:
            home = self.home(name)
            account, signer = (_stated(home, one) for one in (KeyPurpose.BUS_ACCOUNT, KeyPurpose.BUS_SIGNER))
            text = agency_claims(
                AgencyAccount(account, [signer]),
                issuer.hub,
                issuer.signer,
                issued_at=now,
                expires_at=now + ACCOUNT_LIFE_MS,
            )
            claims[nkey.of(account)] = text
            with closing(home.keystore()) as keys:
                give_access(home, keys, Authorities(admission, held), text, urls, now=now)
        return claims

    def _resolver(self) -> Resolver:
        admission = self.home("admission")

        def access() -> SystemAccess:
            return SystemAccess.load(admission, admission.keys_to_read())

        urls = [node.url for node in self.nodes]
        connection = SystemConnection(urls, access, inbox=access().inbox, clock=self.clock)
        return Resolver(connection, _Unheard(), names=lambda: [node.name for node in self.nodes])

    async def start_party(self, name: str) -> None:
        """Start a party from its home; again, if it was stopped or killed."""
        home, clock = self.home(name), self.clocks.get(name, self.clock)
        bus = self.real_buses[name] = NatsBus(
            self.addresses.get(name) or read_addresses(home),
            name="agent" if name in self.agencies else name,
            access=lambda: HomeAccess.load(home, home.keys_to_read()),
            timings=self.timings,
            clock=clock,
        )
        ground = await open_ground(home, migrations=migrations_of(name), bus=bus, clock=clock, metrics=build_metrics())
        ground.post._sending.silence.patience = _quick(patience_of(home.own()))
        self.running[name] = self.build(name, ground)
        await self.running[name].start()

    async def stop(self) -> None:
        """Stop everybody, admission's hold on the servers, and the servers."""
        try:
            await super().stop()
            await self._closing.aclose()
        finally:
            self.servers.stop()

    async def settle(self) -> None:
        """Let real time pass."""
        await asyncio.sleep(0.02)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something, however long a busy machine takes."""
        ends_at = time.monotonic() + WITHIN_S
        while not holds():
            assert time.monotonic() < ends_at, "it did not come about"
            await self.settle()

    async def connected(self, *names: str) -> None:
        """Wait until those parties are on the bus."""
        await self.until(lambda: all(self.running[name].ground.post.connected_at is not None for name in names))

    async def opened(self, exchange: str) -> None:
        """Wait until the desk has opened the answer."""
        ends_at = time.monotonic() + WITHIN_S
        while await self.progress(exchange) != "opened":
            assert time.monotonic() < ends_at, f"not opened: {await self.progress(exchange)}"
            await self.settle()


def _quick(patience: Patience) -> Patience:
    return replace(
        patience,
        shortest_ms=patience.shortest_ms // QUICK_APART,
        longest_ms=patience.longest_ms // QUICK_APART,
        apart_ms=patience.apart_ms // (2 * QUICK_APART),
        suspect_apart_ms=patience.suspect_apart_ms // QUICK_APART,
    )


def _stated(home: Home, purpose: KeyPurpose) -> PublicKey:
    return next(one.key for one in home.own().keys if one.key.purpose is purpose)


class Stream:
    """Requests that go on, one after the other to each agency in turn, whatever happens; counted once opened."""

    def __init__(self, world: ClusteredWorld, *, pause_s: float = 0.05) -> None:
        self._world = world
        self._pause_s = pause_s
        self.asked: list[tuple[str, float]] = []
        """Exchange, and when it was asked."""
        self.opened: dict[str, float] = {}
        self._is_over = False
        self._task: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Stream:
        self._enquiry = await self._world.open_enquiry()
        self._task = asyncio.create_task(self._ask_for_ever())
        self._watch = asyncio.create_task(self._look_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._task, self._watch):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def more(self, count: int) -> None:
        """Wait until so many requests that are asked from now on were answered and opened."""
        start = len(self.asked)
        await self._world.until(lambda: sum(exchange in self.opened for exchange, _ in self.asked[start:]) >= count)

    async def more_of(self, agency: str, count: int) -> None:
        """The same, of requests to one agency."""
        start, place = len(self.asked), self._world.agencies.index(agency)
        step = len(self._world.agencies)

        def opened() -> int:
            return sum(
                exchange in self.opened
                for number, (exchange, _) in enumerate(self.asked)
                if number >= start and number % step == place
            )

        await self._world.until(lambda: opened() >= count)

    async def all_answered_once(self) -> None:
        """Ask no more; then every request was answered, has one conclusion in a log that holds, and was opened."""
        await self.drain()
        standing = await self._world.check()
        assert {standing[exchange] for exchange, _ in self.asked} == {"answered"}

    async def drain(self) -> None:
        """Ask no more, and wait until every request was answered and opened."""
        assert self._task is not None
        # Not cancelled: a desk that is cut short in its commit sends what it has written half a minute later.
        self._is_over = True
        await self._task
        await self._world.until(lambda: all(exchange in self.opened for exchange, _ in self.asked))

    def longest_s(self) -> float:
        """How long the slowest of the opened requests took."""
        return max((self.opened[exchange] - at for exchange, at in self.asked if exchange in self.opened), default=0.0)

    async def _ask_for_ever(self) -> None:
        while not self._is_over:
            for agency in self._world.agencies:
                at = time.monotonic()
                self.asked.append((await self._world.ask(self._enquiry, agency), at))
                await asyncio.sleep(self._pause_s)

    async def _look_for_ever(self) -> None:
        while True:
            for exchange, _ in list(self.asked):
                if exchange not in self.opened and await self._world.progress(exchange) == "opened":
                    self.opened[exchange] = time.monotonic()
            await asyncio.sleep(0.02)
