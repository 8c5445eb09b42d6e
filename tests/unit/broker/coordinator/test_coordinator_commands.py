"""What a person at the hub's machine can ask the running coordinator, and what of it is recorded."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from broker.coordinator import coordinator_commands
from broker.node.commands import CommandMalformed
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, unpack
from schemas.failures import Failure
from schemas.ledger.checkpoint import parse_tree_head
from schemas.ledger.merkle import leaf_hash
from schemas.ledger.note import parse_note
from schemas.messages.addendum import key_for_reader, open_addendum
from schemas.messages.entry import MemberEntry
from schemas.messages.party import PartyKind
from schemas.vocabulary import AgencyKind, Stage
from tests.support.parties import make_member
from tests.support.policies import IG_LEAD
from tests.unit.broker.coordinator.scene import DESK, HEALTH, OFFICER, POLICE, STRANGER, Scene, asked


async def test_the_status_names_what_is_open_and_who_was_heard(scene: Scene) -> None:
    envelope = scene.request()
    await scene.submit(envelope)
    await scene.hello(scene.police, last_seq=1)
    status = await scene.command("status")
    assert status["open"] == {"permitted": 0, "delivered": 1, "overdue": 0}
    assert status["agencies"] == [{"agency": "northshire-police", "entries": 1, "heard_at": scene.clock.now()}]
    assert [row["exchange"] for row in status["pressing"]] == [asked(envelope).exchange]
    assert status["log_size"] == len(await scene.entries())
    assert status["policy_digest"] == scene.policy.digest


async def test_the_checkpoint_is_the_newest(scene: Scene) -> None:
    await scene.submit(scene.request())
    shown = await scene.command("checkpoint")
    assert parse_tree_head(parse_note(shown["checkpoint"].encode()).text).size == shown["size"]
    assert shown["size"] == len(await scene.entries())


async def test_reading_the_log_shows_entries_with_their_hashes_and_is_an_entry_itself(scene: Scene) -> None:
    entries = await scene.entries()
    shown = await scene.command("log", start=1, limit=2)
    assert [one["index"] for one in shown["entries"]] == [1, 2]
    assert [one["hash"] for one in shown["entries"]] == [leaf_hash(entry.encode()).hex() for entry in entries[1:3]]
    assert shown["entries"][0]["entry"]["type"] == entries[1].type
    read = (await scene.entries())[-1]
    assert (read.type, read.model_dump()["entries"]) == ("log-read", 2)


async def test_reading_past_the_end_shows_nothing_and_is_recorded_too(scene: Scene) -> None:
    assert (await scene.command("log", start=10_000))["entries"] == []
    assert (await scene.entries())[-1].type == "log-read"


async def test_that_an_extract_was_made_is_an_entry_with_a_count_and_a_role_and_no_more(scene: Scene) -> None:
    said = await scene.command("log-extracted", exchanges=3)
    made = (await scene.entries())[said["index"]].model_dump(exclude_none=True)
    assert made.keys() == {"v", "type", "log", "hub", "t", "n", "entries", "extract_by"}
    assert (made["type"], made["entries"], made["extract_by"]) == ("log-read", 3, "ig_lead")


async def test_the_log_opens_by_saying_so_then_who_is_in_and_what_is_decided_by(scene: Scene) -> None:
    entries = await scene.entries()
    assert [entry.type for entry in entries] == ["shard-open", *["member"] * 5, "policy"]
    members = [entry for entry in entries if isinstance(entry, MemberEntry)]
    assert [(entry.member, entry.agency, entry.change) for entry in members] == [
        ("desk", None, "admitted"),
        ("agency", HEALTH.party.id, "admitted"),
        ("agency", POLICE.party.id, "admitted"),
        ("officer", None, "admitted"),
        ("officer", None, "admitted"),
    ]


async def test_which_officer_was_admitted_is_only_in_the_addendum_for_the_ig_lead(scene: Scene) -> None:
    members = [entry for entry in await scene.entries() if isinstance(entry, MemberEntry)]
    entry = next(member for member in members if member.member == "officer")
    assert OFFICER.party.id.encode() not in entry.encode()
    assert entry.addendum_digest is not None
    shown = await scene.command("addendum", sha256=entry.addendum_digest)
    raw = base64.b64decode(shown["raw"])
    assert digest(raw) == entry.addendum_digest
    key = key_for_reader(raw, DESK.identities[KeyPurpose.ADDENDUM])
    about = json.loads(unpack(raw).header)["about"]
    assert OFFICER.party.id.encode() in open_addendum(raw, key, hub="testhub", about=about)


async def test_addenda_come_many_at_once_and_what_was_erased_is_said_to_be(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [entry for entry in await scene.entries() if isinstance(entry, MemberEntry) and entry.addendum_digest]
    digests, erased = [str(entry.addendum_digest) for entry in members], "0" * 64
    given = (await scene.command("addenda", sha256=[*digests, erased]))["addenda"]
    one_by_one = [(await scene.command("addendum", sha256=one))["raw"] for one in digests]
    assert list(given.items()) == [*zip(digests, one_by_one, strict=True), (erased, None)]
    monkeypatch.setattr(coordinator_commands, "ADDENDA_BYTES", 1)
    assert list((await scene.command("addenda", sha256=digests))["addenda"]) == digests[:1]


async def test_a_restart_repeats_no_opening_entry(scene: Scene) -> None:
    before = await scene.entries()
    await scene.coordinator.stop()
    await scene.start_coordinator()
    assert await scene.entries() == before


async def test_a_party_put_into_the_folder_is_admitted_and_one_taken_out_removed(scene: Scene) -> None:
    probation = make_member("northshire-probation", PartyKind.AGENT, agency_kind=AgencyKind.PROBATION)
    scene.home.pin(probation.party.raw)
    scene.home.unpin(HEALTH.party.id)
    changed = await scene.command("repin")
    assert (changed["admitted"], changed["removed"]) == ([probation.party.id], [HEALTH.party.id])
    last = [entry.model_dump() for entry in (await scene.entries())[-2:]]
    assert [(entry["change"], entry["agency"]) for entry in last] == [
        ("removed", HEALTH.party.id),
        ("admitted", probation.party.id),
    ]
    assert (await scene.command("repin"))["admitted"] == []


async def test_an_officer_whose_file_was_taken_out_is_removed(scene: Scene) -> None:
    scene.home.unpin(OFFICER.party.id)
    assert (await scene.command("repin"))["removed"] == [OFFICER.party.id]
    assert [one["officer"] for one in (await scene.command("officers"))["officers"]] == [IG_LEAD.party.id]


async def test_an_officer_is_admitted_once_and_listed(scene: Scene) -> None:
    assert await scene.command("admit-officer", officer=OFFICER.party.id) == {
        "officer": OFFICER.party.id,
        "changed": False,
    }
    listed = [one["officer"] for one in (await scene.command("officers"))["officers"]]
    assert listed == [OFFICER.party.id, IG_LEAD.party.id]


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("admit-officer", {"officer": STRANGER.party.id}, "officer_not_pinned"),
        ("admit-officer", {"officer": POLICE.party.id}, "officer_not_pinned"),
        ("remove-officer", {"officer": POLICE.party.id}, "officer_not_admitted"),
        ("addendum", {"sha256": "0" * 64}, "addendum_unknown"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_code(
    scene: Scene, name: str, arguments: dict[str, Any], code: str
) -> None:
    before = await scene.entries()
    with pytest.raises(Failure) as refused:
        await scene.command(name, **arguments)
    assert refused.value.code == code
    assert await scene.entries() == before


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("status", {"all": True}, "all"),
        ("log", {"start": -1}, "start"),
        ("log", {"limit": 100_000}, "limit"),
        ("log", {"start": "0"}, "start"),
        ("admit-officer", {}, "officer"),
        ("admit-officer", {"officer": "../x"}, "officer"),
        ("addendum", {"sha256": "zz"}, "sha256"),
    ],
)
async def test_arguments_that_do_not_fit_are_refused_by_name(
    scene: Scene, name: str, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(CommandMalformed, match=f"argument {says}"):
        await scene.command(name, **arguments)


async def test_a_second_desk_is_refused_and_an_officer_without_any(scene: Scene) -> None:
    scene.home.pin(make_member("other-desk", PartyKind.DESK).party.raw)
    with pytest.raises(Failure, match="two desks are pinned"):
        await scene.command("repin")
    assert "other-desk" not in scene.coordinator.room.directory.parties
    assert (await scene.submit(scene.request()))[0] == "committed"
    scene.home.unpin("other-desk")
    scene.home.unpin("desk")
    scene.home.pin(STRANGER.party.raw)
    await scene.command("repin")
    with pytest.raises(Failure, match="pin the desk's file first"):
        await scene.command("admit-officer", officer=STRANGER.party.id)


@pytest.mark.parametrize("stage", [Stage.ENQUIRY, Stage.DECIDED])
async def test_what_a_request_asked_for_is_kept_in_codes_whether_it_was_permitted_or_not(
    scene: Scene, stage: Stage
) -> None:
    envelope = scene.request(stage=stage)
    await scene.submit(envelope)
    header = asked(envelope)
    kept = await scene.command("question", exchange=header.exchange)
    assert kept["policy_digest"] == scene.policy.digest
    assert kept["asked"]["stage"] == stage.value
    assert kept["asked"]["categories"] == [one.model_dump(mode="json") for one in header.categories]
    assert all(subject.ref not in str(kept) for subject in header.subjects)
    with pytest.raises(Failure):
        await scene.command("question", exchange="f" * 32)
