"""The store port, promise by promise; run on every implementation."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable

import pytest

from broker.node.store import GroupReport, StoreBroken, StoreClosed, StoreInUse, Transaction
from tests.contract.store.conftest import OpenStore


def insert(number: int, note: str = "x") -> Callable[[Transaction], int]:
    def work(tx: Transaction) -> int:
        tx.execute("INSERT INTO mark (id, note) VALUES (?, ?)", (number, note))
        return number

    return work


def insert_orphan(number: int) -> Callable[[Transaction], int]:
    def work(tx: Transaction) -> int:
        tx.execute("INSERT INTO child (id, mark_id) VALUES (?, 999)", (number,))
        return number

    return work


def marks(tx: Transaction) -> list[int]:
    return [number for (number,) in tx.execute("SELECT id FROM mark ORDER BY id")]


async def test_a_write_that_returned_is_seen_by_reads_and_survives_a_reopening(open_store: OpenStore) -> None:
    store = open_store()
    assert await store.write(insert(1)) == 1
    assert await store.read(marks) == [1]
    await store.close()
    assert await open_store().read(marks) == [1]


async def test_a_work_that_raises_leaves_nothing_and_only_its_caller_hears_of_it(open_store: OpenStore) -> None:
    store = open_store()

    def fails(tx: Transaction) -> None:
        insert(2)(tx)
        raise LookupError("mine")

    outcomes = await asyncio.gather(
        store.write(insert(1)), store.write(fails), store.write(insert(3)), return_exceptions=True
    )
    assert outcomes[0] == 1
    assert isinstance(outcomes[1], LookupError)
    assert outcomes[2] == 3
    assert await store.read(marks) == [1, 3]


async def test_works_run_in_the_order_they_were_handed_in(open_store: OpenStore) -> None:
    store = open_store()
    order: list[int] = []

    def note(number: int) -> Callable[[Transaction], None]:
        return lambda tx: order.append(number)

    await asyncio.gather(*(store.write(note(number)) for number in range(600)))
    assert order == list(range(600))


async def test_a_constraint_that_fails_at_commit_fails_its_own_work_only(open_store: OpenStore) -> None:
    store = open_store()
    outcomes = await asyncio.gather(
        *(store.write(insert_orphan(n) if n == 5 else insert(n)) for n in range(10)), return_exceptions=True
    )
    assert isinstance(outcomes[5], sqlite3.IntegrityError)
    assert await store.read(marks) == [0, 1, 2, 3, 4, 6, 7, 8, 9]


async def test_a_read_cannot_write(open_store: OpenStore) -> None:
    store = open_store()
    with pytest.raises(sqlite3.OperationalError):
        await store.read(insert(1))
    assert await store.read(marks) == []
    await store.write(insert(1))


@pytest.mark.parametrize(
    "statement", ["COMMIT", "ROLLBACK", "BEGIN", "SAVEPOINT mine", "PRAGMA synchronous = OFF", "ATTACH ':memory:' AS x"]
)
async def test_a_work_cannot_take_the_transaction_or_the_settings_into_its_own_hands(
    open_store: OpenStore, statement: str
) -> None:
    store = open_store()

    def work(tx: Transaction) -> None:
        tx.execute(statement)

    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError):
            await store.write(work)
    await store.write(insert(1))
    assert await store.read(marks) == [1]


async def test_a_transaction_cannot_be_used_outside_the_writer(open_store: OpenStore) -> None:
    store = open_store()
    kept: list[Transaction] = []
    await store.write(kept.append)
    with pytest.raises(sqlite3.ProgrammingError):
        kept[0].execute("SELECT 1")


async def test_a_work_that_raises_stop_iteration_does_not_leave_its_caller_waiting(open_store: OpenStore) -> None:
    def work(tx: Transaction) -> object:
        return next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        await open_store().write(work)


async def test_a_cancelled_caller_disturbs_nobody(open_store: OpenStore) -> None:
    store = open_store()
    task = asyncio.ensure_future(store.write(insert(1)))
    await asyncio.sleep(0)
    task.cancel()
    await store.write(insert(2))
    assert 2 in await store.read(marks)


async def test_what_was_accepted_before_the_closing_is_committed(open_store: OpenStore) -> None:
    store = open_store(group_limit=3)
    waiting = [asyncio.ensure_future(store.write(insert(number))) for number in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*waiting) == list(range(50))
    with pytest.raises(StoreClosed):
        await store.write(insert(99))
    assert await open_store().read(marks) == list(range(50))


async def test_a_second_opener_is_refused_and_told_what_to_do(open_store: OpenStore) -> None:
    store = open_store()
    with pytest.raises(StoreInUse, match="commands"):
        open_store()
    await store.close()
    open_store()


async def test_a_group_is_what_has_queued_up_to_the_limit(open_store: OpenStore) -> None:
    reports: list[GroupReport] = []
    gate = threading.Event()
    store = open_store(group_limit=40, observe=reports.append)
    first = asyncio.ensure_future(store.write(lambda tx: gate.wait(10)))
    await asyncio.sleep(0)
    rest = [asyncio.ensure_future(store.write(insert(number))) for number in range(100)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *rest)
    assert sum(report.works for report in reports) == 101
    assert max(report.works for report in reports) <= 40
    assert len(reports) <= 4


async def test_a_commit_that_fails_and_was_not_applied_breaks_the_store_for_everyone(open_store: OpenStore) -> None:
    def full(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    store = open_store(commit=full)
    outcomes = await asyncio.gather(*(store.write(insert(n)) for n in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreBroken] * 3
    for later in (store.write(insert(9)), store.read(marks)):
        with pytest.raises(StoreBroken, match="start the program again"):
            await later
    await store.close()
    assert await open_store().read(marks) == []


async def test_a_commit_reported_failed_but_applied_breaks_the_store_and_a_restart_tells(open_store: OpenStore) -> None:
    def applied(connection: sqlite3.Connection) -> None:
        connection.execute("COMMIT")
        raise sqlite3.OperationalError("disk I/O error")

    store = open_store(commit=applied)
    with pytest.raises(StoreBroken):
        await store.write(insert(1))
    with pytest.raises(StoreBroken):
        await store.write(insert(2))
    await store.close()
    assert await open_store().read(marks) == [1]


async def test_a_disk_error_inside_a_work_breaks_the_store_even_if_the_work_hides_it(open_store: OpenStore) -> None:
    store = open_store()

    def work(tx: Transaction) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error

    with pytest.raises(StoreBroken):
        await store.write(work)
    with pytest.raises(StoreBroken):
        await store.write(insert(1))
