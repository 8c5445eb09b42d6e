"""The day in the United Kingdom, by the rule and by the time zone database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.policy.day import day_of


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-01-15T23:59:59Z", date(2026, 1, 15)),
        ("2026-07-15T22:59:59Z", date(2026, 7, 15)),
        ("2026-07-15T23:00:00Z", date(2026, 7, 16)),
        ("2026-03-28T23:30:00Z", date(2026, 3, 28)),
        ("2026-03-29T23:30:00Z", date(2026, 3, 30)),
        ("2026-10-24T23:30:00Z", date(2026, 10, 25)),
        ("2026-10-25T23:30:00Z", date(2026, 10, 25)),
    ],
)
def test_a_day_begins_an_hour_earlier_in_summer(instant: str, day: date) -> None:
    assert day_of(at(instant)) == day


@given(st.datetimes(min_value=datetime(1996, 1, 1), max_value=datetime(2036, 12, 31)))
def test_the_rule_gives_the_day_that_the_time_zone_database_gives(naive: datetime) -> None:
    instant = naive.replace(tzinfo=UTC, microsecond=0)
    expected = instant.astimezone(ZoneInfo("Europe/London")).date()
    assert day_of(int(instant.timestamp() * 1000)) == expected
