"""The whole desk by stories: a real home, store and key store, a bus in memory, counterparts made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broker.cli.tables import request_text
from broker.desk import register
from broker.desk.casework import Casework
from broker.desk.enquiry import EnquiryState
from broker.desk.officers import sign_command
from broker.desk.told import ClosedTold, ConsultedTold, QuarantineTold
from broker.desk.vault import Erased
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, unpack
from schemas.failures import Rejected
from schemas.ledger.merkle import leaf_hash
from schemas.messages.addendum import key_for_reader, open_addendum
from schemas.messages.entry import (
    AcknowledgedEntry,
    ClosedEntry,
    ConsultedEntry,
    ExpiredEntry,
    OpenedEntry,
    OverdueEntry,
    QuarantinedEntry,
    ReleaseEntry,
    WithdrawEntry,
    WithdrawnEntry,
    nonce,
    verify_deed,
)
from schemas.messages.model import read
from schemas.messages.party import PartyKind
from schemas.messages.request import sign_as_officer
from schemas.messages.transport import Acknowledgement, Notice, NotTaken, Released, Submission
from schemas.vocabulary import OfficerRole, Outcome, SubjectRole
from tests.support.clock import NOON
from tests.support.desk_world import (
    CHILD,
    HOUR_MS,
    HUB,
    OFFICER,
    REASON,
    DeskWorld,
    Story,
    issuing,
    notice_of,
    opening,
    refuse,
    release,
    row,
    rule,
)
from tests.support.parties import make_member

INDEX, MOTHER = SubjectRole.INDEX_CHILD, SubjectRole.PARENT_CARER


async def permitted(world: DeskWorld) -> Story:
    await world.ask(await world.open_enquiry())
    return await world.permit()


def answered(story: Story) -> tuple[bytes, bytes, bytes]:
    return release(story, [row(story, INDEX), row(story, MOTHER, outcome=Outcome.NOT_KNOWN)])


def codes(world: DeskWorld, after: int) -> list[str]:
    return [one.outer.code for one in world.agency.heard[after:] if isinstance(one.outer, Acknowledgement)]


async def decided(world: DeskWorld, enquiry: str) -> None:
    body = json.dumps({"decision": "s47", "reason": "Threshold met."}).encode()
    await world.tell("POST", f"/enquiries/{enquiry}/decision", body)


async def test_one_request_is_asked_permitted_answered_opened_and_shown(world: DeskWorld) -> None:
    story = await permitted(world)
    assert await world.notify(story, notice_of(story, AcknowledgedEntry)) == "committed"
    assert await world.answer(story, answered(story)) == "committed"
    shown = await world.tell("GET", f"/requests/{story.asked.exchange}")
    assert shown["progress"] == "opened"
    assert {"submitted", "permitted", "acknowledged", "released", "opened"} <= set(shown["at"])
    answers = await world.tell("GET", f"/enquiries/{story.asked.enquiry}/answers")
    assert [(line["name"], line["on"]) for line in answers["chronology"]] == [("Adalgisa Lovelace", "2026-03-04")]
    states = {(cell["name"], cell["category"]): cell["state"] for cell in answers["outcomes"]}
    assert states == {
        ("Adalgisa Lovelace", "police.missing"): "answered",
        ("Marigold Lovelace", "police.missing"): "not_known",
        ("Adalgisa Lovelace", "police.involvement"): "no_answer",
        ("Marigold Lovelace", "police.involvement"): "no_answer",
    }
    assert "does not prove absence" in answers["note"]


async def test_opening_and_each_consulting_is_a_deed_the_desk_signed(world: DeskWorld) -> None:
    story = await permitted(world)
    parts = answered(story)
    await world.answer(story, parts)
    for _ in range(2):
        await world.tell("GET", f"/enquiries/{story.asked.enquiry}/answers")
    key = world.cast.desk.keys[KeyPurpose.DEED].public
    (opened,) = world.deeds("opened")
    assert verify_deed(OpenedEntry, opened.parts[0], key).value.answer_digest == unpack(parts[0]).digest
    consulted = world.deeds("consulted")
    assert len(consulted) == 2
    entry = verify_deed(ConsultedEntry, consulted[0].parts[0], key).value
    assert entry.addendum_digest == digest(consulted[0].parts[1])
    addendum_key = key_for_reader(consulted[0].parts[1], world.cast.desk.identities[KeyPurpose.ADDENDUM])
    told = read(ConsultedTold, open_addendum(consulted[0].parts[1], addendum_key, hub=HUB, about=entry.n))
    assert (told.enquiry, told.officer, told.exchanges) == (story.asked.enquiry, OFFICER, [story.asked.exchange])


async def test_looking_at_progress_shows_no_content_and_is_no_consultation(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.answer(story, answered(story))
    for path in ("/enquiries", f"/enquiries/{story.asked.enquiry}", f"/requests/{story.asked.exchange}"):
        shown = json.dumps(await world.tell("GET", path))
        assert CHILD not in shown
        assert REASON not in shown
        assert "2026-03-04" not in shown
    assert world.deeds("consulted") == []


async def test_what_exceeds_the_grant_is_kept_back_recorded_and_never_shown(world: DeskWorld) -> None:
    story = await permitted(world)
    facts = [{"Date": "2026-03-04", "ReturnedHomeInterviewAttended": True}]
    await world.answer(story, release(story, [row(story, INDEX, facts=facts)]))
    answers = await world.tell("GET", f"/enquiries/{story.asked.enquiry}/answers")
    assert "ReturnedHomeInterviewAttended" not in json.dumps(answers)
    assert answers["answers"][0]["part_quarantined"] is True
    (deed,) = world.deeds("quarantined")
    entry = verify_deed(QuarantinedEntry, deed.parts[0], world.cast.desk.keys[KeyPurpose.DEED].public).value
    for member in (world.cast.desk, world.cast.agency):
        key = key_for_reader(deed.parts[1], member.identities[KeyPurpose.ADDENDUM])
        told = read(QuarantineTold, open_addendum(deed.parts[1], key, hub=HUB, about=entry.exchange))
        assert told.cuts[0].fields == ["ReturnedHomeInterviewAttended"]


async def test_an_answer_within_its_grant_is_not_quarantined(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.answer(story, answered(story))
    assert world.deeds("quarantined") == []


async def test_nothing_personal_lies_readable_in_the_desks_files(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.answer(story, answered(story))
    await decided(world, story.asked.enquiry)
    await world.tell("GET", f"/enquiries/{story.asked.enquiry}/answers")
    await world.desk.ground.store.close()
    for file in world.home.path.rglob("*"):
        if not file.is_file():
            continue
        raw = file.read_bytes()
        for personal in (CHILD, "Lovelace", REASON, "9990000018", "2015-12-10", "2026-03-04", "Threshold"):
            assert personal.encode() not in raw, file.name
            assert personal not in file.name


async def test_nothing_personal_is_readable_on_the_bus(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.answer(story, answered(story))
    await world.tell("GET", f"/enquiries/{story.asked.enquiry}/answers")
    for subject, payload in world.bus.captured:
        for personal in (CHILD, "Lovelace", REASON, "9990000018", "2026-03-04", "Okoro", "M-2026-0142"):
            assert personal not in subject
            assert personal.encode() not in payload


async def test_a_refused_request_keeps_its_reasons(world: DeskWorld) -> None:
    exchange = await world.ask(await world.open_enquiry())
    submission = world.coordinator.last(Submission)
    await world.coordinator.acknowledge(submission, refuse(world.cast, submission.parts[0]))
    await world.settle()
    shown = await world.tell("GET", f"/requests/{exchange}")
    assert shown["progress"] == "refused"
    assert [reason["rule"] for reason in shown["reasons"]] == ["R-4"]
    assert "left out by R-4: Nothing is asked without a reason." in request_text(shown)


async def test_a_submission_that_was_not_taken_says_why(world: DeskWorld) -> None:
    exchange = await world.ask(await world.open_enquiry())
    await world.coordinator.acknowledge(world.coordinator.last(Submission), code="officer_not_admitted")
    await world.settle()
    shown = await world.tell("GET", f"/requests/{exchange}")
    assert (shown["progress"], shown["not_accepted"]) == ("not_accepted", "officer_not_admitted")


async def test_a_ruling_that_does_not_hold_changes_nothing(world: DeskWorld) -> None:
    exchange = await world.ask(await world.open_enquiry())
    submission = world.coordinator.last(Submission)
    await world.coordinator.acknowledge(
        submission, rule(world.cast, submission.parts[0], grant={"request_digest": "0" * 64})
    )
    await world.settle()
    assert (await world.tell("GET", f"/requests/{exchange}"))["progress"] == "asked"
    await world.permit()
    assert (await world.tell("GET", f"/requests/{exchange}"))["progress"] == "permitted"


async def test_an_answer_that_overtakes_the_ruling_is_taken_once_the_ruling_is_there(world: DeskWorld) -> None:
    await world.ask(await world.open_enquiry())
    submission = world.coordinator.last(Submission)
    ruled = rule(world.cast, submission.parts[0])
    story = await world.story(ruled)
    early = answered(story)
    assert await world.answer(story, early) == ""
    await world.coordinator.acknowledge(submission, ruled)
    await world.settle()
    assert await world.answer(story, early) == "committed"


async def test_the_same_answer_twice_is_one_answer(world: DeskWorld) -> None:
    story = await permitted(world)
    parts = answered(story)
    assert await world.answer(story, parts) == "committed"
    assert await world.answer(story, parts) == "committed"
    assert len(world.deeds("opened")) == 1


async def test_a_second_answer_to_one_request_is_rejected(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.answer(story, answered(story))
    assert await world.answer(story, answered(story)) == "answered_already"


async def test_an_answer_that_does_not_hold_is_rejected_and_noted(world: DeskWorld) -> None:
    story = await permitted(world)
    bad = release(story, [row(story, INDEX)], entry={"answer_digest": "0" * 64})
    assert await world.answer(story, bad) == "answer_differs"
    assert (await world.desk.counter.status())["rejections"] == {"answer_differs": 1}
    assert await world.answer(story, answered(story)) == "committed"


async def test_an_answer_to_an_exchange_never_asked_is_rejected(world: DeskWorld) -> None:
    story = await permitted(world)
    before = len(world.agency.heard)
    await world.agency.send(Released, world.cast.desk.party, answered(story), exchange="0" * 32)
    await world.settle()
    assert codes(world, before) == ["exchange_unknown"]


async def test_only_the_coordinator_gives_notice(world: DeskWorld) -> None:
    story = await permitted(world)
    before = len(world.agency.heard)
    receipt = notice_of(story, OverdueEntry)
    await world.agency.send(Notice, world.cast.desk.party, (receipt,), exchange=story.asked.exchange)
    await world.settle()
    assert codes(world, before) == []
    assert (await world.desk.counter.status())["rejections"] == {}


async def test_a_request_that_the_agency_refused_for_good_says_so_and_what_to_do(world: DeskWorld) -> None:
    story = await permitted(world)
    exchange = story.asked.exchange
    told = {"exchange": exchange, "code": "officer_untrusted"}
    await world.coordinator.send(NotTaken, world.cast.desk.party, (), **told)
    await world.settle()
    shown = await world.tell("GET", f"/requests/{exchange}")
    assert (shown["progress"], shown["not_taken"], shown["not_accepted"]) == ("permitted", "officer_untrusted", None)
    text = request_text(shown)
    assert "permitted (refused by the agency: officer_untrusted)" in text
    assert "agent pin FILE" in text
    await world.coordinator.send(NotTaken, world.cast.desk.party, (), exchange=exchange, code="note_not_signed")
    await world.settle()
    assert "under that code" in request_text(await world.tell("GET", f"/requests/{exchange}"))


async def test_a_request_that_is_answered_after_all_was_not_refused(world: DeskWorld) -> None:
    story = await permitted(world)
    told = {"exchange": story.asked.exchange, "code": "officer_untrusted"}
    await world.coordinator.send(NotTaken, world.cast.desk.party, (), **told)
    await world.agency.send(Released, world.cast.desk.party, answered(story), exchange=story.asked.exchange)
    await world.settle()
    shown = await world.tell("GET", f"/requests/{story.asked.exchange}")
    assert (shown["progress"], shown["not_taken"]) == ("opened", None)


async def test_only_the_coordinator_tells_of_a_delivery_and_of_what_this_desk_asked(world: DeskWorld) -> None:
    story = await permitted(world)
    told = {"exchange": story.asked.exchange, "code": "officer_untrusted"}
    await world.agency.send(NotTaken, world.cast.desk.party, (), **told)
    await world.coordinator.send(NotTaken, world.cast.desk.party, (), exchange="0" * 32, code="officer_untrusted")
    await world.settle()
    assert (await world.tell("GET", f"/requests/{story.asked.exchange}"))["not_taken"] is None
    assert (await world.desk.counter.status())["rejections"] == {"exchange_unknown": 1}


async def test_an_overdue_exchange_shows_as_overdue_and_its_answer_as_late(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.notify(story, notice_of(story, OverdueEntry))
    assert (await world.tell("GET", f"/requests/{story.asked.exchange}"))["overdue"] is True
    await world.answer(story, answered(story))
    answers = await world.tell("GET", f"/enquiries/{story.asked.enquiry}/answers")
    assert answers["answers"][0]["late"] is True
    assert all(line["late"] for line in answers["chronology"])


async def test_a_deadline_inside_an_outage_shows_as_undecided(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.notify(story, notice_of(story, OverdueEntry, undecided=True))
    await world.answer(story, answered(story))
    shown = await world.tell("GET", f"/requests/{story.asked.exchange}")
    assert (shown["undecided"], shown["late"]) == (True, False)


async def test_no_answer_is_opened_after_the_exchange_has_expired(world: DeskWorld) -> None:
    story = await permitted(world)
    assert await world.notify(story, notice_of(story, ExpiredEntry)) == "committed"
    assert await world.answer(story, answered(story)) == "concluded"


async def test_a_withdrawal_must_be_by_the_desks_own_deed(world: DeskWorld) -> None:
    story = await permitted(world)
    assert await world.notify(story, notice_of(story, WithdrawnEntry)) == "entry_foreign"
    await world.tell("POST", f"/requests/{story.asked.exchange}/withdraw")
    (deed,) = world.deeds("withdraw")
    withdraw = verify_deed(WithdrawEntry, deed.parts[0], world.cast.desk.keys[KeyPurpose.DEED].public).value
    assert withdraw.request_digest == story.asked.request_digest
    own = notice_of(story, WithdrawnEntry, desk_deed=leaf_hash(deed.parts[0]).hex())
    assert await world.notify(story, own) == "committed"
    assert (await world.tell("GET", f"/requests/{story.asked.exchange}"))["progress"] == "withdrawn"


async def test_a_deeds_receipt_is_kept_only_if_it_proves_that_very_deed(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.answer(story, answered(story))
    (deed,) = world.deeds("opened")
    await world.coordinator.acknowledge(deed, (notice_of(story, ReleaseEntry),))
    await world.settle()
    assert (await world.desk.counter.status())["deeds_unrecorded"] == {"waiting": 1}
    await world.coordinator.acknowledge(deed, (world.cast.log.receipt(deed.parts[0]),))
    await world.settle()
    assert (await world.desk.counter.status())["deeds_unrecorded"] == {}


async def test_two_requests_of_one_enquiry_to_one_agency_share_only_its_reference(world: DeskWorld) -> None:
    enquiry = await world.open_enquiry()
    await world.ask(enquiry)
    first = await world.permit()
    await world.ask(enquiry)
    second = await world.permit()
    assert first.header.enquiry == second.header.enquiry != enquiry
    assert not {one.ref for one in first.header.subjects} & {one.ref for one in second.header.subjects}


async def test_an_officer_sees_only_the_enquiries_he_works_on(world: DeskWorld) -> None:
    enquiry = await world.open_enquiry()
    other = make_member("o-77ab12", PartyKind.OFFICER, officer_role=OfficerRole.DECISION_MAKER)
    world.home.pin(other.party.raw)
    world.desk.ground.read_directory_again()
    assert (await world.tell("GET", "/enquiries", officer=other))["enquiries"] == []
    for path in (f"/enquiries/{enquiry}", f"/enquiries/{enquiry}/answers"):
        with pytest.raises(Rejected) as failed:
            await world.tell("GET", path, officer=other)
        assert failed.value.code == "enquiry_unknown"
    assert world.deeds("consulted") == []


async def test_only_the_officer_who_prepared_a_request_may_sign_it(world: DeskWorld) -> None:
    other = make_member("o-77ab12", PartyKind.OFFICER, officer_role=OfficerRole.DECISION_MAKER)
    world.home.pin(other.party.raw)
    world.desk.ground.read_directory_again()
    body = opening(officers=["o-77ab12"])
    enquiry = (await world.tell("POST", "/enquiries", body))["enquiry"]
    prepared = await world.tell("POST", f"/enquiries/{enquiry}/requests", issuing())
    signature = sign_as_officer(other.keys[KeyPurpose.OFFICER], prepared["digest"])
    command = json.dumps({"signature": signature.raw.hex()}).encode()
    for officer, code in ((other, "not_yours"), (world.cast.officer, "signature_invalid")):
        with pytest.raises(Rejected) as failed:
            await world.tell("POST", f"/requests/{prepared['exchange']}/signature", command, officer=officer)
        assert failed.value.code == code
    assert (await world.desk.counter.status())["exchanges"] == {"prepared": 1}


async def test_a_request_left_unsigned_for_too_long_is_not_asked(world: DeskWorld) -> None:
    enquiry = await world.open_enquiry()
    prepared = await world.tell("POST", f"/enquiries/{enquiry}/requests", issuing())
    signature = sign_as_officer(world.cast.officer.keys[KeyPurpose.OFFICER], prepared["digest"])
    world.clock.turn(11 * 60_000)
    body = json.dumps({"signature": signature.raw.hex()}).encode()
    with pytest.raises(Rejected) as failed:
        await world.tell("POST", f"/requests/{prepared['exchange']}/signature", body)
    assert failed.value.code == "signed_too_late"


async def test_a_request_whose_deadline_has_passed_is_refused_unless_a_later_one_is_named(world: DeskWorld) -> None:
    enquiry = await world.open_enquiry()
    world.clock.turn(5 * HOUR_MS)
    with pytest.raises(Rejected) as failed:
        await world.tell("POST", f"/enquiries/{enquiry}/requests", issuing())
    assert failed.value.code == "deadline_passed"
    later = issuing(deadline_at=NOON + 7 * HOUR_MS)
    assert json.loads((await world.tell("POST", f"/enquiries/{enquiry}/requests", later))["header"])["deadline_at"]


async def test_a_command_is_carried_out_once(world: DeskWorld) -> None:
    key = world.cast.officer.keys[KeyPurpose.COMMAND]
    body = opening()
    header = sign_command(key, OFFICER, "POST", "/enquiries", body, sent_at=NOON, nonce=nonce())
    await world.desk.counter.serve("POST", "/enquiries", header, body)
    with pytest.raises(Rejected) as failed:
        await world.desk.counter.serve("POST", "/enquiries", header, body)
    assert failed.value.code == "command_repeated"
    assert len((await world.tell("GET", "/enquiries"))["enquiries"]) == 1


async def test_the_command_socket_takes_signed_commands_and_no_others(world: DeskWorld) -> None:
    key = world.cast.officer.keys[KeyPurpose.COMMAND]
    header = sign_command(key, OFFICER, "GET", "/enquiries", b"", sent_at=NOON, nonce=nonce())
    command = {"method": "GET", "path": "/enquiries", "header": header}
    assert await world.desk.commands["officer"](command) == {"enquiries": []}
    for wrong in ({**command, "header": ""}, {**command, "body": 1}, {**command, "officer": OFFICER}):
        with pytest.raises(Rejected):
            await world.desk.commands["officer"](wrong)
    assert (await world.desk.commands["status"]({}))["halted"] is False


@pytest.mark.parametrize("path", ["/", "/enquiries/x", "/enquiries?all=1", f"/requests/{'0' * 32}/answers"])
async def test_an_unknown_command_is_refused(world: DeskWorld, path: str) -> None:
    with pytest.raises(Rejected) as failed:
        await world.tell("GET", path)
    assert failed.value.code == "command_unknown"


async def test_a_decision_is_recorded_and_closing_withdraws_what_is_outstanding(world: DeskWorld) -> None:
    story = await permitted(world)
    enquiry = story.asked.enquiry
    with pytest.raises(Rejected) as failed:
        await world.tell("POST", f"/enquiries/{enquiry}/close")
    assert "decision" in failed.value.detail
    await decided(world, enquiry)
    closed = await world.tell("POST", f"/enquiries/{enquiry}/close")
    assert (closed["state"], closed["decision"], closed["withdrawing"]) == ("closed", "s47", 1)
    (deed,) = world.deeds("closed")
    entry = verify_deed(ClosedEntry, deed.parts[0], world.cast.desk.keys[KeyPurpose.DEED].public).value
    assert entry.enquiries == [story.header.enquiry]
    key = key_for_reader(deed.parts[1], world.cast.desk.identities[KeyPurpose.ADDENDUM])
    told = read(ClosedTold, open_addendum(deed.parts[1], key, hub=HUB, about=entry.n))
    assert (told.enquiry, told.decision) == (enquiry, "s47")
    assert len(world.deeds("withdraw")) == 1
    with pytest.raises(Rejected) as failed:
        await world.tell("POST", f"/enquiries/{enquiry}/requests", issuing())
    assert failed.value.code == "enquiry_not_open"


async def test_a_request_still_being_decided_when_its_enquiry_closes_is_withdrawn_once_permitted(
    world: DeskWorld,
) -> None:
    enquiry = await world.open_enquiry()
    await world.ask(enquiry)
    await decided(world, enquiry)
    assert (await world.tell("POST", f"/enquiries/{enquiry}/close"))["withdrawing"] == 0
    await world.permit()
    assert len(world.deeds("withdraw")) == 1


async def closed_and_answered(world: DeskWorld) -> Story:
    story = await permitted(world)
    await world.answer(story, answered(story))
    await decided(world, story.asked.enquiry)
    await world.tell("POST", f"/enquiries/{story.asked.enquiry}/close")
    return story


async def test_after_erasure_nothing_sealed_to_the_enquiry_opens(world: DeskWorld) -> None:
    story = await closed_and_answered(world)
    enquiry, exchange = story.asked.enquiry, story.asked.exchange
    vault = world.desk.casework.vault
    before = await world.desk.ground.store.read(lambda tx: register.find_exchange(tx, exchange))
    assert before is not None
    assert before.sealed_outcomes is not None
    assert world.desk.casework.shelf.answer(before) is not None
    erased = await world.tell("POST", f"/enquiries/{enquiry}/erase")
    assert erased["state"] == "erased"
    with pytest.raises(Erased):
        world.desk.casework.shelf.answer(before)
    with pytest.raises(Erased):
        vault.identity(story.asked.reply_key)
    with pytest.raises(Rejected):
        await world.tell("GET", f"/enquiries/{enquiry}/answers")
    assert (await world.tell("GET", "/enquiries"))["enquiries"] == []
    keys = world.home.keys_to_read()
    assert keys.names(KeyPurpose.STORAGE) == keys.names(KeyPurpose.REPLY) == []
    assert (await world.tell("POST", f"/enquiries/{enquiry}/erase"))["state"] == "erased"


async def test_an_answer_on_its_way_when_its_enquiry_is_erased_is_not_opened(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.notify(story, notice_of(story, ExpiredEntry))
    enquiry = story.asked.enquiry
    await decided(world, enquiry)
    await world.tell("POST", f"/enquiries/{enquiry}/close")
    await world.tell("POST", f"/enquiries/{enquiry}/erase")
    assert await world.answer(story, answered(story)) in {"concluded", "erased"}


async def test_an_open_or_outstanding_enquiry_is_not_erased(world: DeskWorld) -> None:
    story = await permitted(world)
    enquiry = story.asked.enquiry
    await decided(world, enquiry)
    with pytest.raises(Rejected, match="only a closed enquiry"):
        await world.tell("POST", f"/enquiries/{enquiry}/erase")
    await world.tell("POST", f"/enquiries/{enquiry}/close")
    with pytest.raises(Rejected, match="1 requests are not concluded"):
        await world.tell("POST", f"/enquiries/{enquiry}/erase")


async def test_an_erasure_that_was_interrupted_is_finished_at_the_next_start(
    world: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = await closed_and_answered(world)
    enquiry = story.asked.enquiry

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Casework, "_finish_erasing", killed)
        with pytest.raises(KeyboardInterrupt):
            await world.tell("POST", f"/enquiries/{enquiry}/erase")
    assert world.home.keys_to_read().names(KeyPurpose.STORAGE) == [enquiry]
    await world.restart()
    assert world.home.keys_to_read().names(KeyPurpose.STORAGE) == []
    state = await world.desk.ground.store.read(lambda tx: register.get_enquiry(tx, enquiry).state)
    assert state is EnquiryState.ERASED


async def test_keys_of_an_enquiry_that_was_never_committed_are_destroyed_at_the_next_start(world: DeskWorld) -> None:
    kept = await world.open_enquiry()
    world.desk.casework.vault.create("0" * 32)
    await world.restart()
    assert world.home.keys_to_read().names(KeyPurpose.STORAGE) == [kept]


async def test_everything_is_there_after_a_restart(world: DeskWorld) -> None:
    story = await permitted(world)
    await world.answer(story, answered(story))
    before = await world.tell("GET", f"/enquiries/{story.asked.enquiry}/answers")
    await world.restart()
    assert await world.tell("GET", f"/enquiries/{story.asked.enquiry}/answers") == before


async def test_a_prepared_request_can_be_forgotten_without_anybody_knowing(world: DeskWorld) -> None:
    enquiry = await world.open_enquiry()
    prepared = await world.tell("POST", f"/enquiries/{enquiry}/requests", issuing())
    assert (await world.tell("POST", f"/requests/{prepared['exchange']}/withdraw"))["progress"] == "forgotten"
    assert (await world.tell("GET", f"/enquiries/{enquiry}"))["requests"] == []
    assert not any(isinstance(one.outer, Submission) for one in world.coordinator.heard)


async def test_no_file_of_the_desk_can_be_read_by_others(world: DeskWorld, tmp_path: Path) -> None:
    await world.open_enquiry()
    assert world.home.path.is_relative_to(tmp_path)
    open_to_others = [
        file.name
        for file in world.home.path.rglob("*")
        if file.is_file() and file.stat().st_mode & 0o077 and file.suffix != ".sqlite-wal"
    ]
    assert open_to_others == []
