"""The companion and the seal: one a group, in the group's transaction, never ahead of the tables."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from broker.node.store import AfterSeal, Seal, Store, StoreBroken, Transaction
from tests.contract.store.conftest import OpenStore

Work = Callable[[Transaction], AfterSeal[object]]


@dataclass(frozen=True, slots=True)
class CountSeal:
    size: int

    @property
    def checkpoint(self) -> bytes:
        return b"sealed %d" % self.size

    def receipt(self, index: int) -> bytes:
        if index >= self.size:
            raise IndexError("not in this seal")
        return b"%d of %d" % (index, self.size)


class Counter:
    """A companion that counts rows of `mark` in memory, and keeps every call it gets."""

    def __init__(self) -> None:
        self.size = self.committed_size = self.sealed_size = 0
        self.seals = 0
        self.settled_with: list[bool] = []
        self.fails_at_size = -1
        self.breaks_when_settled = False

    def append(self, tx: Transaction, number: int) -> int:
        tx.execute("INSERT INTO mark (id, note) VALUES (?, 'x')", (number,))
        self.size += 1
        return self.size - 1

    def opened(self, tx: Transaction) -> None:
        self.size = self.committed_size = tx.execute("SELECT count(*) FROM mark").fetchone()[0]

    def mark(self) -> object:
        return self.size

    def rollback(self, mark: object) -> None:
        assert isinstance(mark, int)
        self.size = mark

    def seal(self, tx: Transaction, *, wanted: bool) -> Seal | None:
        if self.size == self.committed_size and not wanted:
            return None
        self.seals += 1
        if tx.execute("SELECT 1 FROM mark WHERE id = ?", (self.fails_at_size,)).fetchone():
            raise ArithmeticError("cannot be sealed")
        return CountSeal(self.size)

    def settled(self, *, committed: bool) -> None:
        if self.breaks_when_settled:
            raise OSError("the lock copy's disk is full")
        self.settled_with.append(committed)
        if committed:
            self.committed_size = self.size
        else:
            self.size = self.committed_size


async def together(store: Store, *works: Work) -> list[object]:
    """Hand in works so that they make one group."""
    gate = threading.Event()
    first = asyncio.ensure_future(store.write(lambda tx: gate.wait(10)))
    await asyncio.sleep(0)
    rest: list[asyncio.Future[object]] = [asyncio.ensure_future(store.write(work)) for work in works]
    await asyncio.sleep(0)
    gate.set()
    outcomes: list[object] = await asyncio.gather(first, *rest, return_exceptions=True)
    return outcomes[1:]


def appending(counter: Counter, number: int, *, fails: str = "") -> Work:
    def work(tx: Transaction) -> AfterSeal[object]:
        index = counter.append(tx, number)
        if fails == "work":
            raise LookupError("mine")

        def build(tx: Transaction, seal: Seal) -> object:
            if fails == "builder":
                raise LookupError("mine")
            return seal.receipt(index)

        return AfterSeal(build)

    return work


async def test_one_group_is_sealed_once_and_each_result_is_built_from_that_seal(open_store: OpenStore) -> None:
    counter = Counter()
    store = open_store(companion=counter)
    assert await together(store, *(appending(counter, n) for n in range(3))) == [b"0 of 3", b"1 of 3", b"2 of 3"]
    assert counter.seals == 1


async def test_a_group_that_adds_nothing_is_not_sealed(open_store: OpenStore) -> None:
    counter = Counter()
    await open_store(companion=counter).write(lambda tx: None)
    assert counter.seals == 0
    assert counter.settled_with == [True]


async def test_a_work_that_raises_takes_its_entry_back_from_the_companion(open_store: OpenStore) -> None:
    counter = Counter()
    store = open_store(companion=counter)
    outcomes = await together(store, appending(counter, 1), appending(counter, 2, fails="work"), appending(counter, 3))
    assert isinstance(outcomes[1], LookupError)
    assert (outcomes[0], outcomes[2]) == (b"0 of 2", b"1 of 2")
    assert counter.size == 2


async def test_a_builder_that_raises_fails_its_own_work_only(open_store: OpenStore) -> None:
    counter = Counter()
    store = open_store(companion=counter)
    outcomes = await together(
        store, appending(counter, 1), appending(counter, 2, fails="builder"), appending(counter, 3)
    )
    assert isinstance(outcomes[1], LookupError)
    assert (outcomes[0], outcomes[2]) == (b"0 of 1", b"1 of 2")
    assert await store.read(lambda tx: [row[0] for row in tx.execute("SELECT id FROM mark")]) == [1, 3]
    assert counter.size == counter.committed_size == 2


async def test_a_seal_that_fails_fails_only_the_work_that_spoils_it(open_store: OpenStore) -> None:
    counter = Counter()
    counter.fails_at_size = 2
    store = open_store(companion=counter)
    outcomes = await together(store, *(appending(counter, n) for n in (1, 2, 3)))
    assert isinstance(outcomes[1], ArithmeticError)
    assert (outcomes[0], outcomes[2]) == (b"0 of 1", b"1 of 2")
    assert counter.size == 2


async def test_a_companion_that_cannot_settle_breaks_the_store_before_anyone_hears_of_the_group(
    open_store: OpenStore,
) -> None:
    counter = Counter()
    counter.breaks_when_settled = True
    store = open_store(companion=counter)
    with pytest.raises(StoreBroken):
        await store.write(appending(counter, 1))
    with pytest.raises(StoreBroken):
        await store.read(lambda tx: None)


async def test_a_companion_that_finds_something_wrong_refuses_the_opening_and_lets_go_of_the_file(
    open_store: OpenStore,
) -> None:
    class Refusing(Counter):
        def opened(self, tx: Transaction) -> None:
            raise StoreBroken("not the log that was here")

    with pytest.raises(StoreBroken):
        open_store(companion=Refusing())
    open_store()


async def test_asking_for_a_seal_of_a_store_without_a_log_is_the_callers_fault(open_store: OpenStore) -> None:
    store = open_store()

    def work(tx: Transaction) -> AfterSeal[int]:
        return AfterSeal(lambda tx, seal: seal.size)

    with pytest.raises(TypeError):
        await store.write(work)
    await store.write(lambda tx: None)
