"""Who does not answer, and when that calls for another server of the bus.

A server that was parted from the others of its cluster answers its own clients, but nobody beyond it is heard there.
Whoever stays on it is cut off as well; so after a while of hearing nobody he was talking to he goes elsewhere. Knows
parties by their ids and messages not at all; pure but for its dice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from schemas.messages.party import Party, PartyKind

Uniform = Callable[[float, float], float]

SUSPECT_FROM_TRIES: Final = 3
"""A message that was repeated after one second and is due again after two more: by now its answer is late."""
_LAPSE_MS: Final = 150_000
"""Two of the slowest repeats: whoever was not asked for that long is not missed."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long silence is borne."""

    shortest_ms: int
    longest_ms: int
    """Drawn anew each time, so that a thousand agents do not go at once."""
    needed: int = 1
    """How many must be silent."""
    apart_ms: int = 60_000
    """Between two moves, doubled by each that changed nothing."""
    longest_apart_ms: int = 3_600_000
    suspect_apart_ms: int = 3_000
    """Between two suspicions told to the bus."""


AGENT: Final = Patience(15_000, 25_000)
"""Also the desk and admission: they speak with the hub's own parties, who are there or missed by everybody."""
COORDINATOR: Final = Patience(10_000, 12_000, needed=2)
"""First, so that the others find it and stay where they are; and not because a single agency is away."""


def patience_of(party: Party) -> Patience:
    """How long a party bears silence."""
    return COORDINATOR if party.statement.party_kind is PartyKind.COORDINATOR else AGENT


@dataclass(slots=True)
class Silence:
    """Since when whom we asked has not been heard."""

    patience: Patience
    uniform: Uniform = field(default=secrets.SystemRandom().uniform, repr=False)
    _asked: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Since each was heard last: when he was asked first, and when last."""
    _heard: dict[str, int] = field(default_factory=dict)
    _bears_ms: int = 0
    _moves: int = 0
    _not_before: int = 0
    _suspect_not_before: int = 0

    @property
    def bears_ms(self) -> int:
        """How long silence is borne just now."""
        self._bears_ms = self._bears_ms or self._drawn()
        return self._bears_ms

    def asked(self, party: str, now: int) -> None:
        """He was sent something that wants an answer."""
        self._bears_ms = self.bears_ms
        self._asked[party] = (self._asked.get(party, (now, now))[0], now)

    def heard(self, party: str, now: int) -> None:
        """Something of his came."""
        first, _ = self._asked.pop(party, (now, now))
        if now - first >= self._bears_ms:
            self._moves = 0  # he was missed, and is back
        self._heard[party] = now

    def begin_anew(self) -> None:
        """Connected again, perhaps elsewhere: whoever was not heard there is still to be asked here."""
        self._asked.clear()

    def may_suspect(self, now: int) -> bool:
        """Whether a late answer is to be told to the bus; not again for a while."""
        if 0 < self._suspect_not_before - now <= self.patience.suspect_apart_ms:  # further off: a clock was set back
            return False
        self._suspect_not_before = now + self.patience.suspect_apart_ms
        return True

    def calls_for_another_server(self, now: int) -> bool:
        """Whether enough of those who were asked are silent, and more of them than were heard meanwhile."""
        if now < self._not_before:
            return False
        began = now - self._bears_ms
        silent = [one for one, (first, last) in self._asked.items() if first <= began and last > now - _LAPSE_MS]
        heard = sum(at > began for one, at in self._heard.items() if one not in self._asked)
        return len(silent) >= self.patience.needed and len(silent) > heard

    def moved(self, now: int) -> None:
        """Another server is in use: give it time, and ever more if nobody is heard on any."""
        apart_ms = min(self.patience.apart_ms * 2**self._moves, self.patience.longest_apart_ms)
        self._not_before = now + int(self.uniform(1, 1.5) * apart_ms)
        self._moves = min(self._moves + 1, 16)
        self._bears_ms = self._drawn()

    def stayed(self, now: int) -> None:
        """There was no other server to be had: try again before long."""
        self._bears_ms = self._drawn()
        self._not_before = now + self._bears_ms

    def _drawn(self) -> int:
        return int(self.uniform(self.patience.shortest_ms, self.patience.longest_ms))
