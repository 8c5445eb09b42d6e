"""The health trust of the synthetic county, for tests: its export, faults put into it, and who its people are."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from agents.health.config import HealthConfig
from agents.health.records import HealthSource
from agents.runtime.source import PersonAddress, PersonName, PersonQuery
from broker.demo.county.build import build_county
from broker.demo.county.health import HealthHoldings, health_holdings, write_health
from broker.demo.county.model import County, Person
from schemas.identifiers import IdentifierKind, parse_identifier
from tests.support.clock import HandClock

SEED, PEOPLE = 11, 300
CHILD = "family"
Resource = dict[str, Any]


@cache
def county() -> County:
    return build_county(SEED, PEOPLE)


@cache
def holdings() -> HealthHoldings:
    return health_holdings(county())


def patients_of(case: str) -> list[str]:
    """Ids of the Patients of a hard case, in the order they were made."""
    return [ref for ref, person in holdings().patients.items() if person == county().cases[case]]


def write_trust(home: Path) -> Path:
    """The trust's export as a folder."""
    write_health(county(), home / "export")
    return home / "export"


def open_source(folder: Path, clock: HandClock | None = None, **settings: Any) -> HealthSource:
    """A source on that folder, on the county's day."""
    config = HealthConfig.model_validate({"folder": folder, "settle_seconds": 0, "late_booking_weeks": 20, **settings})
    return HealthSource(config, folder.parent, clock or HandClock(noon_ms()))


def noon_ms() -> int:
    """Noon of the county's day."""
    return int((county().as_of - type(county().as_of)(1970, 1, 1)).total_seconds() + 12 * 3600) * 1000


def alter(folder: Path, kind: str, which: Callable[[Resource], bool], change: Callable[[Resource], None]) -> int:
    """Change resources of a file as a new export would; say how many were."""
    path = folder / f"{kind}.ndjson"
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    chosen = [resource for resource in found if which(resource)]
    for resource in chosen:
        change(resource)
    path.write_text("".join(json.dumps(resource) + "\n" for resource in found), "utf-8")
    assert chosen
    return len(chosen)


def add(folder: Path, kind: str, line: str) -> None:
    """Put one more line into a file."""
    with (folder / f"{kind}.ndjson").open("a", encoding="utf-8", newline="") as file:
        file.write(line)


def about(case: str) -> Callable[[Resource], bool]:
    """Whether a resource is about a person of a hard case."""
    wanted = {f"Patient/{ref}" for ref in patients_of(case)}
    return lambda resource: any(f'"{one}"' in json.dumps(resource) for one in wanted)


def dump(folder: Path) -> object:
    """Everything in the folder."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def query_for(person: Person, number: str | None = None) -> PersonQuery:
    """What a hub that knows a person well would ask, with an NHS number where one is given."""
    place = county().place_of(person)
    numbers = {parse_identifier(IdentifierKind.NHS_NUMBER, number)} if number else frozenset()
    return PersonQuery(
        names=(PersonName(person.given, person.family),),
        birth_date=person.born_on,
        identifiers=frozenset(numbers),
        addresses=(PersonAddress(place.line1, place.postcode),),
        sex={"F": "female", "M": "male"}[person.sex],
    )


def break_missed_clinic(folder: Path) -> None:
    """One of the child's two missed appointments then is at a setting that nobody mapped."""

    def change(resource: Resource) -> None:
        resource["serviceCategory"] = [{"text": "Elsewhere"}]

    alter(folder, "Appointment", lambda one: about(CHILD)(one) and "Fracture" in json.dumps(one), change)
