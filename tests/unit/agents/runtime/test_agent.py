"""One agent, from a delivery to the desk's acknowledgement, with everything real but the hub's decisions."""

from __future__ import annotations

import asyncio
import threading

from agents.runtime.hub_log import mirror
from broker.node.rotation import rotate_at_rest
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.entry import CouldNotLookEntry, read_entry
from schemas.messages.party import PartyKind
from schemas.vocabulary import Category, OfficerRole, Outcome
from tests.support.parties import make_member
from tests.unit.agents.runtime.conftest import octavia, stranger
from tests.unit.agents.runtime.hub import CATEGORIES, Ask, World


async def test_a_request_is_answered_and_released_only_after_its_entry(world: World) -> None:
    asked = await world.ask(Ask([octavia(), stranger()]))
    await world.until(lambda: len(world.answers) == 1)
    rows = {(row.subject[0], row.category): row for row in world.open(asked).outcomes}
    assert rows["a", Category.POLICE_INCIDENT].outcome is Outcome.ANSWERED
    assert rows["a", Category.POLICE_INCIDENT].facts == [{"date": "2026-03-01", "type": "Domestic incident"}]
    assert rows["a", Category.POLICE_NOTICE].outcome is Outcome.NOT_KNOWN
    assert rows["a", Category.POLICE_INTELLIGENCE].outcome is Outcome.WITHHELD
    assert rows["a", Category.POLICE_INTELLIGENCE].reason == "needs-review"
    assert rows["b", Category.POLICE_INCIDENT].outcome is Outcome.NOT_KNOWN
    assert len(world.deeds) == 1
    await world.until_jobs({"done": 1})
    status = await world.agent.inspection.status()
    assert status["discrepancies"] == []
    await world.agent.inspection.verify()


async def test_an_agent_that_stops_leaves_no_thread_behind_that_read_records(world: World) -> None:
    def reading() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "source-call"}

    before = reading()
    await world.ask(Ask([octavia()]))
    await world.until(lambda: len(world.answers) == 1)
    used = reading() - before
    assert used
    await world.agent.stop()
    for thread in used:
        await asyncio.to_thread(thread.join, 60.0)  # far longer than it takes
    assert not used & reading()
    await world.start_agent()


async def test_a_request_sealed_to_a_key_that_died_on_its_way_is_told_of_and_holds_nobody_up(world: World) -> None:
    asked, request, grant = world.build(Ask([octavia()]))
    world.seq = asked.entry.seq
    await world.agent.stop()
    revoked = rotate_at_rest(world.home, KeyPurpose.SEAL, emergency=True, now=world.clock.now())
    await world.start_agent()
    await world.deliver(asked, asked.entry.encode(), (request, grant))
    await world.until(lambda: len(world.answers) == 1)
    rows = world.open(asked).outcomes
    assert {row.category for row in rows} == set(CATEGORIES)
    assert {(row.outcome, row.reason) for row in rows} == {(Outcome.COULD_NOT_LOOK, "sealing-key-gone")}
    assert isinstance(read_entry(world.deeds[0]), CouldNotLookEntry)
    world.directory = world.directory.without(revoked.id).with_party(revoked)
    again = await world.ask(Ask([octavia()]))
    await world.until(lambda: len(world.answers) == 2)
    assert Outcome.ANSWERED in {row.outcome for row in world.open(again).outcomes}


async def test_a_request_by_an_officer_whom_nobody_pinned_is_refused_and_holds_nobody_up(world: World) -> None:
    newcomer = make_member("o-11d203", PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)
    refused = await world.ask(Ask([octavia()], officer=newcomer))
    await world.until(lambda: world.acknowledged == [("delivery", "officer_untrusted")])
    asked = await world.ask(Ask([octavia()]))
    await world.until(lambda: len(world.answers) == 1)
    assert Outcome.ANSWERED in {row.outcome for row in world.open(asked).outcomes}
    held = await world.agent.ground.store.read(lambda tx: mirror.standing(tx))
    assert held.is_whole
    status = await world.agent.inspection.status()
    assert status["discrepancies"] == []
    assert refused.exchange != asked.exchange
    await world.agent.inspection.verify()
