"""Migrations: applied once, in order, all or none; a store is never opened by the wrong or an older program."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from broker.node.store import Migration, MigrationChanged, Store, StoreForeign, StoreTooNew, load_migrations

ONE = Migration("node", 1, "one", "-- a comment; with a semicolon\nCREATE TABLE one (id INTEGER PRIMARY KEY) STRICT;\n")
TWO = Migration(
    "node",
    2,
    "two",
    """
    CREATE TABLE two (id INTEGER PRIMARY KEY) STRICT;
    CREATE TRIGGER two_stays BEFORE DELETE ON two BEGIN SELECT raise(ABORT, 'two stays'); END;
    -- the end
    """,
)
DESK = Migration("desk", 1, "desk", "CREATE TABLE desk (id INTEGER PRIMARY KEY) STRICT;")


async def open_and_close(path: Path, *migrations: Migration) -> None:
    await Store.open(path, migrations=migrations).close()


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    connection.close()
    return names


def modes(directory: Path) -> set[int]:
    return {file.stat().st_mode & 0o777 for file in directory.iterdir()}


async def test_sets_are_composed_and_later_migrations_are_added(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await open_and_close(path, ONE)
    await open_and_close(path, ONE, TWO, DESK)
    await open_and_close(path, ONE, TWO, DESK)
    assert tables(path) == {"migration", "one", "two", "desk"}


async def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await open_and_close(path, ONE)
    with pytest.raises(sqlite3.OperationalError):
        await open_and_close(path, ONE, TWO, Migration("node", 3, "bad", "CREATE TABLE t (id);\nCREATE NONSENSE;"))
    assert tables(path) == {"migration", "one"}


async def test_a_changed_migration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await open_and_close(path, ONE)
    with pytest.raises(MigrationChanged, match="migration 1 of node"):
        await open_and_close(path, Migration("node", 1, "one", "CREATE TABLE one (id TEXT) STRICT;"))


async def test_a_store_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await open_and_close(path, ONE, TWO)
    with pytest.raises(StoreTooNew, match="migration 2 of node"):
        await open_and_close(path, ONE)


async def test_a_store_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await open_and_close(path, ONE)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(StoreTooNew):
        await open_and_close(path, ONE)


async def test_another_partys_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await open_and_close(path, ONE, DESK)
    with pytest.raises(StoreForeign, match="set desk"):
        await open_and_close(path, ONE)


async def test_another_applications_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    with pytest.raises(StoreForeign):
        await open_and_close(path, ONE)
    assert tables(path) == {"theirs"}


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database, but long enough to be looked at as one. " * 100)
    with pytest.raises(StoreForeign):
        await open_and_close(path, ONE)


async def test_a_file_that_another_program_reads_is_refused_by_the_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store.open(path, migrations=(ONE,))
    connection = sqlite3.connect(path, timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        connection.execute("SELECT * FROM one")
    connection.close()
    await store.close()


async def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store.open(path, migrations=(ONE,))
    await store.write(lambda tx: None)
    assert modes(tmp_path) == {0o600}
    await store.close()


def test_a_package_with_a_gap_or_a_misnamed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "with_migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    (package / "001_first.sql").write_text("SELECT 1;")
    assert [one.name for one in load_migrations("with_migrations", "node")] == ["first"]
    (package / "003_third.sql").write_text("SELECT 1;")
    with pytest.raises(ValueError, match="gap"):
        load_migrations("with_migrations", "node")
    (package / "third.sql").write_text("SELECT 1;")
    with pytest.raises(ValueError, match="NNN_name"):
        load_migrations("with_migrations", "node")


async def test_half_a_statement_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="middle of a statement"):
        await open_and_close(tmp_path / "store.db", Migration("node", 1, "half", "CREATE TABLE one (id"))
