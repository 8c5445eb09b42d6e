"""The tree of the sharing log: its hashes, its roots, its proofs and their verification.

RFC 6962 section 2.1 with SHA-256; the two verifications are RFC 9162 sections 2.1.3.2 and 2.1.4.2, step by step. Knows
nothing of what a leaf says, of signatures or of storage: complete subtrees are asked for through a `NodeReader`.

A path alone does not fix the tree size: two sizes in which a leaf has the same turns to the root have the same
verification. The size is believed because a checkpoint signs it together with the root.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Final

from schemas.ledger.failures import ConsistencyNotProven, InclusionNotProven, RangeMalformed, TreeOutOfRange
from schemas.ledger.lines import MAX_NUMBER

HASH_BYTES: Final = 32
MAX_TREE_SIZE: Final = MAX_NUMBER
MAX_PATH: Final = MAX_TREE_SIZE.bit_length()
"""Hashes in the longest inclusion proof; a consistency proof has at most one more."""
EMPTY_ROOT: Final = sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""(level, position) to the hash of a complete subtree; level 0 holds the leaf hashes."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of one entry's bytes (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def _are_hashes(values: Iterable[bytes]) -> bool:
    return set(map(len, values)) <= {HASH_BYTES}


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree: its height, its number from the left among those of that height, its hash."""

    level: int
    position: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class CompactRange:
    """All of a tree that is needed to go on appending: the roots of its complete subtrees, largest first.

    Raises:
        RangeMalformed: there are not as many peaks as the size has one-bits, or one is not 32 bytes.
    """

    size: int
    peaks: tuple[bytes, ...]

    EMPTY: ClassVar[CompactRange]

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_TREE_SIZE:
            raise RangeMalformed("size")
        if len(self.peaks) != self.size.bit_count() or not _are_hashes(self.peaks):
            raise RangeMalformed("peaks")

    def append(self, leaf: bytes) -> tuple[CompactRange, tuple[Node, ...]]:
        """Return the range with one more leaf hash, and the subtrees above it that are now complete, lowest first."""
        if len(leaf) != HASH_BYTES:
            raise RangeMalformed("leaf hash")
        peaks, completed = list(self.peaks), []
        level, position, top = 0, self.size, leaf
        while position & 1:
            level, position, top = level + 1, position >> 1, node_hash(peaks.pop(), top)
            completed.append(Node(level, position, top))
        return CompactRange(self.size + 1, (*peaks, top)), tuple(completed)

    def root(self) -> bytes:
        """Return the root hash of the tree (RFC 6962 section 2.1); `EMPTY_ROOT` for no leaf."""
        return _fold(self.peaks)


CompactRange.EMPTY = CompactRange(0, ())


def extend(start: CompactRange, leaf_hashes: Iterable[bytes]) -> CompactRange:
    """Return the range with all these leaf hashes appended, collecting no nodes.

    Raises:
        RangeMalformed: a leaf hash is not 32 bytes.
    """
    peaks, size, digest = list(start.peaks), start.size, sha256
    for top in leaf_hashes:
        if len(top) != HASH_BYTES:
            raise RangeMalformed("leaf hash")
        ahead = size
        while ahead & 1:
            top = digest(b"\x01" + peaks.pop() + top).digest()
            ahead >>= 1
        peaks.append(top)
        size += 1
    return CompactRange(size, tuple(peaks))


def root_from_leaf_hashes(leaf_hashes: Iterable[bytes]) -> tuple[int, bytes]:
    """Return the size and root of the tree of these leaf hashes.

    Raises:
        RangeMalformed: a leaf hash is not 32 bytes.
    """
    whole = extend(CompactRange.EMPTY, leaf_hashes)
    return whole.size, whole.root()


def root_of(size: int, node: NodeReader) -> bytes:
    """Return the root of the first `size` leaves of a stored tree.

    Raises:
        TreeOutOfRange: no tree can have that size.
    """
    if not 0 <= size <= MAX_TREE_SIZE:
        raise TreeOutOfRange("size")
    return _span_hash(0, size, node)


