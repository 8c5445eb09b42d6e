"""The way to the database: it cannot write, it gives up, and its errors tell nothing of anybody."""

from __future__ import annotations

import logging
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import delete, insert

from agents.police.config import PoliceConfig
from agents.police.database import Database, PoliceConfigInvalid
from agents.police.records import PoliceSource
from agents.police.tables import PERSON
from agents.runtime.source import LocalPerson, SourceAway
from schemas.vocabulary import Category
from tests.contract.records.county_police import open_source
from tests.unit.agents.police.asking import ask


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """The force's own program holds the whole file."""
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield
        holder.execute("ROLLBACK")


def opened(database: Path, **settings: Any) -> Database:
    return Database(PoliceConfig.model_validate({"url": f"sqlite:///{database}", **settings}), database.parent)


def test_a_locked_database_is_away_and_not_waited_for_without_end(source: PoliceSource, database: Path) -> None:
    with locked(database):
        with pytest.raises(SourceAway, match="OperationalError"):
            source.people(ask("Ann", "Zetter"))
        with pytest.raises(SourceAway):
            list(source.findings(LocalPerson("N1"), Category.POLICE_INCIDENT))
    assert source.people(ask("Ann", "Zetter")) == ()


def test_a_file_that_is_no_database_is_away(source: PoliceSource, database: Path) -> None:
    database.write_bytes(b"not a database, but long enough to have a header" * 100)
    with pytest.raises(SourceAway):
        source.people(ask("Ann", "Zetter"))


def test_a_missing_table_is_away_and_not_nothing_known(source: PoliceSource, database: Path) -> None:
    alter_schema(database, "DROP TABLE person_alias")
    with pytest.raises(SourceAway):
        source.people(ask("Ann", "Zetter"))


def test_an_error_carries_neither_statement_nor_person(
    source: PoliceSource, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alter_schema(database, "DROP TABLE person_alias")
    query = ask("Ann", "Zetter", date(1980, 6, 17))
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceAway) as caught:
        source.people(query)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "Zetter" not in told
    assert "zetter" not in told
    assert "SELECT" not in told


def test_a_write_is_refused_by_the_way_the_file_is_opened(database: Path) -> None:
    with closing(sqlite3.connect(database)) as plain:
        before = plain.execute("SELECT count(*) FROM person").fetchone()
    with pytest.raises(SourceAway), opened(database).look() as connection:
        connection.execute(delete(PERSON))
    with closing(sqlite3.connect(database)) as plain:
        assert plain.execute("SELECT count(*) FROM person").fetchone() == before


def test_an_address_that_asks_to_write_is_opened_for_reading_all_the_same(database: Path) -> None:
    source = open_source(database, url=f"sqlite+pysqlite:///file:{database}?mode=rwc&uri=true")
    assert source.check().is_read_only
    source.close()


def test_the_session_refuses_writes_by_itself(database: Path) -> None:
    with opened(database).look() as connection:
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1


def test_a_check_that_a_write_passes_says_so(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.police.database._read_only_file", lambda url, home: url)
    monkeypatch.setattr("agents.police.database._QUERY_ONLY", "PRAGMA query_only = OFF")
    refusal = opened(database).probe()
    assert not refusal.is_refused
    assert "SELECT alone" in refusal.problems[0]


def test_a_check_counts_rows_and_proves_read_only(source: PoliceSource) -> None:
    report = source.check()
    assert report.system == "sqlite police database"
    assert report.is_read_only
    assert report.problems == ()
    assert report.counts["person"] > 0
    assert "intelligence" in report.counts


def test_a_relative_file_is_taken_from_the_agents_home(database: Path) -> None:
    config = PoliceConfig(url=f"sqlite:///{database.name}")
    assert Database(config, database.parent).counts()["person"] > 0


def test_a_file_name_with_signs_of_an_address_is_only_a_file_name(database: Path) -> None:
    odd = database.rename(database.with_name("case #1 100%.sqlite"))
    assert opened(odd).counts()["person"] > 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "not a database address"),
        ("postgresql://reader:secret@127.0.0.1/case", "password_file"),
        ("mysql://reader@127.0.0.1/case", "mysql is not read"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_an_address_that_cannot_be_used_stops_the_start(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(PoliceConfigInvalid, match=says) as caught:
        Database(PoliceConfig(url=url), tmp_path)
    assert "secret" not in str(caught.value)


def test_a_password_file_others_may_read_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o640)
    config = PoliceConfig(url="postgresql://reader@127.0.0.1/case", password_file=Path("password"))
    with pytest.raises(PoliceConfigInvalid, match="mode 600"):
        Database(config, tmp_path)
    (tmp_path / "password").unlink()
    with pytest.raises(PoliceConfigInvalid, match="cannot be read"):
        Database(config, tmp_path)


def test_an_unknown_key_of_the_section_is_named() -> None:
    with pytest.raises(ValidationError, match="statement_secs"):
        PoliceConfig.model_validate({"url": "sqlite:///case.sqlite", "statement_secs": 3})


def test_an_insert_has_no_way_in_either(database: Path) -> None:
    with pytest.raises(SourceAway), opened(database).look() as connection:
        connection.execute(insert(PERSON).values(person_id="N1"))


def alter_schema(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)
