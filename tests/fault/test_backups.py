"""Yesterday's backup of each party restored: it catches up, or stops and says why; nobody trusts it more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from broker.node.log import LogRolledBack
from tests.support.world import World

MINUTE_MS = 60_000


def back_up(world: World, name: str) -> Path:
    """A copy of a stopped party's home, as a backup of the whole machine would have it."""
    copy = world.folder / f"{name}.backup"
    shutil.copytree(world.home(name).path, copy, ignore=shutil.ignore_patterns("run", "*.inuse"))
    return copy


def restore(world: World, name: str, *, keeping: tuple[str, ...] = ()) -> None:
    """Put the backup in the place of a stopped party's home, but for some files that are not part of backups."""
    home, copy = world.home(name).path, world.folder / f"{name}.backup"
    kept = {file: (home / file).read_bytes() for file in keeping}
    shutil.rmtree(home)
    copy.rename(home)
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    for file, raw in kept.items():
        (home / file).write_bytes(raw)


async def answered(world: World) -> str:
    exchange = await world.ask(await world.open_enquiry())
    await world.opened(exchange)
    await world.settle()
    return exchange


async def with_a_backup_of(world: World, name: str) -> tuple[str, str]:
    """One exchange before the backup, one after it; the party is stopped."""
    before = await answered(world)
    await world.stop_party(name)
    back_up(world, name)
    await world.start_party(name)
    await world.settle()
    after = await answered(world)
    await world.turn(MINUTE_MS)
    await world.check()
    await world.stop_party(name)
    return before, after


async def test_a_coordinator_whose_store_is_older_than_its_lock_copy_does_not_start(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.start()
    try:
        await with_a_backup_of(world, "coordinator")
        restore(world, "coordinator", keeping=("checkpoint.lock",))
        with pytest.raises(LogRolledBack, match="entries behind the lock copy"):
            await world.start_party("coordinator")
    finally:
        await world.stop()


async def test_a_coordinator_restored_with_its_lock_copy_is_believed_by_no_agency(tmp_path: Path) -> None:
    """Whoever restored the lock copy as well has undone the coordinator's own memory: its agencies' stands."""
    world = World(tmp_path)
    await world.start()
    try:
        await with_a_backup_of(world, "coordinator")
        restore(world, "coordinator")
        looks = world.sources["northshire"].calls
        await world.start_party("coordinator")
        await world.settle()
        exchange = await world.ask(await world.open_enquiry())
        agent = world.running["northshire"].ground
        for _ in range(10):
            await world.turn(MINUTE_MS)
            if agent.post.halted.done():
                break
        assert agent.post.halted.done(), "the agency goes on with a hub that has forgotten"
        assert agent.post.halted.result().code in ("forked_log", "entry_misnumbered")
        assert await world.progress(exchange) != "opened"
        assert not [one for one in await world.entries() if one["type"] == "release" and one["exchange"] == exchange]
        assert world.sources["northshire"].calls == looks
    finally:
        await world.stop()


async def test_an_agent_whose_store_is_older_than_its_lock_copy_does_not_start(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.start()
    try:
        await with_a_backup_of(world, "northshire")
        restore(world, "northshire", keeping=("checkpoint.lock",))
        with pytest.raises(LogRolledBack, match="entries behind the lock copy"):
            await world.start_party("northshire")
    finally:
        await world.stop()


async def test_an_agent_restored_as_a_whole_catches_up_and_releases_nothing_twice(tmp_path: Path) -> None:
    """Its own log has forgotten a deed that the hub's has: that is said, and nothing else is different."""
    world = World(tmp_path)
    await world.start()
    try:
        before, after = await with_a_backup_of(world, "northshire")
        restore(world, "northshire")
        await world.start_party("northshire")
        await world.turn(6 * MINUTE_MS, step_ms=MINUTE_MS)
        another = await answered(world)
        await world.turn(6 * MINUTE_MS, step_ms=MINUTE_MS)
        released = [one["exchange"] for one in await world.entries() if one["type"] == "release"]
        assert sorted(released) == sorted([before, after, another])
        assert [await world.progress(one) for one in (before, after, another)] == ["opened"] * 3
        assert not world.running["northshire"].ground.post.halted.done()
    finally:
        await world.stop()


async def test_a_desk_restored_as_a_whole_goes_on_and_opens_nothing_it_did_not_ask(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.start()
    try:
        before, _ = await with_a_backup_of(world, "desk")
        restore(world, "desk")
        await world.start_party("desk")
        await world.turn(6 * MINUTE_MS, step_ms=MINUTE_MS)
        assert await world.progress(before) == "opened"
        another = await answered(world)
        standing = await world.check()
        assert standing[another] == "answered"
        assert set(standing.values()) == {"answered"}
    finally:
        await world.stop()
