"""The control of the bus: how soon admission, suspension and expulsion take effect, and what a crowd costs idle.

Everything runs on one machine: three servers, admission, and the parties. Figures are of that.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.enrolment.servers.guard import Guard
from broker.enrolment.servers.resolver import LOOK_EVERY
from broker.enrolment.tls.authority import read_request
from broker.node.tls_key import certificate_request, generate_tls_key, load_tls_key
from schemas.messages.party import PartyKind
from tests.benchmarks.tables import Table, percentile
from tests.support.admitting import Admitting
from tests.support.hub_bus import AgencyOnBus, BusUser, HubBus, connect, now_ms

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_MIB: Final = 1024 * 1024
HEARTBEAT_S: Final = 30.0
"""nats-server tells of each account that somebody is connected to as often, whoever listens."""
_CONNECTIONS: Final = "$SYS.REQ.SERVER.PING.CONNZ"


class Child:
    """A process of `bus_children`, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    @asynccontextmanager
    async def running(
        cls, role: str, bus: HubBus, users: Sequence[BusUser], *, module: str = "tests.benchmarks.bus_children"
    ) -> AsyncIterator[Child]:
        """Started and told who to be; ended at the end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            role,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        child = cls(process)
        await child.tell(json.dumps(_told(bus, users)))
        try:
            yield child
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def tell(self, line: str) -> None:
        """Give it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def until(self, what: str) -> dict[str, Any]:
        """The next thing of that kind that it says."""
        assert self.process.stdout is not None
        async with asyncio.timeout(120):
            while line := await self.process.stdout.readline():
                found = json.loads(line)
                if found["what"] == what:
                    assert isinstance(found, dict)
                    return found
        raise AssertionError(f"a child ended before it said {what}")


def _told(bus: HubBus, users: Sequence[BusUser]) -> dict[str, Any]:
    key = generate_tls_key()
    certificate = bus.authority.issue_client(read_request(certificate_request(key)), PartyKind.AGENT, now=now_ms())
    private = load_tls_key(key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "url": bus.urls[0],
        "authority": bus.authority.pem.decode(),
        "certificate": (certificate.public_bytes(Encoding.PEM) + private).decode(),
        "users": [
            {"account": user.account, "signer": user.signer.seed().hex(), "user": user.user.seed().hex()}
            for user in users
        ],
    }


async def measure_bus_control(*, quick: bool) -> list[Table]:
    """Everything, in the order in which an agency meets it."""
    tables = [await _effects(20 if quick else 200)]
    tables.append(await _floods(1 if quick else 5))
    tables.append(await _idle(100 if quick else 1000))
    return tables


