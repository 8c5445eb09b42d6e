"""Exchanges from the question to the conclusion, as the desk, the agency and the log see them."""

from __future__ import annotations

from typing import Any

from broker.coordinator import records
from broker.coordinator.exchange import Progress
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, unpack, verify_header
from schemas.failures import Rejected
from schemas.ledger.merkle import leaf_hash
from schemas.messages.entry import (
    ClosedEntry,
    ConsultedEntry,
    CouldNotLookEntry,
    OpenedEntry,
    QuarantinedEntry,
    RefusalEntry,
    ReleaseEntry,
    RequestEntry,
    WithdrawEntry,
    WithdrawnEntry,
    nonce,
    read_entry,
)
from schemas.messages.grant import Grant, Ruling
from schemas.messages.model import read
from schemas.messages.request import CategoryAsked
from schemas.messages.transport import Deed, Delivery, Notice, NotTaken
from schemas.vocabulary import Category, Mode
from tests.unit.broker.coordinator.scene import HOUR_MS, Scene, asked, receipt_of

REFUSED = [CategoryAsked(category=Category.HEALTH_CAMHS, mode=Mode.CONTENT)]
Fields = dict[str, Any]
ANSWER = digest(b"answer")


async def granted(scene: Scene) -> tuple[bytes, str, str]:
    """A request that was permitted: its envelope, its exchange, the digest of its grant."""
    envelope = scene.request()
    _, (_, _, grant) = await scene.submit(envelope)
    return envelope, asked(envelope).exchange, unpack(grant).digest


async def released(scene: Scene) -> tuple[str, Fields]:
    """A request that was answered: its exchange, and the digests its release named."""
    envelope, exchange, grant_digest = await granted(scene)
    named: Fields = {"request_digest": unpack(envelope).digest, "grant_digest": grant_digest, "answer_digest": ANSWER}
    code, _ = await scene.deed(scene.police, ReleaseEntry, addendum=b"outcomes", exchange=exchange, **named)
    assert code == "committed"
    return exchange, named


async def test_a_permitted_request_is_ruled_logged_and_delivered_in_one_go(scene: Scene) -> None:
    envelope = scene.request()
    header = asked(envelope)
    code, (ruling, receipt, grant_envelope) = await scene.submit(envelope)
    assert code == "committed"
    ruled = read(Ruling, ruling)
    assert (ruled.permitted, ruled.exchange, ruled.request_digest) == (True, header.exchange, unpack(envelope).digest)
    entry = read_entry(scene.prove(receipt).leaf)
    assert isinstance(entry, RequestEntry)
    assert (entry.seq, entry.exchange, entry.deadline_at) == (1, header.exchange, header.deadline_at)
    grant = unpack(grant_envelope)
    key = scene.coordinator.room.grant_key.public
    verify_header(grant, key, KeyPurpose.GRANT)
    assert read(Grant, grant.header).request_digest == entry.request_digest
    assert entry.grant_digest == grant.digest
    (delivery,) = scene.police.of(Delivery)
    assert delivery.parts[:3] == (envelope, grant_envelope, receipt)
    assert await scene.types() == ["request", "acknowledged"]
    assert (await scene.exchange(header.exchange)).progress is Progress.DELIVERED


