"""Time: reminders, deadlines, escalation and expiry, each once, whatever the hub went through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from broker.coordinator import records
from broker.coordinator.effects import TimerKind
from broker.coordinator.exchange import Exchange, Progress
from broker.coordinator.timekeeper import BATCH, HEARTBEAT_MS
from broker.node.store.port import Transaction
from schemas.messages.entry import ExpiredEntry, OverdueEntry, RequestEntry, nonce
from schemas.messages.transport import Notice
from schemas.vocabulary import Rag
from tests.support.clock import NOON
from tests.unit.broker.coordinator.scene import DESK, HOUR_MS, Scene, asked

SECOND = 1_000
SETTLE_MS = 15 * SECOND


@pytest.fixture
async def settled(tmp_path: Path) -> AsyncIterator[Scene]:
    """A hub that has been up for a while."""
    scene = Scene(tmp_path)
    await scene.start()
    await scene.turn(SETTLE_MS)
    yield scene
    await scene.stop()


async def pass_time(scene: Scene, milliseconds: int, *, step_ms: int = HEARTBEAT_MS) -> None:
    """Let time pass as it does: in steps, so that the hub's heart beats."""
    end = scene.clock.now() + milliseconds
    while scene.clock.now() < end:
        await scene.turn(min(step_ms, end - scene.clock.now()))


async def leap(scene: Scene, milliseconds: int) -> None:
    """Let time pass at once; the timers that fell due fire in as many batches as it takes."""
    await scene.turn(milliseconds)
    await scene.turn(HEARTBEAT_MS)


def of_time(types: list[str]) -> list[str]:
    return [type_ for type_ in types if type_ in ("overdue", "escalated", "expired")]


async def test_an_exchange_without_an_answer_is_overdue_escalated_and_expired_each_once(settled: Scene) -> None:
    envelope = settled.request()
    await settled.submit(envelope)
    await leap(settled, 4 * HOUR_MS)
    assert of_time(await settled.types()) == ["overdue"]
    await leap(settled, HOUR_MS)
    assert of_time(await settled.types()) == ["overdue", "escalated"]
    await leap(settled, 48 * HOUR_MS)
    assert of_time(await settled.types()) == ["overdue", "escalated", "expired"]
    await leap(settled, 100 * HOUR_MS)
    assert of_time(await settled.types()) == ["overdue", "escalated", "expired"]
    assert (await settled.exchange(asked(envelope).exchange)).progress is Progress.EXPIRED


async def test_both_sides_are_told_of_each(settled: Scene) -> None:
    await settled.submit(settled.request())
    await leap(settled, 200 * HOUR_MS)
    expected = ["escalated", "expired", "overdue"]  # the bus promises no order
    assert sorted(told.type for told in settled.police.told()) == expected
    assert sorted(of_time([told.type for told in settled.desk.told()])) == expected


async def test_the_entries_of_time_are_numbered_with_the_others_of_the_agency(settled: Scene) -> None:
    await settled.submit(settled.request())
    await leap(settled, 200 * HOUR_MS)
    numbers = [entry.model_dump().get("seq") for entry in await settled.entries()]
    assert [number for number in numbers if number is not None] == [1, 2, 3, 4]
    assert [received.outer.model_dump()["last_seq"] for received in settled.police.of(Notice)][-1] == 4


async def test_reminder_and_warning_are_shown_and_are_no_entries(settled: Scene) -> None:
    envelope = settled.request()
    await settled.submit(envelope)
    await leap(settled, 2 * HOUR_MS)
    assert (await settled.exchange(asked(envelope).exchange)).alerted is TimerKind.REMINDER
    await leap(settled, 2 * HOUR_MS - 30 * SECOND)
    (row,) = (await settled.command("status"))["pressing"]
    assert row["alerted"] == "warning"
    assert of_time(await settled.types()) == []


async def test_an_overdue_entry_is_made_within_the_deadlines_own_moment(settled: Scene) -> None:
    envelope = settled.request()
    await settled.submit(envelope)
    await pass_time(settled, 4 * HOUR_MS - 10 * SECOND, step_ms=HOUR_MS)
    await pass_time(settled, 9_999, step_ms=SECOND)
    assert of_time(await settled.types()) == []
    await settled.turn(SECOND)
    (overdue,) = [entry for entry in await settled.entries() if isinstance(entry, OverdueEntry)]
    assert overdue.t == scene_deadline(envelope) + 999
    assert overdue.deadline_at == scene_deadline(envelope)


def scene_deadline(envelope: bytes) -> int:
    return asked(envelope).deadline_at


async def test_timers_wait_until_messages_that_waited_have_been_taken_in(settled: Scene) -> None:
    await settled.submit(settled.request())
    settled.hub.cut(settled.bus)
    await leap(settled, 5 * HOUR_MS)
    assert of_time(await settled.types()) == []
    settled.hub.restore(settled.bus)
    await settled.settle()
    await settled.turn(SETTLE_MS - 1)
    assert of_time(await settled.types()) == []
    await settled.turn(1)
    assert of_time(await settled.types()) == ["overdue", "escalated"]


async def test_a_deadline_in_an_outage_of_the_bus_is_undecided(settled: Scene) -> None:
    await settled.submit(settled.request())
    await pass_time(settled, HOUR_MS, step_ms=10 * 60 * SECOND)
    settled.hub.cut(settled.bus)
    await leap(settled, 4 * HOUR_MS)
    settled.hub.restore(settled.bus)
    await settled.settle()
    await settled.turn(SETTLE_MS)
    (overdue,) = [entry for entry in await settled.entries() if isinstance(entry, OverdueEntry)]
    assert overdue.undecided


