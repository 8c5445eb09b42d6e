"""T06: the hub's desk, with all of its keys, asks without an officer, asks more than the officer signed, tells the log
something else than the agency, or speaks to an agency past the coordinator.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from broker.desk import asking
from schemas.crypto.keys import PublicKey, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import Signature, pack, unpack
from schemas.messages.addendum import make_addendum
from schemas.messages.entry import ReleaseEntry, nonce, sign_deed
from schemas.messages.model import read
from schemas.messages.request import CategoryAsked, RequestHeader, Told
from schemas.messages.transport import Deed, Delivery
from schemas.vocabulary import Category, Mode, Stage, SubjectRole
from tests.support.hostile import Change, HostileHub, Parts, rejected, resigned
from tests.support.world import HOUR_MS, REASON, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two police forces on a bus on which the desk can turn hostile."""
    world = World(tmp_path, agencies=("northshire", "southshire"), hub=HostileHub(), somebody_lies=True)
    await world.start()
    yield world
    await world.stop()


def desk_key(world: World, purpose: KeyPurpose) -> SigningKey:
    home = world.home("desk")
    return home.signing_key(home.keys_to_read(), purpose)


def without_the_officer(world: World, earlier: bytes) -> Change:
    def change(parts: Parts) -> Parts:
        request = unpack(parts[0])
        return (pack(request.header, request.signatures[:1], request.parts),)

    return change


def with_the_officers_word_for_another(world: World, earlier: bytes) -> Change:
    def change(parts: Parts) -> Parts:
        request = unpack(parts[0])
        return (pack(request.header, [request.signatures[0], unpack(earlier).signatures[1]], request.parts),)

    return change


def with_the_desks_word_for_the_officers(world: World, earlier: bytes) -> Change:
    def change(parts: Parts) -> Parts:
        request = unpack(parts[0])
        officer = request.signatures[1]
        forged = sign(desk_key(world, KeyPurpose.REQUEST), KeyPurpose.REQUEST, request.digest.encode())
        return (pack(request.header, [request.signatures[0], Signature(officer.key_id, forged)], request.parts),)

    return change


def with_more_than_was_signed(world: World, earlier: bytes) -> Change:
    def change(parts: Parts) -> Parts:
        request = unpack(parts[0])
        header = read(RequestHeader, request.header)
        more = [*header.categories, CategoryAsked(category=Category.POLICE_MISSING, mode=Mode.CONTENT)]
        raw = header.model_copy(update={"categories": more}).encode()
        key = desk_key(world, KeyPurpose.REQUEST)
        signatures = [Signature(key.id, sign(key, KeyPurpose.REQUEST, raw)), request.signatures[1]]
        return (pack(raw, signatures, request.parts),)

    return change


def with_another_deadline(world: World, earlier: bytes) -> Change:
    def change(parts: Parts) -> Parts:
        request = unpack(parts[0])
        header = read(RequestHeader, request.header)
        raw = header.model_copy(update={"deadline_at": header.deadline_at - HOUR_MS}).encode()
        key = desk_key(world, KeyPurpose.REQUEST)
        signatures = [Signature(key.id, sign(key, KeyPurpose.REQUEST, raw)), request.signatures[1]]
        return (pack(raw, signatures, request.parts),)

    return change


FORGERIES = {
    without_the_officer: "signature_missing",
    with_the_officers_word_for_another: "signature_invalid",
    with_the_desks_word_for_the_officers: "signature_invalid",
    with_more_than_was_signed: "signature_invalid",
    with_another_deadline: "signature_invalid",
}


@pytest.mark.parametrize("forge", FORGERIES)
async def test_nothing_is_asked_that_an_officer_has_not_signed(world: World, forge: object) -> None:
    assert isinstance(world.hub, HostileHub)
    first = await world.ask(await world.open_enquiry())
    await world.opened(first)
    earlier = world.hub.last("desk", "submission", first).parts[0]
    looks = world.sources["northshire"].calls
    world.hub.turn_hostile(world.home("desk"), "submission", None, forge(world, earlier))  # type: ignore[operator]
    exchange = await world.ask(await world.open_enquiry())
    await world.turn(10_000, step_ms=2_000)
    assert rejected(world.running["coordinator"].ground)["submission", FORGERIES[forge]] >= 1  # type: ignore[index]
    assert world.sources["northshire"].calls == looks
    assert await world.check() == {first: "answered"}
    assert await world.progress(exchange) in ("asked", "not_accepted")