async def _effects(number: int) -> Table:
    table = Table("Three servers: from the decision to its effect on all of them, ms", ("what", "p50", "p99", "most"))
    with tempfile.TemporaryDirectory() as folder:
        bus = HubBus(Path(folder), nodes=3)
        try:
            await bus.start()
            async with Admitting.of(bus) as admitting:
                _add(table, "admitted, confirmed by all", [await _admission(admitting) for _ in range(number)])
                _add(table, "suspended, cut on all", [await _cut(admitting, "suspend") for _ in range(number // 4)])
                _add(table, "expelled, cut on all", [await _cut(admitting, "expel") for _ in range(number // 4)])
                returns = [await _return(admitting) for _ in range(max(2, number // 40))]
                _add(table, "cut on a server that slept through it, from its start", returns)
        finally:
            bus.stop()
    return table


def _add(table: Table, what: str, seconds: Sequence[float]) -> None:
    table.add(what, *(1e3 * percentile(seconds, part) for part in (0.5, 0.99)), 1e3 * max(seconds))


async def _admission(admitting: Admitting) -> float:
    agency = admitting.bus.agency()
    started = time.perf_counter()
    pushed = await admitting.admit(agency)
    took = time.perf_counter() - started
    assert pushed.is_everywhere
    return took


async def _cut(admitting: Admitting, step: str) -> float:
    agency = await admitting.admitted()
    clients = [await connect(agency.user, url) for url in admitting.bus.urls]
    started = time.perf_counter()
    deciding = asyncio.create_task(getattr(admitting, step)(agency))
    for client in clients:
        await client.closed.wait()
    took = time.perf_counter() - started
    await deciding
    return took


async def _return(admitting: Admitting) -> float:
    agency, bus = await admitting.admitted(), admitting.bus
    async with bus.connected(agency.user, bus.nodes[2]):
        pass
    bus.kill("hub-3")
    while "hub-3" in admitting.resolver.servers:  # noqa: ASYNC110 - not what is measured
        await asyncio.sleep(0.01)
    await admitting.expel(agency)
    await bus.start("hub-3")
    started = time.perf_counter()
    while True:
        try:
            client = await connect(agency.user, bus.urls[2])
        except Exception:  # noqa: BLE001 - refused: it knows
            break
        await client.closed.wait()
    took = time.perf_counter() - started
    await admitting.resolver.until_current()
    return took


async def _floods(number: int) -> Table:
    table = Table(
        "One agency floods (128 B): until it is cut off, and what another notices, ms",
        ("run", "told after", "cut after", "rate", "other p50", "other p99", "other most"),
    )
    for run in range(1, number + 1):
        with tempfile.TemporaryDirectory() as folder:
            bus = HubBus(Path(folder))
            try:
                await bus.start()
                async with Admitting.of(bus) as admitting:
                    table.add(run, *await _flood(admitting))
            finally:
                bus.stop()
    return table


async def _flood(admitting: Admitting) -> tuple[float, ...]:
    bus = admitting.bus
    flooder, other = await admitting.admitted(), await admitting.admitted()
    async with (
        Child.running("hub", bus, [bus.users[PartyKind.COORDINATOR]]) as hub,
        Child.running("flood", bus, [flooder.user]) as flood,
    ):
        await hub.until("ready")
        await flood.until("ready")
        watching = asyncio.create_task(_round_trips(other, bus.urls[0]))
        await asyncio.sleep(1)
        await flood.tell("go")
        begun = await flood.until("begun")
        guard, decided = Guard(), None
        while decided is None:
            told = await hub.until("flooding")
            decided = guard.reported(told["token"], told["rate"], now=int(time.monotonic() * 1000))
        assert decided.account == flooder.token
        await admitting.suspend(flooder)
        await admitting.told.until("disconnected", flooder.token)
        cut_at = time.monotonic()
        await asyncio.sleep(1)
        watching.cancel()
        trips = await watching
    figures = [1e3 * percentile(trips, part) for part in (0.5, 0.99)]
    told_after, cut_after = 1e3 * (told["at"] - begun["at"]), 1e3 * (cut_at - begun["at"])
    return (told_after, cut_after, told["rate"], *figures, 1e3 * max(trips))


async def _round_trips(agency: AgencyOnBus, url: str) -> list[float]:
    """From the other agency to the hub and back, every five milliseconds, until cancelled."""
    client = await connect(agency.user, url)
    await client.listen(f"to.{agency.token}.>")
    trips = []
    try:
        while True:
            client.heard.clear()
            started = time.perf_counter()
            await client.client.publish(f"from.{agency.token}.coordinator", b"e" * 128)
            while not client.heard:  # noqa: ASYNC110 - a fifth of a millisecond is part of what is told
                await asyncio.sleep(0.0002)
            trips.append(time.perf_counter() - started)
            await asyncio.sleep(0.005)
    except asyncio.CancelledError:
        return trips


async def _idle(number: int) -> Table:
    seconds = 5.0 if number <= 100 else 2 * HEARTBEAT_S
    table = Table(f"{number} agencies connected over TLS and idle, one server", ("what", "figure", "unit"))
    with tempfile.TemporaryDirectory() as folder:
        bus = HubBus(Path(folder))
        try:
            await bus.start()
            async with Admitting.of(bus, look_every=LOOK_EVERY) as admitting:
                agencies = [bus.agency() for _ in range(number)]
                for agency in agencies:
                    await admitting.admit(agency)
                pid = bus.processes["hub-1"].pid
                before = memory(pid)
                users = [agency.user for agency in agencies]
                async with Child.running("crowd", bus, users, module="tests.benchmarks.bus_crowd") as crowd:
                    started = time.perf_counter()
                    await crowd.until("ready")
                    table.add("all connected after", time.perf_counter() - started, "s")
                    await asyncio.sleep(5)
                    table.add("server memory", memory(pid) / _MIB, "MiB")
                    table.add("each agency's part", (memory(pid) - before) / number / 1024, "KiB")
                    server, own = cpu(pid), time.process_time()
                    await asyncio.sleep(seconds)
                    table.add("server", 100 * (cpu(pid) - server) / seconds, "% of a core")
                    table.add("admission", 100 * (time.process_time() - own) / seconds, "% of a core")
                    await _asked_instead(table, admitting, number, pid)
        finally:
            bus.stop()
    return table


async def _asked_instead(table: Table, admitting: Admitting, number: int, pid: int) -> None:
    """What it would cost to find a flooder by asking the server for every connection's counts, five times a second."""
    rounds = 25
    server, own = cpu(pid), time.process_time()
    started = time.perf_counter()
    question = json.dumps({"limit": number + 16}).encode()
    for _ in range(rounds):
        await admitting.connection.ask(_CONNECTIONS, question, reply=f"{admitting.connection.inbox}.counts")
        await asyncio.sleep(0.2)
    seconds = time.perf_counter() - started
    table.add("server, if asked five times a second", 100 * (cpu(pid) - server) / seconds, "% of a core")
    table.add("admission, if it asks so", 100 * (time.process_time() - own) / seconds, "% of a core")


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> int:
    """Bytes of memory that a process has resident."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
