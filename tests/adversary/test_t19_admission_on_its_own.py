"""T19: the hub's admission, with all of its keys and its seat on the bus, tries to ask, to read, to record, to speak as
somebody else, and to give an agency another key than its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.node.post.writing import Writer
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, unpack
from schemas.messages.entry import ReleaseEntry, WithdrawEntry, nonce, sign_deed
from schemas.messages.fields import encode_base64
from schemas.messages.party import Party, PartyKind, read_party, state_party
from schemas.messages.transport import Acknowledgement, Deed
from tests.support.admission import SmallAdmission
from tests.support.hostile import HostileHub, resigned
from tests.support.parties import make_member
from tests.support.world import HOUR_MS, World

HUB_PARTIES = ("coordinator", "desk")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two police forces on a bus that keeps what was said."""
    world = World(tmp_path, agencies=("northshire", "southshire"), hub=HostileHub(), somebody_lies=True)
    await world.start()
    yield world
    await world.stop()


def admissions(world: World, purpose: KeyPurpose) -> SigningKey:
    """A key of admission's."""
    return world.running["admission"].ground.ring.signing(purpose)


async def say(world: World, subject: str, raw: bytes) -> None:
    """Put a message on the bus from where admission is."""
    await world.running["admission"].ground.post.bus.publish(subject, raw)
    await world.settle()


async def test_nothing_of_anothers_is_believed_from_admission_on_any_subject(world: World) -> None:
    """Every message of a whole exchange, said again by admission: as itself, and in its sender's name."""
    assert isinstance(world.hub, HostileHub)
    exchange = await world.ask(await world.open_enquiry())
    await world.opened(exchange)
    await world.settle()
    key, token = admissions(world, KeyPurpose.MESSAGE), world.running["northshire"].ground.me.token
    subjects = ("hub.coordinator", "hub.desk", f"to.{token}.admission", f"to.{token}.in", f"from.{token}.coordinator")
    said = [one for one in list(world.hub.carried) if one.exchange == exchange or one.about in ("head", "log_page")]
    assert {one.outer.sender for one in said} >= {"coordinator", "desk", "northshire"}
    looks, log = world.sources["northshire"].calls, await world.entries()
    for one in said:
        changes = {"message_key": key.id, "message_id": nonce()}
        as_itself = resigned(one.outer, one.parts, key, **changes, sender="admission")
        in_its_name = resigned(one.outer, one.parts, key, message_id=nonce())
        for subject in {one.subject, *subjects}:
            for raw in (as_itself, in_its_name):
                await say(world, subject, raw)
    assert world.sources["northshire"].calls == looks
    grown = (await world.entries())[len(log) :]
    assert {entry["type"] for entry in grown} <= {"log-read", "rejected"}, grown
    assert await world.check() == {exchange: "answered"}


async def test_admission_records_no_deed_but_its_own(world: World) -> None:
    await world.stop_party("northshire")
    exchange = await world.ask(await world.open_enquiry())
    await world.settle()
    admission, key = world.running["admission"].ground, admissions(world, KeyPurpose.DEED)
    hub = admission.directory.party("coordinator")
    known = {"log": hub.statement.log or "", "hub": admission.directory.hub, "n": nonce(), "exchange": exchange}
    deeds = {"deed_key": key.id, "sig": "0" * 128, "agency": "northshire", "t": world.clock.now()}
    digests = {f"{name}_digest": "1" * 64 for name in ("request", "grant", "answer", "addendum")}
    for by in ("admission", "northshire", "desk"):
        for entry in (
            ReleaseEntry(**known, **deeds, **digests, by=by),  # type: ignore[arg-type]
            WithdrawEntry(**known, **deeds, by=by, request_digest="1" * 64),  # type: ignore[arg-type]
        ):
            now = world.clock.now()
            leaf = sign_deed(entry, key)
            sent = admission.post.writer.write(Deed, hub, (leaf,), sent_at=now, expires_at=now + HOUR_MS)
            await say(world, sent.subject, sent.raw)
    assert await world.check() == {exchange: "open"}


