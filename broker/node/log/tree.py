"""The log's tables: how entries, subtrees, head and checkpoints are written and read. SQL and no decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from broker.node.log.failures import LogDamaged
from broker.node.store.port import Transaction
from schemas.ledger.checkpoint import TreeHead
from schemas.ledger.merkle import CompactRange, Node, NodeReader


def insert_entry(tx: Transaction, index: int, leaf: bytes, leaf_hash: bytes) -> None:
    """Add the next entry."""
    tx.execute("INSERT INTO log_entry (idx, leaf, hash) VALUES (?, ?, ?)", (index, leaf, leaf_hash))


def insert_nodes(tx: Transaction, nodes: Iterable[Node]) -> None:
    """Add complete subtrees above the leaves."""
    tx.executemany(
        "INSERT INTO log_node (level, position, hash) VALUES (?, ?, ?)",
        [(node.level, node.position, node.hash) for node in nodes],
    )


def put_head(tx: Transaction, head: TreeHead) -> None:
    """Set the one head."""
    tx.execute(
        "INSERT INTO log_head (only_row, origin, size, root) VALUES (1, ?, ?, ?)"
        " ON CONFLICT (only_row) DO UPDATE SET origin = excluded.origin, size = excluded.size, root = excluded.root",
        (head.origin, head.size, head.root),
    )


def get_head(tx: Transaction) -> TreeHead | None:
    """The one head, or None for a log that was never opened."""
    row = tx.execute("SELECT origin, size, root FROM log_head").fetchone()
    return TreeHead(*row) if row else None


def count_entries(tx: Transaction) -> int:
    """How many entries there are by the last index."""
    count: int = tx.execute("SELECT coalesce(max(idx) + 1, 0) FROM log_entry").fetchone()[0]
    return count


def insert_checkpoint(tx: Transaction, size: int, note: bytes) -> None:
    """Add the checkpoint of a group."""
    tx.execute("INSERT INTO log_checkpoint (size, note) VALUES (?, ?)", (size, note))


def get_checkpoint(tx: Transaction, size: int) -> bytes | None:
    """The log-signed checkpoint of exactly that size, if a group ended there."""
    row = tx.execute("SELECT note FROM log_checkpoint WHERE size = ?", (size,)).fetchone()
    return row[0] if row else None


def get_leaf(tx: Transaction, index: int) -> bytes:
    """The stored bytes of one entry.

    Raises: IndexError, if there is no such entry.
    """
    row = tx.execute("SELECT leaf FROM log_entry WHERE idx = ?", (index,)).fetchone()
    if row is None:
        raise IndexError("the log has no such entry")
    leaf: bytes = row[0]
    return leaf


def get_leaves(tx: Transaction, start: int, stop: int) -> list[bytes]:
    """The stored bytes of the entries from `start` up to, not including, `stop`."""
    rows = tx.execute("SELECT leaf FROM log_entry WHERE idx >= ? AND idx < ? ORDER BY idx", (start, stop))
    return [leaf for (leaf,) in rows]


def get_leaf_hashes(tx: Transaction, start: int, stop: int) -> list[bytes]:
    """The leaf hashes from `start` up to, not including, `stop`."""
    rows = tx.execute("SELECT hash FROM log_entry WHERE idx >= ? AND idx < ? ORDER BY idx", (start, stop))
    return [leaf_hash for (leaf_hash,) in rows]


def node_reader(tx: Transaction) -> NodeReader:
    """Read subtrees from the tables.

    Raises (when called): LogDamaged, if a subtree that must be there is not.
    """

    def read(level: int, position: int) -> bytes:
        if level == 0:
            row = tx.execute("SELECT hash FROM log_entry WHERE idx = ?", (position,)).fetchone()
        else:
            row = tx.execute("SELECT hash FROM log_node WHERE level = ? AND position = ?", (level, position)).fetchone()
        if row is None:
            raise LogDamaged(f"a subtree of level {level} is missing; restore the store, or rebuild it from a mirror")
        subtree: bytes = row[0]
        return subtree

    return read


def compact_range(size: int, node: Callable[[int, int], bytes]) -> CompactRange:
    """The range of the first `size` entries, from stored subtrees: one read a peak."""
    peaks: Sequence[bytes] = [
        node(level, (size >> level) - 1) for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1
    ]
    return CompactRange(size, tuple(peaks))