async def test_an_agency_that_is_told_something_else_than_the_log_answers_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lying(hub: str, about: str, content: bytes, readers: Sequence[PublicKey]) -> tuple[bytes, bytes]:
        changed = content.replace(REASON.encode(), b"A routine question about nobody in particular.")
        assert changed != content
        return make_addendum(hub, about, changed, readers)

    monkeypatch.setattr(asking, "make_addendum", lying)
    exchange = await world.ask(await world.open_enquiry())
    await world.turn(10_000, step_ms=2_000)
    assert rejected(world.running["northshire"].ground)["delivery", "told_differs"] == 1
    assert world.sources["northshire"].calls == 0
    assert await world.check() == {exchange: "open"}


OTHERWISE: dict[str, Callable[[Told], dict[str, object]]] = {
    "the role of a subject": lambda told: {
        "subjects": [one.model_copy(update={"role": SubjectRole.ALLEGED_PERPETRATOR}) for one in told.subjects]
    },
    "the reference of a subject": lambda told: {
        "subjects": [one.model_copy(update={"ref": nonce()}) for one in told.subjects]
    },
    "a subject more": lambda told: {"subjects": [*told.subjects, told.subjects[0].model_copy(update={"ref": nonce()})]},
    "the stage": lambda told: {"stage": Stage.STRATEGY_DISCUSSION},
    "the officer": lambda told: {"officer": told.officer.model_copy(update={"id": "o-000001"})},
}


@pytest.mark.parametrize("what", OTHERWISE)
async def test_an_agency_answers_nothing_where_body_and_header_say_different_things(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The officer signed the header and the coordinator decided on it: the body and the log agree with each other."""

    def otherwise(**members: object) -> Told:
        told = Told.model_validate(members)
        return told.model_copy(update=OTHERWISE[what](told))

    monkeypatch.setattr(asking, "Told", otherwise)
    exchange = await world.ask(await world.open_enquiry())
    await world.turn(10_000, step_ms=2_000)
    assert rejected(world.running["northshire"].ground)["delivery", "subjects_differ"] == 1
    assert world.sources["northshire"].calls == 0
    assert await world.check() == {exchange: "open"}


async def test_a_delivery_past_the_coordinator_is_not_even_answered(world: World) -> None:
    """By the desk on its own subject, and in the coordinator's name on the coordinator's."""
    assert isinstance(world.hub, HostileHub)
    first = await world.ask(await world.open_enquiry())
    await world.opened(first)
    genuine = world.hub.last("coordinator", "delivery", first)
    agent, desk = world.running["northshire"].ground, world.running["desk"].ground
    looks, log = world.sources["northshire"].calls, agent.log
    assert log is not None
    size = log.head.size
    key = desk_key(world, KeyPurpose.MESSAGE)
    by_desk = resigned(genuine.outer, genuine.parts, key, sender="desk", message_key=key.id, message_id=nonce())
    in_its_name = resigned(genuine.outer, genuine.parts, key, message_id=nonce())
    assert isinstance(genuine.outer, Delivery)
    heard = len(world.hub.carried)
    for subject, raw in (
        (f"to.{agent.me.token}.desk", by_desk),
        (genuine.subject, by_desk),
        (genuine.subject, in_its_name),
    ):
        await desk.post.bus.publish(subject, raw)
        await world.settle()
    counted = rejected(agent)
    assert counted["unknown", "kind_unexpected"] == 1
    assert counted["unknown", "wrong_subject"] == 1
    assert counted["unknown", "signature_missing"] == 1
    assert len(world.hub.carried) == heard + 3, "somebody answered"
    assert (world.sources["northshire"].calls, log.head.size) == (looks, size)


async def test_the_desk_cannot_release_in_an_agencys_name(world: World) -> None:
    await world.stop_party("northshire")
    exchange = await world.ask(await world.open_enquiry())
    await world.settle()
    desk, key = world.running["desk"].ground, desk_key(world, KeyPurpose.DEED)
    hub = desk.directory.party("coordinator")
    for by, code in (("northshire", "not_their_deed"), ("desk", "not_their_deed")):
        entry = ReleaseEntry(
            log=hub.statement.log or "",
            hub=desk.directory.hub,
            t=world.clock.now(),
            n=nonce(),
            by=by,
            deed_key=key.id,
            sig="0" * 128,
            agency="northshire",
            exchange=exchange,
            request_digest="1" * 64,
            grant_digest="2" * 64,
            answer_digest="3" * 64,
            addendum_digest="4" * 64,
        )
        known = rejected(world.running["coordinator"].ground)["deed", code]
        now = world.clock.now()
        sent = desk.post.writer.write(
            Deed,
            hub,
            [sign_deed(entry, key), b"an addendum"],
            sent_at=now,
            expires_at=now + HOUR_MS,
            exchange=exchange,
        )
        await desk.post.bus.publish(sent.subject, sent.raw)
        await world.settle()
        assert rejected(world.running["coordinator"].ground)["deed", code] == known + 1
    assert await world.check() == {exchange: "open"}
