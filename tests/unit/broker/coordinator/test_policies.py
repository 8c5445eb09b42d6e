"""Versions of the hub's policy: taken, in force from an instant, kept over restarts; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.coordinator.policy_taking import take_policy
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import signed, unpack
from schemas.failures import Failure
from schemas.messages.entry import PolicyEntry
from schemas.messages.grant import Grant
from schemas.messages.model import read
from schemas.messages.party import PartyKind
from schemas.messages.policy import pack_policy_files
from schemas.messages.request import PolicyStated
from schemas.vocabulary import Nation, OfficerRole
from tests.support.parties import make_member
from tests.support.policies import IG_LEAD, SMALL, Version, commented, england_files, make_pack_version, make_version
from tests.unit.broker.coordinator.scene import HOUR_MS, OFFICER, Scene, asked, receipt_of

DAY_MS = 24 * HOUR_MS
OTHER_LEAD = make_member("o-00bad0", PartyKind.OFFICER, officer_role=OfficerRole.IG_LEAD)


def second(scene: Scene, valid_from: int, **changes: Any) -> Version:
    """The version that follows on the scene's first."""
    said = {"made_at": scene.clock.now(), **changes}
    return make_pack_version(valid_from, after=scene.version, files=commented("// Second.\n"), **said)


async def publish(scene: Scene, version: Version) -> Any:
    return await scene.command("publish-policy", **version.arguments())


async def granted_by(scene: Scene) -> str:
    """The policy digest that a request of this moment is granted by."""
    code, parts = await scene.submit(scene.request())
    assert code == "committed"
    return read(Grant, unpack(parts[2]).header).policy_digest


async def test_without_a_version_every_request_is_refused_with_a_plain_code(tmp_path: Path) -> None:
    scene = Scene(tmp_path, is_published=False)
    await scene.start()
    assert (await scene.submit(scene.request()))[0] == "no_policy_in_force"
    assert (await scene.entries())[-1].model_dump()["check"] == "no_policy_in_force"
    assert (await scene.command("status"))["policy_number"] == 0
    await publish(scene, make_pack_version(scene.clock.now()))
    assert (await scene.submit(scene.request()))[0] == "committed"
    await scene.stop()


async def test_a_version_is_in_force_from_its_instant_on_without_a_restart(scene: Scene) -> None:
    first, coming = scene.version.statement.policy_digest, second(scene, scene.clock.now() + HOUR_MS)
    await publish(scene, coming)
    assert await granted_by(scene) == first
    await scene.turn(HOUR_MS - 1)
    assert await granted_by(scene) == first
    await scene.turn(1)
    assert await granted_by(scene) == coming.statement.policy_digest
    await scene.coordinator.stop()
    await scene.start_coordinator()
    assert await granted_by(scene) == coming.statement.policy_digest


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_a_clock_that_is_set_back_does_not_end_the_first_version(scene: Scene, is_restarted: bool) -> None:
    scene.clock.turn(-90_000)
    if is_restarted:
        await scene.coordinator.stop()
        await scene.start_coordinator()
    assert await granted_by(scene) == scene.version.statement.policy_digest


async def test_a_version_that_is_to_come_comes_into_force_after_a_restart_too(scene: Scene) -> None:
    coming = second(scene, scene.clock.now() + HOUR_MS)
    await publish(scene, coming)
    await scene.coordinator.stop()
    await scene.start_coordinator()
    assert await granted_by(scene) == scene.version.statement.policy_digest
    await scene.turn(HOUR_MS)
    assert await granted_by(scene) == coming.statement.policy_digest


async def test_the_log_names_the_version_and_its_statement_and_nobody(scene: Scene) -> None:
    (entry,) = [one for one in await scene.entries() if isinstance(one, PolicyEntry)]
    assert (entry.number, entry.statement_digest) == (1, scene.version.digest)
    assert (entry.policy_digest, entry.valid_from) == (
        scene.version.statement.policy_digest,
        scene.version.statement.valid_from,
    )
    assert IG_LEAD.party.id.encode() not in entry.encode()


