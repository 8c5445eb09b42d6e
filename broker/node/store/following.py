"""The second copy of a store: everything that was committed, kept on another volume before anybody hears of it.

    <folder>/<n>.base      the whole store as generation n began
    <folder>/<n>.frames    the pages of every group committed since, group by group, each record chained to the last

What is kept is what SQLite itself wrote: the frames of its write-ahead log (https://sqlite.org/fileformat2.html#walformat),
whatever the tables mean. A group's frames are durable here after its COMMIT and before its results are delivered, so a
store rebuilt from here has everything that anybody was ever told of. A torn last record is a group nobody heard of.

Refuses to know tables. Runs in the writer's thread; the volume must be one that is not lost together with the store's.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from broker.node.owner_only import sync_directory
from broker.node.store.connection import StatementGuard
from schemas.failures import GroundLost

SMALLEST_TURN_BYTES: Final = 64 * 1024 * 1024
"""A generation ends when its frames are larger than its base and than this: then it is cheaper to begin anew."""
COPY_BYTES: Final = 4 * 1024 * 1024
_MAGIC: Final = b"needtoknow frames 1\n"
_IDENTITY_BYTES: Final = 16
_RECORD: Final = struct.Struct(">4sIII32s")
"""Mark, page size, pages of the store after it, frames in it, SHA-256 over the last record's and all of this one."""
_RECORD_MARK: Final = b"GRP1"
_WAL_HEADER_BYTES: Final = 32
_FRAME: Final = struct.Struct(">II8s8x")
"""Page number, pages in the store after a commit (0 for every frame but its last), salts; two checksums unread."""
_NAME: Final = re.compile(r"(?P<generation>[0-9]{8})\.base")


class FollowLost(GroundLost):
    """The second copy cannot be kept or read; without it what is committed could be lost."""

    code = "follow_lost"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a second copy gave: how many groups after its base, and how many bytes of a torn last one were left out."""

    groups: int
    torn_bytes: int


class Following:
    """One generation of a second copy, being written."""

    def __init__(self, folder: Path, generation: int, wal: Path) -> None:
        self.folder = folder
        self.generation = generation
        self._wal = os.open(wal, os.O_RDONLY)
        try:
            path = folder / f"{generation:08}.frames"
            self._frames = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except OSError:
            os.close(self._wal)
            raise
        self._salts = b""
        self._read_to = _WAL_HEADER_BYTES
        self._digest = secrets.token_bytes(_IDENTITY_BYTES)
        self._base_bytes = (folder / f"{generation:08}.base").stat().st_size
        self._bytes = 0
        self._write(_MAGIC + self._digest)
        sync_directory(folder)

    @property
    def is_due(self) -> bool:
        """Whether it is time for a new generation."""
        return self._bytes > max(self._base_bytes, SMALLEST_TURN_BYTES)

    def committed(self) -> None:
        """Keep what the last commit wrote; durable once this returns.

        Raises:
            FollowLost: it cannot be kept.
        """
        header = os.pread(self._wal, _WAL_HEADER_BYTES, 0)
        if len(header) < _WAL_HEADER_BYTES:
            return  # nothing was written since the store's own file had everything
        salts = header[16:24]
        if salts != self._salts:
            # The write-ahead log began again from its start: all of it before was in the store's file.
            self._salts, self._read_to = salts, _WAL_HEADER_BYTES
        page_bytes = int.from_bytes(header[8:12], "big")
        frames, pages = self._new_frames(page_bytes)
        if not frames:
            return
        start = struct.pack(">4sIII", _RECORD_MARK, page_bytes, pages, len(frames))
        body = b"".join(frames)
        self._digest = hashlib.sha256(self._digest + start + body).digest()
        self._write(start + self._digest + body)
        self._read_to += len(frames) * (_FRAME.size + page_bytes)

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._wal)
        os.close(self._frames)

    def _new_frames(self, page_bytes: int) -> tuple[list[bytes], int]:
        """The frames up to the last that ends a commit; behind it may lie remains of a group that was rolled back."""
        found: list[bytes] = []
        ended, pages, at = 0, 0, self._read_to
        while True:
            raw = os.pread(self._wal, _FRAME.size + page_bytes, at)
            if len(raw) < _FRAME.size + page_bytes:
                break
            number, pages_after, salts = _FRAME.unpack_from(raw)
            if salts != self._salts:
                break  # remains of an earlier round of the write-ahead log
            found.append(number.to_bytes(4, "big") + raw[_FRAME.size :])
            at += len(raw)
            if pages_after:
                ended, pages = len(found), pages_after
        return found[:ended], pages

    def _write(self, raw: bytes) -> None:
        try:
            left = memoryview(raw)
            while left:
                left = left[os.write(self._frames, left) :]
            os.fdatasync(self._frames)
        except OSError as error:
            raise FollowLost(f"the second copy cannot be written ({error.strerror}); mend its volume") from error
        self._bytes += len(raw)


def begin(connection: sqlite3.Connection, file: int, store: Path, folder: Path) -> Following:
    """Begin a new generation with a whole copy of the store, then let go of the older ones.

    `file` is the store's own, open for reading. Nothing else may be committed until this returns: base and frames then
    meet without a gap. A large store is copied at the speed of its disks.

    Raises:
        FollowLost: the folder cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(folder, 0o700)
        older = generations(folder)
        generation = (older[-1] if older else 0) + 1
        for left in (*folder.glob("*.new"), folder / f"{generation:08}.frames"):
            left.unlink(missing_ok=True)  # of a start that did not come to its base
        size_bytes = settle_into_file(connection, file)
        fresh = folder / f"{generation:08}.new"
        copy_file(file, size_bytes, fresh)
        os.rename(fresh, folder / f"{generation:08}.base")
        sync_directory(folder)
        following = Following(folder, generation, store.with_name(store.name + "-wal"))
    except OSError as error:
        raise FollowLost(f"the second copy cannot be begun in {folder} ({error.strerror})") from error
    # A crash before this line leaves two generations, of which the newer one counts.
    for one in older:
        (folder / f"{one:08}.base").unlink(missing_ok=True)
        (folder / f"{one:08}.frames").unlink(missing_ok=True)
    return following


