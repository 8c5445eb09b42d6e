"""The county's force on a real PostgreSQL: its tables, and an account that may do nothing but read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from agents.police.records import PoliceSource
from tests.contract.records.county_police import BREAK_ASSESSMENT, holdings, open_source
from tests.support.postgres import Postgres


@dataclass(frozen=True)
class Force:
    """The database as its owner sees it, and the account the agent is given."""

    owner_url: str
    reader: str
    folder: Path
    url: str

    def alter(self, statement: str, *values: object) -> None:
        """What the force's own programs would do."""
        with psycopg.connect(self.owner_url) as connection:
            assert connection.execute(statement.encode(), values).rowcount != 0

    def open_source(self, **settings: object) -> PoliceSource:
        """A source that reads by that account; its file names are taken from the folder."""
        return open_source(self.folder / "home", url=self.url, password_file="password", **settings)

    def dump(self) -> object:
        """Everything in the database."""
        with psycopg.connect(self.owner_url) as connection:
            return {
                table: connection.execute(
                    sql.SQL("SELECT * FROM {} ORDER BY 1, 2").format(sql.Identifier(table))
                ).fetchall()
                for table in holdings().tables
            }

    def shut_out(self) -> None:
        """Let the agent's account in no more, and end its connections."""
        with psycopg.connect(self.owner_url) as connection:
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(self.reader)))
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [self.reader]
            )


@pytest.fixture
def force(postgres: Postgres, postgres_url: str, tmp_path: Path) -> Iterator[Force]:
    """The county's force."""
    reader, password = f"reader_{postgres_url.rsplit('_', 1)[1]}", "only for reading"
    schema = files("broker.demo.county").joinpath("schema.sql").read_text("utf-8")
    with psycopg.connect(postgres_url) as connection:
        connection.execute(schema.encode())
        for table, rows in holdings().tables.items():
            with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                for row in rows:
                    copy.write_row(row)
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(reader), sql.Literal(password))
        )
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(reader)))
    (tmp_path / "password").touch(mode=0o600)
    (tmp_path / "password").write_text(f"{password}\n")
    database = postgres_url.rsplit("/", 1)[1]
    url = f"postgresql+psycopg://{reader}@{postgres.host}:{postgres.port}/{database}"
    yield Force(postgres_url, reader, tmp_path, url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(reader)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(reader)))


@pytest.fixture
def broken_force(force: Force) -> Force:
    """The same, with the one broken record that the contract suite wants."""
    force.alter(BREAK_ASSESSMENT)
    return force
