"""The read-only way to the force's database: connections that cannot write, limits, and one error for all its errors.

Three things refuse a write: the address (SQLite is opened `mode=ro`), the session (`query_only`, or PostgreSQL's
`default_transaction_read_only`), and the account's rights, which are the force's to give; `probe` tries them. No text
of a statement or of an error leaves here, since either may hold a person. Refuses to know any table's meaning.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Executable,
    NullPool,
    create_engine,
    delete,
    event,
    false,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from agents.police.config import PoliceConfig
from agents.police.tables import METADATA, PERSON
from agents.runtime.source import SourceAway
from schemas.failures import Failure

CONNECT_SECONDS: Final = 5
CONNECTIONS_MAX: Final = 4
"""Held open to PostgreSQL; more looks at once open more and close them again."""
_QUERY_ONLY: Final = "PRAGMA query_only = ON"
_SQLITE_READONLY: Final = 8
_POSTGRES_REFUSALS: Final = frozenset({"25006", "42501"})
"""read_only_sql_transaction; insufficient_privilege."""
_WRITE_RIGHTS: Final = "INSERT, UPDATE, DELETE, TRUNCATE"


class PoliceConfigInvalid(Failure):
    """The `[police]` section names a database that cannot be used."""

    code = "police_config_invalid"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What came of the attempt to write."""

    is_refused: bool
    problems: tuple[str, ...] = ()


class Database:
    """A force's database, opened anew for each look; may be used by several threads at once."""

    def __init__(self, config: PoliceConfig, home: Path) -> None:
        """Raises `PoliceConfigInvalid` where the section cannot be used; nothing is connected to yet."""
        url = _url(config, home)
        self.system: Final = f"{url.get_backend_name()} police database"
        self._is_sqlite = url.get_backend_name() == "sqlite"
        engine = _sqlite(url, config) if self._is_sqlite else _postgres(url, config)
        self._engine: Final = engine.execution_options(schema_translate_map={None: config.database_schema})

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection for one look; in PostgreSQL all of it sees one moment.

        Raises:
            SourceAway: the database is away, locked or slow, or lacks a table.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            # `from None`: the original carries the statement, and its parameters are people.
            raise SourceAway(f"the police database cannot be read ({_kind_of(error)})") from None

    def rows(self, statement: Executable) -> Sequence[Mapping[str, Any]]:
        """All rows of a statement.

        Raises:
            SourceAway: as `look`.
        """
        with self.look() as connection:
            return rows(connection, statement)

    def counts(self) -> Mapping[str, int]:
        """Rows of each table.

        Raises:
            SourceAway: as `look`.
        """
        with self.look() as connection:
            return {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in METADATA.sorted_tables
            }

    def probe(self) -> Refusal:
        """Try to delete no row: a statement that would change nothing, but is a write.

        Raises:
            SourceAway: as `look`.
        """
        with self.look() as connection:
            try:
                connection.execute(delete(PERSON).where(false()))
            except DBAPIError as error:
                if not _is_refusal(error):
                    return Refusal(False, (f"a write was not refused but failed otherwise ({_kind_of(error)})",))
            else:
                return Refusal(False, ("a write was accepted: give the agent's account SELECT alone",))
            finally:
                connection.rollback()
            return Refusal(True, self._wider_rights(connection))

    def _wider_rights(self, connection: Connection) -> tuple[str, ...]:
        """The session refuses; whether the account would, too, if the session did not."""
        if self._is_sqlite:
            return ()
        schema = connection.get_execution_options()["schema_translate_map"][None]
        wider = [
            table.name
            for table in METADATA.sorted_tables
            if connection.scalar(
                select(func.has_table_privilege(f"{schema}.{table.name}" if schema else table.name, _WRITE_RIGHTS))
            )
        ]
        return tuple(f"the account has the right to write {name}; give it SELECT alone" for name in wider)

    def close(self) -> None:
        """Close what is held open."""
        self._engine.dispose()


def rows(connection: Connection, statement: Executable) -> Sequence[Mapping[str, Any]]:
    """All rows of a statement, by column name."""
    return [dict(row) for row in connection.execute(statement).mappings()]


def _url(config: PoliceConfig, home: Path) -> URL:
    try:
        url = make_url(config.url)
    except ArgumentError:
        raise PoliceConfigInvalid("police.url is not a database address") from None
    if url.password is not None:
        raise PoliceConfigInvalid("police.url holds a password; put it in a file and name that as password_file")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise PoliceConfigInvalid(f"police.url: {url.get_backend_name()} is not read; sqlite and postgresql are")
    if url.get_backend_name() == "sqlite":
        return _read_only_file(url, home)
    return url if config.password_file is None else url.set(password=_password(home / config.password_file))


def _read_only_file(url: URL, home: Path) -> URL:
    """The address of the same file, opened for reading whatever was written."""
    written = url.database or ""
    if written.startswith("file:"):
        written = unquote(written.removeprefix("file:"))
    if not written or written == ":memory:":
        raise PoliceConfigInvalid("police.url names no file")
    path = quote(str((home / written).absolute()))
    return url.set(drivername="sqlite+pysqlite", database=f"file:{path}", query={"mode": "ro", "uri": "true"})


def _password(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PoliceConfigInvalid("police.password_file may be read by others; make it mode 600")
        return path.read_text("utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        raise PoliceConfigInvalid("police.password_file cannot be read") from None


def _sqlite(url: URL, config: PoliceConfig) -> Engine:
    # No pool: opening a file costs little, and a connection kept open would read a file that was taken away.
    engine = create_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": config.statement_seconds}
    )

    @event.listens_for(engine, "connect")
    def _refuse_writes(connection: Any, _: object) -> None:
        connection.execute(_QUERY_ONLY)
        # Text that is no UTF-8 breaks the record it is in, when that is read; not every look at the table.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")

    return engine


def _postgres(url: URL, config: PoliceConfig) -> Engine:
    milliseconds = math.ceil(config.statement_seconds * 1000)
    # ISO dates: the agent reads dates as the database writes them.
    options = f"-c default_transaction_read_only=on -c statement_timeout={milliseconds} -c DateStyle=ISO"
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            pool_size=CONNECTIONS_MAX,
            max_overflow=CONNECTIONS_MAX,
            pool_timeout=config.statement_seconds,
            pool_pre_ping=True,
            connect_args={"options": options, "connect_timeout": CONNECT_SECONDS},
        )
    except (ImportError, NoSuchModuleError):
        raise PoliceConfigInvalid("police.url needs psycopg: install needtoknow[postgres]") from None


def _is_refusal(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return bool(code & 0xFF == _SQLITE_READONLY)
    return getattr(error.orig, "sqlstate", None) in _POSTGRES_REFUSALS


def _kind_of(error: SQLAlchemyError) -> str:
    """The kind of an error: never its text, which holds the statement."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return type(error if original is None else original).__name__
