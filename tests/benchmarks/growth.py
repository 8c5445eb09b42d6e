"""How the cost of an exchange grows: with exchanges that stay open, and with the length of the log."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Final

from broker.coordinator import records
from broker.coordinator.program import build_coordinator, open_log
from broker.node.bus.access import PLAINTEXT
from broker.node.bus.nats import NatsBus
from broker.node.clock import SystemClock
from broker.node.ground import open_ground
from broker.node.log import get_head
from broker.node.metrics import build_metrics
from broker.node.store.port import Transaction
from tests.benchmarks.running import Cast, folder_and_bus, product
from tests.benchmarks.staging import AWAY_AGENCY, Stage
from tests.benchmarks.tables import Table

OPEN: Final = (0, 10, 100, 1_000)
ENTRIES: Final = (1_000, 100_000, 1_000_000)
QUICK_OPEN: Final = (0, 10, 100)
QUICK_ENTRIES: Final = (1_000, 10_000)
_LEAF_BYTES: Final = 64
"""Entries of strangers, small, so that a million of them fit a small disk; their hashes are as long as any."""
_GROUP_ENTRIES: Final = 10_000
_COUNT: Final = 25


async def measure_growth(*, quick: bool) -> list[Table]:
    """Both tables."""
    return [await _with_open(QUICK_OPEN if quick else OPEN), await _with_log(QUICK_ENTRIES if quick else ENTRIES)]


async def _with_open(sizes: tuple[int, ...]) -> Table:
    table = Table(
        "An exchange beside others that stay open (their agency is away)",
        ("open exchanges", "p50 ms", "p99 ms", "at concurrency 8, /s", "processor ms an exchange"),
    )
    async with folder_and_bus() as (folder, url):
        stage = Stage(folder, url)
        stage.set_up()
        async with product(stage) as cast:
            await cast.run(4, 24)
            await cast.ask_all("note", on=False)
            standing = 0
            for size in sizes:
                await cast.desk.ask("leave open", agency=AWAY_AGENCY, count=size - standing)
                standing = size
                await _settle(cast)
                table.add(size, *await _cost(cast))
    return table


async def _with_log(sizes: tuple[int, ...]) -> Table:
    table = Table(
        "An exchange at the end of a long log",
        ("entries", "p50 ms", "p99 ms", "at concurrency 8, /s", "processor ms an exchange", "filled /s", "agent up s"),
    )
    async with folder_and_bus() as (folder, url):
        stage = Stage(folder, url)
        stage.set_up()
        for size in sizes:
            filled = await _fill(stage, size)
            started = time.perf_counter()
            async with product(stage) as cast:
                await _settle(cast)
                await cast.run(4, 12)  # also waits until the agent's mirror has caught up
                await cast.ask_all("note", on=False)
                up = time.perf_counter() - started
                table.add(size, *await _cost(cast), filled, up)
    table.notes.append(
        "filled: entries appended a second, ten thousand a group; agent up: starting all parties, and the"
    )
    table.notes.append("agent's catching up with what was appended since the line above, over the bus, verified.")
    return table


async def _cost(cast: Cast) -> tuple[float, float, float, float]:
    alone = await cast.run(1, _COUNT)
    beside = await cast.run(8, 2 * _COUNT)
    return alone.p50_ms, alone.p99_ms, beside.rate, sum(alone.cpu_ms.values())


async def _settle(cast: Cast) -> None:
    """Wait until the coordinator has taken in what was asked, by asking something that comes after it."""
    await cast.run(1, 2)


async def _fill(stage: Stage, size: int) -> float:
    """Append strangers' entries to the coordinator's log up to a size; entries a second."""
    bus = NatsBus(stage.bus_url, name="filling", access=PLAINTEXT)  # never started
    ground = await open_ground(
        stage.coordinator, migrations=records.MIGRATIONS, bus=bus, clock=SystemClock(), metrics=build_metrics()
    )
    try:
        coordinator = build_coordinator(ground, settle_in=timedelta(0))
        await open_log(coordinator.room)
        log = coordinator.room.log
        head = await ground.store.read(get_head)
        start = 0 if head is None else head.size
        started = time.perf_counter()
        for at in range(start, size, _GROUP_ENTRIES):

            def append(tx: Transaction, count: int = min(_GROUP_ENTRIES, size - at)) -> None:
                for _ in range(count):
                    log.append(tx, os.urandom(_LEAF_BYTES))

            await ground.store.write(append)
        return max(0, size - start) / (time.perf_counter() - started)
    finally:
        await ground.store.close()
        ground.keys.close()