def settle_into_file(connection: sqlite3.Connection, file: int) -> int:
    """Have everything that was committed in the store's own file, and nothing in its log; gives back its size in bytes.

    Until the next checkpoint that file does not change, whatever is committed.
    """
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)" + StatementGuard.OWN).fetchone()
    if busy:
        raise sqlite3.OperationalError("the write-ahead log cannot be copied into the store's file")
    return os.fstat(file).st_size


def copy_file(file: int, size_bytes: int, target: Path) -> None:
    """Copy the store's file to a new owner-only one, durable once this returns.

    Raises:
        FileExistsError, OSError.
    """
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as copy:
        at = 0
        while at < size_bytes:
            chunk = os.pread(file, min(COPY_BYTES, size_bytes - at), at)
            if not chunk:
                raise OSError(errno.EIO, "the store's file is shorter than it was")
            copy.write(chunk)
            at += len(chunk)
        copy.flush()
        os.fsync(copy.fileno())


def generations(folder: Path) -> list[int]:
    """The generations with a whole base, oldest first."""
    return sorted(int(match["generation"]) for path in folder.glob("*.base") if (match := _NAME.fullmatch(path.name)))


def replay(folder: Path, target: Path) -> Replayed:
    """Rebuild the store from the newest generation into a new owner-only file; durable once this returns.

    Raises:
        FollowLost: there is none, or a record before the last does not hold.
    """
    known = generations(folder)
    if not known:
        raise FollowLost(f"{folder} holds no second copy of a store")
    base, frames = (folder / f"{known[-1]:08}.{end}" for end in ("base", "frames"))
    with open(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "r+b") as whole:
        with base.open("rb") as source:
            while chunk := source.read(1024 * 1024):
                whole.write(chunk)
        groups = torn = 0
        if frames.exists():  # else the program died before its first commit
            with frames.open("rb") as source:
                for page_bytes, pages, body in _records(source):
                    _apply(whole, page_bytes, pages, body)
                    groups += 1
                torn = frames.stat().st_size - source.tell()
        whole.flush()
        os.fsync(whole.fileno())
    return Replayed(groups, torn)


def _apply(whole: BinaryIO, page_bytes: int, pages: int, body: bytes) -> None:
    for at in range(0, len(body), 4 + page_bytes):
        number = int.from_bytes(body[at : at + 4], "big")
        whole.seek((number - 1) * page_bytes)
        whole.write(body[at + 4 : at + 4 + page_bytes])
    whole.truncate(pages * page_bytes)


def _records(source: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Every whole record; the file's position is behind the last of them when this ends."""
    size = os.fstat(source.fileno()).st_size
    opening = source.read(len(_MAGIC) + _IDENTITY_BYTES)
    if len(opening) < len(_MAGIC) + _IDENTITY_BYTES:
        source.seek(0)
        return
    if not opening.startswith(_MAGIC):
        raise FollowLost("the frames are not of this form; was the folder written by a newer program?")
    digest = opening[len(_MAGIC) :]
    while True:
        start = source.tell()
        raw = source.read(_RECORD.size)
        if len(raw) < _RECORD.size:
            source.seek(start)
            return
        mark, page_bytes, pages, count, expected = _RECORD.unpack(raw)
        length = count * (4 + page_bytes)
        body = source.read(length) if mark == _RECORD_MARK and start + _RECORD.size + length <= size else b""
        digest = hashlib.sha256(digest + raw[:16] + body).digest()
        if mark != _RECORD_MARK or len(body) < length or digest != expected:
            if mark == _RECORD_MARK and start + _RECORD.size + length < size:
                raise FollowLost("a record in the midst of the frames does not hold: the copy is damaged")
            source.seek(start)
            return
        yield page_bytes, pages, body
