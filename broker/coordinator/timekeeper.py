"""Time, as another sender of messages: a timer that is due enters by the same door and is committed the same way.

A timer's row is deleted in the commit that has its effect, so each fires exactly once over any crash. Timers rest while
the bus is away and for a settling time after it is back: messages that waited are taken in before anybody is late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from broker.coordinator import records
from broker.coordinator.acting import Carried, Cause, carry_out, tell
from broker.coordinator.effects import TimerKind
from broker.coordinator.events import DUE, DeadlinePassed, Event
from broker.coordinator.exchange import Exchange, step
from broker.coordinator.room import Room
from broker.node.clock import woken_or_at
from broker.node.store.port import AfterSeal, Seal, Transaction
from schemas.failures import GroundLost
from schemas.messages.entry import nonce

BATCH: Final = 256
"""Timers fired in one work: past this a larger transaction gains little and makes messages wait for it."""
HEARTBEAT_MS: Final = 5_000
"""How often it is written down that the hub lives and hears: what a crash can hide of an outage."""
MISSED_HEARTBEATS: Final = 3
"""So many heartbeats may be late (a slow disk, a busy machine) before it counts as an outage."""
SETTLE_IN: Final = timedelta(seconds=15)
"""How long messages that waited have precedence: agents return within seconds, and send at once what they kept."""


class TimekeepingFailed(GroundLost):
    """Timers no longer fire; nobody would be told of anything overdue."""

    code = "timekeeping_failed"


@dataclass(frozen=True, slots=True)
class _Fired:
    due: Sequence[records.DueTimer]
    next_due_at: int | None


class Timekeeper:
    """Fires timers. `connected` and `run` are started by the program; `expect` is told of timers to come."""

    def __init__(self, room: Room, *, settle_in: timedelta = SETTLE_IN) -> None:
        self._room = room
        self._clock = room.post.clock
        self._settle_in_ms = settle_in // timedelta(milliseconds=1)
        self._hold_until: int | None = None
        self._look_at = 0
        self._wake = asyncio.Event()

    def expect(self, due_at: int) -> None:
        """There may soon be a timer due at that time."""
        if due_at < self._look_at:
            self._look_at = due_at
            self._wake.set()

    async def connected(self) -> None:
        """The bus is there (again): settle in, and write down an outage if there was one."""
        now = self._clock.now()
        until = self._hold_until = now + self._settle_in_ms

        def work(tx: Transaction) -> None:
            alive_at = records.beat(tx, now)
            if alive_at is not None and now - alive_at > MISSED_HEARTBEATS * HEARTBEAT_MS:
                records.add_outage(tx, alive_at, until)

        await self._room.post.commit(work)
        self._wake.set()

    async def run(self) -> None:
        """Fire what is due, for ever.

        Raises:
            TimekeepingFailed: a timer could not be carried out. A hub that no longer keeps time has to stop and say so.
        """
        try:
            await self._run()
        except GroundLost:
            raise
        except Exception as error:
            raise TimekeepingFailed(f"a timer could not be carried out ({type(error).__name__})") from error

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock.now()
            if self._room.post.connected_at is None or self._hold_until is None:
                await woken_or_at(self._wake, self._clock, now + HEARTBEAT_MS)
            elif now < self._hold_until:
                await woken_or_at(self._wake, self._clock, self._hold_until)
            elif now < self._look_at:
                await woken_or_at(self._wake, self._clock, self._look_at)
            else:
                await self.fire_due()

    async def fire_due(self) -> int:
        """Fire one batch of what is due, the most urgent first; gives back how many that were."""
        now = self._clock.now()
        nonces = [nonce() for _ in range(BATCH)]
        # At the next heartbeat at the latest, which also covers a timer committed while this batch is.
        self._look_at = now + HEARTBEAT_MS

        def work(tx: Transaction) -> _Fired | AfterSeal[_Fired]:
            return self._fire(tx, now, nonces)

        fired = await self._room.post.commit(work)
        if fired.next_due_at is not None:
            self.expect(fired.next_due_at)
        for timer in fired.due:
            self._room.metrics.timer_late_seconds.observe((now - timer.due_at) / 1000)
            if timer.kind is TimerKind.OVERDUE:
                self._room.metrics.became_overdue.inc()
        return len(fired.due)

    def _fire(self, tx: Transaction, now: int, nonces: Sequence[str]) -> _Fired | AfterSeal[_Fired]:
        records.beat(tx, now)
        due = records.take_due_timers(tx, now, BATCH)
        carried = Carried()
        for timer, own_nonce in zip(due, nonces, strict=False):
            before = records.get_exchange(tx, timer.exchange)
            done = step(before, _event(tx, timer.kind, before), now)
            records.put_exchange(tx, done.exchange)
            one = carry_out(self._room, tx, done, Cause(now, own_nonce))
            carried.tellings += one.tellings
            carried.conclusions += one.conclusions
        fired = _Fired(due, records.next_due_at(tx))
        if not carried.tellings:
            return fired

        def build(tx: Transaction, seal: Seal) -> _Fired:
            tell(self._room, tx, seal, carried, now)
            return fired

        return AfterSeal(build)


def _event(tx: Transaction, kind: TimerKind, exchange: Exchange) -> Event:
    if kind is TimerKind.OVERDUE:
        return DeadlinePassed(undecided=records.was_away(tx, exchange.deadline_at))
    event: Event = DUE[kind]()  # type: ignore[call-arg]  # every other event of time says nothing more
    return event
