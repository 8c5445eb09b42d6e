"""Killing the program at any moment loses no acknowledged write, leaves no half of one and breaks no receipt."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from broker.node.log import get_leaf, verify_whole
from broker.node.store import Transaction
from schemas.ledger.merkle import leaf_hash, root_from_leaf_hashes
from schemas.ledger.receipt import VerifiedReceipt, verify_receipt
from tests.contract.store.conftest import OpenStore
from tests.contract.store.logging_child import ORIGIN, SIGNER, open_log

ROOT = Path(__file__).parents[3]


def heard_until_killed(module: str, path: Path, acknowledgements: int) -> list[str]:
    """Start a child, kill -9 it after so many acknowledgements, and give back all it acknowledged."""
    child = subprocess.Popen([sys.executable, "-m", module, str(path)], stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    heard = [child.stdout.readline() for _ in range(acknowledgements)]
    child.kill()
    heard += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    assert heard[0]
    return [line.decode().strip() for line in heard if line.endswith(b"\n")]


def numbers(tx: Transaction) -> tuple[set[int], set[int]]:
    marks = {row[0] for row in tx.execute("SELECT id FROM mark")}
    children = {row[0] for row in tx.execute("SELECT id FROM child")}
    return marks, children


@pytest.mark.parametrize("seed", range(4))
async def test_no_acknowledged_write_is_lost_and_none_is_halved(
    open_store: OpenStore, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    for _ in range(2):
        heard = heard_until_killed("tests.contract.store.writing_child", tmp_path / "store.db", chance.randint(1, 3000))
        acknowledged |= {int(line) for line in heard}
        store = open_store()
        marks, children = await store.read(numbers)
        await store.close()
        assert acknowledged <= marks
        assert marks == children


@pytest.mark.parametrize("seed", range(4))
async def test_every_receipt_that_was_given_out_holds_in_the_log_that_is_found_afterwards(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    given: dict[int, VerifiedReceipt] = {}
    for _ in range(2):
        heard = heard_until_killed("tests.contract.store.logging_child", tmp_path, chance.randint(1, 1500))
        for line in heard:
            receipt = verify_receipt(bytes.fromhex(line), log=SIGNER.verifier_key, origin=ORIGIN)
            assert receipt.index not in given
            given[receipt.index] = receipt
        store, log = open_log(tmp_path)
        assert await verify_whole(store) == log.head.size
        leaves = [await store.read(lambda tx, index=index: get_leaf(tx, index)) for index in range(log.head.size)]  # type: ignore[misc]
        await store.close()
        assert all(leaves[index] == receipt.leaf for index, receipt in given.items())
        hashes = [leaf_hash(leaf) for leaf in leaves]
        heads = {receipt.head for receipt in given.values()}
        for head in chance.sample(sorted(heads, key=lambda head: head.size), min(20, len(heads))):
            assert root_from_leaf_hashes(hashes[: head.size]) == (head.size, head.root)
