"""Agencies' own servers, led to the hub's account that is in use, on every server of the bus.

A server that is told that agencies import from another account does not look at leaf nodes that are connected again
(nats-server 2.15): the hub hears those behind one, and they no longer hear the hub, with every connection standing. So
their connections are ended, and they come back in a second or two.

Each server has to do so once for an account of the hub, after it has confirmed the claims that lead there. Which ones
have is kept: one that was away does it when it is back, whoever it heard the claims from. Refuses to know when the
account is replaced, and what claims look like (`broker.enrolment.books.room`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from broker.enrolment.books import records
from broker.enrolment.books.room import Room

LOOK_EVERY_MS: Final = timedelta(seconds=2) // timedelta(milliseconds=1)
"""How soon a server that is back is seen to; nothing but two sets of names is compared."""


class Servers(Protocol):
    """The servers, as far as they are there."""

    @property
    def current(self) -> frozenset[str]:
        """The servers that have confirmed everything."""

    @property
    def stale(self) -> frozenset[str]:
        """The servers that have not, or are away."""


@dataclass(slots=True)
class LeafNodes:
    """Made once by the program."""

    room: Room
    servers: Servers
    _led: dict[str, str] | None = None

    async def look_for_ever(self) -> None:
        """Lead those that were away when they are back; never returns."""
        clock = self.room.post.clock
        while True:
            await self.lead()
            await clock.sleep_until(clock.now() + LOOK_EVERY_MS)

    async def lead(self) -> frozenset[str]:
        """Have leaf nodes connect anew where they may lead elsewhere; gives back where they still may."""
        room, hub = self.room, self.room.issuer().hub
        if self._led is None:
            self._led = await room.post.store.read(records.led)
        behind = frozenset(name for name in self.servers.current if self._led.get(name) != hub)
        if behind:
            done = behind & await room.connect_leaf_nodes_anew()
            # A crash before this line: they connect anew once more.
            await room.post.commit(lambda tx: records.put_led(tx, done, hub))
            self._led |= dict.fromkeys(done, hub)
            behind -= done
        return behind | self.servers.stale
