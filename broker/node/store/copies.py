"""The copies of a store that are made between groups: one at a time on demand, and one that follows every commit.

Knows the store's file and its write-ahead log; how a following copy is laid down is `following`'s. Everything here runs
in the writer's thread.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from broker.node.store.connection import LAST_RESORT_CHECKPOINT_PAGES, StatementGuard
from broker.node.store.following import Following, begin, settle_into_file


class Copies:
    """What the writer keeps for copying. `connection` is always the one connection, outside any transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._following: Following | None = None
        self._file: int | None = None
        self.is_held = False
        """Whether the store's file must stay as it is: no checkpoint meanwhile."""

    def hold(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Let the store's file stand as it is now, all of it in there; its descriptor and its size in bytes."""
        file = self._own_file()
        size_bytes = settle_into_file(connection, file)
        self.is_held = True
        connection.execute("PRAGMA wal_autocheckpoint = 0" + StatementGuard.OWN).fetchall()
        return file, size_bytes

    def let_go(self, connection: sqlite3.Connection) -> None:
        """Let checkpoints go on."""
        self.is_held = False
        pages = LAST_RESORT_CHECKPOINT_PAGES
        connection.execute(f"PRAGMA wal_autocheckpoint = {pages}" + StatementGuard.OWN).fetchall()

    def follow(self, connection: sqlite3.Connection, folder: Path) -> None:
        """Keep a second copy in that folder from here on.

        Raises: FollowLost.
        """
        fresh = begin(connection, self._own_file(), self._path, folder)
        if self._following is not None:
            self._following.close()
        self._following = fresh

    def committed(self) -> None:
        """Keep what was just committed, where it is kept at all.

        Raises: FollowLost.
        """
        if self._following is not None:
            self._following.committed()

    def turn_when_due(self, connection: sqlite3.Connection) -> None:
        """Begin the following copy anew once it has grown long.

        Raises: FollowLost.
        """
        if self._following is not None and self._following.is_due and not self.is_held:
            self.follow(connection, self._following.folder)

    def close(self) -> None:
        """Let go of every file; after the connection."""
        if self._following is not None:
            self._following.close()
        if self._file is not None:
            os.close(self._file)

    def _own_file(self) -> int:
        """The store's file, open for reading until the end: to close it would drop the locks SQLite has on it."""
        if self._file is None:
            self._file = os.open(self._path, os.O_RDONLY)
        return self._file
