"""Hashing a whole log again, over more than one chunk."""

from __future__ import annotations

import pytest

import broker.node.log.whole as whole
from broker.node.log import LogDamaged, verify_whole
from broker.node.store import Transaction
from tests.unit.broker.node.log.conftest import Ground, leaf


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 64, 100])
async def test_a_sound_log_of_any_size_holds(ground: Ground, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "CHUNK_ENTRIES", 16)
    store, log = ground.open()

    def fill(tx: Transaction) -> None:
        for number in range(size):
            log.append(tx, leaf(number))

    await store.write(fill)
    assert await verify_whole(store) == size


async def test_a_subtree_over_several_chunks_is_compared_too(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "CHUNK_ENTRIES", 16)
    store, log = ground.open()
    await store.write(lambda tx: [log.append(tx, leaf(number)) for number in range(200)])
    await store.close()
    for level, position in ((5, 1), (6, 0), (5, 4), (4, 11)):
        restore = ground.back_up()
        ground.damage(f"UPDATE log_node SET hash = zeroblob(32) WHERE level = {level} AND position = {position}")
        store, _ = ground.open(is_read_only=True)
        with pytest.raises(LogDamaged, match="subtree"):
            await verify_whole(store)
        await store.close()
        restore()
