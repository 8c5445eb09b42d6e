"""What a store remembers of restores: its own, and that a peer's was restored, with what is then sent to it again.

Tables and small decisions; how a backup is made and put back is `backup` and `backup_restore`. Every function runs in a
work or a query.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from broker.node.post.writing import Outgoing
from broker.node.store.migrations import Migration, load_migrations
from broker.node.store.port import Transaction
from schemas.failures import Away
from schemas.messages.entry import nonce

BACKUP_MIGRATIONS: Final[tuple[Migration, ...]] = load_migrations("broker.node.backup_tables", "backup")
"""The set `backup`: every store applies it."""
_COLUMNS: Final = "message_id, receiver, kind, exchange, subject, digest, expires_at, raw"


class CatchingUp(Away):
    """The store was restored, and what its peers hold is not known yet: nothing is decided, asked or entered."""

    code = "catching_up"


@dataclass(frozen=True, slots=True)
class Restored:
    """That a store was restored: when, the state of which moment, and when it had caught up with its peers."""

    at: int
    made_at: int
    is_followed: bool
    """From a second copy that has every commit, not from a backup of some moment before."""
    caught_up_at: int | None


def mark_restored(connection: sqlite3.Connection, at: int, made_at: int, *, is_followed: bool) -> str:
    """Draw a new epoch for a store that nobody has open, and note that it has to catch up; gives back the epoch."""
    epoch = nonce()
    connection.execute("UPDATE epoch SET value = ?", (epoch,))
    connection.execute(
        "INSERT OR REPLACE INTO restored (only_row, at, made_at, is_followed, caught_up_at) VALUES (1, ?, ?, ?, NULL)",
        (at, made_at, is_followed),
    )
    return epoch


def get_restored(tx: Transaction) -> Restored | None:
    """Whether the store was restored; None if it never was."""
    row = tx.execute("SELECT at, made_at, is_followed, caught_up_at FROM restored").fetchone()
    return None if row is None else Restored(row[0], row[1], bool(row[2]), row[3])


def set_caught_up(tx: Transaction, now: int) -> None:
    """Note that the store has caught up with its peers."""
    tx.execute("UPDATE restored SET caught_up_at = ? WHERE caught_up_at IS NULL", (now,))


def has_new_epoch(tx: Transaction, party: str, epoch: str, sent_at: int) -> bool:
    """Whether a peer shows another epoch than before: its store was restored, and lost what came after its backup.

    An older message than the one that showed the present epoch says nothing.
    """
    known = tx.execute("SELECT epoch, shown_at FROM peer_epoch WHERE party = ?", (party,)).fetchone()
    if known is not None and (known[0] == epoch or sent_at <= known[1]):
        return False
    tx.execute("INSERT OR REPLACE INTO peer_epoch (party, epoch, shown_at) VALUES (?, ?, ?)", (party, epoch, sent_at))
    return known is not None


def keep(tx: Transaction, outgoing: Outgoing, now: int) -> None:
    """Keep a message beyond its acknowledgement, until it expires; those that have expired go."""
    tx.execute("DELETE FROM kept_message WHERE expires_at <= ?", (now,))
    tx.execute(
        f"INSERT OR REPLACE INTO kept_message ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # ours
        (
            outgoing.message_id,
            outgoing.receiver,
            outgoing.kind,
            outgoing.exchange,
            outgoing.subject,
            outgoing.digest,
            outgoing.expires_at,
            outgoing.raw,
        ),
    )


def kept_for(tx: Transaction, receiver: str, now: int) -> list[Outgoing]:
    """What is kept for that receiver and does not wait in the outbox: the same bytes, to be sent again."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM kept_message WHERE receiver = ? AND expires_at > ?"  # noqa: S608  # ours
        " AND message_id NOT IN (SELECT message_id FROM outbox) ORDER BY rowid",
        (receiver, now),
    )
    return [
        Outgoing(
            message_id=row[0],
            receiver=row[1],
            kind=row[2],
            exchange=row[3],
            subject=row[4],
            digest=row[5],
            expires_at=row[6],
            raw=row[7],
            is_lasting=True,
        )
        for row in rows
    ]
