"""Tiles and bundles: the arithmetic of the specification, and trees put together again from their tiles."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ledger import merkle, tiles
from schemas.ledger.failures import BundleMalformed, LedgerRejected, TileMalformed, TreeOutOfRange
from schemas.ledger.tiles import Tile
from tests.unit.schemas.ledger.samples import damaged, reads_or_refuses


def test_a_tree_of_70000_has_the_specification_s_tiles() -> None:
    assert Counter((one.level, one.width) for one in tiles.hash_tiles(70_000)) == {
        (0, 256): 273,
        (0, 112): 1,
        (1, 256): 1,
        (1, 17): 1,
        (2, 1): 1,
    }


def test_a_tree_of_256_has_a_full_tile_and_one_of_width_one_above() -> None:
    assert [one.path for one in tiles.hash_tiles(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert [one.path for one in tiles.hash_tiles(0)] == []
    assert [one.path for one in tiles.entry_bundles(257)] == ["tile/entries/000", "tile/entries/001.p/1"]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(0, 0), "tile/0/000"),
        (Tile(63, 999, 1), "tile/63/999.p/1"),
        (Tile(None, 1000, 255), "tile/entries/x001/000.p/255"),
        (Tile(1, 2**63 - 1), "tile/1/x009/x223/x372/x036/x854/x775/807"),
    ],
)
def test_a_tile_has_the_specification_s_path(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert tiles.parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/1000",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/entry/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/٠/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/../000",
    ],
)
def test_a_path_in_another_form_is_refused(path: str) -> None:
    with pytest.raises(TileMalformed):
        tiles.parse_tile_path(path)


@pytest.mark.parametrize(("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_no_tile_is_outside_the_grid(level: int, index: int, width: int) -> None:
    with pytest.raises(TileMalformed):
        Tile(level, index, width)


@given(st.integers(0, 200_000), st.integers(0, 2_000))
def test_the_new_tiles_are_those_the_older_tree_lacks(since: int, more: int) -> None:
    size = since + more
    assert set(tiles.hash_tiles(size, since=since)) == set(tiles.hash_tiles(size)) - set(tiles.hash_tiles(since))
    assert set(tiles.entry_bundles(size, since=since)) == (
        set(tiles.entry_bundles(size)) - set(tiles.entry_bundles(since))
    )


@given(st.integers(0, 2**63 - 1), st.integers(0, 9))
def test_the_last_tile_of_a_level_is_as_wide_as_the_specification_says(size: int, level: int) -> None:
    at_level = size // 256**level
    assert tiles.width_at(size, level, at_level // 256) == at_level % 256
    assert tiles.width_at(size, level, at_level // 256 + 1) == 0
    if at_level >= 256:
        assert tiles.width_at(size, level, at_level // 256 - 1) == 256


def test_sizes_no_tree_goes_through_are_refused() -> None:
    for since, size in ((1, 0), (-1, 0), (0, 2**63)):
        with pytest.raises(TreeOutOfRange):
            list(tiles.hash_tiles(size, since=since))
        with pytest.raises(TreeOutOfRange):
            list(tiles.entry_bundles(size, since=since))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 513, 1300, 70_000])
def test_a_tree_is_put_together_again_from_its_tiles(size: int) -> None:
    nodes: dict[tuple[int, int], bytes] = {}
    grown = merkle.CompactRange.EMPTY
    for position in range(size):
        nodes[0, position] = merkle.leaf_hash(position.to_bytes(4, "big"))
        grown, completed = grown.append(nodes[0, position])
        nodes |= {(one.level, one.position): one.hash for one in completed}
    stored = {
        one.path: tiles.pack_tile(one, lambda level, position: nodes[level, position]) for one in tiles.hash_tiles(size)
    }
    node = tiles.node_reader(size, lambda tile: stored[tile.path])
    assert merkle.root_of(size, node) == grown.root()
    for index in {0, size // 2, size - 1}:
        path = merkle.inclusion_proof(index, size, node)
        merkle.verify_inclusion(index, size, nodes[0, index], path, grown.root())
    half = merkle.root_of(size // 2, node)
    proof = merkle.consistency_proof(size // 2, size, node)
    merkle.verify_consistency(size // 2, size, half, grown.root(), proof)


def test_a_reader_knows_what_its_tree_does_not_have() -> None:
    node = tiles.node_reader(5, lambda tile: bytes(32 * tile.width))
    for level, position in ((-1, 0), (0, -1), (0, 5), (1, 2), (3, 0)):
        with pytest.raises(TreeOutOfRange):
            node(level, position)
    with pytest.raises(TileMalformed):
        tiles.node_reader(5, lambda tile: bytes(32 * tile.width - 1))(0, 0)


def test_a_tile_of_another_length_is_refused() -> None:
    assert tiles.parse_tile(bytes(64), 2) == (bytes(32), bytes(32))
    for raw, width in ((b"", 0), (bytes(64), 1), (bytes(63), 2), (bytes(32 * 257), 257)):
        with pytest.raises(TileMalformed):
            tiles.parse_tile(raw, width)
    with pytest.raises(TileMalformed):
        tiles.pack_tile(Tile(None, 0, 1), lambda level, position: bytes(32))


def test_a_bundle_is_each_entry_after_its_length() -> None:
    assert tiles.pack_bundle([b"", b"abc"]) == b"\x00\x00\x00\x03abc"
    assert tiles.parse_bundle(b"\x00\x00\x00\x03abc", 2) == (b"", b"abc")


@pytest.mark.parametrize("entries", [[], [b""] * 257, [bytes(65_536)]])
def test_a_bundle_that_cannot_be_written_is_refused(entries: list[bytes]) -> None:
    with pytest.raises(BundleMalformed):
        tiles.pack_bundle(entries)


@pytest.mark.parametrize(
    ("raw", "width"), [(b"", 0), (b"", 1), (b"\x00", 1), (b"\x00\x01", 1), (b"\x00\x00\x00", 1), (b"\x00\x00", 2)]
)
def test_a_bundle_whose_lengths_do_not_add_up_is_refused(raw: bytes, width: int) -> None:
    with pytest.raises(BundleMalformed):
        tiles.parse_bundle(raw, width)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=256))
def test_a_bundle_reads_back_as_itself(entries: list[bytes]) -> None:
    assert tiles.parse_bundle(tiles.pack_bundle(entries), len(entries)) == tuple(entries)


@given(damaged(tiles.pack_bundle([b"one", b"", b"three"])), st.integers(-1, 300))
def test_any_bytes_are_a_bundle_or_refused(raw: bytes, width: int) -> None:
    reads_or_refuses(lambda one: tiles.pack_bundle(tiles.parse_bundle(one, width)), raw)


@given(
    st.one_of(st.text(), st.from_regex(r"tile/[0-9]{1,2}/(x[0-9]{3}/){0,2}[0-9]{3}(\.p/[0-9]{1,3})?", fullmatch=True))
)
def test_any_text_is_a_path_in_its_one_form_or_refused(text: str) -> None:
    try:
        tile = tiles.parse_tile_path(text)
    except LedgerRejected:
        return
    assert tile.path == text
