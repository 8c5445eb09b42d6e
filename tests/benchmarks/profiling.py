"""Where the time of a measured process goes: one profile of its event loop, one of its store's writer thread."""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
from pathlib import Path
from typing import Any, Final

from broker.node.store.writer import Writer

_ROOT: Final = f"{Path(__file__).parents[2]}/"
_WRITER: Final = "store-writer"


class Profiles:
    """Profiles of two threads. Made before the store is opened: the writer's thread is profiled from within."""

    def __init__(self) -> None:
        self._loop = cProfile.Profile()
        self._writer = cProfile.Profile()
        self._is_on = False
        self._wrap_groups()

    def begin(self) -> None:
        """Profile from here on; called on the event loop's thread."""
        self._is_on = True
        self._loop.enable()

    def end(self, top: int) -> dict[str, list[dict[str, Any]]]:
        """Stop; the dearest functions by their own time, thread by thread."""
        self._is_on = False
        self._loop.disable()
        return {"event loop": _dearest(self._loop, top), "writer thread": _dearest(self._writer, top)}

    def _wrap_groups(self) -> None:
        settle = Writer._settle

        def profiled(writer: Writer, *arguments: Any) -> None:
            if not self._is_on or threading.current_thread().name != _WRITER:
                settle(writer, *arguments)
                return
            self._writer.enable()
            try:
                settle(writer, *arguments)
            finally:
                self._writer.disable()

        Writer._settle = profiled  # type: ignore[method-assign, assignment]


def _dearest(profile: cProfile.Profile, top: int) -> list[dict[str, Any]]:
    statistics: Any = pstats.Stats(profile, stream=sys.stderr)
    rows = [
        {
            "function": f"{where.replace(_ROOT, '').rpartition('site-packages/')[2]}:{line} {name}",
            "calls": calls,
            "own_ms": own * 1000,
            "all_ms": whole * 1000,
        }
        for (where, line, name), (_, calls, own, whole, _) in statistics.stats.items()
    ]
    return sorted(rows, key=lambda row: -float(str(row["own_ms"])))[:top]
