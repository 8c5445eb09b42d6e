"""The one statement by which people are looked for: by number, date of birth, name and address at once.

A statement costs more than what it finds, so there is one; its rows say which look they are of. Every value is bound;
the text depends on how many there are and on nothing else. Knows the columns of `people`, and not who is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Final

from agents.runtime.matching.dates import MisreadDays, day_number, misread_days

BY_NUMBER: Final = 0
BY_BIRTH: Final = 1
"""On the day, or with day and month swapped, a part of the name beginning like one of those asked for."""
BY_NAME: Final = 2
"""Of the family name in one of its forms, with a date of birth that may be misread for the one asked for, or none."""
BY_PLACE: Final = 3
"""At the address, of the family name or the date of birth."""
_DATES: Final = 1 + len(MisreadDays._fields)
"""The first values: the date of birth (1), and what it may be misread for (2 to 9), in the order of their names."""
_MISREAD: Final = (
    "born BETWEEN ?2 AND ?3 AND (born / 100 = ?4 OR born % 100 = ?5 OR born IN (?6, ?7))",
    "day = ?8",
    "born = ?9",
    "born IS NULL AND ?1 IS NOT NULL",
)
_FEW: Final = 2

Bound = Sequence[str | int | None]


def look_for(
    born_on: date | None, letters: int, numbers: Sequence[str], keys: Sequence[str], postcodes: Sequence[str]
) -> tuple[str, Bound]:
    """The statement and what is bound to it; its rows have a person, family name, given names and the look.

    Args:
        letters: the bits of the letters that names of somebody born on the day may begin with.
        keys: forms of the family name.
    """
    dates: Bound = (None,) * _DATES if born_on is None else (day_number(born_on), *misread_days(born_on))
    some = _padded(numbers), _padded(keys), _padded(postcodes)
    return _statement(*map(len, some)), (*dates, letters, *some[0], *some[1], *some[2])


@cache
def _statement(numbers: int, keys: int, postcodes: int) -> str:
    at = _DATES + 2
    value_in, at = _places(at, numbers), at + numbers
    key_in, at = _places(at, keys), at + keys
    postcode_in = _places(at, postcodes)
    born = f"born IN (?1, ?6) AND letters & ?{_DATES + 1}"
    looks = [f"SELECT person, family, given, {BY_BIRTH} FROM name WHERE {born}"]  # noqa: S608
    if keys:
        of_name = f"SELECT person, family, given, {BY_NAME} FROM name WHERE key IN ({key_in})"  # noqa: S608
        looks += [f"{of_name} AND {misread}" for misread in _MISREAD]
    if numbers:
        looks.append(f"SELECT person, '', '', {BY_NUMBER} FROM number WHERE value IN ({value_in})")  # noqa: S608
    if postcodes:
        there = f"postcode IN ({postcode_in}) AND (born = ?1 OR key IN ({key_in}))"
        looks.append(f"SELECT person, '', '', {BY_PLACE} FROM place WHERE {there}")  # noqa: S608
    return " UNION ALL ".join(looks)


def _places(first: int, count: int) -> str:
    return ",".join(f"?{at}" for at in range(first, first + count))


def _padded(values: Sequence[str]) -> Sequence[str]:
    """The values, the last of them repeated until they are a power of two: few statements do for all."""
    if len(values) <= _FEW:
        return values
    return [*values, *[values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values))]
