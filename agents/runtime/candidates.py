"""Whom a source has to name for a query: the words of `RecordSource.people`, for whoever looks a person up.

Pure, and wider than any match: naming somebody costs a comparison, missing them calls them unknown. Who of those named
is meant is `match`'s.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from agents.runtime.names import Likeness, compare_family, compare_given
from agents.runtime.source import LocalPerson, PersonName, PersonQuery

LAST_MONTH: Final = 12


def might_be(query: PersonQuery, person: LocalPerson) -> bool:
    """Whether a source has to name this person for the query: as wide as `RecordSource.people` promises."""
    if person.mother_ref is not None and person.mother_ref in query.mothers:
        return True
    if query.identifiers & person.identifiers:
        return True
    if any(compare_family(a.family, b.family) >= Likeness.ALIKE for a in query.names for b in person.names):
        return True
    # A name turned round counts on the same date of birth alone, and whoever has that is named whatever the name.
    return query.birth_date is not None and query.birth_date in person.birth_dates


def shares_a_name(asked: PersonName, held: PersonName) -> bool:
    """Whether two names are alike in one part: the element more that a date of birth is looked up with.

    A family name that stands where the given names do, first or in the middle, is a part too.
    """
    return (
        compare_family(asked.family, held.family) >= Likeness.ALIKE
        or compare_given(asked.given, held.given) >= Likeness.ALIKE
        or compare_given(asked.family, held.given) >= Likeness.ALIKE
    )


def is_named(asked: PersonName, held: PersonName) -> bool:
    """Whether two names are alike in both parts."""
    family = compare_family(asked.family, held.family)
    return family >= Likeness.ALIKE and compare_given(asked.given, held.given) >= Likeness.ALIKE


def birth_dates(born_on: date | None) -> frozenset[date]:
    """The date, and the date with day and month swapped where that is one."""
    if born_on is None:
        return frozenset()
    if born_on.day > LAST_MONTH:
        return frozenset({born_on})
    return frozenset({born_on, born_on.replace(month=born_on.day, day=born_on.month)})


def may_be_misread(asked: date | None, held: date | None) -> bool:
    """Whether a date is missing, or misread: two of day, month and year agree, or day and month are swapped."""
    if asked is None or held is None:
        return True
    agree = (asked.day == held.day) + (asked.month == held.month) + (asked.year == held.year)
    return agree >= 2 or held in birth_dates(asked)
