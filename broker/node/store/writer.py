"""The writer: one thread, one connection, group commit.

Whatever has queued becomes one transaction; each work of it stands in a savepoint of its own. This module knows order
and durability, and nothing of what a work does.

The order of writes is the argument:

1. works, each in a savepoint       one that raises leaves nothing; the others go on
2. seal                             the log's head and signed checkpoint belong to the same transaction
3. builders                         what leaves this party is made from the seal, in the same transaction
4. COMMIT                           the WAL is fsynced. A crash before: nothing happened. A crash after: all of it did
5. second copy, where there is one  on another volume (`following`). A crash before: it lacks a group nobody heard of
6. companion settled                the lock copy. A crash before: the copy is older than the store, which is allowed
7. results are delivered            so nobody acts on what is not durable
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from broker.node.store.connection import CommitStep, StatementGuard, claim, open_connection
from broker.node.store.copies import Copies
from broker.node.store.migrations import Migration, migrate
from broker.node.store.port import AfterSeal, Companion, GroupReport, Seal, StoreBroken, StoreClosed, Transaction

_CHECKPOINT_AFTER_ROWS: Final = 500
"""Rows changed between two WAL checkpoints. A WAL that is soon overwritten from its start makes each fsync half as dear
as one that grows: nothing of the file system's own has to be written with it."""
_BROKEN_PRIMARY_CODES: Final = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
}
"""What SQLite says when the ground is gone, whichever statement it says it to."""

_OWN: Final = StatementGuard.OWN
_WHAT_TO_DO: Final = "free space or mend the disk, then start the program again; nothing is taken in until then"


