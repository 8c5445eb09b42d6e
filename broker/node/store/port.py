"""What the store promises, in words and types: transactions, what may follow a seal, what lives beside the tables.

Nothing here opens a file. The one implementation is `broker.node.store.sqlite`; the sharing log is the one companion
(`broker.node.log`). What a table means is known only to the works that are handed in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from schemas.failures import Away, GroundLost

T = TypeVar("T")

Parameters = Sequence[Any] | Mapping[str, Any]


class StoreBroken(GroundLost):
    """A commit failed, or the file did not hold: what is on disk is known again only after a restart."""

    code = "store_broken"


class StoreForeign(GroundLost):
    """The file is not a store of this program: another application's, another party's, or another version's."""

    code = "store_foreign"


class StoreTooNew(GroundLost):
    """The store was written by a newer program; opening it with this one could lose what it does not know of."""

    code = "store_too_new"


class MigrationChanged(GroundLost):
    """A migration that this store has applied no longer reads as it did then."""

    code = "migration_changed"


class StoreInUse(Away):
    """Another program holds the store open; no two may."""

    code = "store_in_use"


class StoreClosed(Away):
    """The store was closed, so the work was not taken in."""

    code = "store_closed"


class Transaction:
    """The tables, as one work sees them; valid only during that work's call and only in the writer's thread.

    A work never begins, commits or rolls back: statements that would (and `PRAGMA`, `ATTACH`, `DETACH`) are denied.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        """Run one statement. Fetch what is needed before the work returns: a cursor does not outlive it."""
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Parameters]) -> sqlite3.Cursor:
        """Run one statement once for each row."""
        return self._connection.executemany(sql, rows)


class Seal(Protocol):
    """What the log can prove once a group is sealed; valid only during the builder's call."""

    @property
    def size(self) -> int:
        """How many entries the sealed log has."""
        ...

    @property
    def checkpoint(self) -> bytes:
        """The one signed checkpoint of the group, as complete note bytes."""
        ...

    def receipt(self, index: int) -> bytes:
        """The proof that the entry at `index` (below `size`) is in the log of that checkpoint."""
        ...


@dataclass(frozen=True, slots=True)
class AfterSeal(Generic[T]):
    """What a work returns when its result needs the seal of its group: the value of `build` is then its result.

    `build` runs in the same transaction, after every work of the group and before the commit; it may write tables and
    may not append to the log.
    """

    build: Callable[[Transaction, Seal], T]


class Companion(Protocol):
    """What lives in memory beside the tables and must never say more than they do: the log's appender.

    Every method is called in the writer's thread only. A companion that raises in `mark`, `rollback` or `settled`
    breaks the store: memory and tables could no longer be told to agree.
    """

    def opened(self, tx: Transaction) -> None:
        """Take up the state the tables hold, once, before any work; raising refuses to open the store."""
        ...

    def mark(self) -> object:
        """Name the present state, before a work."""
        ...

    def rollback(self, mark: object) -> None:
        """Go back to a state named in this group: the work after it left nothing in the tables."""
        ...

    def seal(self, tx: Transaction, *, wanted: bool) -> Seal | None:
        """Write what belongs to the group as a whole; None if nothing was added and nobody `wanted` a seal."""
        ...

    def settled(self, *, committed: bool) -> None:
        """The group is on disk (before anyone hears of it), or it is gone and the last committed state holds."""
        ...


@dataclass(frozen=True, slots=True)
class GroupReport:
    """One settled group, for the metrics."""

    works: int
    """How many works were in it."""
    failed: int
    """How many of them raised."""
    seconds: float
    """From the first statement to the end of the commit."""
