"""The second copy of a store has every commit that anybody was told of, however the store itself was lost."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from broker.node.store import following
from broker.node.store.following import FollowLost, generations, replay
from broker.node.store.migrations import Migration
from broker.node.store.port import StoreBroken, Transaction
from broker.node.store.sqlite import Store

TABLES = [Migration("test", 1, "rows", "CREATE TABLE row (number INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT;\n")]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.open(tmp_path / "store.sqlite", migrations=TABLES)
    yield store
    await store.close()


async def add(store: Store, number: int, size: int = 100) -> None:
    def work(tx: Transaction) -> None:
        tx.execute("INSERT OR REPLACE INTO row VALUES (?, ?)", (number, os.urandom(size)))

    await store.write(work)


async def drop_fifths(store: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.execute("DELETE FROM row WHERE number % 5 = 0 AND number > 0")

    await store.write(work)


def rows(path: Path) -> list[tuple[int, bytes]]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT number, raw FROM row ORDER BY number").fetchall()


async def held(store: Store) -> list[tuple[int, bytes]]:
    return await store.read(lambda tx: tx.execute("SELECT number, raw FROM row ORDER BY number").fetchall())


async def test_a_copy_is_one_state_of_the_store_while_others_go_on_writing(store: Store, tmp_path: Path) -> None:
    for number in range(50):
        await add(store, number, 200_000)
    writing = [add(store, 1000 + number, 5000) for number in range(40)]
    await asyncio.gather(store.copy(tmp_path / "copy"), *writing)
    found = rows(tmp_path / "copy")
    assert [number for number, _ in found][:50] == list(range(50))
    assert {number for number, _ in found} <= {number for number, _ in await held(store)}
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "copy-wal").exists()


async def test_the_second_copy_has_what_the_store_has_after_every_commit(store: Store, tmp_path: Path) -> None:
    chance = random.Random(7)
    await add(store, -1)
    await store.follow(tmp_path / "copy")
    for number in range(60):
        await add(store, chance.randrange(40), chance.choice([10, 3000, 60_000]))
        if number % 7 == 0:
            await drop_fifths(store)
        (tmp_path / "rebuilt").unlink(missing_ok=True)
        assert replay(tmp_path / "copy", tmp_path / "rebuilt").torn_bytes == 0
        assert rows(tmp_path / "rebuilt") == await held(store)


async def test_the_second_copy_survives_the_write_ahead_log_beginning_anew(store: Store, tmp_path: Path) -> None:
    await store.follow(tmp_path / "copy")
    for number in range(1200):  # past the rows after which the writer copies its log into the store
        await add(store, number)
    replay(tmp_path / "copy", tmp_path / "rebuilt")
    assert rows(tmp_path / "rebuilt") == await held(store)


async def test_what_was_rolled_back_is_not_in_the_second_copy(store: Store, tmp_path: Path) -> None:
    await store.follow(tmp_path / "copy")
    await add(store, 1)

    def fails(tx: Transaction) -> None:
        tx.executemany("INSERT INTO row VALUES (?, ?)", [(number, bytes(200_000)) for number in range(100, 160)])
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.write(fails)
    await add(store, 2)
    replay(tmp_path / "copy", tmp_path / "rebuilt")
    assert [number for number, _ in rows(tmp_path / "rebuilt")] == [1, 2]


async def test_a_torn_last_group_is_left_out_and_said(store: Store, tmp_path: Path) -> None:
    await store.follow(tmp_path / "copy")
    await add(store, 1)
    frames = tmp_path / "copy" / "00000001.frames"
    whole = frames.stat().st_size
    await add(store, 2)
    for cut in (1, 40, 3000):
        shutil.rmtree(tmp_path / "torn", ignore_errors=True)
        shutil.copytree(tmp_path / "copy", tmp_path / "torn")
        os.truncate(tmp_path / "torn" / "00000001.frames", whole + cut)
        (tmp_path / "rebuilt").unlink(missing_ok=True)
        assert replay(tmp_path / "torn", tmp_path / "rebuilt").torn_bytes == cut
        assert [number for number, _ in rows(tmp_path / "rebuilt")] == [1]


async def test_damage_before_the_last_group_is_refused(store: Store, tmp_path: Path) -> None:
    await store.follow(tmp_path / "copy")
    for number in range(4):
        await add(store, number)
    frames = tmp_path / "copy" / "00000001.frames"
    with frames.open("r+b") as file:
        file.seek(200)
        file.write(b"damage")
    with pytest.raises(FollowLost, match="does not hold"):
        replay(tmp_path / "copy", tmp_path / "rebuilt")


async def test_a_restarted_program_begins_a_new_generation_and_lets_go_of_the_old(tmp_path: Path) -> None:
    for start in range(3):
        store = Store.open(tmp_path / "store.sqlite", migrations=TABLES)
        await store.follow(tmp_path / "copy")
        await add(store, start)
        expected = await held(store)
        await store.close()
        assert generations(tmp_path / "copy") == [start + 1]
        assert len(list((tmp_path / "copy").iterdir())) == 2
    replay(tmp_path / "copy", tmp_path / "rebuilt")
    assert rows(tmp_path / "rebuilt") == expected


async def test_a_long_generation_is_followed_by_a_new_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SMALLEST_TURN_BYTES", 100_000)
    await store.follow(tmp_path / "copy")
    for number in range(60):
        await add(store, number, 3000)
    await held(store)  # a generation begins after its last group was told of
    assert generations(tmp_path / "copy")[-1] > 1
    replay(tmp_path / "copy", tmp_path / "rebuilt")
    assert rows(tmp_path / "rebuilt") == await held(store)


async def test_a_second_copy_that_is_lost_stops_the_store(store: Store, tmp_path: Path) -> None:
    await store.follow(tmp_path / "copy")
    await add(store, 1)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        os.dup2(full, store._writer.copies._following._frames)  # type: ignore[union-attr]
        with pytest.raises(StoreBroken, match="FollowLost"):
            await add(store, 2)
        with pytest.raises(StoreBroken):
            await add(store, 3)
    finally:
        os.close(full)


async def test_a_folder_without_a_copy_is_no_second_copy(tmp_path: Path) -> None:
    with pytest.raises(FollowLost, match="holds no second copy"):
        replay(tmp_path, tmp_path / "rebuilt")
    assert not (tmp_path / "rebuilt").exists()
