"""How fast an agent sends, so that what it has every right to send is never taken for a flood.

The hub suspends an agency that sends too much (`broker.node.bus.flood`): so much a second and so much at once, large
messages counted as several. An agent keeps to three quarters of both, whatever waits: after a day without a bus it
sends what it has in the order of its schedule, and lets the rest wait its turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from broker.node.bus.flood import FloodLimits
from schemas.messages.party import Party, PartyKind

_LIMITS: Final = FloodLimits()
_SHARE: Final = 3, 4


@dataclass(slots=True)
class Pace:
    """Leaky buckets like the hub's, three quarters their size."""

    a_second: int = _LIMITS.a_second * _SHARE[0] // _SHARE[1]
    at_once: int = _LIMITS.at_once * _SHARE[0] // _SHARE[1]
    messages_at_once: int = _LIMITS.messages_at_once * _SHARE[0] // _SHARE[1]
    bytes_apiece: int = _LIMITS.bytes_apiece
    _full_us: int = field(default=0, init=False)
    _many_us: int = field(default=0, init=False)

    def wait_ms(self, now: int) -> int:
        """How long to wait before anything more is sent; `now` in milliseconds, 0 for not at all."""
        free_us = max(
            self._full_us - self.at_once * self._apart_us, self._many_us - self.messages_at_once * self._apart_us
        )
        return max(0, -((now * 1000 - free_us) // 1000))

    def sent(self, size: int, now: int) -> None:
        """Count a message of `size` bytes."""
        self._full_us = self._begin_us(self._full_us, now) + (1 + size // self.bytes_apiece) * self._apart_us
        self._many_us = self._begin_us(self._many_us, now) + self._apart_us

    def _begin_us(self, full_us: int, now: int) -> int:
        # A clock that was set back must not keep us waiting for as long as it was ahead.
        return min(max(full_us, now * 1000), now * 1000 + 2 * self.at_once * self._apart_us)

    @property
    def _apart_us(self) -> int:
        return 1_000_000 // self.a_second


def pace_of(party: Party) -> Pace | None:
    """The pace of a party: agents have one, the hub's parties send as fast as the bus takes it."""
    return Pace() if party.statement.party_kind is PartyKind.AGENT else None
