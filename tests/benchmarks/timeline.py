"""When what happened: a party's bus, store and correspondent, each wrapped so that it notes an exchange's instants.

An instant is `time.monotonic_ns`, the same clock in every process of one machine. The wrapped parts do what they did;
what the noting costs is a dictionary entry a message.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from broker.node.bus.port import Bus, BusCounts, BusEvents, Receive
from broker.node.ground import Ground
from broker.node.post.port import Correspondent, Received, Sent, Settlement, Work
from broker.node.store.sqlite import Store
from schemas.failures import Rejected
from schemas.messages.transport import Acknowledgement

_ARRIVED: ContextVar[int] = ContextVar("arrived")
_SIZE: ContextVar[int] = ContextVar("size", default=0)
_CURRENT: ContextVar[tuple[str, str] | None] = ContextVar("current", default=None)


@dataclass
class Timeline:
    """What one party noted: exchange to step to instant, and the sizes of what came in, by kind."""

    party: str
    is_noting: bool = True
    instants: dict[str, dict[str, int]] = field(default_factory=dict)
    sizes: dict[str, list[int]] = field(default_factory=dict)
    codes: Counter[str] = field(default_factory=Counter)
    on_committed: Callable[[str, str], None] | None = None
    """Told of the exchange and the message whose effect is now on disk."""

    def note(self, exchange: str, step: str, at: int | None = None) -> None:
        """Note an instant; the first of a step counts."""
        if self.is_noting:
            self.instants.setdefault(exchange, {}).setdefault(
                f"{self.party}: {step}", time.monotonic_ns() if at is None else at
            )

    def forget(self) -> None:
        """Begin anew."""
        self.instants.clear()
        self.sizes.clear()

    def watch(self, ground: Ground) -> None:
        """Wrap the parts of an opened ground; its correspondent is set already, its bus was wrapped before."""
        correspondent = ground.post.correspondent
        assert correspondent is not None
        ground.post.correspondent = NotingCorrespondent(correspondent, self)
        ground.post.store = NotingStore(ground.post.store, self)


class NotingBus:
    """A bus that remembers when a message reached this process, and how large it was."""

    def __init__(self, bus: Bus, timeline: Timeline) -> None:
        self._bus = bus
        self._timeline = timeline

    @property
    def counts(self) -> BusCounts:
        """As the bus does."""
        return self._bus.counts

    async def start(self, events: BusEvents) -> None:
        """As the bus does."""
        await self._bus.start(events)

    @property
    def trouble(self) -> str | None:
        """As the bus says."""
        return self._bus.trouble

    @property
    def account(self) -> str | None:
        """As the bus says."""
        return self._bus.account

    async def subscribe(self, subject: str, receive: Receive) -> None:
        """As the bus does, noting each arrival."""

        async def noting(subject: str, raw: bytes) -> None:
            _ARRIVED.set(time.monotonic_ns())
            _SIZE.set(len(raw))
            await receive(subject, raw)

        await self._bus.subscribe(subject, noting)

    async def publish(self, subject: str, payload: bytes) -> None:
        """As the bus does."""
        await self._bus.publish(subject, payload)

    def suspect(self) -> None:
        """As the bus does."""
        self._bus.suspect()

    async def renew(self, *, elsewhere: bool = False) -> None:
        """As the bus does."""
        await self._bus.renew(elsewhere=elsewhere)

    async def close(self) -> None:
        """As the bus does."""
        await self._bus.close()


class NotingStore(Store):
    """The store, telling when a message's effect is on disk."""

    def __init__(self, store: Store, timeline: Timeline) -> None:
        self._store = store
        self._timeline = timeline

    async def write(self, work: Callable[..., Any]) -> Any:
        """As the store does."""
        result = await self._store.write(work)
        current = _CURRENT.get()
        if current is not None:
            exchange, step = current
            self._timeline.note(exchange, f"{step} committed")
            if self._timeline.on_committed is not None:
                self._timeline.on_committed(exchange, step)
        return result

    async def read(self, query: Callable[..., Any]) -> Any:
        """As the store does."""
        return await self._store.read(query)

    async def close(self) -> None:
        """As the store does."""
        await self._store.close()


class NotingCorrespondent:
    """A party, noting when each message reached it and when it had checked it."""

    def __init__(self, inner: Correspondent, timeline: Timeline) -> None:
        self._inner = inner
        self._timeline = timeline

    async def prepare(self, received: Received) -> Work:
        """As the party does."""
        step = _step_of(received)
        exchange = self._begin(step, getattr(received.outer, "exchange", None))
        work = await self._inner.prepare(received)
        self._timeline.note(exchange, f"{step} checked")
        return work

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        """As the party does."""
        self._timeline.codes[acknowledgement.code] += 1
        step = f"acknowledgement of {sent.kind}"
        exchange = self._begin(step, sent.exchange)
        settlement = await self._inner.settled(sent, acknowledgement, parts)
        self._timeline.note(exchange, f"{step} checked")
        return settlement

    async def passing(self, received: Received) -> None:
        """As the party does."""
        await self._inner.passing(received)

    def record_rejection(self, received: Received, failure: Rejected) -> Any:
        """As the party does."""
        self._timeline.codes[failure.code] += 1
        return self._inner.record_rejection(received, failure)

    def _begin(self, step: str, exchange: str | None) -> str:
        named = exchange or ""
        _CURRENT.set((named, step))
        if self._timeline.is_noting:
            self._timeline.note(named, f"{step} arrived", _ARRIVED.get())
            self._timeline.note(named, f"{step} genuine")
            self._timeline.sizes.setdefault(step, []).append(_SIZE.get())
        return named


def _step_of(received: Received) -> str:
    """The kind of message; the desk's and the agency's deeds apart."""
    if received.kind != "deed":
        return received.kind
    return f"deed of {received.sender.statement.party_kind}"
