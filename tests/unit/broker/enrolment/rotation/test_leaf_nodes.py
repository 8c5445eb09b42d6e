"""Agencies' own servers are led to the hub's new account on every server of the bus, whenever it is there."""

from __future__ import annotations

from broker.enrolment.rotation.leaf_nodes import LOOK_EVERY_MS
from broker.enrolment.rotation.rotations import SETTLE_EVERY_MS
from broker.node.bus.claims import decode
from tests.unit.broker.enrolment.hall import Hall

AGENCY = "northshire"


async def with_a_leaf_node(hall: Hall) -> str:
    """An agency that runs a server of its own; gives its account."""
    home = hall.agency(AGENCY)
    await hall.enrol(home, may_run_leaf=True)
    await hall.turn(LOOK_EVERY_MS)
    hall.servers.texts.clear()
    return home.own().token


def allowed(hall: Hall, account: str) -> list[tuple[int, str]]:
    """How many leaf nodes an agency was allowed by what the servers were shown, and the account that it led to."""
    bodies = [decode(claims).body for name, claims in hall.servers.texts if name == account]
    return [(body["limits"]["leaf"], body["imports"][0]["account"]) for body in bodies]


async def rotate(hall: Hall) -> tuple[str, list[str]]:
    done = await hall.command("bus-rotate", what="account")
    return done["reached"], done["servers"]


async def steps(hall: Hall) -> list[str | None]:
    return [reason for step, _, reason in await hall.steps() if step == "bus-rotated"]


async def test_leaf_nodes_are_cut_off_and_let_in_again_once_everything_leads_to_the_new_account(hall: Hall) -> None:
    account = await with_a_leaf_node(hall)
    assert await rotate(hall) == ("done", [])
    hub = hall.admission.room.issuer().hub
    assert allowed(hall, account) == [(1, hub), (0, hub), (1, hub)]
    issued = [decode(claims).issued_at for name, claims in hall.servers.texts if name == account]
    assert issued == sorted(set(issued))  # of two claims servers keep the later issued
    assert hall.admission.room.register.accounts[account].claims == hall.servers.held[account]
    hall.servers.texts.clear()
    await hall.turn(LOOK_EVERY_MS)
    assert allowed(hall, account) == []


async def test_a_server_that_was_away_does_it_when_it_is_back_and_the_rotation_ends_by_itself(hall: Hall) -> None:
    account = await with_a_leaf_node(hall)
    hall.servers.is_away = True
    assert await rotate(hall) == ("dropped", ["n1"])
    hub = hall.admission.room.issuer().hub
    assert await rotate(hall) == ("dropped", ["n1"])
    assert hall.admission.room.issuer().hub == hub
    hall.servers.is_away = False
    await hall.turn(LOOK_EVERY_MS)
    assert allowed(hall, account) == [(0, hub), (1, hub)]
    await hall.turn(SETTLE_EVERY_MS)
    assert await steps(hall) == ["account-added", "account-done"]


async def test_it_is_done_after_a_restart_too_and_no_second_time_after_that(hall: Hall) -> None:
    account = await with_a_leaf_node(hall)
    hall.servers.is_away = True
    await rotate(hall)
    await hall.admission.stop()
    hall.servers.is_away = False
    await hall.start_admission()
    await hall.turn(LOOK_EVERY_MS)
    assert [leaf for leaf, _ in allowed(hall, account)][-2:] == [0, 1]
    await hall.admission.stop()
    hall.servers.texts.clear()
    await hall.start_admission()
    await hall.turn(LOOK_EVERY_MS)
    assert allowed(hall, account) == []
    assert await steps(hall) == ["account-added", "account-done"]


async def test_an_agency_that_may_run_no_leaf_node_is_not_let_run_one(hall: Hall) -> None:
    account = await with_a_leaf_node(hall)
    await hall.command("leaf", agency=AGENCY, may_run_leaf=False)
    hall.servers.texts.clear()
    await rotate(hall)
    assert [leaf for leaf, _ in allowed(hall, account)] == [0]
