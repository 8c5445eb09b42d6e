"""What the coordinator keeps survives its restart, whole or not at all."""

from __future__ import annotations

import pytest

from broker.coordinator import records
from broker.coordinator.effects import TimerKind
from broker.coordinator.exchange import Progress
from broker.node.store.port import Transaction
from schemas.messages.transport import Delivery
from tests.unit.broker.coordinator.scene import Scene, asked


class _Crash(Exception):
    pass


async def test_an_exchange_reads_back_as_it_was_written(scene: Scene) -> None:
    envelope = scene.request()
    await scene.submit(envelope)
    before = await scene.exchange(asked(envelope).exchange)
    await scene.coordinator.stop()
    await scene.start_coordinator()
    assert await scene.exchange(before.id) == before
    assert before.rag is asked(envelope).rag


async def test_what_a_submission_commits_is_all_there_or_none_of_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise _Crash

    envelope = scene.request()
    with monkeypatch.context() as broken:
        broken.setattr("broker.coordinator.correspondent.tell", crash)
        assert (await scene.submit(envelope))[0] == "unanswered"
    tables = ("exchange", "request", "timer", "agency_entry", "addendum")
    counts = await scene.query(
        lambda tx: [tx.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    )
    # The member's addendum stands since the officer and the IG lead were admitted.
    assert counts == [0, 0, 0, 0, 2]
    assert await scene.types() == []
    await scene.turn(2_000)  # the desk repeats
    assert await scene.types() == ["request", "acknowledged"]
    assert len(scene.police.of(Delivery)) == 1


async def test_a_delivery_that_was_committed_is_sent_after_a_restart(scene: Scene) -> None:
    scene.hub.drop_next(1, subject="to.*.in")
    await scene.submit(scene.request())
    assert not scene.police.of(Delivery)
    await scene.coordinator.stop()
    await scene.start_coordinator()
    await scene.settle()
    assert len(scene.police.of(Delivery)) == 1
    assert await scene.types() == ["request", "acknowledged"]


async def test_due_timers_are_taken_in_order_and_only_once(scene: Scene) -> None:
    envelope = scene.request()
    await scene.submit(envelope)

    def take(tx: Transaction) -> list[records.DueTimer]:
        return records.take_due_timers(tx, asked(envelope).expires_at, 3)

    store = scene.coordinator.ground.store
    assert [timer.kind for timer in await store.write(take)] == [
        TimerKind.REMINDER,
        TimerKind.WARNING,
        TimerKind.OVERDUE,
    ]
    assert [timer.kind for timer in await store.write(take)] == [TimerKind.ESCALATION, TimerKind.EXPIRY]
    assert await store.write(take) == []


async def test_an_unknown_exchange_is_a_failure_with_a_name(scene: Scene) -> None:
    with pytest.raises(records.ExchangeUnknown):
        await scene.exchange("nothing")


async def test_the_open_exchanges_are_counted_by_where_they_stand(scene: Scene) -> None:
    await scene.submit(scene.request())
    assert await scene.query(records.open_by_progress) == {
        Progress.PERMITTED: 0,
        Progress.DELIVERED: 1,
        Progress.OVERDUE: 0,
    }


@pytest.mark.parametrize(("at", "expected"), [(99, False), (100, True), (199, True), (200, False)])
async def test_an_outage_is_from_its_first_moment_to_before_its_last(scene: Scene, at: int, expected: bool) -> None:
    await scene.coordinator.ground.store.write(lambda tx: records.add_outage(tx, 100, 200))
    assert await scene.query(lambda tx: records.was_away(tx, at)) is expected
