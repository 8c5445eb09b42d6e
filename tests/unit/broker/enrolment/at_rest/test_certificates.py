"""A party of the hub whose certificate has ended, or its claims, is given new ones in its home."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.cli.founding import found_hub
from broker.client.hub import Hub
from broker.enrolment.at_rest.certificates import renew_ended
from broker.node.bus.access import HomeAccess
from broker.node.clock import DAY_MS
from broker.node.home import KEY_LIFE_MS
from tests.support.clock import NOON

A_YEAR_MS = 366 * DAY_MS


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A hub that was made more than a year ago."""
    made = Hub(tmp_path / "hub")
    found_hub(made, hub_id="gwent", name="Gwent", urls=["tls://bus.hub.example:4222"], now=NOON)
    return made


@pytest.mark.parametrize("party", ["coordinator", "desk", "admission"])
def test_a_certificate_that_has_ended_is_made_anew_for_the_same_key(hub: Hub, party: str) -> None:
    home = hub.home(party)
    later = NOON + A_YEAR_MS
    assert any(lapse.at <= later for lapse in HomeAccess.load(home, home.keys_to_read()).lapses)
    assert renew_ended(hub.admission, home, now=later)
    assert all(lapse.at > later for lapse in HomeAccess.load(home, home.keys_to_read()).lapses)


def test_what_has_not_ended_is_left_as_it_is(hub: Hub) -> None:
    before = (hub.desk.path / "bus" / "client.pem").read_bytes()
    assert not renew_ended(hub.admission, hub.desk, now=NOON + 300 * DAY_MS)
    assert (hub.desk.path / "bus" / "client.pem").read_bytes() == before


def test_claims_that_have_ended_are_admissions_newest(hub: Hub) -> None:
    newest = hub.admission.path / "bus" / "account.jwt"
    newest.write_bytes(newest.read_bytes().strip() + b"\n")  # another text of the same claims
    assert renew_ended(hub.admission, hub.desk, now=NOON + KEY_LIFE_MS + DAY_MS)
    assert (hub.desk.path / "bus" / "account.jwt").read_bytes() == newest.read_bytes()
