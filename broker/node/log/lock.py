"""The lock copy: the newest tree head, kept in a second file beside (better: on another volume than) the store.

It exists to notice that the store was rolled back. It is written after the commit and before anyone hears of the group:
a crash between the two leaves it older than the store, which is allowed; newer than the store it can only be if the
store lost something.

Two slots are written in turn and in place, so that a torn write leaves the other slot. A write is safe from the death
of the process at once, and from loss of power within `SYNC_EVERY`: a store that loses power keeps its own last group
(`synchronous=FULL`), so an older lock copy is no loss there; what it must survive is yesterday's backup.
It is not part of a backup: restored together with the store it would vouch for the past.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from broker.node.owner_only import sync_directory
from schemas.ledger.checkpoint import TreeHead, parse_tree_head
from schemas.ledger.failures import CheckpointMalformed

SLOT_BYTES: Final = 512
"""One sector: the digest line (65), and at most 255 + 20 + 45 bytes of tree head with their line ends."""
SYNC_EVERY: Final = timedelta(seconds=1)
"""How much of the lock copy's memory a loss of power may cost; once a group would double the cost of each commit."""


class LockCopy:
    """The file of one log's lock copy. Used by one thread at a time."""

    def __init__(self, path: Path, *, sync_every: timedelta = SYNC_EVERY) -> None:
        self._path = path
        self._sync_every = sync_every.total_seconds()
        self._synced_at = float("-inf")
        self._next_slot = 0

    def read(self) -> TreeHead | None:
        """The newest head written, or None if there is no file or nothing in it can be read."""
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return None
        heads = [_unpack(raw[start : start + SLOT_BYTES]) for start in (0, SLOT_BYTES)]
        sizes = [-1 if head is None else head.size for head in heads]
        newest = sizes.index(max(sizes))
        self._next_slot = 1 - newest
        return heads[newest]

    def write(self, head: TreeHead) -> None:
        """Remember this head; the file must exist.

        Raises: OSError, if the volume is gone or full.
        """
        # Without O_CREAT: a volume that is not mounted must stop us, not be replaced by an empty directory.
        descriptor = os.open(self._path, os.O_WRONLY)
        try:
            os.pwrite(descriptor, _pack(head), self._next_slot * SLOT_BYTES)
            self._next_slot = 1 - self._next_slot
            now = time.monotonic()
            if now - self._synced_at >= self._sync_every:
                os.fdatasync(descriptor)
                self._synced_at = now
        finally:
            os.close(descriptor)

    def create(self, head: TreeHead) -> None:
        """Make the file, owner-only and durable before this returns, or replace it, remembering only this head.

        For a new log, and for the operator who has compared a restored one with its witnesses.
        """
        fresh = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, _pack(head) + b"\n" * SLOT_BYTES)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(fresh, self._path)
        sync_directory(self._path.parent)
        self._next_slot = 1


def _pack(head: TreeHead) -> bytes:
    text = head.text.encode()
    return (hashlib.sha256(text).hexdigest().encode() + b"\n" + text).ljust(SLOT_BYTES, b"\n")


def _unpack(slot: bytes) -> TreeHead | None:
    digest, _, padded = slot.partition(b"\n")
    text = padded.rstrip(b"\n") + b"\n"
    if not hmac.compare_digest(hashlib.sha256(text).hexdigest().encode(), digest):
        return None
    try:
        return parse_tree_head(text.decode())
    except (CheckpointMalformed, UnicodeDecodeError):
        return None
