"""The coordinator put together on its ground: its parts wired once, started and stopped in order. Composition only.

The ground is handed in, so that a test runs the very same coordinator as a program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from broker.coordinator import records
from broker.coordinator.config import CoordinatorSettings
from broker.coordinator.coordinator_commands import CoordinatorCommands
from broker.coordinator.correspondent import CoordinatorCorrespondent
from broker.coordinator.members import settle_members, take_up_members
from broker.coordinator.policy_commands import PolicyCommands
from broker.coordinator.policy_watch import PolicyWatch
from broker.coordinator.proving import Proving
from broker.coordinator.reissues import rename_carriers
from broker.coordinator.restored import Witnesses, witness_commands
from broker.coordinator.reviews import open_and_overdue
from broker.coordinator.room import Room
from broker.coordinator.timekeeper import SETTLE_IN, Timekeeper
from broker.node.commands import Command
from broker.node.ground import Ground
from broker.node.home import Home, HomeInvalid
from broker.node.keeping import Keeping, keep_keys
from broker.node.log import get_head
from broker.node.metrics import CoordinatorMetrics
from broker.node.observe import Check
from broker.node.running import run
from broker.node.settings import load_settings
from broker.node.store.port import Transaction
from schemas.messages.entry import ShardOpenEntry, nonce

COUNT_EVERY_MS: Final = 15_000
"""How often the open exchanges are counted for the metrics."""


@dataclass(frozen=True, slots=True)
class Coordinator:
    """A composed coordinator (`broker.node.running.Program`)."""

    ground: Ground
    room: Room
    timekeeper: Timekeeper
    keeping: Keeping
    witnesses: Witnesses
    watch: PolicyWatch
    commands: Mapping[str, Command] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)

    async def start(self) -> None:
        """Begin; a coordinator that was restored listens first, and begins once it has caught up."""
        await self.keeping.take_up()
        await self.room.policies.take_up(self.ground.store, self.ground.clock.now())
        if self.ground.catch_up.is_on:
            # What waits meanwhile is taken in the moment it has caught up, before members are settled.
            await take_up_members(self.room)
            await self.ground.post.start()
            self.ground.post.spawn(self.witnesses.run(self._begin))
            return
        await self._settle()
        await self.ground.post.start()
        self._keep_time()

    async def _begin(self) -> None:
        await self._settle()
        self._keep_time()

    async def _settle(self) -> None:
        """Say in the log what is in force and who is admitted: before messages are taken in, or while they wait."""
        await open_log(self.room)
        await settle_members(self.room)

    def _keep_time(self) -> None:
        self.ground.post.spawn(self.timekeeper.run())
        self.ground.post.spawn(self._count_for_ever())
        self.keeping.keep()
        self.ground.post.spawn(self.watch.run())

    async def stop(self) -> None:
        """Leave the bus, close the store."""
        await self.ground.close()

    async def _count_for_ever(self) -> None:
        clock = self.ground.clock
        while True:
            for progress, count in (await self.ground.store.read(records.open_by_progress)).items():
                self.room.metrics.exchanges.labels(progress).set(count)
                if progress == "overdue":
                    self.room.metrics.overdue.set(count)
            open_reviews, overdue_reviews = await self.ground.store.read(partial(open_and_overdue, now=clock.now()))
            self.room.metrics.reviews_open.set(open_reviews)
            self.room.metrics.reviews_overdue.set(overdue_reviews)
            await clock.sleep_until(clock.now() + COUNT_EVERY_MS)


def build_coordinator(ground: Ground, *, settle_in: timedelta = SETTLE_IN) -> Coordinator:
    """Wire a coordinator; nothing runs yet.

    Raises:
        HomeInvalid: its own file names no log.
    """
    if ground.log is None:
        raise HomeInvalid("the coordinator's own file names no log; make the home again with init")
    room = Room(ground, ground.log, CoordinatorMetrics(ground.metrics.registry))
    timekeeper = Timekeeper(room, settle_in=settle_in)
    ground.post.correspondent = CoordinatorCorrespondent(room, timekeeper)
    keeping = keep_keys(ground, Proving(room).prove)
    room.membership = keeping.membership
    keeping.rotation.renamed.append(rename_carriers)

    async def connected() -> None:
        await keeping.connected()
        await timekeeper.connected()

    ground.post.on_connected = connected
    witnesses = Witnesses(room)
    room.on_hello = witnesses.hear
    ground.log.gate = ground.catch_up.require
    commands = {
        **CoordinatorCommands(room).table(),
        **PolicyCommands(room).table(),
        **keeping.commands(),
        **witness_commands(witnesses),
    }
    watch = PolicyWatch(room)
    checks: Mapping[str, Check] = {"policy": watch.is_there}
    return Coordinator(ground, room, timekeeper, keeping, witnesses, watch, commands, checks)


async def open_log(room: Room) -> None:
    """Make the log's first entry if there is none."""
    now = room.post.clock.now()
    opening = ShardOpenEntry(log=room.log.origin, hub=room.hub, t=now, n=nonce()).encode()

    def work(tx: Transaction) -> None:
        head = get_head(tx)
        if head is None or head.size == 0:
            room.log.append(tx, opening)

    await room.post.commit(work)


def run_coordinator(home_path: Path) -> int:
    """Run the coordinator of that home until it is told to stop; gives back the exit status.

    Raises:
        SettingsInvalid: its configuration does not hold; the text says where.
    """
    home = Home(home_path)
    settings = load_settings(home.config_path, CoordinatorSettings)

    async def build(ground: Ground) -> Coordinator:
        settle_in = timedelta(seconds=settings.time.settle_in_seconds)
        return build_coordinator(ground, settle_in=settle_in)

    return run("coordinator", home, settings, build, migrations=records.MIGRATIONS)
