"""Deeds of the desk whose messages were put anew under another id, because the key that signed them had died."""

from __future__ import annotations

from collections.abc import Mapping

from broker.node.store.port import Transaction


def rename_deeds(tx: Transaction, renamed: Mapping[str, str]) -> None:
    """Messages that carry deeds have other ids now."""
    tx.executemany("UPDATE deed SET message_id = ? WHERE message_id = ?", [(new, old) for old, new in renamed.items()])
