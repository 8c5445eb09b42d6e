"""The schools of the synthetic county, for tests: their files, faults put into them, and who their pupils are."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from agents.education.config import EducationConfig
from agents.education.records import EducationSource
from agents.runtime.source import PersonAddress, PersonName, PersonQuery
from broker.demo.county.build import build_county
from broker.demo.county.education import write_education
from broker.demo.county.education_holdings import EducationHoldings, Pupil, education_holdings
from broker.demo.county.model import County, Person
from schemas.identifiers import IdentifierKind, parse_identifier
from tests.support.clock import HandClock

SEED, PEOPLE = 11, 300
CHILD = "family"


@cache
def county() -> County:
    return build_county(SEED, PEOPLE)


@cache
def holdings() -> EducationHoldings:
    return education_holdings(county())


def pupil_of(case: str) -> Pupil:
    """The pupil of a hard case."""
    return next(pupil for pupil in holdings().pupils if pupil.person.id == county().cases[case])


def write_schools(home: Path) -> Path:
    """The schools' files as a folder."""
    write_education(county(), home / "schools")
    return home / "schools"


def open_source(folder: Path, **settings: Any) -> EducationSource:
    """A source on that folder, on the county's day."""
    config = EducationConfig.model_validate({"folder": folder, "settle_seconds": 0, **settings})
    return EducationSource(config, folder.parent, HandClock())


def transfer_of(folder: Path, case: str) -> Path:
    """The transfer file of the school of a hard case."""
    return folder / "ctf" / f"{pupil_of(case).school.number}_CTF_XXXXXXX_001.xml"


def alter(path: Path, old: str, new: str, *, after: str = "") -> None:
    """Change a file's text once, after another text, as a new file would be."""
    text = path.read_text("utf-8")
    at = text.index(old, text.index(after))
    path.write_text(text[:at] + new + text[at + len(old) :], "utf-8")


def add(path: Path, line: str) -> None:
    """Put one more line at the end of a file."""
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(line)


def dump(folder: Path) -> object:
    """Everything in the folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def query_for(person: Person, upn: str | None = None) -> PersonQuery:
    """What a hub that knows a person well would ask, with a UPN where one is given."""
    place = county().place_of(person)
    return PersonQuery(
        names=(PersonName(person.given, person.family),),
        birth_date=person.born_on,
        identifiers=frozenset({parse_identifier(IdentifierKind.UPN, upn)} if upn else ()),
        addresses=(PersonAddress(place.line1, place.postcode),),
        sex={"F": "female", "M": "male"}[person.sex],
    )


def break_concern(folder: Path) -> None:
    """One entry of the child's safeguarding file then has a date that is none."""
    upn = pupil_of(CHILD).upn
    line = next(one for one in (folder / "safeguarding.csv").read_text("utf-8").splitlines() if one.startswith(upn))
    alter(folder / "safeguarding.csv", line, line.replace(line.split(",")[1], "2026-02-30"))
