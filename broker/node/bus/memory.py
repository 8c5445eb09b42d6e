"""A whole bus in memory: one hub, and a bus for each party, with faults to order.

Owns nothing that the NATS implementation does not promise as well; one contract suite runs on both. Without timers and
without chance: what arrives, and in which order, follows from what was called. Refuses to know the network.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from broker.node.bus.listener import Listener, QueueLimits
from broker.node.bus.patterns import check_pattern, check_subject, hears
from broker.node.bus.port import BusAway, BusCounts, BusEvents, Receive, check_payload
from broker.node.bus.reporter import Reporter


class _Kind(Enum):
    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"


@dataclass(slots=True)
class _Fault:
    kind: _Kind
    left: int
    pattern: str
    held: list[tuple[MemoryBus, str, bytes]] = field(default_factory=list)


class MemoryHub:
    """One broker, shared by several `MemoryBus`es of one event loop.

    `captured` is every (subject, payload) handed over, dropped ones included: what whoever runs the bus can see.
    """

    def __init__(self) -> None:
        self.captured: list[tuple[str, bytes]] = []
        self._buses: list[MemoryBus] = []
        self._faults: list[_Fault] = []

    def cut(self, bus: MemoryBus) -> None:
        """Take one party's connection away, as its server or its network would."""
        bus._set_connected(False)

    def restore(self, bus: MemoryBus) -> None:
        """Give one party's connection back."""
        bus._set_connected(True)

    def drop_next(self, count: int = 1, *, subject: str = ">") -> None:
        """Lose the next messages on this subject (wildcards allowed); their senders learn nothing."""
        self._order(_Kind.DROP, count, subject)

    def duplicate_next(self, count: int = 1, *, subject: str = ">") -> None:
        """Deliver each of the next messages on this subject twice."""
        self._order(_Kind.DUPLICATE, count, subject)

    def reorder_next(self, count: int = 2, *, subject: str = ">") -> None:
        """Hold the next messages on this subject until there are `count`, then deliver them last first."""
        self._order(_Kind.REORDER, count, subject)

    def release(self) -> None:
        """End every ordered fault; messages held back are delivered now, last first."""
        faults, self._faults = self._faults, []
        for fault in faults:
            self._deliver_held(fault)

    async def settle(self) -> None:
        """Wait until nothing is being received, nothing waits, and every owner has been told."""
        await asyncio.sleep(0)
        while under_way := {task for bus in self._buses for task in bus._tasks()} - {asyncio.current_task()}:
            await asyncio.wait(under_way)
            await asyncio.sleep(0)

    def _join(self, bus: MemoryBus) -> None:
        self._buses.append(bus)

    def _leave(self, bus: MemoryBus) -> None:
        self._buses.remove(bus)

    def _carry(self, sender: MemoryBus, subject: str, payload: bytes) -> None:
        self.captured.append((subject, payload))
        fault = next((fault for fault in self._faults if hears(fault.pattern, subject)), None)
        if fault is None:
            self._deliver(sender, subject, payload)
            return
        fault.left -= 1
        if fault.kind is _Kind.DUPLICATE:
            self._deliver(sender, subject, payload)
            self._deliver(sender, subject, payload)
        elif fault.kind is _Kind.REORDER:
            fault.held.append((sender, subject, payload))
        if fault.left <= 0:
            self._faults.remove(fault)
            self._deliver_held(fault)

    def _deliver(self, sender: MemoryBus, subject: str, payload: bytes) -> None:
        heard = [bus for bus in self._buses if bus._hear(subject, payload)]
        if not heard:
            sender._say_unheard(subject)

    def _deliver_held(self, fault: _Fault) -> None:
        for sender, subject, payload in reversed(fault.held):
            self._deliver(sender, subject, payload)

    def _order(self, kind: _Kind, count: int, pattern: str) -> None:
        check_pattern(pattern)
        self._faults.append(_Fault(kind, count, pattern))


_DEFAULT_LIMITS: Final = QueueLimits()


class MemoryBus:
    """One party's connection to a `MemoryHub`. `name` is for the reader of a failing test."""

    def __init__(self, hub: MemoryHub, name: str, *, limits: QueueLimits = _DEFAULT_LIMITS) -> None:
        self.name = name
        self.counts = BusCounts()
        self.account: str | None = None
        """Set by whoever plays the servers; there is nobody here who would refuse another."""
        self.trouble: str | None = None
        self._hub = hub
        self._limits = limits
        self._reporter = Reporter(self.counts)
        self._listeners: list[Listener] = []
        self._is_started = False
        self._is_connected = False
        self._is_reachable = True

    async def start(self, events: BusEvents) -> None:
        """Connect, unless this bus was cut from its hub beforehand."""
        self._reporter.report_to(events)
        self._is_started = True
        self._hub._join(self)
        if self._is_reachable:
            self._set_connected(True)

    async def subscribe(self, subject: str, receive: Receive) -> None:
        """Listen on a subject or pattern, for good."""
        check_pattern(subject)
        self._listeners.append(Listener(subject, receive, self._limits, self._reporter))

    async def publish(self, subject: str, payload: bytes) -> None:
        """Hand one message to the hub; it is delivered on a later turn of the loop."""
        check_subject(subject)
        check_payload(payload)
        if not self._is_connected:
            raise BusAway("the bus is not connected")
        self.counts.published += 1
        self._hub._carry(self, subject, payload)

    def suspect(self) -> None:
        """Nothing to do: a party knows at once that it was cut."""

    async def renew(self, *, elsewhere: bool = False) -> None:
        """Nothing to do: there are no credentials, and there is no other server."""
        if self._is_started and not self._is_connected:
            raise BusAway("the bus is not connected")

    async def close(self) -> None:
        """Leave the hub for good."""
        if self._is_started:
            self._is_started = self._is_connected = False
            self._hub._leave(self)
        for listener in self._listeners:
            await listener.close()

    def _set_connected(self, is_connected: bool) -> None:
        self._is_reachable = is_connected
        if not self._is_started or is_connected == self._is_connected:
            return
        self._is_connected = is_connected
        if is_connected:
            self._reporter.connected()
        else:
            self._reporter.disconnected()

    def _hear(self, subject: str, payload: bytes) -> bool:
        listeners = [at for at in self._listeners if self._is_connected and hears(at.pattern, subject)]
        for listener in listeners:
            listener.offer(subject, payload)
        return bool(listeners)

    def _say_unheard(self, subject: str) -> None:
        if self._is_connected:
            self._reporter.message_unheard(subject)

    def _tasks(self) -> frozenset[asyncio.Task[None]]:
        return frozenset().union(*(listener.tasks for listener in self._listeners))
