"""Deeds of the desk whose messages were put anew under another id, because a key that had signed them had died."""

from __future__ import annotations

from collections.abc import Mapping

from broker.node.store.port import Transaction
from schemas.ledger.merkle import leaf_hash


def rename_deeds(tx: Transaction, renamed: Mapping[str, str]) -> None:
    """Messages that carry deeds have other ids now."""
    tx.executemany("UPDATE deed SET message_id = ? WHERE message_id = ?", [(new, old) for old, new in renamed.items()])


def replace_deed(tx: Transaction, message_id: str, renamed: str, leaf: bytes) -> None:
    """Keep the leaf of a deed that was signed anew, and which message carries it now."""
    tx.execute(
        "UPDATE deed SET message_id = ?, leaf = ?, leaf_hash = ? WHERE message_id = ?",
        (renamed, leaf, leaf_hash(leaf).hex(), message_id),
    )
