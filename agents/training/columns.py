"""A record as columns for SQL: folded by the code the agents fold with, so that only the comparing is said twice."""

from __future__ import annotations

from typing import Any

from agents.runtime.matching.dates import digits_of
from agents.runtime.matching.names import Forms, masculine
from agents.runtime.matching.scoring import UNCHECKED_KINDS, Described

TYPES = {
    "unique_id": "BIGINT",
    "person": "VARCHAR",
    "given_first": "VARCHAR",
    "given_second": "VARCHAR",
    "given_joined": "VARCHAR",
    "given_words": "VARCHAR[]",
    "given_spellings": "INTEGER[]",
    "given_nicknames": "INTEGER[]",
    "family_joined": "VARCHAR",
    "family_words": "VARCHAR[]",
    "family_spellings": "INTEGER[]",
    "family_masculine": "VARCHAR",
    "born": "VARCHAR",
    "sex": "VARCHAR",
    "house": "VARCHAR",
    "street": "VARCHAR[]",
    "postcode": "VARCHAR",
    "district": "VARCHAR",
    "numbers": "VARCHAR[]",
    "kinds": "VARCHAR[]",
}
"""Every column and its type; absent is NULL."""


def columns_of(number: int, person: str, one: Described, forms: Forms) -> tuple[Any, ...]:
    """The values of a record, in the order of `TYPES`."""
    name = one.names[0]
    first, joined = (name.given[0] if name.given else None), "".join(name.family)
    place = one.places[0] if one.places else None
    line = place is not None and bool(place.number and place.street)
    postcode = place.postcode if place is not None else ""
    return (
        number,
        person,
        first,
        name.given[1][0] if len(name.given) > 1 else None,
        "".join(name.given) or None,
        list(name.given) or None,
        forms.spellings.groups_of(first) if first else None,
        forms.nicknames.groups_of(first) if first else None,
        joined or None,
        list(name.family) or None,
        forms.spellings.groups_of(joined) if joined else None,
        masculine(joined) if joined else None,
        digits_of(one.births[0]) if one.births else None,
        one.sex if one.sex in ("female", "male") else None,
        place.number if place is not None and line else None,
        sorted(place.street) if place is not None and line else None,
        postcode or None,
        place.district if place is not None and postcode else None,
        sorted(_written(one)) or None,
        sorted({number.kind.value for number in one.numbers}) or None,
    )


def _written(one: Described) -> list[str]:
    """Numbers, those without a check digit marked with a question mark."""
    return [
        f"{'?' if number.kind in UNCHECKED_KINDS else ''}{number.kind.value}:{number.value}" for number in one.numbers
    ]
