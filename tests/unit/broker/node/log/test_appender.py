"""The appender: indexes without gaps, one signed checkpoint a group, receipts that verify, memory that follows disk."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.node.log import (
    LeafTooLarge,
    Log,
    LogKeyEnded,
    get_checkpoint,
    get_leaf,
    get_leaf_hashes,
    get_leaves,
    verify_whole,
)
from broker.node.store import AfterSeal, Store, Transaction
from schemas.ledger.checkpoint import open_checkpoint
from schemas.ledger.merkle import leaf_hash, root_from_leaf_hashes
from schemas.ledger.note import Ed25519NoteSigner
from schemas.ledger.receipt import MAX_LEAF_BYTES, VerifiedReceipt, verify_receipt
from tests.unit.broker.node.log.conftest import ORIGIN, Ground, appending, leaf


def checked(ground: Ground, receipt: bytes) -> VerifiedReceipt:
    return verify_receipt(receipt, log=ground.signer.verifier_key, origin=ORIGIN)


async def in_one_group(store: Store, *works: object) -> list[object]:
    gate = threading.Event()
    first = asyncio.ensure_future(store.write(lambda tx: gate.wait(10)))
    await asyncio.sleep(0)
    rest: list[asyncio.Future[object]] = [asyncio.ensure_future(store.write(work)) for work in works]  # type: ignore[call-overload]
    await asyncio.sleep(0)
    gate.set()
    outcomes: list[object] = await asyncio.gather(first, *rest, return_exceptions=True)
    return outcomes[1:]


async def test_every_entry_gets_the_next_index_and_a_receipt_that_verifies(ground: Ground) -> None:
    store, log = ground.open()
    for number in range(20):
        receipt = checked(ground, await store.write(appending(log, number)))
        assert (receipt.index, receipt.leaf, receipt.head.size) == (number, leaf(number), number + 1)
    assert log.head.size == 20


async def test_a_group_has_one_checkpoint_and_all_its_receipts_carry_it(ground: Ground) -> None:
    store, log = ground.open()
    receipts = await in_one_group(store, *(appending(log, number) for number in range(50)))
    heads = {(checked(ground, one).head, checked(ground, one).checkpoint) for one in receipts}  # type: ignore[arg-type]
    assert len(heads) == 1
    assert next(iter(heads))[0] == log.head

    def checkpoints(tx: Transaction) -> list[int]:
        return [size for (size,) in tx.execute("SELECT size FROM log_checkpoint ORDER BY size")]

    assert await store.read(checkpoints) == [0, 50]


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_fails_in_whichever_group_the_log_holds_exactly_what_was_acknowledged(
    ground: Ground, seed: int
) -> None:
    chance = random.Random(seed)
    store, log = ground.open()
    acknowledged: dict[int, bytes] = {}

    def work(number: int, fate: str) -> object:
        def run(tx: Transaction) -> AfterSeal[bytes]:
            index = log.append(tx, leaf(number))
            if fate == "raises":
                raise LookupError
            if fate == "appends twice":
                index = log.append(tx, leaf(-number))

            def build(tx: Transaction, seal: object) -> bytes:
                if fate == "cannot build":
                    raise LookupError
                return seal.receipt(index)  # type: ignore[attr-defined,no-any-return]

            return AfterSeal(build)

        return run

    for _ in range(12):
        fates = [
            chance.choices(["holds", "raises", "cannot build", "appends twice"], weights=[12, 2, 0.3, 2])[0]
            for _ in range(chance.randint(1, 40))
        ]
        outcomes = await in_one_group(store, *(work(number, fate) for number, fate in enumerate(fates, 1)))
        for fate, outcome in zip(fates, outcomes, strict=True):
            assert isinstance(outcome, LookupError) == (fate in {"raises", "cannot build"})
            if isinstance(outcome, bytes):
                receipt = checked(ground, outcome)
                assert receipt.index not in acknowledged
                acknowledged[receipt.index] = receipt.leaf
    assert await verify_whole(store) == log.head.size
    leaves = await store.read(lambda tx: get_leaves(tx, 0, log.head.size))
    assert all(leaves[index] == stored for index, stored in acknowledged.items())
    assert root_from_leaf_hashes(map(leaf_hash, leaves)) == (log.head.size, log.head.root)


async def test_a_reopened_log_goes_on_where_it_was(ground: Ground) -> None:
    for start in range(0, 21, 7):
        store, log = ground.open()
        assert log.head.size == start
        for number in range(start, start + 7):
            checked(ground, await store.write(appending(log, number)))
        await store.close()
    store, log = ground.open()
    for index in range(21):
        standing = await store.read(lambda tx, index=index: log.standing(tx).receipt(index))  # type: ignore[misc]
        assert checked(ground, standing).leaf == leaf(index)


async def test_a_work_that_adds_nothing_can_still_have_a_receipt_of_an_older_entry(ground: Ground) -> None:
    store, log = ground.open()
    first = await store.write(appending(log, 0))

    def again(tx: Transaction) -> AfterSeal[bytes]:
        return AfterSeal(lambda tx, seal: seal.receipt(0))

    assert await store.write(again) == first


async def test_the_seal_of_an_empty_log_is_a_signed_checkpoint_of_size_0(ground: Ground) -> None:
    store, log = ground.open()
    checkpoint = await store.read(lambda tx: log.standing(tx).checkpoint)
    assert open_checkpoint(checkpoint, log=ground.signer.verifier_key, origin=ORIGIN).head == log.head
    with pytest.raises(IndexError):
        await store.read(lambda tx: log.standing(tx).receipt(0))


async def test_a_leaf_over_the_limit_is_refused_and_leaves_nothing(ground: Ground) -> None:
    store, log = ground.open()
    await store.write(lambda tx: log.append(tx, bytes(MAX_LEAF_BYTES)))
    with pytest.raises(LeafTooLarge):
        await store.write(lambda tx: log.append(tx, bytes(MAX_LEAF_BYTES + 1)))
    assert log.head.size == 1


async def test_a_builder_cannot_append(ground: Ground) -> None:
    store, log = ground.open()

    def work(tx: Transaction) -> AfterSeal[int]:
        log.append(tx, leaf(0))
        return AfterSeal(lambda tx, seal: log.append(tx, leaf(1)))

    with pytest.raises(RuntimeError, match="sealed"):
        await store.write(work)
    assert log.head.size == 0
    await store.write(appending(log, 0))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entry SET leaf = x'00'",
        "DELETE FROM log_entry",
        "INSERT INTO log_entry VALUES (7, x'00', zeroblob(32))",
        "UPDATE log_node SET hash = zeroblob(32)",
        "DELETE FROM log_node",
        "UPDATE log_head SET size = 1",
        "DELETE FROM log_head",
        "UPDATE log_checkpoint SET note = x'00'",
        "DELETE FROM log_checkpoint",
    ],
)
async def test_a_work_cannot_change_what_the_log_says(ground: Ground, statement: str) -> None:
    store, log = ground.open()
    await store.write(appending(log, 0))
    await store.write(appending(log, 1))
    with pytest.raises(sqlite3.IntegrityError):
        await store.write(lambda tx: tx.execute(statement).fetchall())
    assert await verify_whole(store) == 2


async def test_reads_give_leaves_hashes_and_checkpoints_by_range(ground: Ground) -> None:
    store, log = ground.open()
    await in_one_group(store, *(appending(log, number) for number in range(5)))
    assert await store.read(lambda tx: get_leaf(tx, 3)) == leaf(3)
    assert await store.read(lambda tx: get_leaf_hashes(tx, 1, 3)) == [leaf_hash(leaf(1)), leaf_hash(leaf(2))]
    assert await store.read(lambda tx: get_checkpoint(tx, 4)) is None
    with pytest.raises(IndexError):
        await store.read(lambda tx: get_leaf(tx, 5))


async def test_a_log_that_cannot_be_signed_takes_no_entries(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    store, log = ground.open()

    def fails(text: bytes) -> bytes:
        raise ConnectionError("the signing device is away")

    class Away:
        name, key_id, sign = ground.signer.name, ground.signer.key_id, staticmethod(fails)

    monkeypatch.setattr(log, "_signers", lambda: [Away()])
    outcomes = await in_one_group(store, appending(log, 0), lambda tx: "no entry", appending(log, 1))
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, str, ConnectionError]
    monkeypatch.undo()
    assert checked(ground, await store.write(appending(log, 0))).index == 0


def test_log_is_a_companion(ground: Ground) -> None:
    assert {"opened", "mark", "rollback", "seal", "settled"} <= set(dir(Log))


async def test_while_two_keys_of_the_log_are_in_force_a_checkpoint_holds_under_either(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, log = ground.open()
    second = Ed25519NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    monkeypatch.setattr(log, "_signers", lambda: [second, ground.signer])
    receipt = await store.write(appending(log, 1))
    for key in (ground.signer.verifier_key, second.verifier_key):
        assert verify_receipt(receipt, log=key, origin=ORIGIN).leaf == leaf(1)


async def test_without_a_key_in_force_nothing_is_entered_and_the_store_goes_on(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, log = ground.open()
    monkeypatch.setattr(log, "_signers", list)
    with pytest.raises(LogKeyEnded):
        await store.write(appending(log, 1))
    monkeypatch.undo()
    assert checked(ground, await store.write(appending(log, 1))).index == 0
