"""The lock copy and the opening checks: a log that lost something does not go on."""

from __future__ import annotations

import pytest

from broker.node.log import (
    LockCopy,
    LockMissing,
    LogDamaged,
    LogForeign,
    LogForked,
    LogReadOnly,
    LogRolledBack,
    verify_whole,
)
from broker.node.log.lock import SLOT_BYTES
from broker.node.store import StoreBroken
from tests.unit.broker.node.log.conftest import ORIGIN, Ground, appending


async def fill(ground: Ground, first: int, count: int) -> None:
    store, log = ground.open()
    for number in range(first, first + count):
        await store.write(appending(log, number))
    await store.close()


async def test_the_lock_copy_holds_the_newest_head_when_a_write_returns(ground: Ground) -> None:
    store, log = ground.open()
    for number in range(5):
        await store.write(appending(log, number))
        assert LockCopy(ground.lock_path).read() == log.head
    assert ground.lock_path.stat().st_mode & 0o777 == 0o600


async def test_a_store_restored_from_yesterday_is_refused(ground: Ground) -> None:
    await fill(ground, 0, 3)
    restore = ground.back_up()
    await fill(ground, 3, 2)
    restore()
    with pytest.raises(LogRolledBack, match="2 entries behind"):
        ground.open()


async def test_a_lost_store_is_not_begun_again_over_a_lock_copy(ground: Ground) -> None:
    await fill(ground, 0, 3)
    ground.path.unlink()
    with pytest.raises(LogRolledBack):
        ground.open()


async def test_a_store_restored_and_grown_elsewhere_is_refused(ground: Ground) -> None:
    await fill(ground, 0, 3)
    restore = ground.back_up()
    lock_then = ground.lock_path.read_bytes()
    await fill(ground, 100, 4)
    lock_now = ground.lock_path.read_bytes()
    restore()
    ground.lock_path.write_bytes(lock_then)
    await fill(ground, 200, 9)
    ground.lock_path.write_bytes(lock_now)
    with pytest.raises(LogForked):
        ground.open()


async def test_a_lock_copy_behind_the_store_is_allowed_as_a_crash_leaves_it(ground: Ground) -> None:
    await fill(ground, 0, 3)
    lock_then = ground.lock_path.read_bytes()
    await fill(ground, 3, 1)
    ground.lock_path.write_bytes(lock_then)
    await fill(ground, 4, 1)


async def test_a_torn_write_leaves_the_other_slot(ground: Ground) -> None:
    await fill(ground, 0, 4)
    raw = bytearray(ground.lock_path.read_bytes())
    newest = LockCopy(ground.lock_path).read()
    assert newest is not None
    for slot in range(2):
        torn = bytearray(raw)
        torn[slot * SLOT_BYTES + 80] ^= 1
        ground.lock_path.write_bytes(torn)
        left = LockCopy(ground.lock_path).read()
        assert left is not None
        assert left.size in {newest.size, newest.size - 1}
    await fill(ground, 4, 1)


@pytest.mark.parametrize("content", [None, b"", b"\x00" * 2 * SLOT_BYTES])
async def test_a_missing_or_unreadable_lock_copy_is_refused_until_somebody_renews_it(
    ground: Ground, content: bytes | None
) -> None:
    await fill(ground, 0, 3)
    ground.lock_path.unlink()
    if content is not None:
        ground.lock_path.write_bytes(content)
    with pytest.raises(LockMissing, match="runbook"):
        ground.open()
    store, log = ground.open(is_read_only=True)
    await store.close()
    LockCopy(ground.lock_path).create(log.head)
    await fill(ground, 3, 1)


async def test_a_lock_copy_whose_volume_is_gone_stops_the_store(ground: Ground) -> None:
    store, log = ground.open()
    ground.lock_path.unlink()
    with pytest.raises(StoreBroken):
        await store.write(appending(log, 0))


async def test_a_read_only_log_can_be_looked_at_and_not_added_to(ground: Ground) -> None:
    await fill(ground, 0, 3)
    restore = ground.back_up()
    await fill(ground, 3, 1)
    restore()
    store, log = ground.open(is_read_only=True)
    assert await verify_whole(store) == 3
    assert await store.read(lambda tx: log.standing(tx).receipt(1))
    with pytest.raises(LogReadOnly):
        await store.write(appending(log, 3))


async def test_a_log_of_another_origin_is_refused(ground: Ground) -> None:
    await fill(ground, 0, 1)
    with pytest.raises(LogForeign):
        ground.open(origin="other.example/log")
    assert ORIGIN != "other.example/log"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_head SET size = 12",
        "UPDATE log_head SET root = zeroblob(32)",
        "DELETE FROM log_entry WHERE idx = 12",
        "DELETE FROM log_head",
        "UPDATE log_node SET hash = zeroblob(32) WHERE level = 3 AND position = 0",
        "DELETE FROM log_node WHERE level = 3",
        "DELETE FROM log_checkpoint WHERE size = 13",
        "UPDATE log_checkpoint SET note = x'00' WHERE size = 13",
        "UPDATE log_checkpoint SET note = (SELECT note FROM log_checkpoint WHERE size = 12) WHERE size = 13",
    ],
)
async def test_tables_that_do_not_agree_are_found_when_the_log_is_opened(ground: Ground, statement: str) -> None:
    await fill(ground, 0, 13)
    ground.damage(statement)
    with pytest.raises((LogDamaged, LogForked)):
        ground.open()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE log_entry SET leaf = x'7b7d' WHERE idx = 5", "entry 5"),
        ("UPDATE log_entry SET hash = zeroblob(32) WHERE idx = 6", "entry 6"),
        ("DELETE FROM log_entry WHERE idx = 4", "entry 4"),
        ("UPDATE log_node SET hash = zeroblob(32) WHERE level = 1 AND position = 1", "subtree of level 1"),
        ("DELETE FROM log_node WHERE level = 2 AND position = 0", "subtree of level 2"),
        ("UPDATE log_checkpoint SET note = x'00' WHERE size = 7", "size 7"),
        ("UPDATE log_checkpoint SET note = (SELECT note FROM log_checkpoint WHERE size = 6) WHERE size = 7", "size 7"),
    ],
)
async def test_damage_anywhere_is_named_when_the_whole_log_is_hashed_again(
    ground: Ground, statement: str, named: str
) -> None:
    await fill(ground, 0, 13)
    ground.damage(statement)
    store, _ = ground.open()
    with pytest.raises(LogDamaged, match=named):
        await verify_whole(store)
