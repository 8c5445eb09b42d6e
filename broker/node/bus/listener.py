"""One subscription's bounded queue, and the receives that empty it.

Owns how many messages wait and how many are being received at a time. Refuses to know how messages arrive: both
implementations of the bus offer them here, so that both drop, report and stop alike.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from broker.node.bus.port import Receive
from schemas.failures import Failure

_log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How much one subscription may hold; over it messages are dropped."""

    receiving: int = 256
    """Receives under way at a time. The store commits in groups of this order; more only costs memory."""
    waiting_messages: int = 4096
    """A restart's worth of repeats from a hundred agencies."""
    waiting_bytes: int = 64 * 1024 * 1024
    """64 of the largest messages: with the queue full, an agent still fits a small machine."""


class Told(Protocol):
    """What a listener tells the bus it belongs to."""

    def message_received(self) -> None:
        """A message was handed to its receiver."""

    def message_dropped(self, subject: str) -> None:
        """A message was lost to a full queue."""


class Listener:
    """A subscription: offered messages on one side, a receiver on the other, a bounded queue between."""

    def __init__(self, pattern: str, receive: Receive, limits: QueueLimits, told: Told) -> None:
        self.pattern = pattern
        self._receive = receive
        self._limits = limits
        self._told = told
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._waiting_bytes = 0
        self._working = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The receives under way; empty when nothing waits either."""
        return frozenset(self._tasks)

    def offer(self, subject: str, payload: bytes) -> None:
        """Take a message in, or drop it and say so. Never blocks; `receive` runs later, in a task."""
        if self._is_closed:
            return
        if self._working < self._limits.receiving:
            self._working += 1
            task = asyncio.get_running_loop().create_task(self._work(subject, payload))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif self._has_room(payload):
            self._waiting.append((subject, payload))
            self._waiting_bytes += len(payload)
        else:
            self._told.message_dropped(subject)

    async def close(self) -> None:
        """Drop what waits, cancel what is under way, and wait until it has ended (but not for the caller itself)."""
        self._is_closed = True
        self._waiting.clear()
        self._waiting_bytes = 0
        under_way = self._tasks - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _has_room(self, payload: bytes) -> bool:
        return (
            len(self._waiting) < self._limits.waiting_messages
            and self._waiting_bytes + len(payload) <= self._limits.waiting_bytes
        )

    async def _work(self, subject: str, payload: bytes) -> None:
        try:
            while True:
                await self._give(subject, payload)
                if not self._waiting:
                    return
                subject, payload = self._waiting.popleft()
                self._waiting_bytes -= len(payload)
                await asyncio.sleep(0)  # a receiver that never waits must not keep the loop to itself
        finally:
            # Not in the done callback: that runs a turn later, and a message offered in between would wait for nobody.
            self._working -= 1

    async def _give(self, subject: str, payload: bytes) -> None:
        self._told.message_received()
        try:
            await self._receive(subject, payload)
        except Exception as problem:  # noqa: BLE001 - whatever one receive raises, later messages are still delivered
            # The class or code alone: the text of a stranger's exception may quote what it choked on.
            failure = problem.code if isinstance(problem, Failure) else type(problem).__name__
            _log.error("bus_receiver_failed", subject=subject, failure=failure)
