"""A home of an agent, as a doctor finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.node.home import Home, PartyPlan
from broker.node.tls_key import ensure_tls_key
from schemas.messages.party import PartyKind
from schemas.vocabulary import AgencyKind
from tests.support.clock import NOON


@pytest.fixture
def home(tmp_path: Path) -> Home:
    tmp_path.chmod(0o700)
    home = Home(tmp_path / "agent")
    plan = PartyPlan(
        "testhub", "northshire", PartyKind.AGENT, "Northshire", AgencyKind.POLICE, "northshire.example/log"
    )
    home.create(plan, now=NOON, ig_lead_key=tmp_path / "lead.key")
    keys = home.keystore()
    ensure_tls_key(keys)
    keys.close()
    return home
