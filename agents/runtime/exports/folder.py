"""A folder of files that another system puts down: which are there, whether they are whole, and reading them.

Files are opened for reading alone, never through a link, and every read is from the very file that was looked over
before. Whoever writes the folder may be at it: files that changed a moment ago, or change while they are read, are
away until they are finished. Refuses to know what the files say.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias

from agents.runtime.source import SourceAway
from broker.node.clock import Clock


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one version of a file from the next."""

    device: int
    inode: int
    size_bytes: int
    modified_ns: int


Stamps: TypeAlias = Mapping[str, Stamp]
"""Every file by its name below the folder."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the files are, which of them count, and how to tell that they are finished."""

    path: Path
    wanted: re.Pattern[str]
    """Names below the folder, with `/`, that are read; nothing else in it is looked at."""
    settled_after: timedelta
    """How long ago the newest file must have been changed for the first read of it."""
    finished_file: str | None = None
    """A file the writing system puts there last of all; where it is named, older than the rest or missing is away."""

    def stamps(self) -> Stamps:
        """The files as they are now.

        Raises:
            SourceAway: the folder cannot be read.
        """
        try:
            found = {name: stamp_of(os.lstat(self.path / name)) for name in self._names()}
            if self.finished_file is not None:
                marked = os.stat(self.path / self.finished_file).st_mtime_ns
                if any(stamp.modified_ns > marked for stamp in found.values()):
                    raise SourceAway("the files are newer than the file that says they are finished")
        except OSError as error:
            raise SourceAway(f"the folder of files cannot be read ({type(error).__name__})") from None
        return found

    def check_settled(self, stamps: Stamps, clock: Clock) -> None:
        """Nothing was written just now.

        Raises:
            SourceAway: the newest file may still be written.
        """
        if not is_settled(stamps.values(), self.settled_after, clock):
            raise SourceAway("the files are being written")

    def _names(self) -> Iterator[str]:
        folders = [""]
        while folders:
            below = folders.pop()
            with os.scandir(self.path / below) as entries:
                for entry in entries:
                    name = f"{below}{entry.name}"
                    if entry.is_dir(follow_symlinks=False) and not below:
                        folders.append(f"{name}/")
                    elif self.wanted.fullmatch(name) and entry.is_file(follow_symlinks=False):
                        yield name


class OpenFiles:
    """Files of a folder, each opened when it is first read, all of the version that was stamped."""

    def __init__(self, path: Path, stamps: Stamps) -> None:
        self._path: Final = path
        self._stamps: Final = stamps
        self._open: Final[dict[str, int]] = {}

    def read(self, name: str, at_bytes: int, length_bytes: int) -> bytes:
        """A stretch of a file.

        Raises:
            SourceAway: the file is gone, or is another by now.
        """
        try:
            return os.pread(self.descriptor(name), length_bytes, at_bytes)
        except OSError as error:
            raise SourceAway(f"a file cannot be read ({type(error).__name__})") from None

    def descriptor(self, name: str) -> int:
        """An open file; it is closed here.

        Raises:
            SourceAway: as `read`.
        """
        if name not in self._open:
            try:
                flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
                self._open[name] = os.open(self._path / name, flags)
            except OSError as error:
                raise SourceAway(f"a file cannot be opened ({type(error).__name__})") from None
            self._check(name)
        return self._open[name]

    def check(self) -> None:
        """Every file read is still the one that was stamped.

        Raises:
            SourceAway: one was written over; what was read of it is not to be believed.
        """
        for name in self._open:
            self._check(name)

    def close(self) -> None:
        """Close them."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _check(self, name: str) -> None:
        status = os.fstat(self._open[name])
        if not stat.S_ISREG(status.st_mode) or stamp_of(status) != self._stamps[name]:
            raise SourceAway("a file was replaced while it was read")


@contextmanager
def open_files(path: Path, stamps: Stamps) -> Iterator[OpenFiles]:
    """Files of a folder for as long as one look takes.

    Raises:
        SourceAway: at the end, where one of them was written over meanwhile.
    """
    files = OpenFiles(path, stamps)
    try:
        yield files
        files.check()
    finally:
        files.close()


def stamp_of(status: os.stat_result) -> Stamp:
    """The version of a file that was looked at."""
    return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def is_settled(stamps: Iterable[Stamp], settled_after: timedelta, clock: Clock) -> bool:
    """Whether the newest of them was changed long enough ago; dated far ahead by another clock counts as long ago."""
    newest_at = max((stamp.modified_ns for stamp in stamps), default=0) // 1_000_000
    return abs(clock.now() - newest_at) >= settled_after / timedelta(milliseconds=1)
