"""Whom a source names: alike in one part, turned round with a middle name, born on a day that may be misread."""

from __future__ import annotations

from datetime import date

import pytest

from agents.runtime.matching.candidates import is_named, might_be, shares_a_name
from agents.runtime.matching.dates import birth_dates, may_be_misread
from agents.runtime.source import LocalPerson, PersonName, PersonQuery

DECLAN = PersonName("Declan James", "Rawstron")


@pytest.mark.parametrize(
    ("given", "family", "shares"),
    [
        ("Declan", "Rawstron", True),
        ("Declan", "Smith", True),
        ("Owen", "Rawston", True),
        ("Rawstron", "Declan", True),
        ("Rawstron", "James", True),
        ("Rawstron", "Declan James", True),
        ("Rawstron", "Declam", True),
        ("Owen", "Smith", False),
        ("Baby", "", False),
    ],
)
def test_a_name_shares_a_part_also_when_it_is_turned_round(given: str, family: str, shares: bool) -> None:
    assert shares_a_name(PersonName(given, family), DECLAN) is shares


@pytest.mark.parametrize(("given", "family", "named"), [("Dec", "Rawston", True), ("Owen", "Rawstron", False)])
def test_a_person_is_named_by_both_parts(given: str, family: str, named: bool) -> None:
    assert is_named(PersonName(given, family), DECLAN) is named


def test_a_family_name_that_is_a_common_given_name_does_not_name_everybody_called_so() -> None:
    asked = PersonQuery((PersonName("Ada", "Thomas"),), date(1990, 1, 2))
    assert not might_be(asked, LocalPerson("1", (PersonName("Thomas", "Lee"),), (date(1970, 5, 6),)))
    assert might_be(asked, LocalPerson("2", (PersonName("Thomas", "Ada"),), (date(1990, 1, 2),)))


def test_a_birth_date_is_looked_for_with_day_and_month_swapped_where_that_is_a_date() -> None:
    assert birth_dates(date(2014, 4, 9)) == {date(2014, 4, 9), date(2014, 9, 4)}
    assert birth_dates(date(2014, 4, 13)) == {date(2014, 4, 13)}
    assert birth_dates(None) == frozenset()


@pytest.mark.parametrize(
    ("held", "misread"),
    [
        (None, True),
        (date(2014, 4, 9), True),
        (date(2014, 9, 4), True),
        (date(2013, 4, 9), True),
        (date(2014, 4, 19), True),
        (date(2013, 4, 10), False),
    ],
)
def test_a_birth_date_may_be_misread_in_one_element_or_turned_round(held: date | None, misread: bool) -> None:
    assert may_be_misread(date(2014, 4, 9), held) is misread
    assert may_be_misread(None, held)
