"""Roots, compact ranges, and proofs as the RFC writes them."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ledger import merkle
from schemas.ledger.failures import RangeMalformed, TreeOutOfRange
from schemas.ledger.merkle import CompactRange
from tests.unit.schemas.ledger import naive

CT_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def _ct_node(level: int, position: int) -> bytes:
    if level == 0:
        return merkle.leaf_hash(CT_LEAVES[position])
    return merkle.node_hash(_ct_node(level - 1, 2 * position), _ct_node(level - 1, 2 * position + 1))


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in CT_LEAVES[:size]]
    assert merkle.root_from_leaf_hashes(hashes) == (size, bytes.fromhex(CT_ROOTS[size]))
    assert merkle.root_of(size, _ct_node).hex() == CT_ROOTS[size]


def test_the_paths_are_those_of_certificate_transparency() -> None:
    assert [one.hex() for one in merkle.inclusion_proof(5, 8, _ct_node)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [one.hex() for one in merkle.consistency_proof(6, 8, _ct_node)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [one.hex() for one in merkle.consistency_proof(2, 5, _ct_node)] == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


def test_the_empty_root_is_the_hash_of_nothing() -> None:
    assert sha256(b"").digest() == merkle.EMPTY_ROOT == CompactRange.EMPTY.root() == naive.mth(0, 0)


def test_appending_gives_the_naive_root_and_completes_each_subtree_once() -> None:
    grown, nodes = CompactRange.EMPTY, {}
    for size, leaf in enumerate(naive.LEAVES, start=1):
        grown, completed = grown.append(merkle.leaf_hash(leaf))
        assert grown.size == size
        assert grown.root() == naive.mth(0, size)
        for one in completed:
            assert (one.level, one.position) not in nodes
            nodes[one.level, one.position] = one.hash
    assert nodes == {
        (level, position): naive.node(level, position) for level in range(1, 9) for position in range(256 >> level)
    }


@given(first=st.integers(0, 256), second=st.integers(0, 256))
def test_extending_is_appending_one_by_one(first: int, second: int) -> None:
    first, second = sorted((first, second))
    hashes = [merkle.leaf_hash(leaf) for leaf in naive.LEAVES]
    start = merkle.extend(CompactRange.EMPTY, hashes[:first])
    whole = merkle.extend(start, iter(hashes[first:second]))
    assert whole.size == second
    assert whole.root() == naive.mth(0, second)
    one_by_one = start
    for leaf in hashes[first:second]:
        one_by_one, _ = one_by_one.append(leaf)
    assert whole == one_by_one


@pytest.mark.parametrize(
    ("size", "peaks"), [(-1, ()), (0, (bytes(32),)), (1, ()), (3, (bytes(32),)), (1, (bytes(31),)), (2**63, ())]
)
def test_a_range_whose_peaks_do_not_fit_its_size_is_refused(size: int, peaks: tuple[bytes, ...]) -> None:
    with pytest.raises(RangeMalformed):
        CompactRange(size, peaks)


@pytest.mark.parametrize("leaf", [b"", bytes(31), bytes(33)])
def test_a_leaf_hash_of_another_length_is_refused(leaf: bytes) -> None:
    with pytest.raises(RangeMalformed):
        CompactRange.EMPTY.append(leaf)
    with pytest.raises(RangeMalformed):
        merkle.root_from_leaf_hashes([leaf])


def test_no_proof_is_made_of_what_the_tree_does_not_have() -> None:
    for index, size in ((-1, 3), (3, 3), (0, 0), (0, 2**63)):
        with pytest.raises(TreeOutOfRange):
            merkle.inclusion_proof(index, size, naive.node)
    for old_size, new_size in ((-1, 3), (4, 3), (0, 2**63)):
        with pytest.raises(TreeOutOfRange):
            merkle.consistency_proof(old_size, new_size, naive.node)
    with pytest.raises(TreeOutOfRange):
        merkle.root_of(-1, naive.node)
