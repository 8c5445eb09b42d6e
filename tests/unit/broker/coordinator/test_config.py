"""The coordinator's configuration: what may stand in it, and which policy follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.coordinator.config import CoordinatorSettings
from broker.node.home import Home
from broker.node.policy import PolicyInvalid
from broker.node.settings import load_settings
from broker.node.toml_table import SettingsInvalid
from broker.policy.packs import load_pack
from tests.unit.broker.policy.own import write_own_pack

BUS = '[bus]\nurls = ["tls://bus.hub.example:4222"]\n'


def settings(path: Path, text: str) -> CoordinatorSettings:
    (path / "config.toml").write_text(BUS + text)
    return load_settings(path / "config.toml", CoordinatorSettings)


def test_without_a_word_on_policy_the_pack_for_england_is_in_force(tmp_path: Path) -> None:
    assert settings(tmp_path, "").load_policy(Home(tmp_path)).digest == load_pack("england").digest


def test_a_hubs_own_pack_is_read_from_its_home(tmp_path: Path) -> None:
    write_own_pack(tmp_path / "rules")
    own = settings(tmp_path, '[policy]\ndirectory = "rules"\n')
    assert list(own.load_policy(Home(tmp_path)).cedar.rules) == ["own"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[policy]\npak = 'england'\n", "policy.pak"),
        ("[time]\nsettle_in_seconds = -1\n", "time.settle_in_seconds"),
        ("[tmie]\n", "tmie"),
    ],
)
def test_a_setting_that_does_not_hold_stops_the_start_with_its_name(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsInvalid, match=says):
        settings(tmp_path, text)


def test_a_policy_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="there are england, wales"):
        settings(tmp_path, "[policy]\npack = 'atlantis'\n").load_policy(Home(tmp_path))
    with pytest.raises(PolicyInvalid):
        settings(tmp_path, "[policy]\ndirectory = 'nowhere'\n").load_policy(Home(tmp_path))
