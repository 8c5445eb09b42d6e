"""What `broker bus rotate` tells a person to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from broker.cli.bus_rotation import rotate, said_of
from broker.cli.founding import found_hub
from broker.client.hub import Hub
from tests.support.clock import NOON


def done(what: str, **told: Any) -> dict[str, Any]:
    return {"what": what, "reached": "done", "servers": [], "parties": [], "leaf_nodes": [], **told}


@pytest.mark.parametrize("what", ["authority", "operator-signer"])
def test_agencies_whose_own_servers_may_be_cut_off_are_named(what: str) -> None:
    said = said_of(done(what, leaf_nodes=["health", "police"]), is_embedded=True)
    assert said.endswith("(deploy/RUNBOOK.md): health, police")


def test_where_nobody_has_a_server_nobody_is_rung_up() -> None:
    assert said_of(done("account"), is_embedded=True) == "account: replaced"


def test_a_server_that_is_told_over_the_bus_needs_no_files() -> None:
    said = said_of(done("system", reached="dropped", servers=["hub-3"]), is_embedded=False)
    assert "servers that have not confirmed it: hub-3" in said
    assert "broker bus config" not in said


@pytest.mark.parametrize(("reached", "status"), [("dropped", 3), ("done", 0)])
def test_what_is_unfinished_in_an_emergency_ends_with_status_three(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reached: str, status: int
) -> None:
    found_hub(Hub(tmp_path / "hub"), hub_id="gwent", name="Gwent", urls=["tls://127.0.0.1:9"], now=NOON)
    servers = ["hub-3"] if reached != "done" else []
    answers: dict[str, dict[str, Any]] = {
        "bus-rotate": {"what": "authority", "reached": reached, "servers": servers, "parties": []},
        "agencies": {"agencies": []},
    }
    monkeypatch.setattr(Hub, "ask_admission", lambda hub, name, arguments=None: dict(answers[name]))
    asked = ["--home", str(tmp_path / "hub"), "authority", "--emergency", "--wait", "0"]
    ended = CliRunner().invoke(rotate, asked)
    assert (ended.exit_code, "hub-3" in ended.output) == (status, bool(servers)), ended.output
