"""RFC 6962 section 2.1 written down as it stands, recursion and all: what the library is compared with."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

LEAVES = tuple(f"entry {number}".encode() for number in range(256))
"""The leaves D[0:256] of the tree all functions here speak of."""


def _split(width: int) -> int:
    k = 1
    while k * 2 < width:
        k *= 2
    return k


@cache
def mth(start: int, end: int) -> bytes:
    """MTH(D[start:end])."""
    if end == start:
        return sha256(b"").digest()
    if end - start == 1:
        return sha256(b"\x00" + LEAVES[start]).digest()
    k = _split(end - start)
    return sha256(b"\x01" + mth(start, start + k) + mth(start + k, end)).digest()


def node(level: int, position: int) -> bytes:
    """Return a complete subtree's hash."""
    return mth(position << level, (position + 1) << level)


@cache
def path(m: int, start: int, end: int) -> tuple[bytes, ...]:
    """PATH(m, D[start:end])."""
    if end - start == 1:
        return ()
    k = _split(end - start)
    if m < k:
        return (*path(m, start, start + k), mth(start + k, end))
    return (*path(m - k, start + k, end), mth(start, start + k))


@cache
def subproof(m: int, start: int, end: int, whole: bool) -> tuple[bytes, ...]:
    """SUBPROOF(m, D[start:end], b)."""
    if m == end - start:
        return () if whole else (mth(start, end),)
    k = _split(end - start)
    if m <= k:
        return (*subproof(m, start, start + k, whole), mth(start + k, end))
    return (*subproof(m - k, start + k, end, False), mth(start, start + k))


@cache
def turns(m: int, width: int) -> str:
    """Return on which side of each node leaf m hangs, from the leaf up."""
    if width == 1:
        return ""
    k = _split(width)
    return turns(m, k) + "L" if m < k else turns(m - k, width - k) + "R"


@cache
def proof_turns(m: int, width: int, whole: bool = True) -> str:
    """Return what a consistency proof does with each hash, and first whether it begins at the old root."""
    if m == width:
        return "=" if whole else "+"
    k = _split(width)
    if m <= k:
        return proof_turns(m, k, whole) + "L"
    return proof_turns(m - k, width - k, False) + "R"
