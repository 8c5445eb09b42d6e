"""When a conviction is spent: each period of the Act, the day before its end, and what cannot be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from agents.runtime.spent import Kind, Sentence, kind_of, read_disposal, spent, was_minor

ON = date(2015, 3, 31)


def ends(text: str, *, caution: bool = False, births: tuple[date, ...] = ()) -> date | None:
    """The first day on which a disposal is spent, by asking about every day of thirty years."""
    held = [read_disposal(text, on=ON, is_caution=caution, births=births)]
    days = (ON + timedelta(days=number) for number in range(30 * 366))
    return next((day for day in days if spent(held, day) == [True]), None)


@pytest.mark.parametrize(
    ("text", "caution", "end"),
    [
        ("Caution", True, ON),
        ("Absolute discharge", False, ON),
        ("Fine", False, date(2016, 3, 31)),
        ("Conditional discharge, 6 months", False, date(2015, 9, 30)),
        ("Community order, 18 months", False, date(2016, 9, 30)),
        ("Community order", False, date(2017, 3, 31)),
        ("Suspended sentence, 8 months", False, date(2016, 11, 30)),
        ("Imprisonment, 12 months", False, date(2017, 3, 31)),
        ("Imprisonment, 13 months", False, date(2020, 4, 30)),
        ("Imprisonment, 26 weeks", False, date(2016, 9, 29)),
        ("Imprisonment, 4 years", False, date(2023, 3, 31)),
        ("Community order, 12 months; fine", False, date(2016, 3, 31)),
    ],
)
def test_each_sentence_is_spent_from_the_day_its_period_is_over(text: str, caution: bool, end: date) -> None:
    assert ends(text, caution=caution) == end


@pytest.mark.parametrize(
    ("text", "adults", "minors"),
    [
        ("Fine", date(2016, 3, 31), date(2015, 9, 30)),
        ("Imprisonment, 12 months", date(2017, 3, 31), date(2016, 9, 30)),
        ("Detention, 24 months", date(2021, 3, 31), date(2019, 3, 31)),
        ("Youth rehabilitation order, 18 months", date(2016, 9, 30), date(2016, 9, 30)),
        ("Community order", date(2017, 3, 31), date(2017, 3, 31)),
    ],
)
def test_who_was_under_18_has_half_an_adults_period_and_an_order_ends_when_it_ends(
    text: str, adults: date, minors: date
) -> None:
    assert ends(text, births=(date(1997, 4, 1),)) == minors  # 18 on the next day
    assert ends(text, births=(date(1997, 3, 31),)) == adults  # 18 on the day
    assert ends(text) == adults


def test_long_custody_of_a_minor_is_spent_after_half_the_time_too() -> None:
    plain = Sentence(ON, Kind.CUSTODY, (5, "Years"), is_specified=False, was_minor=True)
    assert spent([[plain]], date(2023, 9, 29)) == [False]
    assert spent([[plain]], date(2023, 9, 30)) == [True]
    assert spent([[replace(plain, is_specified=True)]], date(2100, 1, 1)) == [False]


@pytest.mark.parametrize(
    ("births", "said"),
    [
        ((date(2000, 1, 1),), True),
        ((date(2000, 1, 1), date(1990, 1, 1)), False),
        ((date(2016, 1, 1),), False),
        ((), False),
    ],
)
def test_somebody_was_a_minor_only_by_every_date_of_birth_that_is_held(births: tuple[date, ...], said: bool) -> None:
    assert was_minor(births, ON) is said


@pytest.mark.parametrize(
    "text",
    [
        "Imprisonment, 49 months",
        "Imprisonment, 6 years; sexual harm prevention order",
        "Imprisonment",
        "Life imprisonment",
        "Imprisonment, 12 months, consecutive to 9 months",
        "Community order, 12 months; restraining order",
        "Hospital order",
        "",
        "Imprisonment, 0 months",
    ],
)
def test_what_may_not_be_spent_or_cannot_be_read_is_not_spent(text: str) -> None:
    assert not spent([read_disposal(text, on=ON, is_caution=False)], date(2100, 1, 1))[0]


def test_a_conditional_caution_is_not_taken_for_a_simple_one() -> None:
    assert not spent([read_disposal("Conditional caution", on=ON, is_caution=True)], date(2016, 1, 1))[0]


def test_long_custody_is_spent_in_the_end_where_the_offence_is_none_of_the_schedule() -> None:
    plain = Sentence(ON, Kind.CUSTODY, (5, "Years"), is_specified=False)
    assert spent([[plain]], date(2027, 3, 30)) == [False]
    assert spent([[plain]], date(2027, 3, 31)) == [True]


def test_a_further_conviction_within_the_period_holds_the_earlier_one_back() -> None:
    first = [Sentence(ON, Kind.FINE)]
    second = [Sentence(date(2016, 3, 30), Kind.CUSTODY, (24, "months"))]
    after = [Sentence(date(2016, 3, 31), Kind.CUSTODY, (24, "months"))]
    caution = [Sentence(date(2015, 6, 1), Kind.CAUTION)]
    unknown = [Sentence(date(2015, 6, 1), Kind.UNKNOWN)]
    day = date(2017, 1, 1)
    assert spent([first, second], day) == [False, False]
    assert spent([first, second], date(2022, 3, 30)) == [True, True]
    assert spent([first, after], day) == [True, False]
    assert spent([first, caution], day) == [True, True]
    assert spent([first, unknown], date(2100, 1, 1)) == [False, False]


def test_convictions_hold_each_other_back_in_a_chain() -> None:
    chain = [[Sentence(date(2015 + year, 1, 1), Kind.ORDER, (14, "months"))] for year in range(4)]
    assert spent(chain, date(2019, 2, 28)) == [False] * 4
    assert spent(chain, date(2019, 3, 1)) == [True] * 4


def test_words_that_say_no_kind_are_no_kind() -> None:
    assert kind_of("Refined plan") is Kind.UNKNOWN
