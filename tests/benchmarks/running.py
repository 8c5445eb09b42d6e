"""Runs of exchanges, the product's and the raw ones, taken in turn so that both meet the same machine.

Owns which processes are up, and what a run gives; prints nothing.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from broker.node.bus.embedded import EmbeddedServer
from tests.benchmarks.child import Child, cpu_seconds
from tests.benchmarks.staging import Stage
from tests.benchmarks.tables import percentile

ROLES = ("coordinator", "agent", "desk")


@dataclass(frozen=True)
class Run:
    """So many exchanges at a concurrency."""

    concurrency: int
    seconds: list[float]
    elapsed: float
    cpu_ms: Mapping[str, float]
    """Processor milliseconds an exchange, by party."""

    @property
    def p50_ms(self) -> float:
        """Median milliseconds from asking to opened."""
        return median(self.seconds) * 1000

    @property
    def p99_ms(self) -> float:
        """99th percentile."""
        return percentile(self.seconds, 0.99) * 1000

    @property
    def rate(self) -> float:
        """Exchanges a second, until nothing waited any more."""
        return len(self.seconds) / self.elapsed


@dataclass(frozen=True)
class Cast:
    """Three parties' processes; the desk is the one that is asked for exchanges."""

    children: Mapping[str, Child]

    @property
    def desk(self) -> Child:
        """The desk."""
        return self.children["desk"]

    async def run(self, concurrency: int, count: int) -> Run:
        """Run so many exchanges."""
        before = {role: cpu_seconds(child.pid) for role, child in self.children.items()}
        got = await self.desk.ask("exchange", concurrency=concurrency, count=count)
        used = {role: cpu_seconds(child.pid) - before[role] for role, child in self.children.items()}
        return Run(
            concurrency,
            got["seconds"],
            got["elapsed"],
            {role: seconds * 1000 / count for role, seconds in used.items()},
        )

    async def ask_all(self, what: str, **details: Any) -> dict[str, Any]:
        """Ask every party the same."""
        return {role: await child.ask(what, **details) for role, child in self.children.items()}


@contextlib.asynccontextmanager
async def folder_and_bus() -> AsyncIterator[tuple[Path, str]]:
    """A folder on a real disk, and a server of our own."""
    # Not the default place, which may be memory: what is measured is an fsync.
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="needtoknow-bench-") as name:
        folder = Path(name)
        server = EmbeddedServer(folder / "nats")
        await server.start()
        try:
            yield folder, server.url
        finally:
            await server.stop()


@contextlib.asynccontextmanager
async def product(stage: Stage, *, switch_interval: float | None = None) -> AsyncIterator[Cast]:
    """The real parties on a stage that was set up."""
    arguments = [str(stage.folder), stage.bus_url, *([] if switch_interval is None else [str(switch_interval)])]
    async with _children("tests.benchmarks.parties", {role: [role, *arguments] for role in ROLES}) as cast:
        yield cast


@contextlib.asynccontextmanager
async def raw(folder: Path, bus_url: str, mode: str) -> AsyncIterator[Cast]:
    """The raw parties; `mode` is `each` or `grouped`."""
    arguments = {role: [role, str(folder / f"{mode}-{role}.sqlite"), bus_url, mode] for role in ROLES}
    async with _children("tests.benchmarks.raw", arguments) as cast:
        yield cast


@contextlib.asynccontextmanager
async def _children(module: str, arguments: Mapping[str, list[str]]) -> AsyncIterator[Cast]:
    children: dict[str, Child] = {}
    try:
        for role, given in arguments.items():
            children[role] = await Child.start(module, *given)
        yield Cast(children)
    finally:
        for child in children.values():
            await child.stop()