def inclusion_proof(index: int, size: int, node: NodeReader) -> tuple[bytes, ...]:
    """Return the path from leaf `index` to the root of the first `size` leaves (PATH of RFC 6962 section 2.1.1).

    Raises:
        TreeOutOfRange: the tree of that size has no such leaf.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:
        raise TreeOutOfRange("index")
    path, start, end = [], 0, size
    while end - start > 1:
        level = (end - start - 1).bit_length() - 1
        middle = start + (1 << level)  # the left part is always complete
        if index >= middle:
            path.append(node(level, start >> level))
            start = middle
            continue
        is_complete = end - middle == 1 << level  # all but the right edge of the tree
        path.append(node(level, middle >> level) if is_complete else _span_hash(middle, end, node))
        end = middle
    return tuple(reversed(path))


def consistency_proof(old_size: int, new_size: int, node: NodeReader) -> tuple[bytes, ...]:
    """Return the proof that the tree of `new_size` begins with that of `old_size` (PROOF of RFC 6962 section 2.1.2).

    It is empty from size 0 and between equal sizes, which need none.

    Raises:
        TreeOutOfRange: the newer tree would be the smaller.
    """
    if not 0 <= old_size <= new_size <= MAX_TREE_SIZE:
        raise TreeOutOfRange("size")
    if old_size in (0, new_size):
        return ()
    path, start, end = [], 0, new_size
    while end != old_size:
        middle = start + _left_width(end - start)
        if old_size <= middle:
            path.append(_span_hash(middle, end, node))
            end = middle
        else:
            path.append(_span_hash(start, middle, node))
            start = middle
    if start:  # a subtree from 0 is the old root itself, which the verifier has
        path.append(_span_hash(start, end, node))
    return tuple(reversed(path))


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash stands at `index` in the tree of this size and root (RFC 9162 section 2.1.3.2).

    Raises:
        InclusionNotProven: it does not follow from this proof.
    """
    if not 0 <= index < size <= MAX_TREE_SIZE:  # 1
        raise InclusionNotProven("index")
    if not _are_hashes((leaf_hash, root, *proof)):
        raise InclusionNotProven("length of a hash")
    first, second = index, size - 1  # 2
    reached = leaf_hash  # 3
    for step in proof:  # 4; `node_hash` written out, for every receipt passes here twice
        if second == 0:
            raise InclusionNotProven("too long")
        if first & 1 or first == second:
            reached = sha256(b"\x01" + step + reached).digest()
            first, second = _rise(first, second)
        else:
            reached = sha256(b"\x01" + reached + step).digest()
        first, second = first >> 1, second >> 1
    if second != 0:  # 5
        raise InclusionNotProven("too short")
    if not hmac.compare_digest(reached, root):
        raise InclusionNotProven("root")


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the newer tree begins with the older one (RFC 9162 section 2.1.4.2).

    From size 0, and between equal sizes, the proof must be empty and the roots must speak for themselves.

    Raises:
        ConsistencyNotProven: it does not follow from this proof.
    """
    if not 0 <= old_size <= new_size <= MAX_TREE_SIZE:
        raise ConsistencyNotProven("size")
    if not _are_hashes((old_root, new_root, *proof)):
        raise ConsistencyNotProven("length of a hash")
    if old_size in (0, new_size):
        known = EMPTY_ROOT if old_size == 0 else new_root
        whole = EMPTY_ROOT if new_size == 0 else new_root
        if proof or not hmac.compare_digest(old_root, known) or not hmac.compare_digest(new_root, whole):
            raise ConsistencyNotProven("root")
        return
    if not proof:  # 1
        raise ConsistencyNotProven("too short")
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)  # 2
    first, second = old_size - 1, new_size - 1  # 3
    while first & 1:  # 4
        first, second = first >> 1, second >> 1
    old_reached = new_reached = path[0]  # 5
    for step in path[1:]:  # 6
        if second == 0:
            raise ConsistencyNotProven("too long")
        if first & 1 or first == second:
            old_reached, new_reached = node_hash(step, old_reached), node_hash(step, new_reached)
            first, second = _rise(first, second)
        else:
            new_reached = node_hash(new_reached, step)
        first, second = first >> 1, second >> 1
    if second != 0:  # 7
        raise ConsistencyNotProven("too short")
    if not (hmac.compare_digest(old_reached, old_root) & hmac.compare_digest(new_reached, new_root)):
        raise ConsistencyNotProven("root")


def _rise(first: int, second: int) -> tuple[int, int]:
    """Skip the levels on which the right-most node has no sibling (RFC 9162 section 2.1.3.2 step 4.2)."""
    while first and not first & 1:
        first, second = first >> 1, second >> 1
    return first, second


def _left_width(width: int) -> int:
    """Return the largest power of two smaller than `width` (k of RFC 6962 section 2.1)."""
    return 1 << ((width - 1).bit_length() - 1)


def _span_hash(start: int, end: int, node: NodeReader) -> bytes:
    """Return MTH(D[start:end]) for a span that one of RFC 6962's splits can produce."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(node(level, start >> level))
        start += 1 << level
    return _fold(peaks)


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root
