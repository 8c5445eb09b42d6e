"""The police of the synthetic county, for tests: its database, faults put into it, and who its people are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from agents.police.config import PoliceConfig
from agents.police.records import PoliceSource
from agents.runtime.source import Label, PersonAddress, PersonName, PersonQuery
from broker.demo.county.build import build_county
from broker.demo.county.model import County, Person
from broker.demo.county.police import DATABASE_NAME, PoliceHoldings, police_holdings, write_police
from schemas.identifiers import IdentifierKind, parse_identifier
from tests.support.clock import HandClock

SEED, PEOPLE = 11, 300
STEPFATHER = "family_stepfather"


@cache
def county() -> County:
    return build_county(SEED, PEOPLE)


@cache
def holdings() -> PoliceHoldings:
    return police_holdings(county())


def nominals_of(case: str) -> list[str]:
    """The force's references of a hard case, in the order they were made."""
    return [ref for ref, person in holdings().nominals.items() if person == county().cases[case]]


def write_force(folder: Path) -> Path:
    """The force's database as a file."""
    write_police(county(), folder)
    return folder / DATABASE_NAME


def open_source(database: Path, **settings: Any) -> PoliceSource:
    """A source on that file, on the county's day."""
    settings.setdefault("url", f"sqlite:///{database}")
    config = PoliceConfig.model_validate(
        {
            "marker_labels": {"CA": Label.REFUGE},
            "open_outcomes": ("Under investigation", "Suspect bailed"),
            "statement_seconds": 0.2,
            **settings,
        }
    )
    return PoliceSource(config, database.parent, HandClock(noon_ms()))


def noon_ms() -> int:
    """Noon of the county's day."""
    return int((county().as_of - type(county().as_of)(1970, 1, 1)).total_seconds() + 12 * 3600) * 1000


def alter(database: Path, statement: str, *values: object) -> None:
    """What the force's own programs would do; the table's checks are the test's to break."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        changed = connection.execute(statement, values).rowcount
    assert changed > 0


def dump(database: Path) -> object:
    """Everything in the database."""
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def query_for(person: Person, *, numbers: dict[IdentifierKind, str] | None = None) -> PersonQuery:
    """What a hub that knows a person well would ask."""
    place = county().place_of(person)
    return PersonQuery(
        names=(PersonName(person.given, person.family),),
        birth_date=person.born_on,
        identifiers=frozenset(parse_identifier(kind, value) for kind, value in (numbers or {}).items()),
        addresses=(PersonAddress(place.line1, place.postcode),),
        sex={"F": "female", "M": "male"}[person.sex],
    )


def pnc_of(ref: str) -> str:
    """The PNC id that the force holds for a nominal."""
    return next(str(row[2]) for row in holdings().tables["person_identifier"] if row[0] == ref and row[1] == "PNC")


BREAK_ASSESSMENT = "UPDATE da_assessment SET protective_order = 'ASBO' WHERE protective_order = 'non_molestation'"
"""One of the stepfather's two domestic abuse assessments then names an order that nobody mapped."""
