"""Each numbered check of a delivery, broken alone, and the code it fails with."""

from __future__ import annotations

from typing import Any

import pytest

from agents.runtime.hub_log import check_failures as fails
from agents.runtime.hub_log.checks import Checker, Delivered
from broker.node.ring import Ring
from broker.node.rotation import rotate_at_rest
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import Signature, pack, unpack
from schemas.failures import Rejected
from schemas.messages.entry import ShardOpenEntry, nonce
from schemas.messages.grant import Scope
from schemas.messages.party import PartyKind
from schemas.messages.request import OfficerNamed, Told
from schemas.vocabulary import Category, Mode, OfficerRole, Stage, SubjectRole
from tests.support.parties import make_member
from tests.unit.agents.runtime.conftest import octavia, stranger
from tests.unit.agents.runtime.hub import HOUR, LOG, OFFICER, Ask, World

STRANGE_DESK = make_member("desk", PartyKind.DESK)
STRANGE_COORDINATOR = make_member("coordinator", PartyKind.COORDINATOR)
STRANGE_OFFICER = make_member("o-4f2a9c", PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)
UNPINNED = make_member("o-000001", PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)


def checker(world: World) -> Checker:
    return world.agent.worker.checker


async def checked(world: World, ask: Ask, *, leaf: bytes | None = None, **changed: bytes) -> Delivered:
    asked, parts = await world.parts(ask, leaf=leaf)
    named = dict(zip(("request", "grant", "receipt", "extension"), parts, strict=True)) | changed
    return checker(world).check(tuple(named.values()), asked.exchange, world.clock.now())


def ask(**changed: Any) -> Ask:
    return Ask([octavia()], **changed)


async def test_a_delivery_that_holds_is_opened(world: World) -> None:
    delivered = await checked(world, ask())
    assert delivered.told is not None
    assert delivered.told.subjects[0].ref == octavia().ref
    assert delivered.grant.request_digest == delivered.request_digest


async def test_1_a_delivery_without_its_four_parts_is_refused(world: World) -> None:
    with pytest.raises(fails.DeliveryIncomplete):
        checker(world).check((b"", b""), nonce(), world.clock.now())
    with pytest.raises(fails.DeliveryIncomplete):
        await checked(world, ask(), grant=b"ntk1")
    with pytest.raises(fails.DeliveryIncomplete):
        await checked(world, ask(), extension=b"1234")


async def test_2_a_receipt_that_the_pinned_log_did_not_give_is_refused(world: World) -> None:
    _, parts = await world.parts(ask())
    with pytest.raises(fails.ReceiptUntrusted):
        await checked(world, ask(), receipt=parts[2][:-10] + b"AAAAAAAAA\n")
    with pytest.raises(fails.ReceiptUntrusted):
        await checked(world, ask(), receipt=b"")


async def test_3_an_entry_that_is_no_request_of_this_exchange_is_refused(world: World) -> None:
    other = ShardOpenEntry(log=LOG, hub="testhub", t=1, n=nonce()).encode()
    for case in (ask(entry={"exchange": nonce()}), ask(entry={"agency": "other"}), ask(entry={"hub": "other"})):
        with pytest.raises(fails.EntryForeign):
            await checked(world, case)
    with pytest.raises(fails.EntryForeign):
        await checked(world, ask(), leaf=other)
    with pytest.raises(fails.EntryForeign):
        await checked(world, ask(entry={"log": "another.example/log"}))


@pytest.mark.parametrize(
    ("member", "failure"),
    [
        ("request_digest", fails.RequestNotLogged),
        ("grant_digest", fails.GrantNotLogged),
        ("addendum_digest", fails.AddendumNotLogged),
    ],
)
async def test_4_5_7_an_entry_that_names_another_digest_is_refused(
    world: World, member: str, failure: type[Rejected]
) -> None:
    with pytest.raises(failure):
        await checked(world, ask(entry={member: "f" * 64}))


async def test_6_a_request_whose_body_was_changed_is_refused(world: World) -> None:
    asked, parts = await world.parts(ask())
    request = unpack(parts[0])
    swapped = pack(request.header, request.signatures, [request.parts[0][:-1] + b"x", request.parts[1]])
    with pytest.raises(fails.RequestMalformed):
        checker(world).check((swapped, *parts[1:]), asked.exchange, world.clock.now())


