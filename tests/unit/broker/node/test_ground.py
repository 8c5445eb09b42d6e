"""The ground every program stands on: opened from files alone, the same after a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.ground import Ground, lock_path, open_ground
from broker.node.home import Home, HomeInvalid, PartyPlan
from broker.node.keystore import KeyStoreInUse
from broker.node.metrics import build_metrics
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import PartyFileInvalid, PartyKind
from tests.support.clock import NOON, HandClock

COORDINATOR = PartyPlan("testhub", "coordinator", PartyKind.COORDINATOR, "The hub", log="testhub.example/log")
DESK = PartyPlan("testhub", "desk", PartyKind.DESK, "The hub")


def make(folder: Path, plan: PartyPlan) -> Home:
    home = Home(folder / plan.party)
    lead = None if plan.kind is PartyKind.COORDINATOR else folder / "lead.key"
    home.create(plan, now=NOON, ig_lead_key=lead)
    return home


async def opened(home: Home) -> Ground:
    return await open_ground(
        home, migrations=(), bus=MemoryBus(MemoryHub(), "x"), clock=HandClock(), metrics=build_metrics()
    )


async def test_the_store_epoch_is_the_same_after_a_restart(tmp_path: Path) -> None:
    home = make(tmp_path, COORDINATOR)
    ground = await opened(home)
    epoch = ground.post.writer.epoch
    await ground.close()
    again = await opened(home)
    assert again.post.writer.epoch == epoch
    await again.close()


async def test_a_home_that_a_program_holds_open_cannot_be_opened_twice(tmp_path: Path) -> None:
    home = make(tmp_path, COORDINATOR)
    ground = await opened(home)
    with pytest.raises(KeyStoreInUse):
        await opened(home)
    await ground.close()


async def test_a_desk_has_no_log_of_its_own_and_a_coordinator_has(tmp_path: Path) -> None:
    desk, coordinator = make(tmp_path, DESK), make(tmp_path, COORDINATOR)
    grounds = [await opened(desk), await opened(coordinator)]
    assert grounds[0].log is None
    assert grounds[1].log is not None
    assert lock_path(coordinator).exists()
    for ground in grounds:
        await ground.close()


async def test_parties_pinned_while_it_runs_are_believed_after_reading_again(tmp_path: Path) -> None:
    coordinator, desk = make(tmp_path, COORDINATOR), make(tmp_path, DESK)
    ground = await opened(coordinator)
    coordinator.pin(desk.own().raw)
    assert "desk" not in ground.directory.parties
    ground.read_directory_again()
    assert "desk" in ground.directory.parties
    await ground.close()


def test_a_home_is_never_made_over_another(tmp_path: Path) -> None:
    home = make(tmp_path, COORDINATOR)
    with pytest.raises(HomeInvalid):
        home.create(COORDINATOR, now=NOON, ig_lead_key=None)


def test_a_party_of_the_same_name_cannot_be_pinned_in_place_of_another(tmp_path: Path) -> None:
    coordinator, desk = make(tmp_path, COORDINATOR), make(tmp_path / "one", DESK)
    stranger = make(tmp_path / "two", DESK)
    coordinator.pin(desk.own().raw)
    with pytest.raises(PartyFileInvalid):
        coordinator.pin(stranger.own().raw)
    assert coordinator.directory().party("desk").root == desk.own().root


def test_a_damaged_party_file_stops_the_start_and_is_named(tmp_path: Path) -> None:
    coordinator, desk = make(tmp_path, COORDINATOR), make(tmp_path, DESK)
    coordinator.pin(desk.own().raw)
    path = coordinator.path / "parties" / "desk.party"
    path.write_bytes(path.read_bytes().replace(b"A", b"B", 1))
    with pytest.raises(HomeInvalid, match=r"desk\.party"):
        coordinator.directory()


def test_the_ig_leads_private_key_is_nowhere_in_the_home(tmp_path: Path) -> None:
    desk = make(tmp_path, DESK)
    assert desk.keys_to_read().names(KeyPurpose.ADDENDUM) == []
    assert (tmp_path / "lead.key").stat().st_mode & 0o077 == 0
    stated = {key.key.purpose for key in desk.own().keys}
    assert KeyPurpose.ADDENDUM in stated


def test_a_plan_that_does_not_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    home = Home(tmp_path / "desk")
    with pytest.raises(HomeInvalid, match="party"):
        home.create(replace(DESK, party="The Desk"), now=NOON, ig_lead_key=tmp_path / "lead.key")
    assert list(tmp_path.iterdir()) == []
    home.create(DESK, now=NOON, ig_lead_key=tmp_path / "lead.key")
