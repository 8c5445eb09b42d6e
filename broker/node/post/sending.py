"""How committed messages leave: at once after their commit, then again and again until they are acknowledged.

Knows the outbox and the bus; not what a message means. A message that is not in the table any more is not sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from broker.node.bus.port import Bus, BusAway
from broker.node.clock import Clock
from broker.node.post.inbox import Inbox
from broker.node.post.outbox import FIRST_REPEAT_MS, Outbox, Waiting
from broker.node.post.pacing import Pace
from broker.node.post.port import PostObserver, Sent
from broker.node.post.silence import SUSPECT_FROM_TRIES, Silence
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction
from broker.node.store.sqlite import Store

SEND_BATCH: Final = 256
"""Repeats between two looks at the schedule."""
SWEEP_MS: Final = 30_000
"""How often the table is compared with the schedule, and old ids are forgotten."""


@dataclass(slots=True)
class Sending:
    """The way out of one node."""

    store: Store
    bus: Bus
    clock: Clock
    observer: PostObserver
    outbox: Outbox
    subject_of: Callable[[Sent, str], str] = field(repr=False)
    """Where a message goes now, and where it went when it was written."""
    silence: Silence
    """Who does not answer."""
    pace: Pace | None = None
    """How fast it may go; None for as fast as the bus takes it."""
    _armed_until: int | None = None
    _missed_at: int | None = None
    """When whoever was asked in passing is missed; nothing is repeated that would bring a look at it."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def take_up(self) -> None:
        """Schedule what waits from before the start; it goes out once the bus is there."""
        rows = await self.store.read(self.outbox.all_rows)
        now = self.clock.now()
        for sent, subject, expires_at in rows:
            self.outbox.schedule(sent, subject, expires_at, due_at=now)

    async def send_committed(self, outgoings: Sequence[Outgoing]) -> None:
        """Send what a commit has just put in the outbox; its first repeat is due in a second."""
        if not outgoings:
            return
        due_at = self.clock.now() + FIRST_REPEAT_MS
        for outgoing in outgoings:
            self.outbox.schedule(outgoing.sent, outgoing.subject, outgoing.expires_at, due_at=due_at, tries=1)
        if self._armed_until is None or due_at < self._armed_until:
            self._wake.set()
        self.observer.waiting(len(self.outbox))
        for outgoing in outgoings:
            if self._wait_ms():
                return  # it is scheduled, and goes out in its turn
            await self._publish(outgoing.sent, outgoing.subject, outgoing.raw, again=False)

    def hasten(self, receiver: str | None) -> None:
        """Have what waits for that receiver (None: for everybody, since we are connected again) sent again now."""
        if receiver is None:
            self.silence.begin_anew()
        self.outbox.hasten(receiver, self.clock.now())
        self._wake.set()

    def asked_in_passing(self, receiver: str) -> None:
        """That receiver was sent something that he answers, once."""
        now = self.clock.now()
        self.silence.asked(receiver, now)
        if self._missed_at is None:
            self._missed_at = now + self.silence.bears_ms
            self._wake.set()

    async def repeat_for_ever(self) -> None:
        """Send whatever is due, whenever it is due."""
        while True:
            self._wake.clear()
            for waiting, raw in await self._with_bytes(self.outbox.due(self.clock.now(), SEND_BATCH)):
                while wait_ms := self._wait_ms():
                    await self.clock.sleep_until(self.clock.now() + wait_ms)
                if waiting.tries >= SUSPECT_FROM_TRIES and self.silence.may_suspect(self.clock.now()):
                    self.bus.suspect()
                if not await self._publish(waiting.sent, waiting.subject, raw, again=waiting.tries > 1):
                    break  # everything is hastened when the bus is back
            await self._leave_if_nobody_answers()
            self.observer.waiting(len(self.outbox))
            self._armed_until = self.outbox.next_due_at()
            await self._until(self._next_look_at())

    async def sweep_for_ever(self, inbox: Inbox) -> None:
        """Now and then: forget old ids, drop expired messages, and schedule what a cancelled caller left behind."""
        while True:
            await self.clock.sleep_until(self.clock.now() + SWEEP_MS)
            now = self.clock.now()

            def sweep(tx: Transaction, now: int = now) -> list[tuple[Sent, str, int]]:
                inbox.forget(tx, now)
                self.outbox.drop_expired(tx, now)
                return self.outbox.all_rows(tx)

            for sent, subject, expires_at in await self.store.write(sweep):
                self.outbox.schedule(sent, subject, expires_at, due_at=now)
            self._wake.set()

    def _next_look_at(self) -> int | None:
        if self._missed_at is not None and self._missed_at <= self.clock.now():
            self._missed_at = None
        return min((at for at in (self._armed_until, self._missed_at) if at is not None), default=None)

    def _wait_ms(self) -> int:
        return 0 if self.pace is None else self.pace.wait_ms(self.clock.now())

    async def _publish(self, sent: Sent, written: str, raw: bytes, *, again: bool) -> bool:
        try:
            await self.bus.publish(self.subject_of(sent, written), raw)
        except BusAway:
            return False
        now = self.clock.now()
        self.silence.asked(sent.receiver, now)
        if self.pace is not None:
            self.pace.sent(len(raw), now)
        self.observer.sent(sent.kind, again=again)
        return True

    async def _leave_if_nobody_answers(self) -> None:
        if not self.silence.calls_for_another_server(self.clock.now()):
            return
        try:
            await self.bus.renew(elsewhere=True)
        except BusAway:
            self.silence.stayed(self.clock.now())
        else:
            self.silence.moved(self.clock.now())

    async def _with_bytes(self, waiting: list[Waiting]) -> list[tuple[Waiting, bytes]]:
        if not waiting:
            return []
        kept = await self.store.read(lambda tx: self.outbox.raw_of(tx, [one.sent.message_id for one in waiting]))
        for one in waiting:
            if one.sent.message_id not in kept:
                self.outbox.forget(one.sent.message_id)  # acknowledged or discarded since
        return [(one, kept[one.sent.message_id]) for one in waiting if one.sent.message_id in kept]

    async def _until(self, at: int | None) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._wake.wait())]
        if at is not None:
            waits.append(asyncio.ensure_future(self.clock.sleep_until(at)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
