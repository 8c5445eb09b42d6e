"""The police source on PostgreSQL: the answers of SQLite, writes refused twice, and no look without an end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from agents.police.config import PoliceConfig
from agents.police.database import Database
from agents.police.records import PoliceSource
from agents.runtime.source import LocalPerson, PersonQuery, SourceAway
from schemas.identifiers import IdentifierKind, parse_identifier
from schemas.vocabulary import Category
from tests.contract.records.county_police import (
    STEPFATHER,
    county,
    holdings,
    nominals_of,
    open_source,
    pnc_of,
    query_for,
    write_force,
)
from tests.integration.police.conftest import Force
from tests.unit.agents.police.asking import broken, facts


@pytest.fixture
def on_postgres(force: Force) -> Iterator[PoliceSource]:
    source = force.open_source()
    yield source
    source.close()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[PoliceSource]:
    source = open_source(write_force(tmp_path / "sqlite"))
    yield source
    source.close()


def database(force: Force, **settings: object) -> Database:
    config = PoliceConfig.model_validate({"url": force.url, "password_file": "password", **settings})
    return Database(config, force.folder)


@contextmanager
def locked(force: Force, table: str) -> Iterator[None]:
    """The force's own program holds a whole table."""
    with psycopg.connect(force.owner_url) as holder:
        holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield
        holder.rollback()


def write_all_the_same(reading: Database) -> None:
    """What a program that got hold of the agent's connection would try."""
    with reading.look() as connection:
        connection.execute(text("SET TRANSACTION READ WRITE"))
        connection.execute(text("DELETE FROM person WHERE false"))


def test_people_are_the_same_as_on_sqlite(on_postgres: PoliceSource, on_sqlite: PoliceSource) -> None:
    for person in county().people.values():
        query = query_for(person)
        there = {one.ref: one for one in on_postgres.people(query)}
        here = {one.ref: one for one in on_sqlite.people(query)}
        assert there == here
    for ref in nominals_of(STEPFATHER):
        number = parse_identifier(IdentifierKind.PNC, pnc_of(ref))
        by_number = PersonQuery(identifiers=frozenset({number}))
        assert [one.ref for one in on_postgres.people(by_number)] == [ref]


def test_findings_and_restrictions_are_the_same_as_on_sqlite(
    on_postgres: PoliceSource, on_sqlite: PoliceSource
) -> None:
    for ref in holdings().nominals:
        person = LocalPerson(ref)
        assert on_postgres.restrictions(person) == on_sqlite.restrictions(person)
        for category in Category:
            there = {one.local_ref: one for one in on_postgres.findings(person, category)}
            here = {one.local_ref: one for one in on_sqlite.findings(person, category)}
            assert there == here


def test_the_account_and_the_session_both_refuse_a_write(on_postgres: PoliceSource) -> None:
    report = on_postgres.check()
    assert report.system == "postgresql police database"
    assert report.is_read_only
    assert report.problems == ()


def test_an_account_with_wider_rights_is_a_problem_though_the_session_refuses(force: Force) -> None:
    force.alter(f"GRANT INSERT ON intelligence TO {force.reader}")
    source = force.open_source()
    report = source.check()
    assert report.is_read_only
    assert report.problems == ("the account has the right to write intelligence; give it SELECT alone",)
    source.close()


def test_a_session_made_to_write_is_still_refused_by_the_account(force: Force) -> None:
    reading = database(force)
    with pytest.raises(SourceAway, match="InsufficientPrivilege"):
        write_all_the_same(reading)
    reading.close()


def test_a_session_that_could_write_is_told_by_the_check(force: Force) -> None:
    force.alter(f"GRANT DELETE ON person TO {force.reader}")
    writing = database(force)
    with writing.look() as connection:
        connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"))
        connection.commit()
    assert not writing.probe().is_refused
    writing.close()


def test_a_lock_of_the_forces_own_program_is_away_within_the_time_limit(force: Force) -> None:
    source = force.open_source(statement_seconds=0.3)
    assert source.check().is_read_only
    with locked(force, "event"):
        began = time.monotonic()
        with pytest.raises(SourceAway, match="QueryCanceled"):
            list(source.findings(LocalPerson(nominals_of(STEPFATHER)[0]), Category.POLICE_INCIDENT))
        assert time.monotonic() - began < 5
        assert facts(source, nominals_of(STEPFATHER)[0], Category.PERSON_IDENTITY), "other tables are not locked"
    assert facts(source, nominals_of(STEPFATHER)[0], Category.POLICE_INCIDENT)
    source.close()


def test_a_statement_that_runs_on_is_ended(force: Force) -> None:
    slow = database(force, statement_seconds=0.2)
    with pytest.raises(SourceAway, match="QueryCanceled"), slow.look() as connection:
        connection.execute(text("SELECT pg_sleep(20)"))
    slow.close()


def test_a_date_python_has_not_breaks_its_own_record(force: Force, on_postgres: PoliceSource) -> None:
    force.alter("UPDATE event SET occurred_on = 'infinity' WHERE event_id = 'E0000001'")
    stepfather = nominals_of(STEPFATHER)[0]
    assert broken(on_postgres, stepfather, Category.POLICE_INCIDENT) == [("E0000001/suspect", "occurred_on")]


def test_a_server_that_writes_dates_another_way_is_understood(force: Force) -> None:
    name = force.owner_url.rsplit("/", 1)[1]
    force.alter(f"ALTER DATABASE {name} SET DateStyle = 'SQL, DMY'")
    source = force.open_source()
    assert facts(source, nominals_of(STEPFATHER)[0], Category.POLICE_INCIDENT)
    source.close()


def test_tables_may_be_views_in_a_schema_of_their_own(force: Force) -> None:
    force.alter("CREATE SCHEMA shared")
    force.alter(f"GRANT USAGE ON SCHEMA shared TO {force.reader}")
    for table in holdings().tables:
        force.alter(f"CREATE VIEW shared.{table} AS SELECT * FROM public.{table}")
        force.alter(f"GRANT SELECT ON shared.{table} TO {force.reader}")
        force.alter(f"REVOKE SELECT ON public.{table} FROM {force.reader}")
    source = force.open_source(database_schema="shared")
    assert source.people(query_for(county().case(STEPFATHER)))
    assert source.check().is_read_only
    source.close()
