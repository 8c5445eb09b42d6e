"""The hub's directory as every party holds it: newer only, proven in the log, never introducing anybody."""

from __future__ import annotations

import pytest

from broker.node.membership import DirectoryAway
from broker.node.post.port import Received
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import unpack
from schemas.failures import Rejected
from schemas.messages.directory import DirectoryLies, DirectoryOlder, Standing, line_of, state_directory
from schemas.messages.fields import encode_base64
from schemas.messages.party import PartyStatement, read_party, state_party
from schemas.messages.transport import DirectoryIssue, read_outer
from tests.support.admission import LIFE_MS, SmallAdmission
from tests.support.world import HOUR_MS, World

DAY_MS = 24 * HOUR_MS
AGENT = "northshire"
EVERYBODY = ("coordinator", "desk", AGENT)


def admission(world: World) -> SmallAdmission:
    found = world.running["admission"]
    assert isinstance(found, SmallAdmission)
    return found


def version(world: World, party: str) -> int:
    membership = world.running[party].ground.post.directories
    return membership.held.version if membership is not None and membership.held is not None else 0  # type: ignore[attr-defined]


async def take(world: World, party: str, *parts: bytes) -> None:
    """Have a party take a directory as if admission had sent it."""
    ground, sender = world.running[party].ground, admission(world).ground
    held = admission(world).newest
    assert held is not None
    outgoing = sender.post.passing(DirectoryIssue, ground.me, tuple(parts), version=held.version)
    assert ground.post.directories is not None
    now = world.clock.now()
    outer = read_outer(unpack(outgoing.raw).header)
    await ground.post.directories.take(Received(outer, tuple(parts), sender.me, outgoing.digest, now))


async def test_everybody_holds_each_new_version_and_keeps_it_over_a_restart(world: World) -> None:
    assert {version(world, name) for name in EVERYBODY} == {1}
    for _ in range(3):
        await world.turn(DAY_MS, step_ms=DAY_MS)
    assert {version(world, name) for name in EVERYBODY} == {4}
    for name in EVERYBODY:
        await world.kill_party(name)
        await world.start_party(name)
        assert version(world, name) == 4, "before anybody has told it anything"
    assert await world.check() == {}


async def test_a_directory_whose_proof_was_lost_on_its_way_is_asked_for_again_within_seconds(world: World) -> None:
    world.hub.drop_next(3, subject="to.*.in")
    await world.turn(DAY_MS, step_ms=DAY_MS)
    assert version(world, AGENT) == 1
    await world.turn(8_000, step_ms=1_000)
    assert version(world, AGENT) == 2


async def test_an_older_directory_is_never_taken_again_after_a_restart_either(world: World) -> None:
    first, receipt = admission(world).newest, admission(world).receipt
    assert first is not None
    await world.turn(DAY_MS, step_ms=DAY_MS)
    for name in EVERYBODY:
        await world.kill_party(name)
        await world.start_party(name)
        await world.settle()
        with pytest.raises(DirectoryOlder):
            await take(world, name, first.frame, first.raw_lines, receipt)
        assert version(world, name) == 2


async def test_a_directory_that_no_log_holds_is_not_believed(world: World) -> None:
    ground, held, receipt = admission(world).ground, admission(world).newest, admission(world).receipt
    assert held is not None
    now = world.clock.now()
    frame, lines = state_directory(
        ground.directory.hub,
        list(held.lines.values()),
        version=held.version + 1,
        previous=held.digest,
        issued_at=now,
        expires_at=now + DAY_MS,
        key=ground.ring.signing(KeyPurpose.DIRECTORY),
    )
    for name in EVERYBODY:
        with pytest.raises(Rejected):
            await take(world, name, frame, lines, receipt)
        assert version(world, name) == held.version


async def test_a_directory_that_swaps_an_agencys_key_halts_that_agency(world: World) -> None:
    ground, agent = admission(world).ground, world.running[AGENT].ground
    thief = SigningKey.generate(KeyPurpose.ROOT)
    swapped = PartyStatement.model_validate(
        agent.me.statement.model_dump() | {"root": encode_base64(thief.public.raw), "serial": 9}
    )
    line = line_of(read_party(state_party(swapped, thief)))
    held, now = admission(world).newest, world.clock.now()
    assert held is not None
    frame, lines = state_directory(
        ground.directory.hub,
        [*(one for one in held.lines.values() if one.party != AGENT), line],
        version=held.version + 1,
        previous=held.digest,
        issued_at=now,
        expires_at=now + DAY_MS,
        key=ground.ring.signing(KeyPurpose.DIRECTORY),
    )
    with pytest.raises(DirectoryLies):
        await take(world, AGENT, frame, lines, admission(world).receipt)
    await take_quietly(world, "coordinator", frame, lines)
    assert world.running["coordinator"].ground.directory.party(AGENT).root == agent.me.root, "a root was introduced"


async def take_quietly(world: World, party: str, frame: bytes, lines: bytes) -> None:
    with pytest.raises(Rejected):
        await take(world, party, frame, lines, admission(world).receipt)


async def test_without_a_directory_in_force_nothing_new_is_begun_and_it_is_said_why(world: World) -> None:
    waiting = await world.ask(await world.open_enquiry(rag="green"))
    await world.opened(waiting)
    await world.stop_party("admission")
    await world.turn(LIFE_MS + HOUR_MS, step_ms=DAY_MS)
    enquiry = await world.open_enquiry()
    with pytest.raises(DirectoryAway, match="broker run admission"):
        await world.ask(enquiry)
    await world.start_party("admission")
    await world.turn(2 * HOUR_MS, step_ms=HOUR_MS)
    await world.opened(await world.ask(enquiry))


async def test_a_suspended_agency_is_asked_nothing_and_its_answers_under_way_still_count(world: World) -> None:
    world.sources[AGENT].is_away = True
    before = await world.ask(await world.open_enquiry())
    await world.settle()
    admission(world).standings[AGENT] = Standing.SUSPENDED
    await admission(world).issue()
    await world.settle()
    refused = await world.ask(await world.open_enquiry())
    await world.settle()
    shown = await world.tell_desk("GET", f"/requests/{refused}")
    assert (shown["progress"], shown["not_accepted"]) == ("not_accepted", "agency_suspended")
    world.sources[AGENT].is_away = False
    await world.turn(10 * 60_000, step_ms=60_000)
    await world.opened(before)
    del admission(world).standings[AGENT]
    await admission(world).issue()
    await world.settle()
    await world.opened(await world.ask(await world.open_enquiry()))


async def test_a_proof_that_waited_under_a_dead_key_of_the_log_is_borne_out_by_the_log_itself(world: World) -> None:
    """An answer was lost on its way and is repeated after the log's key died: its proof is under the dead key."""
    world.hub.drop_next(1, subject="from.*.desk")
    exchange = await world.ask(await world.open_enquiry())
    await world.until(lambda: any(subject.endswith(".desk") for subject, _ in world.hub.captured))
    await world.settle()
    assert await world.progress(exchange) != "opened"
    await world.command("coordinator", "rotate-key", {"purpose": "log", "emergency": True})
    for _ in range(4):  # everybody hears of it before the answer is repeated
        await world.settle()
    await world.turn(60_000, step_ms=2_000)
    await world.opened(exchange)
    exposed = world.running["desk"].ground.metrics.exposition()
    assert b'messages_received_total{kind="log_page"}' in exposed, "it was believed without the log's own hashes"
    assert await world.check() == {exchange: "answered"}
