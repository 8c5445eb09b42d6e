"""A policy whose kept copy goes away, or is damaged, while the coordinator decides by it."""

from __future__ import annotations

import pytest

from broker.coordinator.policy_watch import LOOK_EVERY_MS
from broker.node.store.port import Transaction
from tests.unit.broker.coordinator.scene import Scene

DAMAGES = {
    "its files are gone": "DELETE FROM policy_files",
    "a file was edited": "UPDATE policy_files SET files = CAST(replace(CAST(files AS TEXT), 'may', 'must') AS BLOB)",
    "its files are no files": "UPDATE policy_files SET files = x'7b7d'",
    "its statement is gone": "DELETE FROM policy_version",
    "its statement was edited": "UPDATE policy_version SET statement = x'00'",
    "another entry is named": "UPDATE policy_version SET idx = idx - 1",
}


def gauges(scene: Scene) -> tuple[float, float]:
    metrics = scene.coordinator.room.metrics
    return metrics.policy_lost._value.get(), metrics.policy_version._value.get()


def tables(tx: Transaction) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    return tx.execute("SELECT * FROM policy_version").fetchall(), tx.execute("SELECT * FROM policy_files").fetchall()


async def do(scene: Scene, sql: str) -> None:
    """Damage the store."""

    def work(tx: Transaction) -> None:
        tx.execute(sql)

    await scene.coordinator.ground.store.write(work)


async def test_a_policy_that_is_there_decides(scene: Scene) -> None:
    watch = scene.coordinator.watch
    assert await watch.look()
    assert await watch.is_there()
    assert gauges(scene) == (0, 1)
    assert (await scene.submit(scene.request()))[0] == "committed"


@pytest.mark.parametrize("how", DAMAGES.values(), ids=DAMAGES)
async def test_a_policy_whose_copy_is_damaged_refuses_everything_until_it_is_whole_again(
    scene: Scene, how: str
) -> None:
    watch, store = scene.coordinator.watch, scene.coordinator.ground.store
    versions, files = await store.read(tables)
    await do(scene, how)
    assert not await watch.look()
    assert not await watch.is_there()
    assert gauges(scene) == (1, 1)
    assert (await scene.submit(scene.request()))[0] == "policy_damaged"
    assert (await scene.entries())[-1].model_dump()["check"] == "policy_damaged"

    def mend(tx: Transaction) -> None:
        tx.execute("INSERT OR REPLACE INTO policy_version VALUES (?, ?, ?, ?, ?)", versions[0])
        tx.execute("INSERT OR REPLACE INTO policy_files VALUES (?, ?)", files[0])

    await store.write(mend)
    assert await watch.look()
    assert gauges(scene) == (0, 1)
    assert (await scene.submit(scene.request()))[0] == "committed"


async def test_a_coordinator_that_starts_with_a_damaged_copy_decides_nothing(scene: Scene) -> None:
    await do(scene, "DELETE FROM policy_files")
    await scene.coordinator.stop()
    await scene.start_coordinator()
    assert (await scene.submit(scene.request()))[0] == "policy_damaged"


async def test_the_watch_finds_by_itself_what_is_damaged(scene: Scene) -> None:
    await do(scene, "DELETE FROM policy_files")
    for _ in range(100):
        await scene.turn(LOOK_EVERY_MS)
        if not await scene.coordinator.watch.is_there():
            return
    raise AssertionError("nobody noticed")
