"""T07: the hub's coordinator, with all of its keys, its log's included, grants more than was asked, carries a request
to another agency, changes it, or proves to an agency what its log does not show to others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.coordinator import correspondent, policy_sending
from broker.coordinator.decide import Decision, Permit, decide
from broker.coordinator.policies import Policies
from broker.coordinator.program import Coordinator
from broker.node.log import get_leaves
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, pack, signed, unpack
from schemas.ledger.merkle import leaf_hash
from schemas.ledger.receipt import unpack_receipt
from schemas.messages.entry import RequestEntry, nonce, read_entry_as
from schemas.messages.grant import Grant, Scope
from schemas.messages.model import read
from schemas.messages.request import CategoryAsked, RequestHeader
from schemas.vocabulary import Category, Mode, SubjectRole
from tests.support.clock import NOON
from tests.support.desk_world import HandLog
from tests.support.hostile import HostileHub, Parts, rejected, resigned
from tests.support.policies import Version, commented, make_pack_version
from tests.support.world import HOUR_MS, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two police forces on a bus on which the coordinator can turn hostile."""
    world = World(tmp_path, agencies=("northshire", "southshire"), hub=HostileHub(), somebody_lies=True)
    await world.start()
    yield world
    await world.stop()


def hub_key(world: World, purpose: KeyPurpose) -> SigningKey:
    home = world.home("coordinator")
    return home.signing_key(home.keys_to_read(), purpose)


def another_category(permit: Permit) -> tuple[Scope, ...]:
    return tuple(
        one.model_copy(update={"category": Category.POLICE_MISSING, "fields": ["Date"]}) for one in permit.scope
    )


def another_role(permit: Permit) -> tuple[Scope, ...]:
    return tuple(one.model_copy(update={"roles": [*one.roles, SubjectRole.PARENT_CARER]}) for one in permit.scope)


def a_field_of_no_record(permit: Permit) -> tuple[Scope, ...]:
    return tuple(one.model_copy(update={"fields": [*one.fields, "everything"]}) for one in permit.scope)


@pytest.mark.parametrize("widened", [another_category, another_role, a_field_of_no_record])
async def test_a_grant_of_more_than_was_asked_is_refused_at_both_ends(
    world: World, monkeypatch: pytest.MonkeyPatch, widened: Callable[[Permit], tuple[Scope, ...]]
) -> None:
    def generous(*args: Any, **named: Any) -> Decision:
        decision = decide(*args, **named)
        assert isinstance(decision, Permit)
        return replace(decision, scope=(*decision.scope, *widened(decision)))

    monkeypatch.setattr(correspondent, "decide", generous)
    exchange = await world.ask(await world.open_enquiry())
    await world.turn(10_000, step_ms=2_000)
    assert rejected(world.running["northshire"].ground)["delivery", "grant_too_wide"] == 1
    assert rejected(world.running["desk"].ground)["acknowledgement", "grant_widens"] >= 1
    assert world.sources["northshire"].calls == 0
    assert await world.progress(exchange) == "asked"
    assert await world.check() == {exchange: "open"}


async def test_a_request_that_is_carried_to_another_agency_is_not_answered_there(world: World) -> None:
    """With a grant and a log entry of the coordinator's own that name that agency."""
    parts = await permitted(world)
    request, grant, receipt, extension = parts
    forged = forge(world, request, grant, receipt, agency="southshire")
    await deliver(world, "southshire", (request, *forged, extension))
    assert rejected(world.running["southshire"].ground)["delivery", "request_misaddressed"] == 1
    assert world.sources["southshire"].calls == 0


async def test_a_request_that_the_coordinator_has_added_to_is_not_answered(world: World) -> None:
    request, grant, receipt, extension = await permitted(world)
    envelope = unpack(request)
    header = read(RequestHeader, envelope.header)
    more = [*header.categories, CategoryAsked(category=Category.POLICE_MISSING, mode=Mode.CONTENT)]
    changed = pack(
        header.model_copy(update={"categories": more, "exchange": nonce()}).encode(),
        envelope.signatures,
        envelope.parts,
    )
    looks = world.sources["northshire"].calls
    await deliver(world, "northshire", (changed, *forge(world, changed, grant, receipt), extension))
    assert rejected(world.running["northshire"].ground)["delivery", "desk_untrusted"] == 1
    assert world.sources["northshire"].calls == looks


async def test_an_answered_request_that_is_delivered_again_is_not_looked_up_again(world: World) -> None:
    parts = await permitted(world)
    looks = world.sources["northshire"].calls
    await deliver(world, "northshire", parts)
    assert world.sources["northshire"].calls == looks
    assert set((await world.check()).values()) == {"answered"}


