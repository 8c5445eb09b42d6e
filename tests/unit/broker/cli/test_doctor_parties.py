"""What the doctor says of parties that a hub pinned."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.cli.doctor_parties import check_each_other
from broker.client.hub import Hub
from broker.node.doctor.checked import NotWell
from broker.node.home import Home, PartyPlan
from broker.node.rotation import rotate_at_rest
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import PartyKind
from tests.support.clock import NOON

KINDS = (PartyKind.COORDINATOR, PartyKind.DESK, PartyKind.ADMISSION)


def made(folder: Path, kind: PartyKind) -> Home:
    home = Home(folder / kind.value)
    log = "testhub.example/log" if kind is PartyKind.COORDINATOR else None
    lead = folder / "lead.key" if kind is PartyKind.DESK else None
    home.create(PartyPlan("testhub", kind.value, kind, "The hub", log=log), now=NOON, ig_lead_key=lead)
    return home


def test_parties_that_rotated_their_keys_are_still_the_ones_that_were_pinned_and_other_roots_are_not(
    tmp_path: Path,
) -> None:
    homes = {kind: made(tmp_path, kind) for kind in KINDS}
    for home in homes.values():
        for other in homes.values():
            if other is not home:
                home.pin(other.own().raw)
    assert "pinned each other" in check_each_other(Hub(tmp_path))
    rotate_at_rest(homes[PartyKind.COORDINATOR], KeyPurpose.LOG, emergency=True, now=NOON)
    assert "pinned each other" in check_each_other(Hub(tmp_path))
    homes[PartyKind.DESK].unpin("coordinator")
    with pytest.raises(NotWell, match="has not pinned"):
        check_each_other(Hub(tmp_path))
    (tmp_path / "other").mkdir()
    homes[PartyKind.DESK].pin(made(tmp_path / "other", PartyKind.COORDINATOR).own().raw)
    with pytest.raises(NotWell, match="has not pinned"):
        check_each_other(Hub(tmp_path))
