"""What was learnt from a folder of files while they stay the same; learnt anew, and whole, when they change.

One snapshot counts at a time. A look that began before the files changed fails as away, rather than read new files by
old places. Refuses to know what is learnt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from agents.runtime.exports.folder import Folder, OpenFiles, Stamps, open_files
from agents.runtime.source import SourceAway
from broker.node.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """What was learnt, and the files it was learnt from."""

    learnt: T
    files: OpenFiles


class Export(Generic[T]):
    """A folder and what was learnt from it. May be used by several threads at once; one of them learns, others wait."""

    def __init__(self, folder: Folder, learn: Callable[[Stamps, OpenFiles], T], clock: Clock) -> None:
        self._folder: Final = folder
        self._learn: Final = learn
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._current: tuple[Stamps, T] | None = None

    @contextmanager
    def look(self) -> Iterator[Look[T]]:
        """One look at the files as they are now.

        Raises:
            SourceAway: they cannot be read, are being written, or were replaced before the look ended.
        """
        stamps, learnt = self._newest()
        with open_files(self._folder.path, stamps) as files:
            yield Look(learnt, files)

    def forget(self) -> None:
        """Let go of all that was learnt."""
        with self._lock:
            self._current = None

    def _newest(self) -> tuple[Stamps, T]:
        with self._lock:
            stamps = self._folder.stamps()
            if self._current is not None and self._current[0] == stamps:
                return self._current
            # Not kept beside the new one: two of a whole county would not fit where one does.
            self._current = None
            self._folder.check_settled(stamps, self._clock)
            with open_files(self._folder.path, stamps) as files:
                learnt = self._learn(stamps, files)
            if self._folder.stamps() != stamps:
                raise SourceAway("files came, went or changed while they were read")
            self._current = stamps, learnt
            return self._current
