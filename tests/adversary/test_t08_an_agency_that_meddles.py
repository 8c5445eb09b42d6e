"""T08: an agency, with all of its keys, answers for another, records deeds in another's exchange, answers twice, or
answers after the hub has ended the exchange.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.runtime.agent import Agent
from agents.runtime.answering.jobs import MadeAnswer, answer_of
from schemas.canonical import without_member
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import unpack
from schemas.messages.entry import SIGNATURE, DeedEntry, ReleaseEntry, nonce, read_entry
from schemas.messages.transport import Deed, Outer, Released
from tests.support.hostile import HostileHub, Parts, rejected
from tests.support.world import CASE_WORDS, HOUR_MS, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two police forces; southshire is the one to meddle."""
    world = World(tmp_path, agencies=("northshire", "southshire"), hub=HostileHub(), somebody_lies=True)
    await world.start()
    yield world
    await world.stop()


async def say(world: World, by: str, model: type[Outer], to: str, exchange: str, parts: Parts) -> None:
    """A message that an agency's program would not have sent, with everything in it that its keys can make."""
    ground, now = world.running[by].ground, world.clock.now()
    receiver = ground.directory.party(to)
    sent = ground.post.writer.write(model, receiver, parts, sent_at=now, expires_at=now + HOUR_MS, exchange=exchange)
    await ground.post.bus.publish(sent.subject, sent.raw)
    await world.settle()


def deed_of(world: World, signer: str, genuine: bytes, **changes: object) -> bytes:
    """A genuine deed with some fields changed, signed by an agency."""
    entry = read_entry(genuine)
    assert isinstance(entry, DeedEntry)
    home = world.home(signer)
    key = home.signing_key(home.keys_to_read(), KeyPurpose.DEED)
    changed = entry.model_copy(update={"n": nonce(), "deed_key": key.id, **changes})
    signature = sign(key, KeyPurpose.DEED, without_member(changed.encode(), SIGNATURE))
    return changed.model_copy(update={SIGNATURE: signature.hex()}).encode()


async def answered(world: World, agency: str) -> tuple[str, Parts, Parts]:
    """An exchange, the parts of its answer, and those of its release."""
    assert isinstance(world.hub, HostileHub)
    exchange = await world.ask(await world.open_enquiry(), agency)
    await world.opened(exchange)
    await world.settle()
    return (
        exchange,
        world.hub.last(agency, "released", exchange).parts,
        world.hub.last(agency, "deed", exchange).parts,
    )


async def test_an_agency_cannot_answer_in_anothers_exchange(world: World) -> None:
    own, answer, _ = await answered(world, "southshire")
    await world.stop_party("northshire")
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry, "northshire")
    await world.settle()
    await say(world, "southshire", Released, "desk", exchange, answer)
    assert rejected(world.running["desk"].ground)["released", "not_the_one_asked"] == 1
    assert await world.progress(exchange) == "permitted"
    shown = await world.tell_desk("GET", f"/enquiries/{enquiry}/answers")
    assert CASE_WORDS not in str(shown)
    assert await world.check() == {own: "answered", exchange: "open"}


async def test_an_agencys_deed_in_anothers_exchange_is_not_entered(world: World) -> None:
    own, _, release = await answered(world, "southshire")
    await world.stop_party("northshire")
    exchange = await world.ask(await world.open_enquiry(), "northshire")
    await world.settle()
    for named, code in (("northshire", "deed_unbound"), ("southshire", "deed_unbound")):
        known = rejected(world.running["coordinator"].ground)["deed", code]
        forged = deed_of(world, "southshire", release[0], exchange=exchange, agency=named)
        await say(world, "southshire", Deed, "coordinator", exchange, (forged, release[1]))
        assert rejected(world.running["coordinator"].ground)["deed", code] == known + 1
    assert await world.check() == {own: "answered", exchange: "open"}


async def test_an_agency_cannot_use_anothers_name_or_key(world: World) -> None:
    exchange, _, release = await answered(world, "northshire")
    ground = world.running["southshire"].ground
    in_its_name = deed_of(world, "southshire", release[0], by="northshire")
    home = world.home("northshire")
    its_key = home.signing_key(home.keys_to_read(), KeyPurpose.DEED).id
    with_its_key = deed_of(world, "southshire", release[0], by="southshire", deed_key=its_key)
    for leaf, code in ((in_its_name, "not_their_deed"), (with_its_key, "key_unknown")):
        await say(world, "southshire", Deed, "coordinator", exchange, (leaf, release[1]))
        assert rejected(world.running["coordinator"].ground)["deed", code] == 1, code
    assert not ground.post.halted.done()
    assert await world.check() == {exchange: "answered"}


async def test_a_second_answer_to_one_request_is_neither_entered_nor_opened(world: World) -> None:
    exchange, answer, release = await answered(world, "southshire")
    size = len(await world.entries())
    again = deed_of(world, "southshire", release[0], answer_digest="a" * 64)
    await say(world, "southshire", Deed, "coordinator", exchange, (again, release[1]))
    assert rejected(world.running["coordinator"].ground)["deed", "deed_repeated"] == 1
    other, second, _ = await answered(world, "southshire")
    await say(world, "southshire", Released, "desk", exchange, second)
    desk = rejected(world.running["desk"].ground)
    assert desk["released", "entry_foreign"] == 1
    releases = [one for one in await world.entries() if one["type"] == "release" and one["exchange"] == exchange]
    assert len(releases) == 1
    assert len(await world.entries()) > size
    assert await world.check() == {exchange: "answered", other: "answered"}
    assert unpack(answer[0]).digest == read_release(release[0]).answer_digest


def read_release(leaf: bytes) -> ReleaseEntry:
    entry = read_entry(leaf)
    assert isinstance(entry, ReleaseEntry)
    return entry


@pytest.mark.parametrize("ending", ["withdrawn", "expired"])
async def test_an_answer_after_the_end_is_neither_entered_nor_opened(world: World, ending: str) -> None:
    """The agency made its answer in time and holds it back until the exchange has ended."""
    assert isinstance(world.hub, HostileHub)
    agent = world.running["southshire"]
    assert isinstance(agent, Agent)
    world.hub.turn_hostile(world.home("southshire"), "deed", None, lambda parts: (b"not a leaf", *parts[1:]))
    exchange = await world.ask(await world.open_enquiry(), "southshire")
    made = await held_answer(world, agent, exchange)
    if ending == "withdrawn":
        await world.tell_desk("POST", f"/requests/{exchange}/withdraw")
    else:
        await world.turn(25 * HOUR_MS, step_ms=HOUR_MS)
    await world.settle()
    assert await world.progress(exchange) == ending
    world.hub.turn_honest()
    await say(world, "southshire", Deed, "coordinator", exchange, (made.leaf, made.addendum))
    assert rejected(world.running["coordinator"].ground)["deed", "concluded"] == 1
    await say(world, "southshire", Released, "desk", exchange, (made.envelope, b"no receipt", made.addendum))
    assert rejected(world.running["desk"].ground)["released", "concluded"] == 1
    assert await world.progress(exchange) == ending
    with pytest.raises(AssertionError, match="an answer left without the entry of its release"):
        await world.check()  # it did: whoever sees the bus sees that the agency broke the order


async def held_answer(world: World, agent: Agent, exchange: str) -> MadeAnswer:
    """The answer as it lies in the agency's store, before the hub has entered anything."""
    for _ in range(100):
        await world.settle()
        made: MadeAnswer | None = await agent.ground.store.read(lambda tx: answer_of(tx, exchange))
        if made is not None:
            return made
    raise AssertionError("no answer was made")