async def test_a_decision_is_explained_by_the_version_that_made_it(scene: Scene) -> None:
    envelope = scene.request()
    await scene.submit(envelope)
    await publish(scene, second(scene, scene.clock.now()))
    kept = await scene.command("question", exchange=asked(envelope).exchange)
    assert kept["policy_digest"] == scene.version.statement.policy_digest
    files = (await scene.command("policy-files", policy_digest=kept["policy_digest"]))["files"]
    assert files["00-bounds.cedar"].encode() == england_files().files["00-bounds.cedar"]
    with pytest.raises(Failure, match="policy_files_unknown"):
        await scene.command("policy-files", policy_digest="0" * 64)


REFUSED: dict[str, tuple[Callable[[Scene], Version], str]] = {
    "a number that is taken": (lambda s: second(s, s.clock.now(), number=1, previous=None), "policy_out_of_order"),
    "a number left out": (lambda s: second(s, s.clock.now(), number=3), "policy_out_of_order"),
    "another statement before it": (lambda s: second(s, s.clock.now(), previous="0" * 64), "policy_out_of_order"),
    "an instant that is past": (lambda s: second(s, s.clock.now() - 120_001), "policy_untimely"),
    "an instant that is too far ahead": (lambda s: second(s, s.clock.now() + 90 * DAY_MS + 1), "policy_untimely"),
    "made in the future": (lambda s: second(s, s.clock.now(), made_at=s.clock.now() + 120_001), "policy_untimely"),
    "another hub's": (lambda s: second(s, s.clock.now(), hub="otherhub"), "policy_foreign"),
    "by an officer who is no IG lead": (lambda s: second(s, s.clock.now(), by=OFFICER), "policy_signer_refused"),
    "by an IG lead who is not pinned": (lambda s: second(s, s.clock.now(), by=OTHER_LEAD), "policy_signer_unknown"),
    "in another's name": (lambda s: second(s, s.clock.now(), by=OFFICER, officer=IG_LEAD.party.id), "key_unknown"),
    "of another nation than its pack": (lambda s: second(s, s.clock.now(), nation=Nation.WALES), "policy_files_differ"),
    "of another digest than its files": (
        lambda s: second(s, s.clock.now(), policy_digest="0" * 64),
        "policy_files_differ",
    ),
    "of files that are no pack": (
        lambda s: make_version(s.clock.now(), after=s.version, whole=SMALL),
        "policy_invalid",
    ),
}


