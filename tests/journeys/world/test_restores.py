"""Each party loses its home while requests are under way, and is put back: one conclusion each, nothing twice, nothing
lost, or it stops and says what is missing.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from broker.coordinator.program import Coordinator
from schemas.failures import Failure
from tests.support.restoring import begin_second_copy, lose_and_restore, lose_home, make_backup, put_back
from tests.support.world import HOUR_MS, World

MINUTE_MS = 60_000
PARTIES = ("coordinator", "desk", "northshire", "southshire")


@dataclass
class UnderWay:
    """Requests in every state: `early` asked before the backup, `late` after it; one of each waits for records."""

    world: World
    enquiry: str = ""
    early: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    looks: dict[str, int] = field(default_factory=dict)

    async def before(self) -> None:
        self.world.sources["southshire"].is_away = True
        self.enquiry = await self.world.open_enquiry()
        self.early = [await self.world.ask(self.enquiry), await self.world.ask(self.enquiry, "southshire")]
        await self.world.opened(self.early[0])
        await self.world.turn(MINUTE_MS)

    async def after(self) -> None:
        self.late = [await self.world.ask(self.enquiry), await self.world.ask(self.enquiry, "southshire")]
        await self.world.opened(self.late[0])
        await self.world.settle()

    async def end(self) -> dict[str, str]:
        """The records are back, and everything runs out."""
        self.world.sources["southshire"].is_away = False
        await self.world.turn(15 * MINUTE_MS, step_ms=20_000)
        await self.world.turn(30 * HOUR_MS, step_ms=2 * HOUR_MS)
        await self.world.turn(12 * MINUTE_MS, step_ms=MINUTE_MS)
        standing = await self.world.check()
        for name, party in self.world.running.items():
            assert not party.ground.post.halted.done(), name
            assert not party.ground.catch_up.is_on, name
            assert len(party.ground.post.outbox) == 0, f"{name} still waits for an acknowledgement"
        return standing


@pytest.fixture
async def under_way(tmp_path: Path) -> AsyncIterator[UnderWay]:
    world = World(tmp_path, agencies=("northshire", "southshire"))
    await world.start()
    yield UnderWay(world)
    await world.stop()


async def shown(world: World, exchange: str) -> str:
    try:
        return await world.progress(exchange)
    except Failure as failure:
        return failure.code


@pytest.mark.parametrize("name", PARTIES)
async def test_a_party_put_back_from_its_second_copy_has_lost_nothing(under_way: UnderWay, name: str) -> None:
    world = under_way.world
    await under_way.before()
    copy = await begin_second_copy(world, name)
    await under_way.after()
    done = await lose_and_restore(world, name, copy)
    assert done.is_followed
    assert done.torn_bytes == 0
    await world.turn(5 * MINUTE_MS, step_ms=20_000)
    another = await world.ask(under_way.enquiry)
    standing = await under_way.end()
    every = [*under_way.early, *under_way.late, another]
    assert [standing[one] for one in every] == ["answered"] * 5
    assert [await world.progress(one) for one in every] == ["opened"] * 5
    released = [one["exchange"] for one in await world.entries() if one["type"] == "release"]
    assert sorted(released) == sorted(every)


@pytest.mark.parametrize("name", ["northshire", "southshire"])
async def test_an_agent_put_back_from_a_backup_gets_its_deeds_back_and_answers_nothing_twice(
    under_way: UnderWay, name: str
) -> None:
    world = under_way.world
    await under_way.before()
    backup = await make_backup(world, name)
    await under_way.after()
    calls = world.sources["northshire"].calls
    await lose_and_restore(world, name, backup)
    standing = await under_way.end()
    every = [*under_way.early, *under_way.late]
    assert [standing[one] for one in every] == ["answered"] * 4
    assert [await world.progress(one) for one in every] == ["opened"] * 4
    deeds = [
        (one["type"], one["exchange"]) for one in await world.entries() if one["type"] in ("release", "acknowledged")
    ]
    assert len(deeds) == len(set(deeds)) == 8
    assert world.sources["northshire"].calls == calls, "records were read again for what was answered"


async def test_a_desk_put_back_from_a_backup_is_told_again_and_shows_what_it_had_asked(under_way: UnderWay) -> None:
    world = under_way.world
    await under_way.before()
    backup = await make_backup(world, "desk")
    world.sources["southshire"].is_away = False
    await world.turn(10 * MINUTE_MS, step_ms=20_000)  # the answer comes in, and is acknowledged, after the backup
    assert await world.progress(under_way.early[1]) == "opened"
    world.sources["southshire"].is_away = True
    await under_way.after()
    await lose_and_restore(world, "desk", backup)
    standing = await under_way.end()
    assert [standing[one] for one in (*under_way.early, *under_way.late)] == ["answered"] * 4
    assert [await world.progress(one) for one in under_way.early] == ["opened"] * 2
    assert [await shown(world, one) for one in under_way.late] == ["enquiry_unknown"] * 2
    opened = [one["exchange"] for one in await world.entries() if one["type"] == "opened"]
    assert set(opened) == {*under_way.early, under_way.late[0]}


async def test_a_restored_desk_that_comes_back_before_the_coordinator_is_told_again_all_the_same(
    under_way: UnderWay,
) -> None:
    world = under_way.world
    await under_way.before()
    backup = await make_backup(world, "desk")
    await world.stop_party("coordinator")
    await lose_and_restore(world, "desk", backup)
    await world.start_party("coordinator")
    await world.settle()
    await world.turn(MINUTE_MS, step_ms=10_000)
    assert (await world.command("desk", "status"))["restored"]["caught_up"]
    standing = await under_way.end()
    assert [standing[one] for one in under_way.early] == ["answered"] * 2


async def test_a_desk_put_back_whose_word_of_it_was_lost_says_it_again(under_way: UnderWay) -> None:
    world = under_way.world
    await under_way.before()
    copy = await begin_second_copy(world, "desk")
    world.hub.drop_next(1_000)
    await lose_and_restore(world, "desk", copy)
    assert await shown(world, under_way.early[0]) == "catching_up"
    world.hub.release()
    await world.turn(MINUTE_MS)
    assert await shown(world, under_way.early[0]) == "opened"


async def test_a_desk_put_back_while_the_coordinators_clock_is_behind_takes_its_word_later(under_way: UnderWay) -> None:
    world = under_way.world
    await under_way.before()
    copy = await begin_second_copy(world, "desk")
    await lose_home(world, "desk")
    put_back(world, "desk", copy)
    world.clock.set(world.clock.now() - MINUTE_MS)
    await world.start_party("desk")
    await world.settle()
    assert await shown(world, under_way.early[0]) == "catching_up"
    await world.turn(2 * MINUTE_MS, step_ms=20_000)
    assert await shown(world, under_way.early[0]) == "opened"


async def test_a_coordinator_put_back_from_a_backup_signs_nothing_and_says_who_is_ahead(under_way: UnderWay) -> None:
    world = under_way.world
    await under_way.before()
    copy = await begin_second_copy(world, "coordinator")
    backup = await make_backup(world, "coordinator")
    await under_way.after()
    await world.turn(5 * MINUTE_MS, step_ms=20_000)
    whole = world.running["coordinator"].ground.log
    assert whole is not None
    size = whole.head.size
    await lose_and_restore(world, "coordinator", backup)
    enquiry = await world.open_enquiry()
    asked = await world.ask(enquiry)
    await world.turn(10 * MINUTE_MS, step_ms=20_000)
    coordinator = world.running["coordinator"]
    assert isinstance(coordinator, Coordinator)
    restored = coordinator.ground
    # Else what was asked meanwhile would be refused in the moment between catching up and settling who is admitted.
    assert {"northshire", "southshire"} <= set(coordinator.room.admitted)
    status = await world.command("coordinator", "status")
    assert status["restored"]["behind"]
    assert not status["restored"]["caught_up"]
    assert re.search(r"ahead are northshire by \d, southshire by \d", status["restored"]["waits_for"])
    with pytest.raises(Failure, match="catching_up"):
        await world.command("coordinator", "log")
    assert restored.log is not None
    assert restored.log.head.size == status["log_size"]
    assert await world.progress(asked) == "asked"
    assert not any(party.ground.post.halted.done() for party in world.running.values())
    # Its second copy was not lost: put back from there, it goes on without a fork, and takes what was asked meanwhile.
    done = await lose_and_restore(world, "coordinator", copy)
    assert done.log is not None
    assert done.log.size == size
    standing = await under_way.end()
    assert standing[asked] == "answered"
    assert [standing[one] for one in (*under_way.early, *under_way.late)] == ["answered"] * 4