async def test_a_delivery_carries_the_leaf_hashes_from_the_start_and_later_ones_only_what_is_new(scene: Scene) -> None:
    await scene.submit(scene.request())
    await scene.submit(scene.request())
    first, second = (received.parts[3] for received in scene.police.of(Delivery))
    hashes = [leaf_hash(entry.encode()) for entry in await scene.entries()]
    assert int.from_bytes(first[:8], "big") == 0
    start = len(first[8:]) // 32
    assert first[8:] == b"".join(hashes[:start])
    assert int.from_bytes(second[:8], "big") == start
    assert second[8:] == b"".join(hashes[start : start + len(second[8:]) // 32])


async def test_a_refused_request_is_logged_told_to_desk_and_agency_and_not_delivered(scene: Scene) -> None:
    envelope = scene.request(categories=REFUSED)
    code, (ruling, receipt) = await scene.submit(envelope)
    assert code == "committed"
    assert not read(Ruling, ruling).permitted
    entry = read_entry(scene.prove(receipt).leaf)
    assert isinstance(entry, RefusalEntry)
    assert entry.rules == ["R33-not-this-agency"]
    assert not scene.police.of(Delivery)
    assert [told.type for told in scene.police.told()] == ["refusal"]
    assert (await scene.exchange(asked(envelope).exchange)).progress is Progress.REFUSED
    assert await scene.query(records.next_due_at) is None


async def test_the_entries_that_name_an_agency_are_numbered_without_a_gap(scene: Scene) -> None:
    changes: list[Fields] = [{}, {"categories": REFUSED}, {}]
    for change in changes:
        await scene.submit(scene.request(**change))
    numbers = [entry.seq for entry in await scene.entries() if isinstance(entry, RequestEntry | RefusalEntry)]
    assert numbers == [1, 2, 3]
    assert scene.police.of(Delivery)[-1].outer.model_dump()["last_seq"] == 3


async def test_the_agencys_own_acknowledgement_is_in_the_log_as_it_is_and_told_to_the_desk(scene: Scene) -> None:
    await scene.submit(scene.request())
    (received,) = scene.police.of(Delivery)
    (told,) = scene.desk.told()
    assert told.type == "acknowledged"
    assert told == (await scene.entries())[-1]
    assert told.model_dump()["by"] == received.outer.receiver


async def test_an_acknowledgement_that_is_not_the_agencys_word_is_not_logged_and_the_delivery_is_repeated(
    scene: Scene,
) -> None:
    scene.police.deed = lambda received: scene.desk.sign(
        WithdrawEntry,
        agency="northshire-police",
        exchange=received.outer.model_dump()["exchange"],
        request_digest=ANSWER,
    )
    envelope = scene.request()
    await scene.submit(envelope)
    assert await scene.types() == ["request"]
    assert len(scene.coordinator.ground.post.outbox) == 1
    assert (await scene.exchange(asked(envelope).exchange)).progress is Progress.PERMITTED


async def test_a_delivery_the_agency_finds_wanting_is_shown_with_its_code(scene: Scene) -> None:
    scene.police.refusing = Rejected("no")
    envelope = scene.request()
    await scene.submit(envelope)
    (row,) = (await scene.command("status"))["pressing"]
    assert (row["exchange"], row["progress"], row["delivery_code"]) == (
        asked(envelope).exchange,
        "permitted",
        "rejected",
    )
    assert len(scene.coordinator.ground.post.outbox) == 0
    told = [one.outer for one in scene.desk.heard if isinstance(one.outer, NotTaken)]
    assert [(one.exchange, one.code) for one in told] == [(asked(envelope).exchange, "rejected")]


async def test_a_release_concludes_the_exchange_and_its_receipt_goes_to_agency_and_desk(scene: Scene) -> None:
    envelope, exchange, grant_digest = await granted(scene)
    code, (receipt, extension) = await scene.deed(
        scene.police,
        ReleaseEntry,
        addendum=b"outcomes",
        exchange=exchange,
        request_digest=unpack(envelope).digest,
        grant_digest=grant_digest,
        answer_digest=ANSWER,
    )
    assert code == "committed"
    entry = read_entry(scene.prove(receipt).leaf)
    assert isinstance(entry, ReleaseEntry)
    assert extension[8:] == leaf_hash((await scene.entries())[-2].encode()) + leaf_hash(receipt_of(receipt).leaf)
    assert [told.type for told in scene.desk.told()] == ["acknowledged", "release"]
    assert (await scene.exchange(exchange)).progress is Progress.ANSWERED
    assert await scene.query(records.next_due_at) is None
    assert await scene.query(lambda tx: records.get_addendum(tx, entry.addendum_digest)) == b"outcomes"
    assert await scene.query(lambda tx: records.get_request(tx, exchange)) is None


async def test_an_agency_that_could_not_look_concludes_the_exchange_as_well(scene: Scene) -> None:
    envelope, exchange, grant_digest = await granted(scene)
    named: Fields = {"request_digest": unpack(envelope).digest, "grant_digest": grant_digest, "answer_digest": ANSWER}
    code, _ = await scene.deed(scene.police, CouldNotLookEntry, addendum=b"why", exchange=exchange, **named)
    assert code == "committed"
    assert (await scene.types())[-1] == "could-not-look"


async def test_a_release_that_overtakes_its_acknowledgement_is_taken_and_the_acknowledgement_too(scene: Scene) -> None:
    scene.hub.drop_next(1, subject="from.*.coordinator")
    envelope, exchange, grant_digest = await granted(scene)
    named: Fields = {"request_digest": unpack(envelope).digest, "grant_digest": grant_digest, "answer_digest": ANSWER}
    await scene.deed(scene.police, ReleaseEntry, addendum=b"outcomes", exchange=exchange, **named)
    for _ in range(3):
        await scene.turn(5_000)
    assert await scene.types() == ["request", "release", "acknowledged"]


async def test_after_one_conclusion_there_is_no_other(scene: Scene) -> None:
    exchange, named = await released(scene)
    again = {**named, "answer_digest": digest(b"another")}
    code, _ = await scene.deed(scene.police, CouldNotLookEntry, addendum=b"x", exchange=exchange, **again)
    assert code == "concluded"
    request: Fields = {"agency": "northshire-police", "exchange": exchange, "request_digest": named["request_digest"]}
    code, _ = await scene.deed(scene.desk, WithdrawEntry, **request)
    assert code == "concluded"
    assert (await scene.types())[-3:] == ["release", "rejected", "rejected"]


async def test_the_same_deed_sent_again_is_in_the_log_once_and_proven_again(scene: Scene) -> None:
    envelope, exchange, grant_digest = await granted(scene)
    leaf = scene.police.sign(
        ReleaseEntry,
        exchange=exchange,
        request_digest=unpack(envelope).digest,
        grant_digest=grant_digest,
        answer_digest=ANSWER,
        addendum_digest=digest(b"outcomes"),
    )
    receipts = [(await scene.say(scene.police, Deed, (leaf, b"outcomes"), exchange=exchange))[1][0] for _ in range(2)]
    assert {scene.prove(receipt).index for receipt in receipts} == {scene.prove(receipts[0]).index}
    assert (await scene.types()).count("release") == 1


async def test_opening_is_recorded_once_and_quarantining_beside_it(scene: Scene) -> None:
    exchange, named = await released(scene)
    about: Fields = {"agency": "northshire-police", "exchange": exchange, "answer_digest": named["answer_digest"]}
    code, (receipt,) = await scene.deed(scene.desk, OpenedEntry, **about)
    assert code == "committed"
    assert read_entry(scene.prove(receipt).leaf).type == "opened"
    assert (await scene.deed(scene.desk, OpenedEntry, **about))[0] == "deed_repeated"
    assert (await scene.deed(scene.desk, QuarantinedEntry, addendum=b"what", **about))[0] == "committed"


async def test_nothing_is_opened_that_was_not_released(scene: Scene) -> None:
    _, exchange, _ = await granted(scene)
    about: Fields = {"agency": "northshire-police", "exchange": exchange, "answer_digest": ANSWER}
    assert (await scene.deed(scene.desk, OpenedEntry, **about))[0] == "deed_unbound"


async def test_consulting_may_happen_often_and_each_time_is_an_entry(scene: Scene) -> None:
    for _ in range(2):
        code, _ = await scene.deed(scene.desk, ConsultedEntry, addendum=b"who")
        assert code == "committed"
    assert (await scene.types()) == ["consulted", "consulted"]


async def test_a_withdrawal_is_the_desks_deed_and_then_the_hubs_entry_that_names_it(scene: Scene) -> None:
    envelope, exchange, _ = await granted(scene)
    request: Fields = {"agency": "northshire-police", "exchange": exchange, "request_digest": unpack(envelope).digest}
    code, (receipt,) = await scene.deed(scene.desk, WithdrawEntry, **request)
    assert code == "committed"
    withdrawn = (await scene.entries())[-1]
    assert isinstance(withdrawn, WithdrawnEntry)
    assert withdrawn.desk_deed == leaf_hash(scene.prove(receipt).leaf).hex()
    assert scene.police.told()[-1] == withdrawn
    assert scene.desk.told()[-1] == withdrawn
    assert await scene.query(records.next_due_at) is None


async def test_a_closed_enquiry_is_asked_about_no_more(scene: Scene) -> None:
    enquiry = nonce()
    await scene.submit(scene.request(enquiry=enquiry))
    code, _ = await scene.deed(scene.desk, ClosedEntry, addendum=b"decision", enquiries=[enquiry])
    assert code == "committed"
    assert (await scene.submit(scene.request(enquiry=enquiry)))[0] == "enquiry_closed"
    assert (await scene.submit(scene.request()))[0] == "committed"


async def test_a_deed_for_an_exchange_of_another_agency_or_with_other_digests_is_refused(scene: Scene) -> None:
    envelope, exchange, grant_digest = await granted(scene)
    named: Fields = {"request_digest": unpack(envelope).digest, "grant_digest": grant_digest, "answer_digest": ANSWER}
    for change in ({"request_digest": ANSWER}, {"grant_digest": ANSWER}, {"agency": "northshire-health"}):
        code, _ = await scene.deed(scene.police, ReleaseEntry, addendum=b"x", exchange=exchange, **{**named, **change})
        assert code == "deed_unbound"
    assert (await scene.exchange(exchange)).progress is Progress.DELIVERED
    code, _ = await scene.deed(scene.police, ReleaseEntry, addendum=b"x", **{**named, "exchange": nonce()})
    assert code == "exchange_unknown"


async def test_a_rejected_message_is_in_the_log_by_its_code_and_leaves_nothing_else(scene: Scene) -> None:
    code, parts = await scene.submit(scene.request(hub="elsewhere"))
    assert (code, parts) == ("wrong_hub", ())
    (rejected,) = [entry for entry in await scene.entries() if entry.type == "rejected"]
    assert rejected.model_dump()["check"] == "wrong_hub"
    assert await scene.query(lambda tx: tx.execute("SELECT count(*) FROM exchange").fetchone()[0]) == 0


async def test_the_same_exchange_id_is_taken_once(scene: Scene) -> None:
    exchange = nonce()
    assert (await scene.submit(scene.request(exchange=exchange)))[0] == "committed"
    assert (await scene.submit(scene.request(exchange=exchange)))[0] == "exchange_used"
    assert len(scene.police.of(Delivery)) == 1


async def test_nothing_of_a_request_is_told_to_another_agency(scene: Scene) -> None:
    await scene.submit(scene.request())
    subjects = {subject for subject, _ in scene.hub.captured if subject.startswith("to.")}
    assert subjects == {f"to.{scene.police.member.party.token}.in"}
    assert scene.police.of(Notice) == []


async def test_a_late_answer_is_taken_until_the_expiry_and_not_after(scene: Scene) -> None:
    envelope, exchange, grant_digest = await granted(scene)
    named: Fields = {"request_digest": unpack(envelope).digest, "grant_digest": grant_digest, "answer_digest": ANSWER}
    await scene.turn(48 * HOUR_MS)
    code, _ = await scene.deed(scene.police, ReleaseEntry, addendum=b"x", exchange=exchange, **named)
    assert code == "concluded"