@pytest.mark.parametrize("changed", [{"hub": "other"}, {"agency": "other"}, {"log": "x.example/log"}])
async def test_8_a_request_for_somebody_else_is_refused(world: World, changed: dict[str, Any]) -> None:
    with pytest.raises(fails.RequestMisaddressed):
        await checked(world, ask(header=changed))


async def test_9_times_that_are_not_the_entrys_or_not_now_are_refused(world: World) -> None:
    now = world.clock.now()
    with pytest.raises(fails.RequestUntimely):
        await checked(world, ask(entry={"deadline_at": now + 1}))
    with pytest.raises(fails.RequestUntimely):
        await checked(world, ask(header={"asked_at": now + HOUR}))
    asked, parts = await world.parts(ask())
    with pytest.raises(fails.RequestUntimely):
        checker(world).check(parts, asked.exchange, asked.entry.expires_at)


async def test_10_a_desk_that_is_not_the_pinned_one_is_refused(world: World) -> None:
    with pytest.raises(fails.DeskUntrusted):
        await checked(world, ask(desk=STRANGE_DESK))
    with pytest.raises(fails.DeskUntrusted):
        await checked(world, ask(entry={"desk_sig": "0" * 128}))
    with pytest.raises(fails.DeskUntrusted):
        await checked(world, ask(entry={"desk_key": "0" * 32}))


async def test_11_an_officer_who_is_not_pinned_in_that_role_is_refused(world: World) -> None:
    for case in (
        ask(officer=STRANGE_OFFICER),
        ask(officer=UNPINNED),
        ask(header={"officer_role": OfficerRole.DECISION_MAKER}),
        ask(header={"officer": "desk"}),
    ):
        with pytest.raises(fails.OfficerUntrusted):
            await checked(world, case)


async def test_11_a_request_without_the_officers_signature_is_refused(world: World) -> None:
    asked, parts = await world.parts(ask())
    request = unpack(parts[0])
    bare = pack(request.header, request.signatures[:1], request.parts)
    with pytest.raises(fails.OfficerUntrusted):
        checker(world).check((bare, *parts[1:]), asked.exchange, world.clock.now())
    forged = Signature(OFFICER.keys[KeyPurpose.OFFICER].id, b"\x01" * 64)
    with pytest.raises(fails.OfficerUntrusted):
        checker(world).check(
            (pack(request.header, [request.signatures[0], forged], request.parts), *parts[1:]),
            asked.exchange,
            world.clock.now(),
        )


async def test_12_a_grant_by_another_coordinator_is_refused(world: World) -> None:
    with pytest.raises(fails.GrantUntrusted):
        await checked(world, ask(coordinator=STRANGE_COORDINATOR))


@pytest.mark.parametrize(
    "changed", [{"hub": "other"}, {"agency": "other"}, {"exchange": "0" * 32}, {"request_digest": "0" * 64}]
)
async def test_13_a_grant_for_another_request_is_refused(world: World, changed: dict[str, Any]) -> None:
    with pytest.raises(fails.GrantForeign):
        await checked(world, ask(grant=changed))


async def test_14_a_grant_that_is_not_in_force_is_refused(world: World) -> None:
    now = world.clock.now()
    for changed in ({"not_before": now + HOUR}, {"not_before": now - HOUR, "expires_at": now}):
        with pytest.raises(fails.GrantUntimely):
            await checked(world, ask(grant=changed))


def scope(**changed: Any) -> Scope:
    said = {
        "category": Category.POLICE_INCIDENT,
        "mode": Mode.CONTENT,
        "roles": [SubjectRole.INDEX_CHILD],
        "fields": ["date"],
        "rule": "r",
    }
    return Scope(**{**said, **changed})


@pytest.mark.parametrize(
    "wider",
    [
        scope(category=Category.POLICE_DA),
        scope(roles=[SubjectRole.PARENT_CARER]),
        scope(fields=["date", "shoe_size"]),
    ],
)
async def test_15_a_grant_that_is_wider_than_the_request_is_refused(world: World, wider: Scope) -> None:
    with pytest.raises(fails.GrantTooWide):
        await checked(world, ask(grant={"scope": [wider]}))


