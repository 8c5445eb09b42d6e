"""What a sealed group can prove: receipts from subtrees in memory where they are recent, from the tables else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from broker.node.log import tree
from broker.node.store.port import Transaction
from schemas.ledger.merkle import Node
from schemas.ledger.receipt import issue_receipt

RECENT_NODES: Final = 32_768
"""About 6 MB: the right edge of the tree, from which nearly every receipt is made."""


class RecentNodes:
    """Committed subtrees, the newest written and the newest read; the oldest go first."""

    def __init__(self, limit: int = RECENT_NODES) -> None:
        self._limit = limit
        self._hashes: dict[tuple[int, int], bytes] = {}

    def add(self, nodes: Iterable[Node]) -> None:
        """Remember subtrees that are on disk."""
        for node in nodes:
            self.put(node.level, node.position, node.hash)

    def put(self, level: int, position: int, subtree: bytes) -> None:
        """Remember one."""
        self._hashes[level, position] = subtree
        if len(self._hashes) > self._limit:
            del self._hashes[next(iter(self._hashes))]

    def get(self, level: int, position: int) -> bytes | None:
        """The hash, if it is remembered."""
        return self._hashes.get((level, position))


@dataclass(frozen=True, slots=True)
class LogSeal:
    """A tree of `size` entries, signed by `checkpoint`; valid only during the call it was handed to."""

    size: int
    checkpoint: bytes
    _tx: Transaction = field(repr=False)
    _recent: RecentNodes = field(repr=False)
    _fresh: Mapping[tuple[int, int], bytes] = field(repr=False)
    _first_leaf: int = field(repr=False)
    _leaves: Sequence[bytes] = field(repr=False)

    def receipt(self, index: int) -> bytes:
        """The proof that the entry at `index` is in the tree (form: `schemas.ledger.receipt`).

        Raises: IndexError, LogDamaged; what `issue_receipt` finds, if the tables do not hold what was signed.
        """
        if not 0 <= index < self.size:
            raise IndexError("the sealed log has no such entry")
        leaf = self._leaves[index - self._first_leaf] if index >= self._first_leaf else tree.get_leaf(self._tx, index)
        return issue_receipt(leaf, index, self.size, self._node, self.checkpoint)

    def _node(self, level: int, position: int) -> bytes:
        found = self._fresh.get((level, position)) or self._recent.get(level, position)
        if found is None:
            found = tree.node_reader(self._tx)(level, position)
            self._recent.put(level, position, found)
        return found
