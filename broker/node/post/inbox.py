"""What has been taken in: the id and digest of every message until it can be no replay, and what was answered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.post.port import Equivocation, Received
from broker.node.store.port import Transaction

RECENT: Final = 4096
"""Answers kept in memory as well: repeats usually follow within seconds, and need no transaction."""


@dataclass(slots=True)
class Inbox:
    """The memory of answered messages: a table, and the newest of it at hand."""

    _recent: OrderedDict[tuple[str, str], tuple[str, bytes]]

    @classmethod
    def empty(cls) -> Inbox:
        """One that has nothing at hand yet; the table is asked in the transaction anyway."""
        return cls(OrderedDict())

    def at_hand(self, received: Received) -> bytes | None:
        """The answer to a repeat, if it is at hand.

        Raises:
            Equivocation: the same id came with another digest.
        """
        known = self._recent.get((received.outer.sender, received.outer.message_id))
        return None if known is None else _same(known, received)

    def keep_at_hand(self, received: Received, acknowledgement: bytes) -> None:
        """Remember a committed answer in memory."""
        self._recent[(received.outer.sender, received.outer.message_id)] = (received.digest, acknowledgement)
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    @staticmethod
    def find(tx: Transaction, received: Received) -> bytes | None:
        """The answer to a repeat, from the table; empty while it is still to be made in this group.

        Raises:
            Equivocation: the same id came with another digest.
        """
        row = tx.execute(
            "SELECT digest, acknowledgement FROM inbox WHERE sender = ? AND message_id = ?",
            (received.outer.sender, received.outer.message_id),
        ).fetchone()
        return None if row is None else _same(row, received)

    @staticmethod
    def answer_to(tx: Transaction, sender: str, message_id: str) -> bytes | None:
        """The acknowledgement given to a sender's message, as long as it is remembered."""
        row = tx.execute(
            "SELECT acknowledgement FROM inbox WHERE sender = ? AND message_id = ?", (sender, message_id)
        ).fetchone()
        return None if row is None else row[0]

    @staticmethod
    def claim(tx: Transaction, received: Received) -> None:
        """Take the id before its effect, so that no copy of the message can have one as well; answered at the latest
        when the group is sealed."""
        forget_at = received.outer.expires_at + 2 * PERMITTED_SKEW_MS
        tx.execute(
            "INSERT INTO inbox (sender, message_id, digest, forget_at, acknowledgement) VALUES (?, ?, ?, ?, x'')",
            (received.outer.sender, received.outer.message_id, received.digest, forget_at),
        )

    @staticmethod
    def answer(tx: Transaction, received: Received, acknowledgement: bytes) -> None:
        """Commit the answer with the effect."""
        tx.execute(
            "UPDATE inbox SET acknowledgement = ? WHERE sender = ? AND message_id = ?",
            (acknowledgement, received.outer.sender, received.outer.message_id),
        )

    @staticmethod
    def forget(tx: Transaction, now: int) -> None:
        """Let go of ids whose messages can no longer be in time anywhere."""
        tx.execute("DELETE FROM inbox WHERE forget_at < ?", (now,))


def _same(known: tuple[str, bytes], received: Received) -> bytes:
    digest, acknowledgement = known
    if digest != received.digest:
        raise Equivocation("the same message id with another content")
    return acknowledgement
