"""An agency that is a member no more: what it was asked ends, what waits for it is taken back, it is not heard."""

from __future__ import annotations

from broker.coordinator.exchange import Progress
from schemas.ledger.merkle import leaf_hash
from schemas.messages.entry import MemberEntry, RejectedEntry, ReleaseEntry, WithdrawnEntry
from schemas.messages.transport import Deed, Delivery
from tests.unit.broker.coordinator.scene import HEALTH, POLICE, Scene, asked

DIGEST = "00" * 32


async def _remove(scene: Scene) -> None:
    scene.home.unpin(POLICE.party.id)
    assert (await scene.command("repin"))["removed"] == [POLICE.party.id]
    await scene.settle()


async def test_what_a_removed_agency_was_asked_is_withdrawn_and_the_withdrawal_names_its_removal(scene: Scene) -> None:
    first, second = scene.request(), scene.request()
    for envelope in (first, second):
        await scene.submit(envelope)
    await _remove(scene)
    for envelope in (first, second):
        assert (await scene.exchange(asked(envelope).exchange)).progress is Progress.WITHDRAWN
    entries = await scene.entries()
    (removed,) = [one for one in entries if isinstance(one, MemberEntry) and one.change == "removed"]
    withdrawn = [one for one in entries if isinstance(one, WithdrawnEntry)]
    assert {one.exchange for one in withdrawn} == {asked(first).exchange, asked(second).exchange}
    assert {one.removal for one in withdrawn} == {leaf_hash(removed.encode()).hex()}
    assert entries.index(removed) < entries.index(withdrawn[0])


async def test_the_desk_is_told_of_every_withdrawal_and_the_agency_of_nothing(scene: Scene) -> None:
    envelope = scene.request()
    await scene.submit(envelope)
    heard = len(scene.police.heard)
    await _remove(scene)
    told = [one for one in scene.desk.told() if isinstance(one, WithdrawnEntry)]
    assert [one.exchange for one in told] == [asked(envelope).exchange]
    assert scene.police.heard[heard:] == []


async def test_what_waits_for_a_removed_agency_is_sent_to_nobody_any_more(scene: Scene) -> None:
    await scene.police.post.bus.close()
    await scene.submit(scene.request())
    await _remove(scene)
    rows = await scene.query(
        lambda tx: tx.execute("SELECT kind FROM outbox WHERE receiver = 'northshire-police'").fetchall()
    )
    assert rows == []
    await scene.turn(120_000)
    assert scene.police.of(Delivery) == []


async def test_a_late_answer_of_a_removed_agency_is_refused_and_recorded_once(scene: Scene) -> None:
    envelope = scene.request()
    await scene.submit(envelope)
    exchange = asked(envelope).exchange
    await _remove(scene)
    for _ in range(3):
        leaf = scene.police.sign(
            ReleaseEntry,
            exchange=exchange,
            request_digest=DIGEST,
            grant_digest=DIGEST,
            answer_digest=DIGEST,
            addendum_digest=DIGEST,
        )
        assert (await scene.say(scene.police, Deed, (leaf, b""), exchange=exchange))[0] == "unanswered"
    refused = [one for one in await scene.entries() if isinstance(one, RejectedEntry)]
    assert [(one.check, one.sender, one.exchange) for one in refused] == [("party_removed", POLICE.party.id, exchange)]
    assert (await scene.exchange(exchange)).progress is Progress.WITHDRAWN


async def test_an_agency_that_was_removed_while_the_coordinator_was_away_is_settled_when_it_is_back(
    scene: Scene,
) -> None:
    envelope = scene.request()
    await scene.submit(envelope)
    await scene.coordinator.stop()
    scene.home.unpin(POLICE.party.id)
    await scene.start_coordinator()
    await scene.settle()
    assert (await scene.exchange(asked(envelope).exchange)).progress is Progress.WITHDRAWN
    leaf = scene.police.sign(
        ReleaseEntry,
        exchange=asked(envelope).exchange,
        request_digest=DIGEST,
        grant_digest=DIGEST,
        answer_digest=DIGEST,
        addendum_digest=DIGEST,
    )
    await scene.say(scene.police, Deed, (leaf, b""), exchange=asked(envelope).exchange)
    assert "rejected" in await scene.types()


async def test_other_agencies_go_on(scene: Scene) -> None:
    await _remove(scene)
    code, _ = await scene.submit(scene.request(agency=HEALTH))
    assert code == "committed"
    assert (await scene.command("log-verify"))["holds"] is True


async def test_an_agency_that_is_admitted_again_is_asked_again(scene: Scene) -> None:
    await _remove(scene)
    scene.home.pin(POLICE.party.raw)
    await scene.command("repin")
    code, _ = await scene.submit(scene.request())
    assert code == "committed"
    assert scene.coordinator.ground.post.former is not None
    assert scene.coordinator.ground.post.former.parties == {}
