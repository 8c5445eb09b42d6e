"""A private database that no other process can open: in memory while small, in an unnamed file when it is large.

SQLite makes that file itself, in the folder for temporary files (`SQLITE_TMPDIR`), readable by its owner alone, and
unlinks it as it is opened: nothing is left of it however the program ends. What the cache holds never gets there.
"""

from __future__ import annotations

import sqlite3
import weakref
from typing import Final

CACHE_KIB: Final = 128 * 1024
"""Held in memory; an index of some four hundred thousand people stays below it."""
_PRIVATE: Final = f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{CACHE_KIB};"


def open_private(owner: object, tables: str = "") -> sqlite3.Connection:
    """A database with those tables, closed when its owner is gone. The owner lets one thread at a time use it."""
    database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    weakref.finalize(owner, database.close)
    database.executescript(_PRIVATE + tables)
    return database
