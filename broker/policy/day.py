"""The day in the United Kingdom: laws and agreements are in force by the day, a request is asked at an instant.

British Summer Time is worked out from the rule that has held since 1996, so that a machine without a time zone
database says the same day as one with it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

_MARCH: Final = 3
_OCTOBER: Final = 10
_CHANGE_HOUR: Final = 1
"""Clocks change at one o'clock in the morning, Greenwich mean time."""


def day_of(at: int) -> date:
    """The day in the United Kingdom at an instant.

    From one o'clock, Greenwich mean time, on the last Sunday of March until that hour on the last Sunday of October the
    clocks are an hour ahead (Summer Time Act 1972 s1 as amended by SI 2002/262).

    Args:
        at: milliseconds UTC.
    """
    instant = datetime.fromtimestamp(at / 1000, UTC)
    is_summer = _change(instant.year, _MARCH) <= instant < _change(instant.year, _OCTOBER)
    return (instant + timedelta(hours=1) if is_summer else instant).date()


def start_of(day: date) -> int:
    """The first instant of a day in the United Kingdom, in milliseconds UTC."""
    midnight = round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    hour_before = midnight - timedelta(hours=1) // timedelta(milliseconds=1)
    return hour_before if day_of(hour_before) == day else midnight


def _change(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, _CHANGE_HOUR, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)
