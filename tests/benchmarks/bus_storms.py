"""What the bus bears: everybody coming back at once, floods of each size, strangers at the door.

Everything runs on one machine, so clients, flooders and strangers take the processor from the server they press.
Bounded in number and time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from broker.enrolment.servers.resolver import LOOK_EVERY
from schemas.messages.party import PartyKind
from tests.benchmarks.bus_control import HEARTBEAT_S, Child, cpu, memory
from tests.benchmarks.tables import Table, percentile
from tests.support.admitting import Admitting
from tests.support.guarded import Conversation, Ears, Flooder, GuardedHub, on_bus
from tests.support.hub_bus import AgencyOnBus, HubBus

CROWD: Final = 1000
PROCESSES: Final = 2
FLOODS: Final = {"128 B": 128, "16 KB": 16_384, "1 MB": 1_000_000}
FLOOD_S: Final = 8.0
STRANGERS_S: Final = 5.0
_MIB: Final = 1024 * 1024
_IN_FLIGHT_EVERY_S: Final = 0.01


async def measure_bus_storms(*, quick: bool) -> list[Table]:
    """The three tables."""
    return [await _return(100 if quick else CROWD), await _floods(), await _strangers()]


async def _return(number: int) -> Table:
    """The product's own clients, with its own jitter, idle; then their server is stopped and started again."""
    table = Table(
        f"{number} agencies with the product's own bus on one server, TLS; the server is restarted twice",
        ("what", "figure", "unit"),
    )
    async with _bus() as (bus, admitting):
        agencies = [await admitting.admitted() for _ in range(number)]
        async with contextlib.AsyncExitStack() as stack:
            crowds = [
                await stack.enter_async_context(
                    Child.running("crowd", bus, [one.user for one in share], module="tests.benchmarks.bus_crowd")
                )
                for share in _shares(agencies)
            ]
            await asyncio.gather(*(crowd.until("ready") for crowd in crowds))
            await _idle(table, bus, crowds)
            for _ in range(2):
                await _restarted(table, bus, crowds)
    table.notes.append("first wait 0 to 3 s, each further one from twice as much: whole is the last of them back.")
    return table


async def _idle(table: Table, bus: HubBus, crowds: Sequence[Child]) -> None:
    await asyncio.sleep(3)
    seconds, server = HEARTBEAT_S, bus.processes["hub-1"].pid
    pids = [server, *(crowd.process.pid for crowd in crowds)]
    before = [cpu(pid) for pid in pids]
    await asyncio.sleep(seconds)
    used = [100 * (cpu(pid) - was) / seconds for pid, was in zip(pids, before, strict=True)]
    table.add("idle: server memory", memory(server) / _MIB, "MiB")
    table.add("idle: server", used[0], "% of a core")
    table.add("idle: all agencies together", sum(used[1:]), "% of a core")


async def _restarted(table: Table, bus: HubBus, crowds: Sequence[Child]) -> None:
    for crowd in crowds:
        await crowd.tell("the server goes")
    process = bus.processes.pop("hub-1")
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(process.wait)
    used = [cpu(crowd.process.pid) for crowd in crowds]
    await bus.start("hub-1")
    up = time.monotonic()
    backs = await asyncio.gather(*(crowd.until("back") for crowd in crowds))
    came = sorted(at - up for back in backs for at in back["came"])
    tenths = Counter(int(at * 10) for at in came)
    table.add("restart: half are back after", median(came), "s")
    table.add("restart: 99 % are back after", percentile(came, 0.99), "s")
    table.add("restart: whole after", came[-1], "s")
    table.add("restart: connections begun for each agency", await _begun(bus) / len(came), "")
    table.add("restart: server's processor time", cpu(bus.processes["hub-1"].pid), "s")
    clients = sum(cpu(crowd.process.pid) - was for crowd, was in zip(crowds, used, strict=True))
    table.add("restart: all agencies' processor time", clients, "s")
    table.add("restart: most in one tenth of a second", max(tenths.values()), "connections")


async def _begun(bus: HubBus) -> int:
    """How many connections a server has taken since its start."""
    user = bus.system_user
    async with bus.connected(user) as system:
        await system.listen(f"{user.inbox}.varz")
        await system.client.publish("$SYS.REQ.SERVER.PING.VARZ", b"{}", reply=f"{user.inbox}.varz")
        while not system.heard:  # noqa: ASYNC110 - not what is measured
            await asyncio.sleep(0.01)
    return int(json.loads(system.heard[0][1])["data"]["total_connections"])


