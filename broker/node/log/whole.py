"""Hash a whole log again and compare everything that is stored of it; for the doctor, the weekly scrub and restores.

`PRAGMA integrity_check` does not see a changed payload; this names the entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from broker.node.log import tree
from broker.node.log.failures import LogDamaged
from broker.node.store.port import Transaction
from broker.node.store.sqlite import Store
from schemas.failures import Failure
from schemas.ledger.checkpoint import parse_tree_head
from schemas.ledger.merkle import CompactRange, extend, leaf_hash, node_hash
from schemas.ledger.note import parse_note

CHUNK_ENTRIES: Final = 4_096
"""Entries a query: about 10 ms, the longest that other work waits for this one."""


async def verify_whole(store: Store) -> int:
    """Check every entry, subtree and checkpoint up to the present head; gives back how many entries there are.

    Other work goes on meanwhile: what is below the head never changes.
    Raises: LogDamaged, naming the first index, subtree or size that does not hold.
    """
    head = await store.read(tree.get_head)
    if head is None:
        return 0
    whole = CompactRange.EMPTY
    for start in range(0, head.size, CHUNK_ENTRIES):
        stop = min(start + CHUNK_ENTRIES, head.size)
        before = whole

        def check(tx: Transaction, start: int = start, stop: int = stop, before: CompactRange = before) -> CompactRange:
            hashes = _check_entries(tx, start, stop)
            _check_nodes(tx, start, stop, hashes)
            return _check_checkpoints(tx, before, hashes)

        whole = await store.read(check)
    if whole.root() != head.root:
        raise LogDamaged("the entries give another root than the head says")
    return head.size


def _check_entries(tx: Transaction, start: int, stop: int) -> list[bytes]:
    hashes = []
    rows = tx.execute("SELECT idx, leaf, hash FROM log_entry WHERE idx >= ? AND idx < ? ORDER BY idx", (start, stop))
    for expected, (index, leaf, stored) in enumerate(rows, start):
        if index != expected:
            raise LogDamaged(f"entry {expected} is missing")
        if leaf_hash(leaf) != stored:
            raise LogDamaged(f"entry {index} is not what was hashed when it was written")
        hashes.append(stored)
    if len(hashes) != stop - start:
        raise LogDamaged(f"entry {start + len(hashes)} is missing")
    return hashes


def _check_nodes(tx: Transaction, start: int, stop: int, hashes: list[bytes]) -> None:
    """Compare the subtrees completed between `start` and `stop`; within a chunk all but the lowest are from below."""
    node = tree.node_reader(tx)
    below, first = hashes, start
    for level in range(1, stop.bit_length()):
        stored_from, stored_to = start >> level, stop >> level
        if stored_from == stored_to:
            break
        stored = [
            row[0]
            for row in tx.execute(
                "SELECT hash FROM log_node WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
                (level, stored_from, stored_to),
            )
        ]
        if len(below) < 2 * len(stored) or first != 2 * stored_from:
            # The left child lies in an earlier chunk, where it was checked.
            first, below = 2 * stored_from, [node(level - 1, at) for at in range(2 * stored_from, 2 * stored_to)]
        if len(stored) != stored_to - stored_from or any(
            node_hash(left, right) != parent for (left, right), parent in zip(_pairs(below), stored, strict=False)
        ):
            raise LogDamaged(f"a subtree of level {level} between {start} and {stop} is not that of its children")
        below, first = stored, stored_from


def _pairs(hashes: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    each = iter(hashes)
    return zip(each, each, strict=False)


def _check_checkpoints(tx: Transaction, before: CompactRange, hashes: list[bytes]) -> CompactRange:
    stop = before.size + len(hashes)
    whole, taken = before, 0
    for size, note in tx.execute(
        "SELECT size, note FROM log_checkpoint WHERE size > ? AND size <= ? ORDER BY size", (before.size, stop)
    ):
        upto = size - before.size
        whole, taken = extend(whole, hashes[taken:upto]), upto
        try:
            signed = parse_tree_head(parse_note(note).text)
        except Failure as failure:
            raise LogDamaged(f"the checkpoint of size {size} cannot be read") from failure
        if (signed.size, signed.root) != (size, whole.root()):
            raise LogDamaged(f"the checkpoint of size {size} signs another tree")
    return extend(whole, hashes[taken:])
