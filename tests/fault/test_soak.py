"""Everything at once, by chance: officers go on asking while messages are lost, doubled and reordered, parties are
killed and cut off, records are away and time jumps. Each exchange has exactly one conclusion, each log is whole.

The seed is the test's name; the same seed orders the same faults.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from broker.desk.deadlines import DeadlinePassed
from broker.desk.questions import ClockBehind
from broker.node.backup_standing import CatchingUp
from schemas.failures import Failure
from tests.support.restoring import begin_second_copy, lose_and_restore
from tests.support.world import ENDED, HOUR_MS, World

MINUTE_MS = 60_000
AGENCIES = ("northshire", "southshire")
PARTIES = ("desk", "coordinator", *AGENCIES)


class Storm:
    """One run of chance over a world."""

    def __init__(self, world: World, seed: int, *, loses_homes: bool = False) -> None:
        self.world = world
        self.loses_homes = loses_homes
        self.random = random.Random(seed)
        self.exchanges: list[str] = []
        self.enquiry = ""
        self.cut: set[str] = set()

    async def rage(self, steps: int) -> None:
        """So many things happen, one after the other."""
        deeds = [self.ask, self.ask, self.withdraw, self.look, self.kill, self.cut_off, self.reconnect]
        deeds += [self.spoil_bus, self.spoil_bus, self.pass_time, self.pass_time, self.take_records, self.jump]
        deeds += [self.lose_home] * self.loses_homes
        for _ in range(steps):
            try:
                await self.random.choice(deeds)()
            except CatchingUp:
                assert self.loses_homes, "nobody was restored"
            if self.random.random() < 0.5:
                await self.world.settle()

    async def calm(self) -> None:
        """The storm is over: everybody is there again, and everything runs out."""
        world = self.world
        world.hub.release()
        for name in list(self.cut):
            world.hub.restore(world.buses[name])
        for source in world.sources.values():
            source.is_away = False
        await world.turn(10 * MINUTE_MS, step_ms=MINUTE_MS)
        await world.turn(30 * HOUR_MS, step_ms=2 * HOUR_MS)
        await world.turn(10 * MINUTE_MS, step_ms=MINUTE_MS)

    async def ask(self) -> None:
        if not self.enquiry or self.random.random() < 0.3:
            self.enquiry = await self.world.open_enquiry()
        try:
            self.exchanges.append(await self.world.ask(self.enquiry, self.random.choice(AGENCIES)))
        except (DeadlinePassed, ClockBehind):
            self.enquiry = ""  # received hours ago, or minutes from now: the next question is another enquiry's

    async def withdraw(self) -> None:
        if self.exchanges:
            try:
                await self.world.tell_desk("POST", f"/requests/{self.random.choice(self.exchanges)}/withdraw")
            except Failure as failure:
                if failure.code not in ("concluded", "not_ruled_yet"):
                    raise

    async def look(self) -> None:
        if self.enquiry:
            await self.world.tell_desk("GET", f"/enquiries/{self.enquiry}/answers")

    async def kill(self) -> None:
        name = self.random.choice(PARTIES)
        await self.world.kill_party(name)
        self.cut.discard(name)
        await self.world.start_party(name)
        await self.follow(name)
        await self.world.settle()

    async def follow(self, name: str) -> None:
        """Keep a second copy of a party, if homes are to be lost."""
        if self.loses_homes:
            await begin_second_copy(self.world, name)

    async def lose_home(self) -> None:
        """A party dies with its home, and is put back from its second copy."""
        name = self.random.choice(PARTIES)
        self.cut.discard(name)
        await lose_and_restore(self.world, name, self.world.folder / f"{name}.copy")
        await self.follow(name)

    async def cut_off(self) -> None:
        name = self.random.choice(PARTIES)
        self.cut.add(name)
        self.world.hub.cut(self.world.buses[name])

    async def reconnect(self) -> None:
        for name in list(self.cut):
            self.cut.discard(name)
            self.world.hub.restore(self.world.buses[name])

    async def spoil_bus(self) -> None:
        hub, count = self.world.hub, self.random.randint(1, 3)
        what = self.random.choice(["drop", "double", "reorder", "stop"])
        if what == "drop":
            hub.drop_next(count)
        elif what == "double":
            hub.duplicate_next(count)
        elif what == "reorder":
            hub.reorder_next(count)
        else:
            hub.release()

    async def pass_time(self) -> None:
        await self.world.turn(self.random.choice([2_000, MINUTE_MS, 20 * MINUTE_MS]), step_ms=5 * MINUTE_MS)

    async def take_records(self) -> None:
        source = self.world.sources[self.random.choice(AGENCIES)]
        source.is_away = not source.is_away

    async def jump(self) -> None:
        self.world.clock.set(self.world.clock.now() + self.random.choice([-60_000, 60_000, HOUR_MS]))


async def weather(folder: Path, seed: int, steps: int, *, loses_homes: bool = False) -> None:
    """One storm and what is left after it."""
    world = World(folder, agencies=AGENCIES)
    await world.start()
    try:
        storm = Storm(world, seed, loses_homes=loses_homes)
        for name in PARTIES:
            await storm.follow(name)
        await storm.rage(steps)
        await storm.calm()
        # A deed acknowledged to a hub that could not be reached until its exchange had expired is never shown by it.
        standing = await world.check(alarms=frozenset({"omitted"}))
        for exchange in storm.exchanges:
            shown = await world.progress(exchange)
            if exchange not in standing:
                assert shown == "not_accepted", f"{shown} at the desk and nowhere else"
                continue
            assert standing[exchange] in ENDED, f"{standing[exchange]} for good"
            assert shown == {"answered": "opened"}.get(standing[exchange], standing[exchange])
        for name, party in world.running.items():
            assert not party.ground.post.halted.done(), name
            assert not party.ground.catch_up.is_on, f"{name} has not caught up"
            assert len(party.ground.post.outbox) == 0, f"{name} still waits for an acknowledgement"
    finally:
        await world.stop()


@pytest.mark.parametrize("seed", range(3))
async def test_a_short_storm_leaves_one_conclusion_each(tmp_path: Path, seed: int) -> None:
    await weather(tmp_path, seed, steps=40)


@pytest.mark.parametrize("seed", [7])
async def test_a_short_storm_in_which_homes_are_lost_leaves_one_conclusion_each(tmp_path: Path, seed: int) -> None:
    await weather(tmp_path, seed, steps=40, loses_homes=True)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2000, 2050))
async def test_a_long_storm_in_which_homes_are_lost_leaves_one_conclusion_each(tmp_path: Path, seed: int) -> None:
    await weather(tmp_path, seed, steps=150, loses_homes=True)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1200))
async def test_a_long_storm_leaves_one_conclusion_each(tmp_path: Path, seed: int) -> None:
    await weather(tmp_path, seed, steps=200)
