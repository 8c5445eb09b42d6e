"""The desk's configuration stops the start with the key's name."""

from __future__ import annotations

import pytest

from broker.desk.config import DeskSettings
from broker.node.settings import settings_of
from broker.node.toml_table import SettingsInvalid
from schemas.vocabulary import Rag

GOOD = {
    "bus": {},
    "deadlines": {"red": {"deadline": {"elapsed_hours": 4}, "expiry": {"elapsed_seconds": 86_400}}},
}


def test_the_clock_table_is_elapsed_time_in_a_named_unit() -> None:
    span = settings_of(GOOD, DeskSettings, "config.toml").table().spans[Rag.RED]
    assert (span.deadline_ms, span.expiry_ms) == (4 * 3_600_000, 24 * 3_600_000)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"colour": "red"}, "colour"),
        ({"deadlines": {"purple": GOOD["deadlines"]}}, "deadlines.purple"),
        ({"deadlines": {"red": {"deadline": {"elapsed_hours": 4}}}}, "deadlines.red.expiry"),
        ({"deadlines": {"red": {"deadline": {}, "expiry": {"elapsed_hours": 1}}}}, "deadlines.red.deadline"),
        (
            {"deadlines": {"red": {"deadline": {"elapsed_hours": 4}, "expiry": {"elapsed_hours": 4}}}},
            "deadlines.red",
        ),
        ({"officers": {}}, "officers"),
    ],
)
def test_a_setting_that_does_not_hold_is_named(change: dict[str, object], key: str) -> None:
    with pytest.raises(SettingsInvalid, match=key):
        settings_of({**GOOD, **change}, DeskSettings, "config.toml")
