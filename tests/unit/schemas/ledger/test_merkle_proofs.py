"""Proofs: every pair of sizes against the naive tree, every changed bit of the small ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from schemas.ledger import merkle
from schemas.ledger.failures import ConsistencyNotProven, InclusionNotProven
from schemas.ledger.merkle import EMPTY_ROOT
from tests.unit.schemas.ledger import naive

ALL_PAIRS = 200
EVERY_BIT = 16


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except (InclusionNotProven, ConsistencyNotProven):
        return False
    return True


def _inclusion(index: int, size: int, leaf: bytes, path: tuple[bytes, ...], root: bytes) -> bool:
    return _holds(lambda: merkle.verify_inclusion(index, size, leaf, path, root))


def _consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: tuple[bytes, ...]) -> bool:
    return _holds(lambda: merkle.verify_consistency(old, new, old_root, new_root, path))


def _every_bit(value: bytes) -> Iterator[bytes]:
    number = int.from_bytes(value, "big")
    return ((number ^ (1 << bit)).to_bytes(len(value), "big") for bit in range(8 * len(value)))


def _one_bit(value: bytes, dice: random.Random) -> bytes:
    return (int.from_bytes(value, "big") ^ (1 << dice.randrange(8 * len(value)))).to_bytes(len(value), "big")


def _with_one_changed(
    path: tuple[bytes, ...], change: Callable[[bytes], Iterator[bytes]]
) -> Iterator[tuple[bytes, ...]]:
    for position, one in enumerate(path):
        for changed in change(one):
            yield (*path[:position], changed, *path[position + 1 :])


def test_every_inclusion_proof_is_the_naive_one_and_holds() -> None:
    for size in range(1, ALL_PAIRS + 1):
        for index in range(size):
            path = merkle.inclusion_proof(index, size, naive.node)
            assert path == naive.path(index, 0, size)
            merkle.verify_inclusion(index, size, naive.node(0, index), path, naive.mth(0, size))


def test_every_consistency_proof_is_the_naive_one_and_holds() -> None:
    for new in range(ALL_PAIRS + 1):
        for old in range(new + 1):
            path = merkle.consistency_proof(old, new, naive.node)
            assert path == (naive.subproof(old, 0, new, True) if old else ())
            merkle.verify_consistency(old, new, naive.mth(0, old), naive.mth(0, new), path)


def test_no_changed_bit_of_a_small_inclusion_proof_passes() -> None:
    for size in range(1, EVERY_BIT + 1):
        root = naive.mth(0, size)
        for index in range(size):
            path, leaf = naive.path(index, 0, size), naive.node(0, index)
            assert not any(_inclusion(index, size, leaf, path, bad) for bad in _every_bit(root))
            assert not any(_inclusion(index, size, bad, path, root) for bad in _every_bit(leaf))
            assert not any(_inclusion(index, size, leaf, bad, root) for bad in _with_one_changed(path, _every_bit))
            assert not any(_inclusion(index ^ (1 << bit), size, leaf, path, root) for bit in range(64))


def test_no_changed_bit_of_a_small_consistency_proof_passes() -> None:
    for new in range(1, EVERY_BIT + 1):
        new_root = naive.mth(0, new)
        for old in range(1, new + 1):
            path, old_root = naive.subproof(old, 0, new, True), naive.mth(0, old)
            assert not any(_consistency(old, new, bad, new_root, path) for bad in _every_bit(old_root))
            assert not any(_consistency(old, new, old_root, bad, path) for bad in _every_bit(new_root))
            assert not any(
                _consistency(old, new, old_root, new_root, bad) for bad in _with_one_changed(path, _every_bit)
            )
            assert not any(_consistency(old ^ (1 << bit), new, old_root, new_root, path) for bit in range(64))


def test_a_changed_size_passes_only_where_the_path_has_the_same_turns() -> None:
    for size in range(1, EVERY_BIT + 1):
        for index in range(size):
            path, leaf, root = naive.path(index, 0, size), naive.node(0, index), naive.mth(0, size)
            for other in range(4 * EVERY_BIT):
                same_turns = index < other and naive.turns(index, size) == naive.turns(index, other)
                assert _inclusion(index, other, leaf, path, root) == same_turns
        for old in range(1, size):
            path, old_root, new_root = naive.subproof(old, 0, size, True), naive.mth(0, old), naive.mth(0, size)
            for other in range(4 * EVERY_BIT):
                same_turns = old < other and naive.proof_turns(old, size) == naive.proof_turns(old, other)
                assert _consistency(old, other, old_root, new_root, path) == same_turns


def test_no_changed_bit_of_a_larger_proof_passes() -> None:
    dice = random.Random(6962)
    for size in range(EVERY_BIT + 1, ALL_PAIRS + 1):
        index, root = dice.randrange(size), naive.mth(0, size)
        path, leaf = naive.path(index, 0, size), naive.node(0, index)
        assert not _inclusion(index, size, leaf, path, _one_bit(root, dice))
        assert not any(
            _inclusion(index, size, leaf, bad, root)
            for bad in _with_one_changed(path, lambda one: iter([_one_bit(one, dice)]))
        )
        proof, old_root = naive.subproof(index + 1, 0, size, True), naive.mth(0, index + 1)
        assert not _consistency(index + 1, size, _one_bit(old_root, dice), root, proof)
        assert not any(
            _consistency(index + 1, size, old_root, root, bad)
            for bad in _with_one_changed(proof, lambda one: iter([_one_bit(one, dice)]))
        )


@pytest.mark.parametrize("size", [1, 2, 7, 8, 100])
def test_a_proof_with_a_hash_more_or_less_or_of_another_length_fails(size: int) -> None:
    root, leaf = naive.mth(0, size), naive.node(0, size - 1)
    path = naive.path(size - 1, 0, size)
    assert not _inclusion(size - 1, size, leaf, (*path, root), root)
    assert not _inclusion(size - 1, size, leaf, (root, *path), root)
    assert not _inclusion(size - 1, size, leaf, path, root[:31])
    assert not _inclusion(size - 1, size, leaf, path, b"")
    assert not _inclusion(size - 1, size, b"", path, b"")
    proof, old_root = naive.subproof(1, 0, size, True), naive.mth(0, 1)
    assert not _consistency(1, size, old_root, root, (*proof, root))
    assert not _consistency(1, size, b"", b"", proof)
    for shorter in range(len(path)):
        assert not _inclusion(size - 1, size, leaf, path[:shorter], root)
    for shorter in range(len(proof)):
        assert not _consistency(1, size, old_root, root, proof[:shorter])


def test_an_empty_log_is_consistent_with_every_log_and_with_one_root_only() -> None:
    root = naive.mth(0, 5)
    assert _consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, ())
    assert _consistency(0, 5, EMPTY_ROOT, root, ())
    assert not _consistency(0, 5, root, root, ())
    assert not _consistency(0, 0, root, root, ())
    assert not _consistency(0, 0, EMPTY_ROOT, root, ())
    assert not _consistency(0, 5, EMPTY_ROOT, root, (root,))


def test_equal_sizes_need_equal_roots_and_no_hashes() -> None:
    root, other = naive.mth(0, 5), naive.mth(1, 6)
    assert _consistency(5, 5, root, root, ())
    assert not _consistency(5, 5, root, other, ())
    assert not _consistency(5, 5, root, root, (root,))
    assert not _consistency(6, 5, root, root, ())