@dataclass(slots=True, eq=False)
class Job:
    """A work or a query on its way, with the future its caller waits on."""

    work: Callable[[Any], Any]
    """Is handed the transaction; where it is the writer's own, between groups, the connection."""
    is_write: bool
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    is_own: bool = False
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Owns the connection; made and used only by `Store`. `start` returns once the store is open, or raises why not."""

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Migration],
        companion: Companion | None,
        group_limit: int,
        commit: CommitStep,
        observe: Callable[[GroupReport], None] | None,
    ) -> None:
        self._path = path
        self._migrations = migrations
        self._companion = companion
        self._group_limit = group_limit
        self._commit = commit
        self._observe = observe
        self._guard = StatementGuard()
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._opened = threading.Event()
        self._open_error: BaseException | None = None
        self._broken = ""
        self._rows_at_checkpoint = 0
        self.copies = Copies(path)

    def start(self) -> None:
        """Open the file and migrate it, in the writer's thread."""
        self._thread.start()
        self._opened.wait()
        if self._open_error is not None:
            self._thread.join()
            raise self._open_error

    def submit(self, job: Job) -> None:
        """Take in one job."""
        self._queue.put(job)

    def stop(self) -> None:
        """Commit what was taken in, close the file, end the thread. Blocks."""
        self._queue.put(None)
        self._thread.join()

    # ---- everything below runs in the writer's thread ----

    def _run(self) -> None:
        try:
            descriptor = claim(self._path)
        except BaseException as error:  # noqa: BLE001 - handed to whoever opens the store
            self._open_error = error
            self._opened.set()
            return
        try:
            self._serve()
        finally:
            os.close(descriptor)
            self._opened.set()

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None
        try:
            connection = open_connection(self._path, self._guard)
            migrate(connection, self._migrations)
            if self._companion is not None:
                self._open_companion(connection, self._companion)
        except BaseException as error:  # noqa: BLE001 - handed to whoever opens the store
            if connection is not None:
                connection.close()
            self._open_error = error
            return
        self._opened.set()
        self._transaction = Transaction(connection)
        try:
            while self._take(connection):
                pass
        finally:
            connection.close()
            self.copies.close()
            for job in self._drain():
                job.error = StoreClosed("the store was closed before this work was taken in")
                _deliver([job])

    @staticmethod
    def _open_companion(connection: sqlite3.Connection, companion: Companion) -> None:
        connection.execute("BEGIN IMMEDIATE" + _OWN)
        try:
            companion.opened(Transaction(connection))
        except BaseException:
            connection.execute("ROLLBACK" + _OWN)
            raise
        connection.execute("COMMIT" + _OWN)

    def _drain(self) -> Iterable[Job]:
        while True:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                yield job

    def _take(self, connection: sqlite3.Connection) -> bool:
        """Wait for work and settle one group of it; False once told to stop."""
        job = self._queue.get()
        jobs: list[Job] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) >= self._group_limit:
                break
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
        goes_on = job is not None
        if jobs:
            self._settle(connection, jobs)
        return goes_on

    def _settle(self, connection: sqlite3.Connection, jobs: list[Job]) -> None:
        own = [job for job in jobs if job.is_own]
        reads = [job for job in jobs if not job.is_write and not job.is_own]
        writes = [job for job in jobs if job.is_write]
        try:
            if reads:
                # First, and outside the group: they have no fsync to wait for, and see only what is durable.
                self._read(connection, reads)
                _deliver(reads)
            if writes:
                self._write(connection, writes)
                _deliver(writes)
                self._checkpoint_when_due(connection)
                if not self._broken:
                    self.copies.turn_when_due(connection)
            if own:
                self._run_own(connection, own)
                _deliver(own)
        except BaseException as error:  # noqa: BLE001 - no caller may be left waiting, whatever it was
            self._break(error)
            for job in jobs:
                job.error = StoreBroken(self._broken)
            _deliver(jobs)

    def _run_own(self, connection: sqlite3.Connection, jobs: list[Job]) -> None:
        for job in jobs:
            if self._broken:
                _refuse([job], self._broken)
                continue
            try:
                job.result = job.work(connection)
            except BaseException as error:  # noqa: BLE001 - it belongs to its caller
                job.error = error

    def _read(self, connection: sqlite3.Connection, jobs: list[Job]) -> None:
        if self._broken:
            _refuse(jobs, self._broken)
            return
        # Rolled back, so that a query that writes leaves nothing, not even for the query after it. `PRAGMA query_only`
        # would refuse it outright, and expire every prepared statement of the connection each time: half of what the
        # statements of a busy program cost.
        for job in jobs:
            if not connection.in_transaction:
                connection.execute("BEGIN" + _OWN)
            before = connection.total_changes
            self._call(job)
            if connection.total_changes != before:
                connection.execute("ROLLBACK" + _OWN)
                job.error = job.error or sqlite3.OperationalError("a query tried to write")
            if job.error is not None and _is_ground_lost(job.error):
                self._break(job.error)
                _refuse([job], self._broken)  # the reads after it run into the same, each by itself
        if connection.in_transaction:
            connection.execute("ROLLBACK" + _OWN)

    def _write(self, connection: sqlite3.Connection, jobs: list[Job]) -> None:
        if self._broken:
            _refuse(jobs, self._broken)
            return
        if self._group(connection, jobs) or self._broken:
            return
        # The group as a whole did not hold (its seal, a builder or a deferred constraint), and was rolled back. Alone,
        # each work answers for itself: so a work may be run again, and must do nothing but use its transaction.
        for job in jobs:
            if self._broken:
                _refuse([job], self._broken)
            else:
                self._group(connection, [job])

    def _group(self, connection: sqlite3.Connection, jobs: list[Job]) -> bool:
        """One transaction. True if it is settled; False if it was rolled back and some other work may be innocent."""
        started = time.perf_counter()
        try:
            connection.execute("BEGIN IMMEDIATE" + _OWN)
            for job in jobs:
                self._work(connection, job)
            guilty = self._close_group(connection, jobs)
        except sqlite3.Error as error:
            # BEGIN, SAVEPOINT or COMMIT: the file did not do as told. Whether this group is on disk is not known.
            self._break(error)
            self._roll_back(connection)
            _refuse(jobs, self._broken)
            return True
        if guilty is not None:
            self._roll_back(connection)
            self._settled(committed=False)
            if len(jobs) > 1:
                return False
            jobs[0].error = guilty
        else:
            # Before the lock copy, which must never be ahead of anything the store can be rebuilt from. A crash before
            # this line leaves the second copy one group behind the store: one that nobody heard of.
            self.copies.committed()
            self._settled(committed=True)
        if self._observe is not None:
            failed = sum(job.error is not None for job in jobs)
            self._observe(GroupReport(len(jobs), failed, time.perf_counter() - started))
        return True

    def _work(self, connection: sqlite3.Connection, job: Job) -> None:
        mark = self._companion.mark() if self._companion is not None else None
        connection.execute("SAVEPOINT work" + _OWN)
        self._call(job)
        if job.error is not None:
            if _is_ground_lost(job.error) or not connection.in_transaction:
                raise sqlite3.OperationalError("the file failed in the middle of a work") from job.error
            connection.execute("ROLLBACK TO work" + _OWN)
            if self._companion is not None:
                self._companion.rollback(mark)
        connection.execute("RELEASE work" + _OWN)

    def _call(self, job: Job) -> None:
        self._guard.is_on = True
        try:
            job.result, job.error = job.work(self._transaction), None
        except BaseException as error:  # noqa: BLE001 - a work's exception belongs to its caller, whatever it is
            job.result, job.error = None, error
        finally:
            self._guard.is_on = False

    def _close_group(self, connection: sqlite3.Connection, jobs: list[Job]) -> BaseException | None:
        """Seal, build, commit. Gives back what a work of the group is to blame for; raises sqlite3.Error otherwise."""
        built: list[tuple[Job, Any]] = []
        waiting = [job for job in jobs if isinstance(job.result, AfterSeal)]
        self._guard.is_on = True
        try:
            seal = self._seal(wanted=bool(waiting))
            for job in waiting:
                assert seal is not None
                built.append((job, job.result.build(self._transaction, seal)))
        except BaseException as error:
            if _is_ground_lost(error) or not connection.in_transaction:
                raise sqlite3.OperationalError("the file failed while the group was sealed") from error
            return error
        finally:
            self._guard.is_on = False
        try:
            self._commit(connection)
        except sqlite3.IntegrityError as error:
            return error  # a deferred foreign key: some work's doing, and the transaction is still open
        for job, result in built:
            job.result = result
        return None

    def _seal(self, *, wanted: bool) -> Seal | None:
        if self._companion is not None:
            return self._companion.seal(self._transaction, wanted=wanted)
        if wanted:
            raise TypeError("a work asked for a seal, and this store has no log")
        return None

    def _settled(self, *, committed: bool) -> None:
        if self._companion is not None:
            self._companion.settled(committed=committed)

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK" + _OWN)

    def _break(self, error: BaseException) -> None:
        self._broken = self._broken or f"{type(error).__name__}: {_WHAT_TO_DO}"

    def _checkpoint_when_due(self, connection: sqlite3.Connection) -> None:
        """Copy the WAL into the file between groups, when nobody of this one waits any more."""
        if self._broken or self.copies.is_held:
            return
        if connection.total_changes - self._rows_at_checkpoint >= _CHECKPOINT_AFTER_ROWS:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)" + _OWN).fetchall()
            self._rows_at_checkpoint = connection.total_changes


def _is_ground_lost(error: BaseException) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN_PRIMARY_CODES


def _refuse(jobs: Iterable[Job], reason: str) -> None:
    for job in jobs:
        job.result, job.error = None, StoreBroken(reason)


def _deliver(jobs: Sequence[Job]) -> None:
    """Wake the callers: one hand-over to each event loop (there is one, but for tests), not one to each work."""
    for loop in {job.loop for job in jobs}:
        try:
            loop.call_soon_threadsafe(_resolve, [job for job in jobs if job.loop is loop])
        except RuntimeError:
            continue  # that loop is closed: nobody waits there any more


def _resolve(jobs: list[Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue  # its caller was cancelled; what was done stands
        if job.error is None:
            job.future.set_result(job.result)
        elif isinstance(job.error, StopIteration):
            job.future.set_exception(RuntimeError("a work raised StopIteration"))
        else:
            job.future.set_exception(job.error)