async def _floods() -> Table:
    table = Table(
        f"One agency floods, one connection, at most {FLOOD_S:.0f} s; another is asked before and meanwhile, ms",
        (
            "size",
            "suspended after",
            "before p50",
            "before p99",
            "meanwhile p50",
            "meanwhile p99",
            "of before's",
            "most",
            "asked again",
            "hub cut off",
        ),
    )
    for name, size in FLOODS.items():
        async with _bus() as (bus, admitting):
            table.add(name, *await _flood(bus, admitting, size))
    table.notes.append(
        "suspended after: on every server; -1: not within the time. Repeats after a second, as the post does. Before:"
        " the same two seconds of questions without a flood. Of before's: the second p99 as a multiple of the first."
    )
    return table


async def _flood(bus: HubBus, admitting: Admitting, size: int) -> tuple[float, ...]:
    hub = GuardedHub(bus, admitting)
    north, south = await hub.admit(), await hub.admit()
    ears, flooder = Ears(hub), Flooder(bus.folder / "flooder", bus, north, size=size, seconds=FLOOD_S)
    async with (
        on_bus(bus, bus.users[PartyKind.COORDINATOR], ears) as coordinator,
        Child.running("agent", bus, [south.user]) as agent,
    ):
        talk = Conversation(coordinator, None, south.token)
        await agent.until("ready")
        await coordinator.subscribe("from.*.coordinator", talk.heard)
        await flooder.ready()
        try:
            await _ask_steadily(talk, 2.0)
            before, talk.seconds = talk.seconds, []
            asking = asyncio.create_task(_ask_steadily(talk, 2.0))
            await asyncio.sleep(0.5)
            flooder.go()
            await flooder.ended()
            await asking
            await hub.settle()
        finally:
            flooder.kill()
    after = 1e3 * (hub.suspended[north.token] - flooder.began_at) if hub.suspended else -1
    quiet, pressed = ([1e3 * percentile(seconds, part) for part in (0.5, 0.99)] for seconds in (before, talk.seconds))
    most = 1e3 * max(talk.seconds)
    return (after, *quiet, *pressed, pressed[1] / quiet[1], most, talk.repeats, ears.lost)


async def _ask_steadily(talk: Conversation, seconds: float) -> None:
    """A question every ten milliseconds, whether the last was answered or not: what waits is counted as waiting."""
    asked: list[Awaitable[None]] = []
    for number in range(int(seconds / _IN_FLIGHT_EVERY_S)):
        asked.append(asyncio.create_task(talk.ask(number)))
        await asyncio.sleep(_IN_FLIGHT_EVERY_S)
    await asyncio.gather(*asked)


async def _strangers() -> Table:
    table = Table(
        f"Strangers at the door for {STRANGERS_S:.0f} s, one process; another is asked meanwhile",
        ("what they do", "a second", "server % of a core", "other p50 ms", "other p99 ms", "log bytes each"),
    )
    for what in ("garbage", "no-certificate"):
        async with _bus() as (bus, admitting):
            table.add(what, *await _knocked(bus, admitting, what))
    table.notes.append("a million of them takes a million divided by the second column, in seconds, and that much log.")
    return table


async def _knocked(bus: HubBus, admitting: Admitting, what: str) -> tuple[float, ...]:
    hub = GuardedHub(bus, admitting)
    south, pid, log = await hub.admit(), bus.processes["hub-1"].pid, bus.folder / "hub-1" / "nats-server.log"
    async with (
        on_bus(bus, bus.users[PartyKind.COORDINATOR], Ears(hub)) as coordinator,
        on_bus(bus, south.user, Ears()) as agent,
    ):
        talk = Conversation(coordinator, agent, south.token)
        await talk.begin()
        await coordinator.subscribe("from.*.coordinator", talk.heard)
        size, used = log.stat().st_size, cpu(pid)
        module = ("-m", "tests.support.strangers", str(bus.nodes[0].port), what, str(STRANGERS_S))
        strangers = await asyncio.create_subprocess_exec(sys.executable, *module, stdout=subprocess.PIPE)
        asking = asyncio.create_task(_ask_steadily(talk, STRANGERS_S))
        said, _ = await strangers.communicate()
        server = 100 * (cpu(pid) - used) / STRANGERS_S
        await asking
        knocks = int(said)
        grown = (log.stat().st_size - size) / max(1, knocks)
    figures = [1e3 * percentile(talk.seconds, part) for part in (0.5, 0.99)]
    return (knocks / STRANGERS_S, server, *figures, grown)


def _shares(agencies: Sequence[AgencyOnBus]) -> list[Sequence[AgencyOnBus]]:
    size = len(agencies) // PROCESSES
    return [agencies[at * size : (at + 1) * size] for at in range(PROCESSES)]


@contextlib.asynccontextmanager
async def _bus() -> AsyncIterator[tuple[HubBus, Admitting]]:
    with tempfile.TemporaryDirectory() as folder:
        bus = HubBus(Path(folder))
        try:
            await bus.start()
            async with Admitting.of(bus, look_every=LOOK_EVERY) as admitting:
                yield bus, admitting
        finally:
            bus.stop()
