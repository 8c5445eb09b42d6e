"""How far two dates of birth agree, and which dates one may have been meant by another. Pure."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from agents.runtime.matching.levels import Birth

LAST_MONTH: Final = 12
_PARTS_THAT_AGREE: Final = 2


def compare_births(one: date, other: date) -> Birth:
    """The level two dates of birth agree on."""
    if one == other:
        return Birth.SAME
    agree = (one.day == other.day) + (one.month == other.month) + (one.year == other.year)
    if one.year == other.year and (one.day, one.month) == (other.month, other.day):
        return Birth.SWAPPED
    if _is_digit_off(digits_of(one), digits_of(other)):
        return Birth.DIGIT
    return Birth.NEAR if agree >= _PARTS_THAT_AGREE else Birth.OTHER


def birth_dates(born_on: date | None) -> frozenset[date]:
    """The date, and the date with day and month swapped where that is one."""
    if born_on is None:
        return frozenset()
    if born_on.day > LAST_MONTH:
        return frozenset({born_on})
    return frozenset({born_on, born_on.replace(month=born_on.day, day=born_on.month)})


def may_be_misread(asked: date | None, held: date | None) -> bool:
    """Whether one of the dates is missing, or may be a misreading of the other."""
    return asked is None or held is None or compare_births(asked, held) is not Birth.OTHER


class MisreadDays(NamedTuple):
    """Every date that `may_be_misread` for one, as an index is asked for them: numbers, some of them of no date."""

    first_of_year: int
    last_of_year: int
    month: int
    """Year and month; any day."""
    day: int
    """Day of the month; any month of the year."""
    swapped: int
    """Of the same year, as is the next."""
    over_month: int
    day_of_year: int
    """Month and day; any year."""
    over_year: int
    """Of another year."""


def misread_days(born_on: date) -> MisreadDays:
    """Every date that `may_be_misread` for this one, in `day_number`s."""
    number, year, month, day = day_number(born_on), born_on.year * 10_000, born_on.month, born_on.day
    # A transposition over the border of year and month, or of month and day, changes two parts by one slip.
    over_year = number + (month // 10 - born_on.year % 10) * 9_000
    over_month = number + (day // 10 - month % 10) * 90
    swapped = year + day * 100 + month
    return MisreadDays(year, year + 9_999, number // 100, day, swapped, over_month, month * 100 + day, over_year)


def day_number(day: date) -> int:
    """A date as one number, year first: it sorts like the date."""
    return day.year * 10_000 + day.month * 100 + day.day


def digits_of(day: date) -> str:
    """The eight digits of a date, year first; as `isoformat` it sorts like the date."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def _is_digit_off(one: str, other: str) -> bool:
    apart = [at for at, (left, right) in enumerate(zip(one, other, strict=True)) if left != right]
    if len(apart) == 1:
        return True
    if len(apart) != 2 or apart[1] != apart[0] + 1:
        return False
    return one[apart[0]] == other[apart[1]] and one[apart[1]] == other[apart[0]]
