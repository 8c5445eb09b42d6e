"""What `broker bus rotate` tells a person to do."""

from __future__ import annotations

from typing import Any

import pytest

from broker.cli.bus_rotation import said_of


def done(what: str, **told: Any) -> dict[str, Any]:
    return {"what": what, "reached": "done", "servers": [], "parties": [], "leaf_nodes": [], **told}


@pytest.mark.parametrize("what", ["account", "authority", "operator", "operator-signer"])
def test_agencies_whose_own_servers_may_be_cut_off_are_named(what: str) -> None:
    said = said_of(done(what, leaf_nodes=["health", "police"]), is_embedded=True)
    assert said.endswith("(deploy/RUNBOOK.md): health, police")


def test_where_nobody_has_a_server_nobody_is_rung_up() -> None:
    assert said_of(done("account"), is_embedded=True) == "account: replaced"


def test_who_has_replaced_the_authority_is_warned_of_typing_it_again() -> None:
    assert "it would begin anew" in said_of(done("authority"), is_embedded=False)
    assert "begin anew" not in said_of(done("authority", reached="used"), is_embedded=False)
