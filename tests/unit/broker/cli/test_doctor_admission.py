"""The doctor on what a person began with admission and did not finish."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.cli.doctor_admission import check_admission
from broker.cli.founding import found_hub
from broker.client.hub import Hub
from broker.node.doctor.checked import Warned
from tests.support.clock import NOON

YEARS_MS = 10 * 365 * 24 * 3600 * 1000


@pytest.mark.parametrize("under_way", [["account"], []])
def test_a_rotation_that_waits_for_a_server_is_warned_of_with_the_command_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, under_way: list[str]
) -> None:
    hub = Hub(tmp_path / "hub")
    found_hub(hub, hub_id="gwent", name="Gwent", urls=["tls://127.0.0.1:9"], now=NOON)
    status = {"servers": ["hub-1"], "servers_stale": [], "directory": 1, "directory_expires_at": NOON + YEARS_MS}
    answers = {
        "status": {**status, "authority_expires_at": NOON + YEARS_MS},
        "agencies": {"agencies": []},
        "bus-rotations": {"under_way": under_way},
    }
    monkeypatch.setattr(Hub, "ask_admission", lambda hub, name, arguments=None: answers[name])
    found = check_admission(hub, NOON)
    assert isinstance(found, Warned) is bool(under_way)
    assert not isinstance(found, Warned) or "broker bus rotate account" in found.said
