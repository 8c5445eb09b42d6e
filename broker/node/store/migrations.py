"""Numbered SQL migrations: read from a package, checked against what a store has applied, applied in one transaction.

A program composes several sets (the node's own, then the coordinator's, the desk's or an agent's); numbers count within
a set. An applied migration never changes and a store never goes back.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from broker.node.store.connection import StatementGuard
from broker.node.store.port import MigrationChanged, StoreForeign, StoreTooNew

APPLICATION_ID: Final = 0x4E544B31
"""`PRAGMA application_id` of every store: "NTK1"."""
FORMAT_VERSION: Final = 1
"""`PRAGMA user_version`: how a store keeps account of its migrations (not which it has applied)."""

_FILE_NAME = re.compile(r"(?P<number>[0-9]{3,4})_(?P<name>[a-z0-9_]+)\.sql")
_ACCOUNT = """CREATE TABLE migration (
    set_name TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (set_name, number)) STRICT, WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of one set."""

    set_name: str
    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hex digest of the SQL text, kept in the store."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(package: str, set_name: str) -> tuple[Migration, ...]:
    """Read the files `NNN_name.sql` of a package directory, numbered from 1 without a gap.

    Raises: ValueError for a misnamed file or a gap (a fault of the program, not of a store).
    """
    found = []
    for file in resources.files(package).iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = _FILE_NAME.fullmatch(file.name)
        if match is None:
            raise ValueError(f"migration file {file.name} of {package} is not named NNN_name.sql")
        found.append(Migration(set_name, int(match["number"]), match["name"], file.read_text("utf-8")))
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations of {package} are not numbered 1, 2, 3 ... without a gap")
    return tuple(found)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Bring a store up to the given migrations, all in one transaction, or leave it as it was.

    Raises: StoreForeign, StoreTooNew, MigrationChanged; sqlite3.Error for SQL that does not run.
    """
    connection.execute("BEGIN IMMEDIATE" + StatementGuard.OWN)
    try:
        _check_kind(connection)
        applied = {
            (set_name, number): sha256
            for set_name, number, sha256 in connection.execute("SELECT set_name, number, sha256 FROM migration")
        }
        for migration in _pending(applied, migrations):
            for statement in _statements(migration.sql):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO migration (set_name, number, name, sha256) VALUES (?, ?, ?, ?)",
                (migration.set_name, migration.number, migration.name, migration.sha256),
            )
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK" + StatementGuard.OWN)
        raise
    connection.execute("COMMIT" + StatementGuard.OWN)


def _check_kind(connection: sqlite3.Connection) -> None:
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if is_empty and application_id == 0 and version == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        connection.execute(_ACCOUNT)
        return
    if application_id != APPLICATION_ID:
        raise StoreForeign("the file is a database of another application; check the configured store path")
    if version > FORMAT_VERSION:
        raise StoreTooNew("the store was written by a newer program; install that version or a later one")


def _pending(applied: dict[tuple[str, int], str], migrations: Sequence[Migration]) -> list[Migration]:
    known = {(migration.set_name, migration.number): migration for migration in migrations}
    if len(known) != len(migrations):
        raise ValueError("two migrations have the same set and number")
    sets = {migration.set_name for migration in migrations}
    for (set_name, number), sha256 in applied.items():
        if set_name not in sets:
            raise StoreForeign(f"the store has tables of the set {set_name}: it is another party's store")
        migration = known.get((set_name, number))
        if migration is None:
            raise StoreTooNew(f"the store has migration {number} of {set_name}; install the version that wrote it")
        if migration.sha256 != sha256:
            raise MigrationChanged(f"migration {number} of {set_name} differs from the one applied; reinstall")
    return [migration for migration in migrations if (migration.set_name, migration.number) not in applied]


def _statements(sql: str) -> Iterator[str]:
    """Split a script in which each statement ends its line; `executescript` would commit between them."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if any(line.strip() and not line.strip().startswith("--") for line in statement.splitlines()):
        raise ValueError("a migration ends in the middle of a statement")
