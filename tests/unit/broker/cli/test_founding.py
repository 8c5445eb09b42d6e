"""A hub is founded with its keys under what was asked for, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.cli.founding import found_hub
from broker.client.hub import Hub
from broker.enrolment.at_rest.founding import OPERATOR_ISSUED_AT, identity_of
from broker.node.bus.claims import decode
from broker.node.clock import DAY_MS
from broker.node.owner_only import KeyStoreUnsafe
from broker.node.toml_table import SettingsInvalid
from tests.support.clock import NOON

PARTIES = ("coordinator", "desk", "admission")


def found(hub: Hub, wrapping: str | None) -> None:
    urls = ["tls://bus.hub.example:4222"]
    found_hub(hub, hub_id="gwent", name="Gwent", urls=urls, now=NOON, wrapping=wrapping)


def credentials(folder: Path, *parties: str) -> None:
    folder.mkdir(exist_ok=True)
    for party in parties:
        (folder / f"ntk-{party}").write_bytes(party.encode().ljust(32, b"."))
        (folder / f"ntk-{party}").chmod(0o400)


def test_each_partys_keys_are_under_its_own_credential_and_its_configuration_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials(tmp_path / "credentials", *PARTIES)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    hub = Hub(tmp_path / "hub")
    found(hub, "systemd-credential:ntk-{party}")
    for name, home in zip(PARTIES, (hub.coordinator, hub.desk, hub.admission), strict=True):
        assert home.keys_to_read().wrapped_by == f"systemd-credential:ntk-{name}"
        assert not list((home.path / "keys").glob("wrap.*"))


def test_a_hub_whose_keys_cannot_be_sealed_as_asked_is_not_founded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials(tmp_path / "credentials", "coordinator", "desk")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    hub = Hub(tmp_path / "hub")
    with pytest.raises(KeyStoreUnsafe, match="no credential ntk-admission"):
        found(hub, "systemd-credential:ntk-{party}")
    assert not list(tmp_path.rglob("*.key"))
    with pytest.raises(SettingsInvalid, match="wrapping must be"):
        found(hub, "a-safe-place")
    credentials(tmp_path / "credentials", "admission")
    found(hub, "systemd-credential:ntk-{party}")


def test_without_a_word_a_file_beside_the_keys_seals_them(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub")
    found(hub, None)
    assert hub.desk.keys_to_read().wrapped_by == "file"
    assert "[keys]" not in hub.desk.config_path.read_text()


def test_claims_in_a_servers_file_never_outdo_those_that_admission_has_told_it_since(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub")
    found(hub, None)
    a_year_on = NOON + 365 * DAY_MS
    written = identity_of(hub.admission, [hub.coordinator, hub.desk], hub.admission.keys_to_read(), now=a_year_on)
    claims = decode(written.hub_claims)
    assert claims.issued_at <= OPERATOR_ISSUED_AT
    assert claims.expires_at is not None
    assert claims.expires_at > a_year_on
