"""T20: two parties of the hub, or one of them and an agency, act together with all of their keys.

What two of them still cannot do: ask an agency without an officer whom that agency pinned, ask without the coordinator,
turn an officer's word to another question. (What a desk and a coordinator with an officer who signs can do is seen, not
prevented: section 6 of the threat model.)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.desk.cards import OfficerCard, add_card
from broker.enrolment.at_rest.officers import make_officer
from broker.node.keyfile import KeyFile, read_key_file
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import Signature, digest, pack, signed, unpack
from schemas.ledger.receipt import unpack_receipt
from schemas.messages.entry import RequestEntry, nonce, read_entry_as
from schemas.messages.grant import Grant
from schemas.messages.model import read
from schemas.messages.request import CategoryAsked, RequestHeader
from schemas.vocabulary import Category, Mode, OfficerRole
from tests.adversary.test_t07_a_coordinator_that_gives_more import deliver, forge, permitted
from tests.adversary.test_t09_an_officer_who_may_not import ask, tell
from tests.support.desk_world import HandLog
from tests.support.hostile import HostileHub, rejected, resigned
from tests.support.world import BORN, FAMILY, GIVEN, HOUR_MS, HUB, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two police forces on a bus that keeps what was said."""
    world = World(tmp_path, agencies=("northshire", "southshire"), hub=HostileHub(), somebody_lies=True)
    await world.start()
    yield world
    await world.stop()


async def invented_officer(world: World) -> KeyFile:
    """An officer whom the hub's own parties made, pinned and admitted, and no agency ever met."""
    now, path = world.clock.now(), world.folder / "invented.key"
    role = OfficerRole.SOCIAL_WORKER
    party = make_officer(path, world.folder / "invented.party", hub=HUB, role=role, position="Nobody", now=now)
    add_card(world.home("desk"), party.id, OfficerCard(name="Nobody At All", position="Nobody"))
    for name in ("desk", "coordinator"):
        world.home(name).pin(party.raw)
        world.running[name].ground.read_directory_again()
        await world.command(name, "repin")
    await world.command("coordinator", "admit-officer", {"officer": party.id})
    return read_key_file(path)


async def test_desk_and_coordinator_ask_nothing_by_an_officer_whom_no_agency_knows(world: World) -> None:
    officer = await invented_officer(world)
    subject = {"role": "index_child", "name": {"given": GIVEN, "family": FAMILY}, "birth_date": BORN, "identifiers": []}
    enquiry = {
        "subjects": [subject],
        "stage": "enquiry",
        "rag": "amber",
        "purpose": "child_protection",
        "lawful_bases": ["ca1989-47", "ukgdpr-6-1-e"],
        "consent": "unsafe_to_seek",
        "reason": "Because we wish to know.",
        "received_at": world.clock.now(),
    }
    opened = await tell(world, officer, "POST", "/enquiries", enquiry)
    assert isinstance(opened, dict)
    exchange = await ask(world, officer, str(opened["enquiry"]))
    await world.turn(20_000, step_ms=4_000)
    assert world.sources["northshire"].calls == 0
    assert await world.check() == {exchange: "open"}  # in the log for all to see, and answered by nobody


async def test_desk_and_coordinator_cannot_turn_an_officers_word_to_another_question(world: World) -> None:
    """The desk signs it, the coordinator grants and logs it: only the officer has signed something else."""
    request, grant, receipt, extension = await permitted(world)
    envelope, looks = unpack(request), world.sources["northshire"].calls
    header = read(RequestHeader, envelope.header)
    more = [*header.categories, CategoryAsked(category=Category.POLICE_MISSING, mode=Mode.CONTENT)]
    raw = header.model_copy(update={"categories": more, "exchange": nonce()}).encode()
    desk = world.running["desk"].ground.ring.signing(KeyPurpose.REQUEST)
    signatures = [Signature(desk.id, sign(desk, KeyPurpose.REQUEST, raw)), envelope.signatures[1]]
    changed = pack(raw, signatures, envelope.parts)
    granted, logged = forge(world, changed, grant, receipt)
    entry = read_entry_as(RequestEntry, unpack_receipt(logged).leaf)
    named = entry.model_copy(update={"desk_sig": signatures[0].raw.hex()})
    side = HandLog(entry.log, world.running["coordinator"].ground.ring.signing(KeyPurpose.LOG))
    await deliver(world, "northshire", (changed, granted, side.receipt(named.encode()), extension))
    assert rejected(world.running["northshire"].ground)["delivery", "officer_untrusted"] == 1
    assert world.sources["northshire"].calls == looks


async def test_desk_and_admission_cannot_ask_past_the_coordinator(world: World) -> None:
    """A request that an officer signed, with a grant and a log that admission made in the coordinator's name."""
    assert isinstance(world.hub, HostileHub)
    request, grant, receipt, extension = await permitted(world)
    looks, token = world.sources["northshire"].calls, world.running["northshire"].ground.me.token
    admission, desk = (world.running[name].ground.ring for name in ("admission", "desk"))
    header = read(RequestHeader, unpack(request).header)
    granted = read(Grant, unpack(grant).header).encode()
    entry = read_entry_as(RequestEntry, unpack_receipt(receipt).leaf)
    logged = entry.model_copy(update={"n": nonce(), "grant_digest": digest(granted)})
    genuine = next(one for one in reversed(world.hub.carried) if one.about == "delivery")
    for ring, sender in ((admission, "admission"), (desk, "desk"), (admission, "coordinator")):
        message = ring.signing(KeyPurpose.MESSAGE)
        log = HandLog(entry.log, ring.signing(KeyPurpose.DEED))
        parts = (request, signed(granted, [ring.signing(KeyPurpose.DEED)]), log.receipt(logged.encode()), extension)
        fields = {"sender": sender, "message_key": message.id, "message_id": nonce(), "exchange": header.exchange}
        raw = resigned(genuine.outer, parts, message, **fields, expires_at=world.clock.now() + HOUR_MS)
        for tail in ("in", "desk", "admission"):
            await world.running["desk"].ground.post.bus.publish(f"to.{token}.{tail}", raw)
            await world.settle()
    assert world.sources["northshire"].calls == looks
    assert not rejected(world.running["northshire"].ground)["delivery", "grant_too_wide"]
    assert {code for kind, code in rejected(world.running["northshire"].ground) if kind == "unknown"} <= {
        "kind_unexpected",
        "wrong_subject",
        "signature_missing",
        "key_unknown",
    }


async def test_an_agency_that_has_anothers_request_from_the_coordinator_learns_nothing_from_it(world: World) -> None:
    """Two agencies, or the coordinator and one: the body is sealed to the other's key of the epoch."""
    request, grant, receipt, extension = await permitted(world)
    looks = world.sources["southshire"].calls
    forged = forge(world, request, grant, receipt, agency="southshire")
    await deliver(world, "southshire", (request, *forged, extension))
    assert world.sources["southshire"].calls == looks
    keys = world.running["southshire"].ground.keys
    header = read(RequestHeader, unpack(request).header)
    assert header.seal_key not in keys.names(KeyPurpose.SEAL)
