"""The bus and time gone wrong for longer: a sender or receiver killed at each message, each message kept back while the
clock jumps, the bus swapped for an empty one. One conclusion each, whole logs, and nothing asked twice of the records.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pytest

from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.bus.patterns import hears
from tests.support.sampling import every
from tests.support.world import ENDED, HOUR_MS, World

MESSAGES = 14
"""As in `test_messages`: of one exchange, acknowledgements included."""
MINUTE_MS = 60_000


class Ends(StrEnum):
    """Which end of a message is killed, and when."""

    SENDER_BEFORE = "its sender just before it is out"
    SENDER_AFTER = "its sender just after it is out"
    RECEIVER = "its receiver just before it is in"


class WatchedHub(MemoryHub):
    """Counts messages; cuts whoever is to die at one of them, or keeps one back, with all of its repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.at = -1
        self.killed: str | None = None
        self.end: Ends | None = None
        self._kept: tuple[MemoryBus, str, bytes] | None = None
        self.names: dict[str, str] = {}

    def _carry(self, sender: MemoryBus, subject: str, payload: bytes) -> None:
        if self.at >= 0 and self.end is None and self._kept is not None and self._kept[2] == payload:
            return
        number, self.count = self.count, self.count + 1
        if number != self.at:
            super()._carry(sender, subject, payload)
        elif self.end is None:
            self._kept = (sender, subject, payload)
        else:
            self._kill(sender, subject, payload)

    def _kill(self, sender: MemoryBus, subject: str, payload: bytes) -> None:
        victim = sender
        if self.end is Ends.SENDER_AFTER:
            super()._carry(sender, subject, payload)
        elif self.end is Ends.RECEIVER:
            victim = next(bus for bus in self._buses if bus is not sender and listens(bus, subject))
        self.killed = victim.name
        self.cut(victim)

    def let_go(self) -> bool:
        """Deliver what was kept back, late; False if nothing was."""
        self.at = -1
        if self._kept is None:
            return False
        super()._carry(*self._kept)
        return True


def listens(bus: MemoryBus, subject: str) -> bool:
    """Whether that party hears what is said on a subject."""
    return any(hears(listener.pattern, subject) for listener in bus._listeners)


@pytest.mark.parametrize("end", list(Ends))
@pytest.mark.parametrize("at", every(7, range(MESSAGES)))
async def test_a_party_killed_at_a_message_goes_on_where_it_was(tmp_path: Path, end: Ends, at: int) -> None:
    hub = WatchedHub()
    world = World(tmp_path, hub=hub)
    await world.start()
    try:
        enquiry = await world.open_enquiry()
        await world.settle()
        hub.count, hub.at, hub.end = 0, at, end
        exchange = await world.ask(enquiry)
        for _ in range(20):
            await world.settle()
            if hub.killed is not None:
                break
        assert hub.killed is not None, "no such message"
        await world.kill_party(hub.killed)
        await world.start_party(hub.killed)
        await world.turn(6 * MINUTE_MS, step_ms=MINUTE_MS)
        await world.opened(exchange)
        await world.turn(MINUTE_MS)
        assert await world.check() == {exchange: "answered"}
        for name, party in world.running.items():
            assert len(party.ground.post.outbox) == 0, f"{name} still waits for an acknowledgement"
    finally:
        await world.stop()


JUMPS_MS = (-90_000, 90_000, HOUR_MS // 2, 5 * HOUR_MS, 25 * HOUR_MS)
"""Back and forth within the permitted skew; beyond a fresh view; beyond the deadline; beyond the expiry."""


@pytest.mark.parametrize("jump_ms", JUMPS_MS)
@pytest.mark.parametrize("at", every(7, range(MESSAGES)))
async def test_a_message_kept_back_while_the_clock_jumps_ends_its_exchange_once(
    tmp_path: Path, at: int, jump_ms: int
) -> None:
    hub = WatchedHub()
    world = World(tmp_path, hub=hub)
    await world.start()
    try:
        enquiry = await world.open_enquiry()
        await world.settle()
        hub.count, hub.at = 0, at
        exchange = await world.ask(enquiry)
        for _ in range(3):
            await world.settle()
        world.clock.set(world.clock.now() + jump_ms)
        await world.settle()
        assert hub.let_go(), "no such message"
        await world.turn(6 * MINUTE_MS, step_ms=MINUTE_MS)
        await world.turn(26 * HOUR_MS, step_ms=2 * HOUR_MS)
        await world.turn(6 * MINUTE_MS, step_ms=MINUTE_MS)
        # Beyond the expiry no delivery is repeated: an acknowledgement kept back until then never comes in, and its
        # agency rightly says that the hub does not show it.
        standing = await world.check(alarms=frozenset({"omitted"}) if jump_ms > 24 * HOUR_MS else frozenset())
        if exchange in standing:
            assert standing[exchange] in ENDED
            expected = {"answered": "opened"}.get(standing[exchange], standing[exchange])
            assert await world.progress(exchange) == expected
        else:  # it never reached the coordinator in time: nothing was decided, and the desk knows
            assert at == 0
            assert await world.progress(exchange) == "not_accepted"
        if jump_ms <= HOUR_MS:
            assert standing == {exchange: "answered"}
        assert not any(party.ground.post.halted.done() for party in world.running.values())
    finally:
        await world.stop()


@pytest.mark.parametrize("at", every(7, range(MESSAGES)))
async def test_a_bus_swapped_for_an_empty_one_at_any_message_loses_nothing(tmp_path: Path, at: int) -> None:
    """Everything that was on it is gone, and everybody is cut off at the same moment."""
    first, second = WatchedHub(), MemoryHub()
    world = World(tmp_path, hub=first)
    await world.start()
    try:
        enquiry = await world.open_enquiry()
        await world.settle()
        first.count, first.at, first.end = 0, at, Ends.SENDER_BEFORE
        exchange = await world.ask(enquiry)
        for _ in range(20):
            await world.settle()
            if first.killed is not None:
                break
        assert first.killed is not None, "no such message"
        await world.check()
        swap(world, second)
        await world.turn(6 * MINUTE_MS, step_ms=MINUTE_MS)
        await world.opened(exchange)
        assert await world.check() == {exchange: "answered"}
    finally:
        await world.stop()


def swap(world: World, fresh: MemoryHub) -> None:
    """Put another bus, that remembers nothing, in the place of the one everybody was connected to."""
    for bus in world.buses.values():
        world.hub.cut(bus)
        world.hub._leave(bus)
        bus._hub = fresh
        fresh._join(bus)
    world.hub = fresh
    for bus in world.buses.values():
        fresh.restore(bus)
