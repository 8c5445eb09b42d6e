"""The tables of the directory that a party holds, as functions on a transaction. Decides nothing."""

from __future__ import annotations

from typing import Final

from broker.node.store.migrations import Migration, load_migrations
from broker.node.store.port import Transaction
from schemas.messages.party import Party

DIRECTORY_MIGRATIONS: Final[tuple[Migration, ...]] = load_migrations("broker.node.directory_tables", "directory")
"""The set `directory`: every party's store applies it."""


def newest(tx: Transaction) -> tuple[bytes, bytes] | None:
    """Frame and lines of the directory held, if there is one."""
    row: tuple[bytes, bytes] | None = tx.execute("SELECT frame, lines FROM directory").fetchone()
    return row


def keep(tx: Transaction, version: int, frame: bytes, lines: bytes) -> bool:
    """Hold this directory; False, and nothing done, if a newer one is held already."""
    held = tx.execute("SELECT version FROM directory").fetchone()
    if held is not None and held[0] > version:
        return False
    tx.execute(
        "INSERT INTO directory (only_row, version, frame, lines) VALUES (1, ?, ?, ?) ON CONFLICT (only_row) DO UPDATE"
        " SET version = excluded.version, frame = excluded.frame, lines = excluded.lines",
        (version, frame, lines),
    )
    return True


def note_own(tx: Transaction, me: Party) -> None:
    """Remember that this statement of the party is its own."""
    tx.execute("INSERT OR IGNORE INTO own_statement VALUES (?, ?)", (me.digest, me.statement.serial))


def own_digests(tx: Transaction) -> set[str]:
    """The digests of every statement that the party has made of itself."""
    return {row[0] for row in tx.execute("SELECT digest FROM own_statement")}