@pytest.mark.parametrize(("make", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_does_not_hold_is_refused_and_the_version_in_force_stays(
    scene: Scene, make: Callable[[Scene], Version], code: str
) -> None:
    await scene.turn(HOUR_MS)
    before = await scene.entries()
    with pytest.raises(Failure) as refused:
        await publish(scene, make(scene))
    assert refused.value.code == code
    assert await scene.entries() == before
    assert [one["number"] for one in (await scene.command("policy-versions"))["versions"]] == [1]
    assert await granted_by(scene) == scene.version.statement.policy_digest


async def test_a_version_before_the_one_that_is_to_come_is_refused(scene: Scene) -> None:
    coming = second(scene, scene.clock.now() + DAY_MS)
    await publish(scene, coming)
    with pytest.raises(Failure, match="policy_out_of_order"):
        await publish(scene, make_pack_version(scene.clock.now() + HOUR_MS, after=coming, made_at=scene.clock.now()))
    taken_back = make_pack_version(coming.statement.valid_from, after=coming, made_at=scene.clock.now())
    await publish(scene, taken_back)
    await scene.turn(DAY_MS)
    assert await granted_by(scene) == taken_back.statement.policy_digest


async def test_a_signature_with_a_key_for_commands_or_requests_makes_no_version(scene: Scene) -> None:
    version = second(scene, scene.clock.now())
    for purpose in (KeyPurpose.COMMAND, KeyPurpose.OFFICER):
        key = IG_LEAD.keys[purpose]
        with pytest.raises(Failure, match="signature_missing"):
            await take_policy(scene.coordinator.room, signed(version.statement.encode(), [key]), version.files)
        named = version.statement.model_copy(update={"officer_key": key.id}).encode()
        with pytest.raises(Failure, match="key_unknown"):
            await take_policy(scene.coordinator.room, signed(named, [key]), version.files)


async def test_an_expelled_ig_lead_publishes_nothing_and_what_was_published_stays(scene: Scene) -> None:
    await scene.command("remove-officer", officer=IG_LEAD.party.id)
    with pytest.raises(Failure, match="policy_signer_refused"):
        await publish(scene, second(scene, scene.clock.now()))
    (version,) = (await scene.command("policy-versions"))["versions"]
    assert not version["signer_admitted"]
    assert await granted_by(scene) == scene.version.statement.policy_digest


async def test_the_files_of_another_version_beside_a_sound_statement_are_refused(scene: Scene) -> None:
    version = second(scene, scene.clock.now())
    with pytest.raises(Failure, match="policy_files_differ"):
        await take_policy(scene.coordinator.room, version.frame, pack_policy_files(england_files().whole))


async def test_every_agency_is_sent_a_version_with_its_files_and_the_proof_of_its_entry(scene: Scene) -> None:
    version = second(scene, scene.clock.now())
    await publish(scene, version)
    await scene.settle()
    (received,) = [one for one in scene.police.heard if one.kind == "policy"]
    frame, files, receipt, _ = received.parts
    assert (frame, files) == (version.frame, version.files)
    assert receipt_of(receipt).leaf == (await scene.entries())[-1].encode()
    shown = (await scene.command("policy-versions"))["versions"][-1]["agencies"]
    assert [(one["agency"], one["code"]) for one in shown] == [
        ("northshire-health", None),
        ("northshire-police", "committed"),
    ]


async def test_an_agency_that_says_hello_is_sent_what_it_lacks_and_nothing_twice(scene: Scene) -> None:
    def sent() -> int:
        return len([one for one in scene.police.heard if one.kind == "policy"])

    await scene.coordinator.ground.store.write(_forget)
    await scene.hello(scene.police)
    assert sent() == 1
    await scene.hello(scene.police)
    assert sent() == 1


async def test_a_version_taken_just_before_the_coordinator_died_is_sent_by_the_next_one(scene: Scene) -> None:
    scene.hub.cut(scene.bus)  # nothing leaves any more, as if it had died between store and send
    await publish(scene, second(scene, scene.clock.now()))
    await scene.coordinator.stop()
    await scene.start_coordinator()
    await scene.hello(scene.police)
    assert len([one for one in scene.police.heard if one.kind == "policy"]) == 1


def _forget(tx: Any) -> None:
    tx.execute("DELETE FROM policy_sent")


def stating(version: Version, **changes: Any) -> PolicyStated:
    """What a desk that holds a version states."""
    return PolicyStated(**{"number": version.statement.number, "statement_digest": version.digest, **changes})


async def test_a_request_is_decided_that_states_the_version_in_force_or_one_before_it(scene: Scene) -> None:
    assert (await scene.submit(scene.request(policy=stating(scene.version))))[0] == "committed"
    later = second(scene, scene.clock.now())
    await publish(scene, later)
    for stated in (scene.version, later):
        assert (await scene.submit(scene.request(policy=stating(stated))))[0] == "committed"


@pytest.mark.parametrize("changes", [{"number": 2}, {"statement_digest": "0" * 64}])
async def test_a_request_that_states_a_version_that_the_coordinator_has_not_is_refused(
    scene: Scene, changes: dict[str, Any]
) -> None:
    code, _ = await scene.submit(scene.request(policy=stating(scene.version, **changes)))
    assert code == "policy_stated_otherwise"


async def test_a_request_that_states_a_version_that_is_to_come_is_refused(scene: Scene) -> None:
    coming = second(scene, scene.clock.now() + HOUR_MS)
    await publish(scene, coming)
    assert (await scene.submit(scene.request(policy=stating(coming))))[0] == "policy_stated_otherwise"


async def test_a_desk_whose_clock_is_ahead_is_granted_by_the_version_that_it_states(scene: Scene) -> None:
    coming = second(scene, scene.clock.now() + 60_000)
    await publish(scene, coming)
    ahead = scene.clock.now() + 60_000
    code, parts = await scene.submit(scene.request(policy=stating(coming), asked_at=ahead))
    assert code == "committed"
    assert read(Grant, unpack(parts[2]).header).policy_digest == coming.statement.policy_digest