async def test_an_entry_proved_to_one_agency_in_a_history_of_its_own_stops_that_agency(world: World) -> None:
    """The release is proved in a tree that differs from what the agency was shown before: the answer stays."""
    assert isinstance(world.hub, HostileHub)
    await permitted(world)
    ground = world.running["coordinator"].ground
    shown: list[bytes] = await ground.store.read(lambda tx: get_leaves(tx, 0, 1 << 40))
    log = ground.me.statement.log or ""

    def prove_elsewhere(parts: Parts) -> Parts:
        side = HandLog(log, hub_key(world, KeyPurpose.LOG), [*shown[:-1], shown[0]])
        receipt = side.receipt(unpack_receipt(parts[0]).leaf)
        return receipt, bytes(8) + b"".join(leaf_hash(leaf) for leaf in side.leaves)

    world.hub.turn_hostile(world.home("coordinator"), "acknowledgement of deed", None, prove_elsewhere)
    exchange = await world.ask(await world.open_enquiry())
    agent = world.running["northshire"].ground
    await world.until(agent.post.halted.done)
    assert agent.post.halted.result().code == "forked_log"
    await world.settle()
    assert not [one for one in world.hub.carried if (one.about, one.exchange) == ("released", exchange)]
    assert await world.progress(exchange) != "opened"


async def permitted(world: World) -> Parts:
    """The parts of a genuine delivery to northshire, answered meanwhile."""
    assert isinstance(world.hub, HostileHub)
    exchange = await world.ask(await world.open_enquiry())
    await world.opened(exchange)
    await world.settle()
    return world.hub.last("coordinator", "delivery", exchange).parts


def forge(world: World, request: bytes, grant: bytes, receipt: bytes, **named: str) -> tuple[bytes, bytes]:
    """A grant and a receipt that fit a request: the coordinator has the keys for both."""
    header = read(RequestHeader, unpack(request).header)
    said = {"exchange": header.exchange, "request_digest": unpack(request).digest, **named}
    granted = read(Grant, unpack(grant).header).model_copy(update=said)
    envelope = signed(granted.encode(), [hub_key(world, KeyPurpose.GRANT)])
    entry = read_entry_as(RequestEntry, unpack_receipt(receipt).leaf)
    logged = entry.model_copy(update={**said, "grant_digest": digest(granted.encode()), "n": nonce()})
    side = HandLog(entry.log, hub_key(world, KeyPurpose.LOG))
    return envelope, side.receipt(logged.encode())


async def deliver(world: World, agency: str, parts: Parts) -> None:
    """Have the coordinator deliver these parts under a fresh message."""
    assert isinstance(world.hub, HostileHub)
    ground = world.running["coordinator"].ground
    genuine = next(one for one in reversed(world.hub.carried) if one.about == "delivery")
    raw = resigned(
        genuine.outer,
        parts,
        hub_key(world, KeyPurpose.MESSAGE),
        receiver=agency,
        message_id=nonce(),
        exchange=read(RequestHeader, unpack(parts[0]).header).exchange,
    )
    await ground.post.bus.publish(f"to.{world.running[agency].ground.me.token}.in", raw)
    await world.turn(5_000, step_ms=1_000)


async def test_a_grant_by_a_policy_that_nobody_signed_is_answered_by_nobody(world: World) -> None:
    coordinator, agency = world.running["coordinator"], world.running["northshire"]
    assert isinstance(coordinator, Coordinator)
    policies, now = coordinator.room.policies, world.clock.now()
    version = policies.version_at(now)
    assert version is not None
    policies.add(version, replace(policies.at(now), digest="0" * 64), now)
    exchange = await world.ask(await world.open_enquiry())
    for _ in range(100):
        await world.settle()
        if (await agency.commands["policy-versions"]({}))["awaited"]:
            break
    assert (await agency.commands["policy-versions"]({}))["awaited"] == ["0" * 64]
    assert await world.progress(exchange) == "permitted"
    assert world.sources["northshire"].calls == 0
    await world.turn(25 * HOUR_MS, HOUR_MS)
    assert await world.progress(exchange) == "expired"


def keep_back(world: World, monkeypatch: pytest.MonkeyPatch) -> Version:
    """Have the coordinator send nobody the next version, and go on deciding by the first one."""
    coordinator = world.running["coordinator"]
    assert isinstance(coordinator, Coordinator)
    first = coordinator.room.policies.at(world.clock.now())
    monkeypatch.setattr(Policies, "at", lambda *_: first)
    monkeypatch.setattr(policy_sending, "_send", lambda *_: None)
    return make_pack_version(world.clock.now(), after=make_pack_version(NOON), files=commented("// Next.\n"))


async def test_a_version_of_the_policy_that_is_kept_from_an_agency_is_missed_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request says, signed by desk and officer, which version the hub's lead put in force: nothing is looked up."""
    agency = world.running["northshire"]
    await world.publish(keep_back(world, monkeypatch))
    exchange = await world.ask(await world.open_enquiry())
    for _ in range(100):
        await world.settle()
        if (await agency.commands["policy-versions"]({}))["stated_awaited"]:
            break
    assert (await agency.commands["policy-versions"]({}))["stated_awaited"] == [2]
    assert world.sources["northshire"].calls == 0
    await world.turn(25 * HOUR_MS, HOUR_MS)
    assert await world.progress(exchange) == "expired"


async def test_a_grant_by_the_version_before_the_one_that_the_hubs_lead_put_in_force_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the difference of clocks, where the instant alone would not tell."""
    sent = policy_sending._send
    version = keep_back(world, monkeypatch)
    monkeypatch.setattr(policy_sending, "_send", sent)
    await world.publish(version)
    await world.ask(await world.open_enquiry())
    agency = world.running["northshire"].ground
    await world.until(lambda: rejected(agency)["delivery", "policy_not_in_force"] == 1)
    assert world.sources["northshire"].calls == 0
