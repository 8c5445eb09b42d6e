"""The store: four methods over the one writer. What it promises is `port`; how it keeps it is `writer`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, overload

from broker.node.store.connection import CommitStep, commit_durably
from broker.node.store.following import copy_file
from broker.node.store.migrations import Migration
from broker.node.store.port import AfterSeal, Companion, GroupReport, StoreBroken, StoreClosed, Transaction
from broker.node.store.writer import Job, Writer

T = TypeVar("T")

GROUP_LIMIT: Final = 256
"""Works a group at most: past this a larger group gains little and makes the first of it wait longer."""


class Store:
    """One party's durable truth: one SQLite file, one thread that owns the one connection to it.

    Only the running program opens it. Everybody else is a client of that program's command socket.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._is_closed = False
        self._copying = asyncio.Lock()
        self.on_broken: Callable[[StoreBroken], None] | None = None
        """Told whenever somebody finds the store broken, whoever it is: the program has to stop, not only his work."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        migrations: Sequence[Migration],
        companion: Companion | None = None,
        group_limit: int = GROUP_LIMIT,
        commit: CommitStep = commit_durably,
        observe: Callable[[GroupReport], None] | None = None,
    ) -> Store:
        """Open or make the store and bring it up to `migrations`; blocks until that is done.

        `observe` is told of each group in the writer's thread and must be quick.
        Raises: StoreInUse, StoreForeign, StoreTooNew, MigrationChanged, and what the companion finds wrong.
        """
        writer = Writer(path, migrations, companion, group_limit, commit, observe)
        writer.start()
        return cls(writer)

    @overload
    async def write(self, work: Callable[[Transaction], AfterSeal[T]]) -> T: ...
    @overload
    async def write(self, work: Callable[[Transaction], T | AfterSeal[T]]) -> T: ...
    async def write(self, work: Callable[[Transaction], T | AfterSeal[T]]) -> T:
        """Run a work in the writer's thread; its effects are durable, and happened once, when this returns.

        A work that raises leaves nothing, and its exception comes back here and nowhere else. A work may be run more
        than once before that (its group can be rolled back for another's fault): it must do nothing but use its
        transaction and the companion. If the caller is cancelled the work may still be committed.
        Raises: StoreBroken (committed or not: known after a restart), StoreClosed, what the work raises.
        """
        return await self._submit(work, is_write=True)  # type: ignore[no-any-return]

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run a query; it sees every write that has returned and nothing that is not durable; it cannot write.

        Raises: StoreBroken, StoreClosed, what the query raises (sqlite3.OperationalError if it tries to write).
        """
        return await self._submit(query, is_write=False)  # type: ignore[no-any-return]

    async def copy(self, target: Path) -> None:
        """Copy the whole store into a new owner-only file: one state of it, durable. Other work goes on meanwhile.

        Raises: StoreBroken, StoreClosed, OSError, sqlite3.Error; a file that was begun stays and is the caller's.
        """
        async with self._copying:  # a second copy's checkpoint would change the file under the first
            file, size_bytes = await self._submit(self._writer.copies.hold, is_own=True)
            try:
                await asyncio.to_thread(copy_file, file, size_bytes, target)
            finally:
                await self._submit(self._writer.copies.let_go, is_own=True)

    async def follow(self, folder: Path) -> None:
        """From here on, keep every commit in that folder as well before anybody hears of it (`following`).

        Raises: FollowLost, StoreBroken, StoreClosed. A folder that is lost later breaks the store.
        """
        async with self._copying:
            await self._submit(lambda connection: self._writer.copies.follow(connection, folder), is_own=True)

    async def close(self) -> None:
        """Commit what was taken in, then let go of the file. Closing twice is closing once."""
        if not self._is_closed:
            self._is_closed = True
            await asyncio.get_running_loop().run_in_executor(None, self._writer.stop)

    async def _submit(self, work: Callable[[Any], Any], *, is_write: bool = False, is_own: bool = False) -> Any:
        if self._is_closed:
            raise StoreClosed("the store is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._writer.submit(Job(work, is_write, future, loop, is_own))
        try:
            return await future
        except StoreBroken as failure:
            if self.on_broken is not None:
                self.on_broken(failure)
            raise
