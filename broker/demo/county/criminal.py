"""What police and probation both know of a person: whether they offended, and their national numbers.

Drawn for each person by themselves, so that both agencies agree without either being asked.
"""

from __future__ import annotations

from typing import Final

from broker.demo.county.draws import Draws, cro, pnc
from broker.demo.county.model import County, Person

OFFENDING_CASES: Final = ("family_stepfather", "lao_parent", "alias_user", "duplicate_person")
"""Hard cases with a criminal record."""
_OFFENDERS_PERCENT: Final = 7


def has_record(county: County, person: Person) -> bool:
    """Say whether a person has a criminal record: the cases that have, and seven in a hundred other adults."""
    if person.id in {county.cases[key] for key in OFFENDING_CASES}:
        return True
    if person.id in county.cases.values() or person.age_on(county.as_of) < 18:
        return False
    return Draws(county.seed, f"record/{person.id}").chance(_OFFENDERS_PERCENT)


def pnc_of(county: County, person: Person) -> str:
    """Return the person's PNC id."""
    return pnc(Draws(county.seed, f"pnc/{person.id}"), _first_year(county, person))


def cro_of(county: County, person: Person) -> str:
    """Return the person's CRO number."""
    return cro(Draws(county.seed, f"cro/{person.id}"), _first_year(county, person))


def _first_year(county: County, person: Person) -> int:
    age = person.age_on(county.as_of)
    return county.as_of.year - Draws(county.seed, f"year/{person.id}").number(0, max(0, min(12, age - 14)))
