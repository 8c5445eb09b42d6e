"""Every check of a submission: what fails it, and that nothing but its own code comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.coordinator.submission import NotTheDesk, check_submission
from broker.node.post.port import Received
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import Signature, pack, unpack
from schemas.messages.entry import nonce
from schemas.messages.model import read
from schemas.messages.transport import Delivery, Submission
from schemas.vocabulary import OfficerRole
from tests.support.parties import make_member
from tests.support.policies import IG_LEAD
from tests.unit.broker.coordinator.scene import (
    DESK,
    HEALTH,
    HOUR_MS,
    OFFICER,
    POLICE,
    STRANGER,
    Scene,
    asked,
)

DAY_MS = 24 * HOUR_MS
OTHER_DESK = make_member("desk", DESK.party.statement.party_kind)


def without_officer(scene: Scene) -> bytes:
    envelope = unpack(scene.request())
    return pack(envelope.header, envelope.signatures[:1], envelope.parts)


def signed_thrice(scene: Scene) -> bytes:
    envelope = unpack(scene.request())
    return pack(envelope.header, [*envelope.signatures, Signature(nonce(), bytes(64))], envelope.parts)


def other_officer_signature(scene: Scene) -> bytes:
    envelope = unpack(scene.request())
    forged = Signature(OFFICER.keys[KeyPurpose.OFFICER].id, envelope.signatures[0].raw)
    return pack(envelope.header, [envelope.signatures[0], forged], envelope.parts)


def changed_header(scene: Scene) -> bytes:
    envelope = unpack(scene.request())
    return pack(envelope.header.replace(b'"rag":"red"', b'"rag":"amber"'), envelope.signatures, envelope.parts)


def other_body(scene: Scene) -> bytes:
    envelope = unpack(scene.request())
    return pack(envelope.header, envelope.signatures, [b"another", envelope.parts[1]])


def missing_addendum(scene: Scene) -> bytes:
    envelope = unpack(scene.request())
    return pack(envelope.header, envelope.signatures, envelope.parts[:1])


def request(**changes: Any) -> Callable[[Scene], bytes]:
    return lambda scene: scene.request(**changes)


def times(**offsets: int) -> Callable[[Scene], bytes]:
    return lambda scene: scene.request(header={name: scene.clock.now() + offset for name, offset in offsets.items()})


FAILS: dict[str, tuple[Callable[[Scene], bytes], str]] = {
    "not a frame": (lambda scene: b"nothing", "frame_malformed"),
    "another desk's key": (request(desk=OTHER_DESK), "key_unknown"),
    "a header changed after signing": (changed_header, "signature_invalid"),
    "another hub": (request(hub="elsewhere"), "wrong_hub"),
    "another log": (request(log="elsewhere.example/log"), "wrong_log"),
    "an agency nobody pinned": (request(header={"agency": "southshire-police"}), "agency_not_admitted"),
    "a desk for an agency": (request(header={"agency": "desk"}), "agency_not_admitted"),
    "another agency's sealing key": (
        request(seal_key=HEALTH.identities[KeyPurpose.SEAL].id),
        "seal_key_stale",
    ),
    "another sealing epoch": (request(seal_epoch=2), "seal_key_stale"),
    "an officer nobody pinned": (request(officer=STRANGER), "officer_not_admitted"),
    "an agency for an officer": (request(header={"officer": "northshire-police"}), "officer_not_admitted"),
    "another role": (request(officer_role=OfficerRole.DECISION_MAKER), "officer_role_wrong"),
    "another officer key": (request(officer_key="0" * 32), "key_unknown"),
    "no officer's signature": (without_officer, "signature_missing"),
    "a third signature": (signed_thrice, "signature_missing"),
    "a signature that is not the officer's": (other_officer_signature, "signature_invalid"),
    "past its deadline": (times(received_at=-180_000, asked_at=-180_000, deadline_at=-1), "not_fresh"),
    "asked in three minutes": (times(received_at=0, asked_at=180_000), "not_fresh"),
    "open for half a year": (times(expires_at=180 * DAY_MS), "too_long"),
    "another body": (other_body, "part_mismatch"),
    "no addendum": (missing_addendum, "part_mismatch"),
}


@pytest.mark.parametrize("case", FAILS)
async def test_a_submission_that_does_not_hold_is_rejected_with_its_own_code(scene: Scene, case: str) -> None:
    build, expected = FAILS[case]
    envelope = build(scene)
    code, parts = await scene.submit(envelope, exchange=nonce() if case == "not a frame" else None)
    assert (code, parts) == (expected, ())
    assert await scene.types() == ["rejected"]
    assert not scene.police.of(Delivery)


async def test_a_message_that_names_another_exchange_than_its_request_is_rejected(scene: Scene) -> None:
    assert (await scene.submit(scene.request(), exchange=nonce()))[0] == "exchange_mismatch"


async def test_a_submission_of_anybody_but_the_desk_is_not_even_answered(scene: Scene) -> None:
    envelope = scene.request()
    code, _ = await scene.say(scene.police, Submission, (envelope,), exchange=asked(envelope).exchange)
    assert code == "unanswered"
    assert await scene.types() == []


async def test_the_checks_themselves_take_submissions_from_the_desk_alone(scene: Scene) -> None:
    envelope, now = scene.request(), scene.clock.now()
    outgoing = scene.desk.post.writer.write(
        Submission, scene.me, (envelope,), sent_at=now, expires_at=now + HOUR_MS, exchange=asked(envelope).exchange
    )
    outer = read(Submission, unpack(outgoing.raw).header)
    room = scene.coordinator.room
    with pytest.raises(NotTheDesk):
        check_submission(Received(outer, (envelope,), POLICE.party, outgoing.digest, now), room)
    assert check_submission(Received(outer, (envelope,), DESK.party, outgoing.digest, now), room).raw == envelope


async def test_an_officer_who_was_removed_asks_nothing_any_more(scene: Scene) -> None:
    await scene.command("remove-officer", officer=OFFICER.party.id)
    assert (await scene.submit(scene.request()))[0] == "officer_not_admitted"


async def test_a_pinned_officer_asks_nothing_before_being_admitted(tmp_path: Path) -> None:
    scene = Scene(tmp_path, members=(DESK, POLICE, OFFICER, STRANGER, IG_LEAD))
    await scene.start()
    assert (await scene.submit(scene.request(officer=STRANGER)))[0] == "officer_not_admitted"
    await scene.command("admit-officer", officer=STRANGER.party.id)
    assert (await scene.submit(scene.request(officer=STRANGER)))[0] == "committed"
    await scene.stop()


async def test_an_agency_that_was_unpinned_is_asked_nothing_any_more(scene: Scene) -> None:
    scene.home.unpin(POLICE.party.id)
    await scene.command("repin")
    assert (await scene.submit(scene.request()))[0] == "agency_not_admitted"


async def test_two_minutes_of_skew_are_permitted_both_ways(scene: Scene) -> None:
    now = scene.clock.now()
    for skew in (-119_000, 119_000):
        code, _ = await scene.submit(scene.request(received_at=now - HOUR_MS, asked_at=now + skew))
        assert code == "committed"
