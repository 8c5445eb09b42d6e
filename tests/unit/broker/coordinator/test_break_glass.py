"""A glass broken by one person, or for another request, or too late: refused; and what is entered when two broke it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.policy.pack import PackFiles
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import digest, pack, unpack
from schemas.messages.entry import BreakGlassEntry, ReviewClosedEntry, review_digest
from schemas.messages.grant import Grant, Ruling
from schemas.messages.model import read
from schemas.messages.party import PartyKind
from schemas.messages.request import BreakGlass, sign_as_officer
from schemas.messages.transport import Delivery, Notice
from schemas.vocabulary import OfficerRole, Rag, ReviewFinding, Stage
from tests.support.parties import Member, make_member
from tests.support.policies import IG_LEAD, agreeing, make_pack_version
from tests.unit.broker.coordinator.scene import DESK, HEALTH, HOUR_MS, OFFICER, POLICE, STRANGER, Scene, asked

MANAGER = make_member("o-71c3d0", PartyKind.OFFICER, officer_role=OfficerRole.DECISION_MAKER)
COLLEAGUE = make_member("o-33aa10", PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)
LEAD = make_member("o-9be105", PartyKind.OFFICER, officer_role=OfficerRole.IG_LEAD)
UNPINNED = make_member("o-55dd21", PartyKind.OFFICER, officer_role=OfficerRole.DECISION_MAKER)
REVIEW_WITHIN_MS = 120 * HOUR_MS
"""What the pack says."""
GREEN: dict[str, Any] = {"stage": Stage.SCREENING, "rag": Rag.GREEN}
"""Refused by R4, which a broken glass lifts."""


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    scene = Scene(tmp_path, members=(DESK, POLICE, HEALTH, OFFICER, MANAGER, COLLEAGUE, LEAD, IG_LEAD))
    await scene.start()
    for officer in (MANAGER, COLLEAGUE, LEAD):
        await scene.command("admit-officer", officer=officer.party.id)
    yield scene
    await scene.stop()


def broken(
    scene: Scene, by: Member = MANAGER, *, signed_by: Member | None = None, until_ms: int = HOUR_MS, **changes: Any
) -> bytes:
    """A request with a broken glass and the word of whoever is to have signed as its manager."""
    key = by.keys[KeyPurpose.OFFICER]
    glass = {"manager": by.party.id, "manager_key": key.id, "until": scene.clock.now() + until_ms, **changes}
    return with_word(scene.request(**GREEN, break_glass=BreakGlass(**glass)), signed_by or by)


def with_word(envelope: bytes, officer: Member) -> bytes:
    frame = unpack(envelope)
    word = sign_as_officer(officer.keys[KeyPurpose.OFFICER], digest(frame.header))
    return pack(frame.header, [*frame.signatures, word], frame.parts)


def word_of_another_request(scene: Scene) -> bytes:
    one, other = unpack(broken(scene)), unpack(broken(scene))
    return pack(one.header, [*one.signatures[:2], other.signatures[2]], one.parts)


def without_the_manager(scene: Scene) -> bytes:
    frame = unpack(broken(scene))
    return pack(frame.header, frame.signatures[:2], frame.parts)


FAILS: dict[str, tuple[Callable[[Scene], bytes], str]] = {
    "no manager has signed": (without_the_manager, "signature_missing"),
    "a manager's word for another request": (word_of_another_request, "signature_invalid"),
    "a colleague's word as the manager's": (lambda scene: broken(scene, signed_by=COLLEAGUE), "signature_missing"),
    "a colleague for a manager": (lambda scene: broken(scene, COLLEAGUE), "manager_role_wrong"),
    "a lead for a manager": (lambda scene: broken(scene, LEAD), "manager_role_wrong"),
    "a manager nobody pinned": (lambda scene: broken(scene, UNPINNED), "manager_not_admitted"),
    "an agency for a manager": (lambda scene: broken(scene, manager="northshire-police"), "manager_not_admitted"),
    "a key that is not the manager's": (
        lambda scene: broken(scene, manager_key=COLLEAGUE.keys[KeyPurpose.OFFICER].id),
        "key_unknown",
    ),
    "a key of the manager's for commands": (
        lambda scene: broken(scene, manager_key=MANAGER.keys[KeyPurpose.COMMAND].id),
        "key_unknown",
    ),
    "a manager's word for no broken glass": (
        lambda scene: with_word(scene.request(**GREEN), MANAGER),
        "signature_missing",
    ),
}


@pytest.mark.parametrize("case", FAILS)
async def test_a_glass_that_one_person_broke_is_none(scene: Scene, case: str) -> None:
    build, expected = FAILS[case]
    code, parts = await scene.submit(build(scene))
    assert (code, parts) == (expected, ())
    assert await scene.types() == ["rejected"]
    assert not scene.police.of(Delivery)


@pytest.mark.parametrize(
    "changes",
    [
        {"manager": OFFICER.party.id},
        {"manager_key": OFFICER.keys[KeyPurpose.OFFICER].id},
        {"until": 1},
        {"until_ms": 25 * HOUR_MS},
    ],
)
async def test_a_header_of_one_person_or_of_more_than_a_day_is_none(scene: Scene, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        broken(scene, **changes)


async def test_a_managers_word_is_over_at_its_instant_however_long_the_message_was_under_way(scene: Scene) -> None:
    late, in_time = broken(scene), broken(scene, until_ms=3 * HOUR_MS)
    await scene.turn(HOUR_MS)
    assert (await scene.submit(late))[0] == "break_glass_over"
    assert (await scene.submit(in_time))[0] == "committed"


async def test_what_was_lifted_stands_in_the_grant_the_entry_and_the_review_which_begins(scene: Scene) -> None:
    envelope = broken(scene)
    code, parts = await scene.submit(envelope)
    assert code == "committed"
    grant = read(Grant, unpack(parts[2]).header)
    header = asked(envelope)
    assert header.break_glass is not None
    assert (grant.lifted, grant.expires_at) == (["R4-below-threshold-content"], header.break_glass.until)
    assert await scene.types() == ["request", "break-glass", "acknowledged"]
    (entry,) = [one for one in await scene.entries() if isinstance(one, BreakGlassEntry)]
    assert (entry.seq, entry.lifted) == (2, grant.lifted)
    assert (entry.request_digest, entry.grant_digest) == (digest(unpack(envelope).header), unpack(parts[2]).digest)
    assert entry.manager_sig == unpack(envelope).signatures[2].raw.hex()
    (review,) = (await scene.command("reviews"))["reviews"]
    assert (review["officer"], review["manager"]) == (OFFICER.party.id, MANAGER.party.id)
    assert review["due_at"] - review["opened_at"] == REVIEW_WITHIN_MS


async def test_the_agency_is_sent_the_entry_with_what_is_sealed_to_its_lead(scene: Scene) -> None:
    envelope = broken(scene)
    await scene.submit(envelope)
    await scene.settle()
    (notice,) = scene.police.of(Notice)
    assert notice.parts[2] == unpack(envelope).parts[1]
    (delivery,) = scene.police.of(Delivery)
    assert delivery.outer.last_seq == 2  # type: ignore[attr-defined]


async def test_a_request_without_a_broken_glass_opens_no_review(scene: Scene) -> None:
    await scene.submit(scene.request())
    assert "break-glass" not in await scene.types()
    assert (await scene.command("reviews"))["reviews"] == []


async def test_a_glass_lifts_nothing_that_a_broken_glass_does_not(scene: Scene) -> None:
    """Once the hub has decided nothing more is asked on the same authority, whoever signs."""
    glass = BreakGlass(
        manager=MANAGER.party.id,
        manager_key=MANAGER.keys[KeyPurpose.OFFICER].id,
        until=scene.clock.now() + HOUR_MS,
    )
    envelope = with_word(scene.request(stage=Stage.DECIDED, break_glass=glass), MANAGER)
    assert (await scene.submit(envelope))[0] == "committed"
    assert await scene.types() == ["refusal"]
    assert (await scene.command("reviews"))["reviews"] == []


# Closing.


def closing(review: dict[str, Any], lead: Member, **changes: Any) -> dict[str, Any]:
    key = lead.keys[KeyPurpose.OFFICER]
    opened_by = changes.get("break_glass", review["entry_hash"])
    said = review_digest(opened_by, ReviewFinding.NOT_JUSTIFIED).encode()
    return {
        "agency": POLICE.party.id,
        "exchange": review["exchange"],
        "break_glass": opened_by,
        "finding": ReviewFinding.NOT_JUSTIFIED,
        "lead_key": key.id,
        "lead_sig": sign(key, KeyPurpose.OFFICER, said).hex(),
        **changes,
    }


async def opened(scene: Scene) -> dict[str, Any]:
    await scene.submit(broken(scene))
    (review,) = (await scene.command("reviews"))["reviews"]
    return dict(review)


async def test_a_lead_closes_a_review_once(scene: Scene) -> None:
    review = await opened(scene)
    said = closing(review, LEAD)
    assert (await scene.deed(scene.desk, ReviewClosedEntry, addendum=b"why", **said))[0] == "committed"
    assert (await scene.command("reviews"))["reviews"] == []
    (closed,) = (await scene.command("reviews", all=True))["reviews"]
    assert (closed["state"], closed["finding"]) == ("closed", "not_justified")
    assert (await scene.deed(scene.desk, ReviewClosedEntry, addendum=b"why", **said))[0] == "review_closed"


@pytest.mark.parametrize("who", [OFFICER, MANAGER, COLLEAGUE, STRANGER])
async def test_a_review_that_no_admitted_lead_signed_for_stays_open(scene: Scene, who: Member) -> None:
    review = await opened(scene)
    said = closing(review, who)
    assert (await scene.deed(scene.desk, ReviewClosedEntry, addendum=b"why", **said))[0] == "not_a_lead"
    assert len((await scene.command("reviews"))["reviews"]) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"break_glass": "7" * 64}, "review_foreign"),
        ({"lead_sig": "ab" * 64}, "signature_invalid"),
        ({"finding": ReviewFinding.JUSTIFIED}, "signature_invalid"),
    ],
)
async def test_a_leads_word_for_another_review_or_finding_closes_nothing(
    scene: Scene, changes: dict[str, Any], code: str
) -> None:
    review = await opened(scene)
    said = closing(review, LEAD, **changes)
    assert (await scene.deed(scene.desk, ReviewClosedEntry, addendum=b"why", **said))[0] == code
    assert len((await scene.command("reviews"))["reviews"]) == 1


@pytest.mark.parametrize(("until_ms", "is_permitted"), [(6 * HOUR_MS, True), (6 * HOUR_MS + 1, False)])
async def test_a_glass_is_broken_for_no_longer_than_the_sharing_agreement_says(
    scene: Scene, until_ms: int, is_permitted: bool
) -> None:
    await agree(scene, agreeing(6))
    code, parts = await scene.submit(broken(scene, until_ms=until_ms))
    ruling = read(Ruling, parts[0])
    assert (code, ruling.permitted) == ("committed", is_permitted)
    refused = [one.rule for one in ruling.reasons if one.rule.startswith("R31")]
    assert refused == ([] if is_permitted else ["R31-break-glass-too-long"])
    assert len((await scene.command("reviews"))["reviews"]) == int(is_permitted)


async def test_a_review_is_due_within_the_time_of_the_version_that_the_glass_was_broken_under(scene: Scene) -> None:
    await scene.submit(broken(scene))
    await agree(scene, agreeing(6, 48))
    await scene.submit(broken(scene))
    lengths = [one["due_at"] - one["opened_at"] for one in (await scene.command("reviews"))["reviews"]]
    assert sorted(lengths) == [48 * HOUR_MS, REVIEW_WITHIN_MS]


async def agree(scene: Scene, files: PackFiles) -> None:
    """Have the hub's lead put another agreement in force."""
    now = scene.clock.now()
    version = make_pack_version(now, after=scene.version, files=files, made_at=now)
    await scene.command("publish-policy", **version.arguments())


async def test_open_and_overdue_reviews_are_counted(scene: Scene) -> None:
    await opened(scene)
    registry = scene.coordinator.ground.metrics.registry

    def counted() -> tuple[float | None, float | None]:
        return (
            registry.get_sample_value("needtoknow_glass_reviews_open"),
            registry.get_sample_value("needtoknow_glass_reviews_overdue"),
        )

    for turned, expected in ((60_000, (1, 0)), (REVIEW_WITHIN_MS, (1, 1))):
        await scene.turn(turned)
        for _ in range(50):
            if counted() == expected:
                break
            await scene.settle()
        assert counted() == expected