async def test_15_content_is_not_granted_where_existence_was_asked(world: World) -> None:
    with pytest.raises(fails.GrantTooWide):
        await checked(world, ask(mode=Mode.EXISTENCE, grant={"scope": [scope()]}))


async def test_15_a_grant_that_outlives_the_request_is_refused(world: World) -> None:
    with pytest.raises(fails.GrantTooWide):
        await checked(world, ask(grant={"expires_at": world.clock.now() + 48 * HOUR}))


async def test_16_a_sealing_key_or_epoch_that_is_not_held_is_refused(world: World) -> None:
    with pytest.raises(fails.SealKeyUnknown):
        await checked(world, ask(header={"seal_key": nonce()}))
    with pytest.raises(fails.SealKeyUnknown):
        await checked(world, ask(header={"seal_epoch": 7}))


async def test_16_what_was_sealed_to_a_key_that_is_gone_is_taken_in_unread(world: World) -> None:
    asked, parts = await world.parts(ask())
    await world.agent.stop()
    rotate_at_rest(world.home, KeyPurpose.SEAL, emergency=True, now=world.clock.now())
    await world.start_agent()
    held = checker(world)
    assert held.check(parts, asked.exchange, world.clock.now()).told is None
    assert held.reopen(*asked.parts)[2] is None


async def test_17_a_body_sealed_to_another_key_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    held = checker(world)
    asked, parts = await world.parts(ask())
    monkeypatch.setattr(Ring, "identity", lambda ring, purpose, key_id: Identity.generate(KeyPurpose.SEAL))
    with pytest.raises(fails.BodySealed):
        held.check(parts, asked.exchange, world.clock.now())
    monkeypatch.undo()
    with pytest.raises(fails.BodySealed):
        await checked(world, ask(body={"exchange": nonce()}))


async def test_18_an_addendum_that_does_not_open_with_the_bodys_key_is_refused(world: World) -> None:
    with pytest.raises(fails.AddendumSealed):
        await checked(world, ask(body={"addendum_key": "0" * 64}))


async def test_19_an_addendum_that_tells_another_reason_is_refused(world: World) -> None:
    officer = OfficerNamed(id=OFFICER.party.id, name="Sam Carr", position="Social worker")
    other = Told(subjects=[octavia()], officer=officer, stage=Stage.ENQUIRY, reason="Something quite harmless.")
    with pytest.raises(fails.ToldDiffers):
        await checked(world, ask(told_in_addendum=other))


async def test_20_a_body_about_others_than_the_header_is_refused(world: World) -> None:
    officer = OfficerNamed(id=OFFICER.party.id, name="Sam Carr", position="Social worker")
    for told in (
        Told(subjects=[stranger()], officer=officer, stage=Stage.ENQUIRY, reason="Reason."),
        Told(subjects=[octavia(role=SubjectRole.OTHER_CHILD)], officer=officer, stage=Stage.ENQUIRY, reason="Reason."),
        Told(
            subjects=[octavia()],
            officer=OfficerNamed(id="o-000001", name="Sam Carr", position="Social worker"),
            stage=Stage.ENQUIRY,
            reason="Reason.",
        ),
        Told(subjects=[octavia()], officer=officer, stage=Stage.STRATEGY_DISCUSSION, reason="Reason."),
    ):
        with pytest.raises(fails.SubjectsDiffer):
            await checked(world, ask(told_in_addendum=told, body={"told": told}))


async def test_a_pinned_officer_who_is_unpinned_is_believed_no_more(world: World) -> None:
    await checked(world, ask())
    world.home.unpin(OFFICER.party.id)
    world.agent.ground.read_directory_again()
    with pytest.raises(fails.OfficerUntrusted):
        await checked(world, ask())


async def test_a_rejected_delivery_and_its_entry_are_in_the_own_log_and_its_code_is_the_acknowledgement(
    world: World,
) -> None:
    await world.ask(ask(grant={"agency": "other"}))
    assert world.acknowledged == [("delivery", "grant_foreign")]
    entries = await world.agent.inspection.entries(5)
    assert [entry["entry"]["type"] for entry in entries] == ["received", "rejected", "received"]  # type: ignore[index]
    assert world.source.calls == 0  # type: ignore[attr-defined]
