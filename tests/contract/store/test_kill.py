"""Killing the program at any moment loses no acknowledged write and leaves no half of one."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from broker.node.store import Transaction
from tests.contract.store.conftest import OpenStore

ROOT = Path(__file__).parents[3]


def write_until_killed(path: Path, acknowledgements: int) -> set[int]:
    """Start the child, kill -9 it after so many acknowledgements, and give back all it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.store.writing_child", str(path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert child.stdout is not None
    heard = [child.stdout.readline() for _ in range(acknowledgements)]
    child.kill()
    heard += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    return {int(line) for line in heard if line.endswith(b"\n")}


def numbers(tx: Transaction) -> tuple[set[int], set[int]]:
    marks = {row[0] for row in tx.execute("SELECT id FROM mark")}
    children = {row[0] for row in tx.execute("SELECT id FROM child")}
    return marks, children


@pytest.mark.parametrize("seed", range(6))
async def test_no_acknowledged_write_is_lost_and_none_is_halved(
    open_store: OpenStore, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    acknowledged: set[int] = set()
    for _ in range(2):
        acknowledged |= write_until_killed(tmp_path / "store.db", chance.randint(1, 3000))
        store = open_store()
        marks, children = await store.read(numbers)
        await store.close()
        assert acknowledged <= marks
        assert marks == children
