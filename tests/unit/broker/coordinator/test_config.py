"""The coordinator's configuration: what may stand in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.coordinator.config import CoordinatorSettings
from broker.node.settings import load_settings
from broker.node.toml_table import SettingsInvalid

BUS = '[bus]\nurls = ["tls://bus.hub.example:4222"]\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[policy]\npack = 'england'\n", "policy"),
        ("[time]\nsettle_in_seconds = -1\n", "time.settle_in_seconds"),
        ("[tmie]\n", "tmie"),
    ],
)
def test_a_setting_that_does_not_hold_stops_the_start_with_its_name(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "config.toml").write_text(BUS + text)
    with pytest.raises(SettingsInvalid, match=says):
        load_settings(tmp_path / "config.toml", CoordinatorSettings)
