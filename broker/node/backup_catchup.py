"""Whether this party may act: one that was restored may not before it has caught up with its peers' signed heads.

Holds the answer and says it; who the peers are and what catching up means is each program's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from broker.node.backup_standing import CatchingUp, Restored, get_restored, set_caught_up
from broker.node.store.sqlite import Store

_log = structlog.get_logger()


def still_waits_for(status: Mapping[str, Any]) -> str | None:
    """What a program whose status this is waits for before it acts, in words; None if it may act."""
    restored = status["restored"]
    return None if restored is None or restored["caught_up"] else str(restored["waits_for"] or "its peers")


@dataclass(slots=True)
class CatchUp:
    """The standing of one party after a restore; `is_on` while it may not act."""

    store: Store
    restored: Restored | None
    waits_for: str = ""
    """What it waits for, or what was found, in words for the person at this machine."""
    is_behind: bool = False
    """A peer has proved more than this store has: it stays as it is until it is restored from something newer."""
    _is_done: bool = field(init=False, default=False)

    @classmethod
    async def of(cls, store: Store) -> CatchUp:
        """The standing that the store remembers."""
        return cls(store, await store.read(get_restored))

    @property
    def is_on(self) -> bool:
        """Whether it was restored and has not caught up yet."""
        return self.restored is not None and self.restored.caught_up_at is None and not self._is_done

    def require(self) -> None:
        """Go on only if it may act.

        Raises:
            CatchingUp: it may not.
        """
        if self.is_on:
            raise CatchingUp(
                f"restored from a backup and not caught up yet: {self.waits_for or 'waiting for its peers'}"
            )

    async def finish(self, now: int) -> None:
        """It has caught up: from here on it acts as any other."""
        if not self.is_on:
            return
        await self.store.write(lambda tx: set_caught_up(tx, now))
        self._is_done, self.waits_for, self.is_behind = True, "", False
        _log.warning("restored_and_caught_up")

    def shown(self) -> dict[str, object] | None:
        """For a status: None if it never was restored."""
        if self.restored is None:
            return None
        return {
            "at": self.restored.at,
            "state_of": self.restored.made_at,
            "from_second_copy": self.restored.is_followed,
            "caught_up": not self.is_on,
            "behind": self.is_behind,
            "waits_for": self.waits_for,
        }