async def test_a_deadline_while_the_hub_was_up_is_not_undecided(settled: Scene) -> None:
    await settled.submit(settled.request())
    await leap(settled, 4 * HOUR_MS)
    (overdue,) = [entry for entry in await settled.entries() if isinstance(entry, OverdueEntry)]
    assert not overdue.undecided


async def test_a_deadline_while_the_program_was_down_is_undecided_and_fires_once_after_the_restart(
    settled: Scene,
) -> None:
    await settled.submit(settled.request())
    await settled.coordinator.stop()
    settled.clock.turn(5 * HOUR_MS)
    await settled.start_coordinator()
    await settled.settle()
    assert of_time(await settled.types()) == []
    await settled.turn(SETTLE_MS)
    (overdue,) = [entry for entry in await settled.entries() if isinstance(entry, OverdueEntry)]
    assert overdue.undecided
    await settled.coordinator.stop()
    await settled.start_coordinator()
    await leap(settled, SETTLE_MS)
    assert of_time(await settled.types()) == ["overdue", "escalated"]


async def test_a_short_restart_is_no_outage(settled: Scene) -> None:
    await settled.submit(settled.request())
    await settled.turn(HEARTBEAT_MS)
    await settled.coordinator.stop()
    settled.clock.turn(2 * SECOND)
    await settled.start_coordinator()
    assert await settled.query(lambda tx: tx.execute("SELECT count(*) FROM outage").fetchone()[0]) == 0


def many(count: int, *, rag: Rag, deadline_at: int) -> list[Exchange]:
    return [
        Exchange(
            id=nonce(),
            enquiry=nonce(),
            agency="northshire-health",  # it is away: its notices wait
            rag=rag,
            request_digest="0" * 64,
            asked_at=NOON,
            deadline_at=deadline_at,
            expires_at=NOON + 100 * HOUR_MS,
            progress=Progress.PERMITTED,
        )
        for _ in range(count)
    ]


async def test_what_is_due_together_fires_most_urgent_first_by_rating_and_then_by_time(settled: Scene) -> None:
    due = NOON + HOUR_MS
    groups = [
        many(2, rag=Rag.GREEN, deadline_at=due),
        many(2, rag=Rag.RED, deadline_at=due + 2),
        many(2, rag=Rag.AMBER, deadline_at=due),
        many(2, rag=Rag.RED, deadline_at=due + 1),
    ]

    def work(tx: Transaction) -> None:
        for exchange in [one for group in groups for one in group]:
            records.add_exchange(tx, exchange)
            records.set_timer(tx, exchange, TimerKind.OVERDUE, exchange.deadline_at)

    await settled.coordinator.ground.store.write(work)
    await leap(settled, HOUR_MS)
    fired = [entry.exchange for entry in await settled.entries() if isinstance(entry, OverdueEntry)]
    ranks = {one.id: rank for rank, at in enumerate((3, 1, 2, 0)) for one in groups[at]}
    assert [ranks[exchange] for exchange in fired] == [0, 0, 1, 1, 2, 2, 3, 3]


async def test_more_than_one_batch_due_together_all_fire_in_one_go(settled: Scene) -> None:
    exchanges = many(BATCH + 10, rag=Rag.AMBER, deadline_at=NOON + HOUR_MS)

    def work(tx: Transaction) -> None:
        for exchange in exchanges:
            records.add_exchange(tx, exchange)
            records.set_timer(tx, exchange, TimerKind.EXPIRY, exchange.deadline_at)

    await settled.coordinator.ground.store.write(work)
    await leap(settled, HOUR_MS)
    expired = [entry for entry in await settled.entries() if isinstance(entry, ExpiredEntry)]
    assert sorted(entry.exchange for entry in expired) == sorted(exchange.id for exchange in exchanges)
    assert sorted(entry.seq for entry in expired) == list(range(1, BATCH + 11))


async def test_without_a_settling_time_timers_fire_at_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path, settle_in=timedelta(0))
    await scene.start()
    envelope = scene.request(header={"deadline_at": NOON + 2 * SECOND, "expires_at": NOON + 10 * SECOND})
    await scene.submit(envelope)
    for _ in range(3):
        await scene.turn(SECOND)
    assert of_time(await scene.types()) == ["overdue", "escalated"]
    request = next(entry for entry in await scene.entries() if isinstance(entry, RequestEntry))
    assert request.deadline_at == NOON + 2 * SECOND
    await scene.stop()


async def test_a_hub_that_cannot_keep_time_stops_and_says_so(settled: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    await settled.submit(settled.request())
    monkeypatch.setattr("broker.coordinator.timekeeper.step", fail)
    await leap(settled, 4 * HOUR_MS)
    assert settled.coordinator.ground.post.halted.done()
    assert settled.coordinator.ground.post.halted.result().code == "timekeeping_failed"


async def test_time_is_kept_for_a_desk_that_was_unpinned(settled: Scene) -> None:
    await settled.submit(settled.request())
    settled.home.unpin(DESK.party.id)
    await settled.command("repin")
    await leap(settled, 200 * HOUR_MS)
    assert of_time(await settled.types()) == ["overdue", "escalated", "expired"]
