"""Counts what happens on one bus, and tells its owner.

Owns when the owner is told: on a later turn of the event loop, never from inside a call into the bus. Refuses to know
what the owner makes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from broker.node.bus.port import BusCounts, BusEvents


class Reporter:
    """Counts what happens on a bus and tells its owner, on a later turn of the loop."""

    def __init__(self, counts: BusCounts) -> None:
        self._counts = counts
        self._events: BusEvents | None = None
        self._was_connected = False

    def report_to(self, events: BusEvents) -> None:
        """Tell this owner from now on."""
        self._events = events

    def connected(self) -> None:
        """Count and tell that the connection stands (again)."""
        self._counts.reconnects += self._was_connected
        self._was_connected = True
        self._tell(lambda events: events.connected())

    def disconnected(self) -> None:
        """Tell that the connection was lost."""
        self._tell(lambda events: events.disconnected())

    def message_received(self) -> None:
        """Count a message handed to its receiver."""
        self._counts.received += 1

    def message_dropped(self, subject: str) -> None:
        """Count and tell a message lost to a full queue."""
        self._counts.dropped += 1
        self._tell(lambda events: events.dropped(subject))

    def message_unheard(self, subject: str) -> None:
        """Count and tell a message that nobody listened for."""
        self._counts.unheard += 1
        self._tell(lambda events: events.unheard(subject))

    def flooding(self, token: str, rate: int) -> None:
        """Tell that somebody sends too much."""
        self._tell(lambda events: events.flooding(token, rate))

    def _tell(self, what: Callable[[BusEvents], None]) -> None:
        # On a later turn, so that an owner which publishes or closes in reply never re-enters the bus; and whatever it
        # raises goes to the loop's exception handler instead of ending a delivery.
        if self._events is not None:
            asyncio.get_running_loop().call_soon(what, self._events)
