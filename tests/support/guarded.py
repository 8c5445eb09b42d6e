"""A hub that counts and suspends, an agency that floods, and others that go on asking and answering.

The bus, the guard, the claims and the servers are the product's; the flooder is a process that is not.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.enrolment.servers.guard import Guard
from broker.enrolment.tls.authority import read_request
from broker.node.bus.embedded import HOST
from broker.node.bus.nats import NatsBus
from broker.node.bus.port import BusAway
from broker.node.tls_key import certificate_request, generate_tls_key, load_tls_key
from schemas.messages.party import PartyKind
from tests.support.admitting import Admitting
from tests.support.hub_bus import AgencyOnBus, BusUser, HubBus, now_ms

WITHIN_S: Final = 60.0
"""Far longer than anything takes; a hang ends here."""


class Ears:
    """Waits for a bus to be connected, and passes on what it says of floods."""

    def __init__(self, hub: GuardedHub | None = None) -> None:
        self.is_connected = asyncio.Event()
        self.lost = 0
        self._hub = hub

    def connected(self) -> None:
        """Noted."""
        self.is_connected.set()

    def disconnected(self) -> None:
        """Counted."""
        self.lost += 1

    def unheard(self, subject: str) -> None:
        """Nobody needs it."""

    def dropped(self, subject: str) -> None:
        """Nobody needs it."""

    def flooding(self, token: str, rate: int) -> None:
        """The hub's: the guard is asked."""
        if self._hub is not None:
            self._hub.report(token, rate)


@dataclass
class GuardedHub:
    """The coordinator's bus, with the guard behind it."""

    bus: HubBus
    admission: Admitting
    guard: Guard = field(default_factory=Guard)
    agencies: dict[str, AgencyOnBus] = field(default_factory=dict)
    suspended: dict[str, float] = field(default_factory=dict)
    """When each token was suspended on every server, by the performance counter."""
    rates: list[int] = field(default_factory=list)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def report(self, token: str, rate: int) -> None:
        """What admission does with the coordinator's word, without the way there."""
        self.rates.append(rate)
        if self.guard.reported(token, rate, now=now_ms()) is not None and token in self.agencies:
            task = asyncio.create_task(self._suspend(self.agencies[token]))
            self._under_way.add(task)

    async def settle(self) -> None:
        """Wait for suspensions under way."""
        await asyncio.gather(*self._under_way)

    async def admit(self) -> AgencyOnBus:
        """Another agency."""
        agency = await self.admission.admitted()
        self.agencies[agency.token] = agency
        return agency

    async def _suspend(self, agency: AgencyOnBus) -> None:
        await self.admission.suspend(agency)
        self.suspended.setdefault(agency.token, time.perf_counter())


@asynccontextmanager
async def on_bus(hub: HubBus, who: BusUser, ears: Ears) -> AsyncIterator[NatsBus]:
    """The product's own bus for somebody, connected."""
    bus = NatsBus(hub.urls, name="measured", access=lambda: who)
    await bus.start(ears)
    try:
        async with asyncio.timeout(WITHIN_S):
            await ears.is_connected.wait()
        yield bus
    finally:
        await bus.close()


class Conversation:
    """The coordinator asks an agency, which answers, again and again; what is lost is asked again, as the post does."""

    def __init__(self, coordinator: NatsBus, agent: NatsBus | None, token: str) -> None:
        """Without an agent here, one in another process answers whatever it is asked."""
        self.seconds: list[float] = []
        self.repeats = 0
        self._coordinator, self._agent, self._token = coordinator, agent, token
        self._answered: dict[bytes, asyncio.Event] = {}

    async def begin(self) -> None:
        """Let the agency listen. The coordinator's subscription is shared: see `heard`."""
        if self._agent is not None:
            await self._agent.subscribe(f"to.{self._token}.>", partial(self._answer, self._agent))

    async def heard(self, subject: str, payload: bytes) -> None:
        """Something has come to the coordinator."""
        if f".{self._token}." in subject and payload in self._answered:
            self._answered[payload].set()

    async def ask(self, number: int, *, again_after_s: float = 1.0) -> None:
        """One question and its answer."""
        payload = f"question {number}".encode()
        answered = self._answered[payload] = asyncio.Event()
        began = time.perf_counter()
        async with asyncio.timeout(WITHIN_S):
            while not answered.is_set():
                try:
                    async with asyncio.timeout(again_after_s):
                        await _say(self._coordinator, f"to.{self._token}.in", payload)
                        await answered.wait()
                except TimeoutError:
                    self.repeats += 1
        self.seconds.append(time.perf_counter() - began)
        del self._answered[payload]

    async def _answer(self, agent: NatsBus, subject: str, payload: bytes) -> None:
        await _say(agent, f"from.{self._token}.coordinator", payload)


async def _say(bus: NatsBus, subject: str, payload: bytes) -> None:
    while True:
        try:
            await bus.publish(subject, payload)
        except BusAway:
            await asyncio.sleep(0.01)
        else:
            return


class Flooder:
    """The flooding process of an agency: `await ready()`, `go()`, `await cut()`."""

    def __init__(self, folder: Path, bus: HubBus, agency: AgencyOnBus, *, size: int, seconds: float = 20) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        key = generate_tls_key()
        request = read_request(certificate_request(key))
        chain = bus.authority.issue_client(request, PartyKind.AGENT, now=now_ms()).public_bytes(Encoding.PEM)
        private = load_tls_key(key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files = {"ca": bus.authority.pem, "chain": chain, "key": private}
        for name, content in files.items():
            (folder / name).write_bytes(content)
        self._told = {
            **{name: str(folder / name) for name in files},
            "host": HOST,
            "port": bus.nodes[0].port,
            "subject": f"from.{agency.token}.coordinator",
            "size": size,
            "seconds": seconds,
            "jwt": agency.user.user_jwt(now_ms()),
            "seed": agency.user.user.seed().hex(),
        }
        self._process: asyncio.subprocess.Process | None = None
        self.began_at = 0.0

    async def ready(self) -> None:
        """Started and admitted."""
        pipe = subprocess.PIPE
        module = "tests.support.flooder"
        self._process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, stdin=pipe, stdout=pipe)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._told).encode() + b"\n")
        assert await self._says() == "in"

    def go(self) -> None:
        """Flood from now on."""
        assert self._process is not None
        assert self._process.stdin is not None
        self.began_at = time.perf_counter()
        self._process.stdin.write(b"\n")

    async def ended(self) -> str:
        """`cut` or `spent`."""
        assert self._process is not None
        said = await self._says()
        await self._process.wait()
        return said

    async def _says(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            return (await self._process.stdout.readline()).decode().strip()

    def kill(self) -> None:
        """End it, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
