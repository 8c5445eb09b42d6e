"""What the bus's contract suite needs of an implementation, and the people who stand at both ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from broker.node.bus.access import PLAINTEXT
from broker.node.bus.dialling import BusTimings
from broker.node.bus.embedded import EmbeddedServer
from broker.node.bus.listener import QueueLimits
from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.bus.nats import NatsBus
from broker.node.bus.port import Bus

PATIENCE_S = 60.0
"""A failing test ends after this; no passing test waits for it."""

QUICK = BusTimings(
    connect_within=timedelta(seconds=30),
    ping_interval=timedelta(milliseconds=200),
    pings_unanswered=1_000_000,
    life_within=timedelta(seconds=30),
    first_wait=timedelta(milliseconds=20),
    longest_wait=timedelta(milliseconds=50),
    backlog_within=timedelta(seconds=30),
)
"""Tries again at once, and takes no machine that is busy for one that is gone."""
WATCHFUL = replace(QUICK, life_within=timedelta(seconds=1), backlog_within=timedelta(milliseconds=200))
"""Finds a link dead that says nothing for a second: for tests in which one is."""


class Owner:
    """Writes down what a bus tells it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._queue: asyncio.Queue[str] = asyncio.Queue()

    def connected(self) -> None:
        self._note("connected")

    def disconnected(self) -> None:
        self._note("disconnected")

    def unheard(self, subject: str) -> None:
        self._note(f"unheard {subject}")

    def dropped(self, subject: str) -> None:
        self._note(f"dropped {subject}")

    def flooding(self, token: str, rate: int) -> None:
        self._note(f"flooding {token}")

    async def until(self, wanted: str) -> None:
        """Wait for one more of this event, passing over others."""
        async with asyncio.timeout(PATIENCE_S):
            while await self._queue.get() != wanted:
                pass

    def _note(self, event: str) -> None:
        self.told.append(event)
        self._queue.put_nowait(event)


class Ear:
    """A receiver that writes down what it hears, and can be held in the middle of it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.inside = 0
        self.most_inside = 0
        self.may_go = asyncio.Event()
        self.may_go.set()
        self._queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def receive(self, subject: str, payload: bytes) -> None:
        self.heard.append((subject, payload))
        self._queue.put_nowait((subject, payload))
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await self.may_go.wait()
        finally:
            self.inside -= 1

    async def next(self) -> tuple[str, bytes]:
        """The next message, in the order of arrival."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._queue.get()


class Rig(Protocol):
    """One broker of one implementation."""

    def bus(self, name: str, *, limits: QueueLimits = QueueLimits()) -> Bus:  # noqa: B008 - frozen
        """A bus that belongs to it, not yet started; closed when the test ends."""

    async def take_away(self) -> None:
        """Let the broker vanish for every party."""

    async def bring_back(self) -> None:
        """Bring it back, with no memory."""

    async def close(self) -> None:
        """Close every bus."""


class MemoryRig:
    def __init__(self) -> None:
        self.hub = MemoryHub()
        self._buses: list[MemoryBus] = []

    def bus(self, name: str, *, limits: QueueLimits = QueueLimits()) -> MemoryBus:  # noqa: B008 - frozen
        bus = MemoryBus(self.hub, name, limits=limits)
        self._buses.append(bus)
        return bus

    async def take_away(self) -> None:
        for bus in self._buses:
            self.hub.cut(bus)

    async def bring_back(self) -> None:
        for bus in self._buses:
            self.hub.restore(bus)

    async def close(self) -> None:
        for bus in self._buses:
            await bus.close()


class NatsRig:
    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._buses: list[NatsBus] = []

    def bus(self, name: str, *, limits: QueueLimits = QueueLimits()) -> NatsBus:  # noqa: B008 - frozen
        bus = NatsBus(self._server.url, name=name, access=PLAINTEXT, timings=QUICK, limits=limits)
        self._buses.append(bus)
        return bus

    async def take_away(self) -> None:
        await self._server.stop()

    async def bring_back(self) -> None:
        await self._server.start()

    async def close(self) -> None:
        for bus in self._buses:
            await bus.close()
