"""The one connection: who may open the file, with which settings, and the step that makes a group durable.

One connection reads, writes and checkpoints. That is not only simpler: SQLite before 3.51.3 can corrupt a WAL that two
connections checkpoint at once, and a process that opens and closes the file a second time drops its own locks on it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from broker.node.owner_only import sync_directory
from broker.node.store.port import StoreForeign, StoreInUse

CommitStep = Callable[[sqlite3.Connection], None]
"""Make the open transaction durable, or raise `sqlite3.Error`: replaced in tests by steps that fail in known ways."""

_BUSY_PRIMARY_CODES: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_CACHED_STATEMENTS: Final = 512
"""More than the distinct statements of any one program, so that each is prepared once."""
LAST_RESORT_CHECKPOINT_PAGES: Final = 25_000
"""About 100 MB of WAL. The writer checkpoints far earlier, between groups; this only bounds one enormous group."""

_DENIED_TO_WORKS: Final = {
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_SAVEPOINT,
    sqlite3.SQLITE_PRAGMA,
    sqlite3.SQLITE_ATTACH,
    sqlite3.SQLITE_DETACH,
}


class StatementGuard:
    """Denies works the statements that are the writer's own.

    SQLite asks only when it prepares a statement, so a prepared statement of the writer must not be found by its text:
    the writer marks every one of its own with `OWN`.
    """

    OWN: Final = " /* writer */"

    def __init__(self) -> None:
        self.is_on = False

    def __call__(self, action: int, *_: object) -> int:
        return sqlite3.SQLITE_DENY if self.is_on and action in _DENIED_TO_WORKS else sqlite3.SQLITE_OK


def commit_durably(connection: sqlite3.Connection) -> None:
    """The real commit step: with WAL and `synchronous=FULL` the WAL is fsynced before this returns."""
    connection.execute("COMMIT" + StatementGuard.OWN)


def claim(path: Path) -> int:
    """Take the store for this process until the returned descriptor is closed (a killed process lets go by itself).

    Raises: StoreInUse.
    """
    descriptor = os.open(path.with_name(path.name + ".inuse"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreInUse(
            "another program holds the store open: use its commands, or stop it first (systemctl status shows it)"
        ) from error
    return descriptor


def open_connection(path: Path, guard: StatementGuard) -> sqlite3.Connection:
    """Open (or make, owner-only) the file with every setting the promises rest on.

    Raises: StoreInUse, StoreForeign (not a database), sqlite3.Error.
    """
    _create_owner_only(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=0, cached_statements=_CACHED_STATEMENTS)
    try:
        _configure(connection)
        connection.set_authorizer(guard)
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF in _BUSY_PRIMARY_CODES:
            raise StoreInUse("another program reads or writes the store's file: stop it first") from error
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB:
            raise StoreForeign("the file is not a database; check the configured store path") from error
        raise
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    for pragma in (
        # Before the WAL is first touched: no other process can open it, and the WAL index needs no shared memory.
        "locking_mode = EXCLUSIVE",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        # Deleted rows are overwritten where that costs no extra page.
        "secure_delete = FAST",
        f"wal_autocheckpoint = {LAST_RESORT_CHECKPOINT_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, synchronous) != ("wal", 2):
        raise StoreForeign(f"the file system gives journal mode {mode}; the store needs wal on a local disk")


def _create_owner_only(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    sync_directory(path.parent)
