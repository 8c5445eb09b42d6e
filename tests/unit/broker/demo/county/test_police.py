"""The force's database: sound tables, several nominals for one person, and secrets where a reader must find them."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from broker.demo.county import County
from broker.demo.county.police import DATABASE_NAME, police_holdings
from broker.demo.county.police_rows import TABLES
from schemas.identifiers import IdentifierKind, canonical_identifier


@pytest.fixture(scope="module")
def database(written: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{written / 'police' / DATABASE_NAME}?mode=ro", uri=True)) as connection:
        yield connection


def _nominals(county: County, key: str) -> list[str]:
    return [n for n, person in police_holdings(county).nominals.items() if person == county.cases[key]]


def test_every_reference_leads_somewhere(database: sqlite3.Connection) -> None:
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_every_table_has_rows(database: sqlite3.Connection) -> None:
    for table in TABLES:
        assert database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0, table


def test_the_schema_uses_only_types_that_postgresql_has_too() -> None:
    schema = files("broker.demo.county").joinpath("schema.sql").read_text(encoding="utf-8")
    types = set(re.findall(r"^    [a-z_0-9]+ ([A-Z]+)", schema, flags=re.MULTILINE))
    assert types == {"VARCHAR", "CHAR", "DATE", "INTEGER"}
    assert not re.search(r"AUTOINCREMENT|WITHOUT ROWID|STRICT|PRAGMA", schema)


def test_no_text_is_longer_than_its_column(database: sqlite3.Connection) -> None:
    for table in TABLES:
        for _, name, kind, *_ in database.execute(f"PRAGMA table_info({table})").fetchall():
            if (limit := re.search(r"\((\d+)\)", kind)) is not None:
                longest = database.execute(f"SELECT max(length({name})) FROM {table}").fetchone()[0]
                assert (longest or 0) <= int(limit[1]), (table, name)


def test_dates_are_real_dates(database: sqlite3.Connection) -> None:
    for table in TABLES:
        for _, name, kind, *_ in database.execute(f"PRAGMA table_info({table})").fetchall():
            if kind == "DATE":
                wrong = f"SELECT count(*) FROM {table} WHERE {name} IS NOT NULL AND date({name}) IS NOT {name}"
                assert database.execute(wrong).fetchone()[0] == 0, (table, name)


def test_one_man_is_three_nominals_and_only_one_carries_his_pnc(database: sqlite3.Connection, county: County) -> None:
    nominals = _nominals(county, "duplicate_person")
    marks = ", ".join("?" * len(nominals))
    rows = database.execute(f"SELECT date_of_birth FROM person WHERE person_id IN ({marks})", nominals).fetchall()
    with_pnc = database.execute(f"SELECT 1 FROM person_identifier WHERE person_id IN ({marks})", nominals).fetchall()
    assert len(rows) == 3
    assert (None,) in rows
    assert len(with_pnc) == 1


def test_a_birth_date_is_swapped(database: sqlite3.Connection, county: County) -> None:
    child = county.case("transposed_birth_date")
    [nominal] = _nominals(county, "transposed_birth_date")
    [(born_on,)] = database.execute("SELECT date_of_birth FROM person WHERE person_id = ?", (nominal,)).fetchall()
    assert born_on == f"{child.born_on.year}-{child.born_on.day:02d}-{child.born_on.month:02d}"


def test_the_refuge_is_marked_safe_and_the_old_home_is_not(database: sqlite3.Connection, county: County) -> None:
    [nominal] = _nominals(county, "refuge_resident")
    query = "SELECT address_type, line_1 FROM person_address JOIN location USING (location_id) WHERE person_id = ?"
    place = county.place_of(county.case("refuge_resident"))
    addresses = dict(database.execute(query, (nominal,)).fetchall())
    assert addresses["safe"] == place.line1
    assert set(addresses) == {"safe", "previous"}


def test_the_adopted_child_is_known_by_the_birth_name_alone(database: sqlite3.Connection, county: County) -> None:
    child = county.case("adopted_child")
    [nominal] = _nominals(county, "adopted_child")
    query = "SELECT family_name, sex FROM person WHERE person_id = ?"
    assert database.execute(query, (nominal,)).fetchone() == (child.birth_family, child.sex)
    homes = {place for (place,) in database.execute("SELECT line_1 FROM location")}
    assert county.place_of(county.case("birth_mother")).line1 in homes


def test_police_identifiers_are_valid(database: sqlite3.Connection) -> None:
    for kind, value in database.execute("SELECT identifier_type, identifier_value FROM person_identifier"):
        assert canonical_identifier(IdentifierKind(kind.lower()), value) == value


def test_some_intelligence_was_never_sanitised(database: sqlite3.Connection) -> None:
    found = Counter(text is None for (text,) in database.execute("SELECT sanitised_text FROM intelligence"))
    assert found[True] > 0
    assert found[False] > 0


def test_most_people_are_not_known_to_the_police(county: County) -> None:
    known = set(police_holdings(county).nominals.values())
    assert 0.05 < len(known) / len(county.people) < 0.4