async def test_admission_holds_no_key_that_asks_grants_answers_logs_or_opens(world: World) -> None:
    keys = world.running["admission"].ground.keys
    held = {purpose for purpose in KeyPurpose if keys.names(purpose)}
    not_its_own = {KeyPurpose.REQUEST, KeyPurpose.GRANT, KeyPurpose.ANSWER, KeyPurpose.LOG, KeyPurpose.SEAL}
    assert not held & {*not_its_own, KeyPurpose.REPLY, KeyPurpose.OFFICER, KeyPurpose.WITNESS, KeyPurpose.ADDENDUM}


def forged_statement(genuine: Party, root: SigningKey) -> Party:
    """An agency's next statement with every key the attacker's, under some root."""
    other = make_member(genuine.id, PartyKind.AGENT, agency_kind=genuine.statement.agency_kind)
    changes = {
        "keys": other.party.statement.keys,
        "root": encode_base64(root.public.raw),
        "serial": genuine.statement.serial + 1,
        "hub": genuine.statement.hub,
        "log": genuine.statement.log,
    }
    return read_party(state_party(genuine.statement.model_copy(update=changes), root))


async def publish_as_if(world: World, forged: Party) -> None:
    """Have admission sign, log and send a directory in which that party is another."""
    admission = world.running["admission"]
    assert isinstance(admission, SmallAdmission)
    post, genuine = admission.ground.post, admission.ground.directory.party(forged.id)
    post.directory = post.directory.without(forged.id).with_party(forged)
    admission._changed.append(forged.frame)
    await admission.issue()
    await world.turn(4_000, step_ms=2_000)
    await admission._tell(genuine, [forged.frame])
    await world.turn(4_000, step_ms=2_000)


async def test_nobody_seals_to_or_believes_a_key_that_admission_put_in_anothers_place(world: World) -> None:
    genuine = world.running["northshire"].ground.me
    forged = forged_statement(genuine, SigningKey.generate(KeyPurpose.ROOT))
    await publish_as_if(world, forged)
    for name in HUB_PARTIES:
        held = world.running[name].ground.directory.party("northshire")
        assert held.root == genuine.root
        assert held.digest == genuine.digest
    exchange = await world.ask(await world.open_enquiry(), "southshire")  # the others go on
    await world.opened(exchange)


async def test_an_agency_whose_key_admission_swapped_stops_and_says_why(world: World) -> None:
    genuine = world.running["northshire"].ground.me
    await publish_as_if(world, forged_statement(genuine, SigningKey.generate(KeyPurpose.ROOT)))
    halted = world.running["northshire"].ground.post.halted
    assert halted.done()
    assert halted.result().code == "directory_lies"
    assert not world.running["southshire"].ground.post.halted.done()


async def test_an_acknowledgement_by_admission_ends_nobodys_repeating(world: World) -> None:
    """The desk's submission waits for the coordinator's word; admission's word for it is worth nothing."""
    await world.stop_party("coordinator")
    await world.ask(await world.open_enquiry())
    await world.settle()
    assert isinstance(world.hub, HostileHub)
    waiting = [one for one in world.hub.carried if one.about == "submission"][-1]
    first = [raw for subject, raw in world.hub.captured if subject == waiting.subject][-1]
    admission, desk = world.running["admission"].ground, world.running["desk"].ground
    outbox = len(desk.post.outbox)
    assert outbox > 0
    writer, now = admission.post.writer, world.clock.now()
    assert isinstance(writer, Writer)
    said = writer.write(
        Acknowledgement,
        desk.me,
        sent_at=now,
        expires_at=now + HOUR_MS,
        acknowledges=waiting.outer.message_id,
        acknowledged_digest=digest(unpack(first).header),
        code="committed",
    )
    await say(world, said.subject, said.raw)
    assert len(desk.post.outbox) == outbox
