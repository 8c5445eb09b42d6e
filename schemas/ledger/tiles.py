"""Tiles: the tree cut into files of 256 hashes, and the entries into bundles of 256.

C2SP tlog-tiles: which tiles a tree has, what they are called, what is in them. Reads and writes no file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.ledger.failures import BundleMalformed, TileMalformed, TreeOutOfRange
from schemas.ledger.lines import MAX_NUMBER, decode_decimal
from schemas.ledger.merkle import HASH_BYTES, MAX_TREE_SIZE, NodeReader, node_hash

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
MAX_LEVEL: Final = 63
"""The highest level a path may name; a tree of `MAX_TREE_SIZE` ends at level 7."""
MAX_ENTRY_BYTES: Final = 2**16 - 1
"""What the 16-bit length of an entry in a bundle can say."""
ENTRIES: Final = "entries"

_PATH: Final = re.compile(
    r"tile/(?P<level>entries|[0-9]{1,2})/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of hashes, or with level None one bundle of entries; fewer than 256 wide at the right edge of a tree.

    Raises:
        TileMalformed: no tile has that level, index or width.
    """

    level: int | None
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if self.level is not None and not 0 <= self.level <= MAX_LEVEL:
            raise TileMalformed("level")
        if not 0 <= self.index <= MAX_NUMBER or not 1 <= self.width <= TILE_WIDTH:
            raise TileMalformed("index or width")

    @property
    def path(self) -> str:
        """Where the tile is under the log's prefix: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`."""
        groups = [f"{self.index % 1000:03}"]
        above = self.index // 1000
        while above:
            groups.insert(0, f"x{above % 1000:03}")
            above //= 1000
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{ENTRIES if self.level is None else self.level}/{'/'.join(groups)}{partial}"


def parse_tile_path(path: str) -> Tile:
    """Read a path in its one form.

    Raises:
        TileMalformed: any other form.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise TileMalformed("path")
    level = None if match["level"] == ENTRIES else int(match["level"])
    index = int(match["index"].replace("x", "").replace("/", ""))
    width = TILE_WIDTH if match["width"] is None else decode_decimal(match["width"])
    tile = Tile(level, index, width or 0)
    if tile.path != path:  # leading zeroes, an empty first group, a full tile called partial
        raise TileMalformed("path")
    return tile


def width_at(size: int, level: int, index: int) -> int:
    """Return how many hashes that tile has in a tree of `size` leaves: at most 256, 0 if it is not there."""
    return max(0, min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH))


def hash_tiles(size: int, *, since: int = 0) -> Iterator[Tile]:
    """Yield the tiles a tree of `size` leaves has, lowest level first, but those it already had at size `since`.

    Raises:
        TreeOutOfRange: `since` is above `size`, or no tree can have the size.
    """
    if not 0 <= since <= size <= MAX_TREE_SIZE:
        raise TreeOutOfRange("size")
    level = 0
    while size >> (TILE_HEIGHT * level):
        yield from _changed(size, since, level, level)
        level += 1


def entry_bundles(size: int, *, since: int = 0) -> Iterator[Tile]:
    """Yield the bundles a log of `size` entries has, but those it already had at size `since`.

    Raises:
        TreeOutOfRange: `since` is above `size`, or no tree can have the size.
    """
    if not 0 <= since <= size <= MAX_TREE_SIZE:
        raise TreeOutOfRange("size")
    yield from _changed(size, since, 0, None)


def pack_tile(tile: Tile, node: NodeReader) -> bytes:
    """Return the bytes of a tile of hashes from a stored tree.

    Raises:
        TileMalformed: it is a bundle of entries.
    """
    if tile.level is None:
        raise TileMalformed("level")
    level, first = tile.level * TILE_HEIGHT, tile.index * TILE_WIDTH
    return b"".join(node(level, first + offset) for offset in range(tile.width))


def parse_tile(raw: bytes, width: int) -> tuple[bytes, ...]:
    """Return the hashes of a tile.

    Raises:
        TileMalformed: the tile is not `width` hashes long.
    """
    if not 1 <= width <= TILE_WIDTH or len(raw) != width * HASH_BYTES:
        raise TileMalformed("length")
    return tuple(raw[start : start + HASH_BYTES] for start in range(0, len(raw), HASH_BYTES))


def node_reader(size: int, read: Callable[[Tile], bytes]) -> NodeReader:
    """Return a reader of the complete subtrees of a tree of `size` leaves that finds them in its tiles.

    What it returns is as true as the tiles: check the root it leads to against a checkpoint.

    Raises (when called):
        TreeOutOfRange: the tree has no such complete subtree.
        TileMalformed: a tile has another length than the tree gives it.
    """

    def node(level: int, position: int) -> bytes:
        if level < 0 or position < 0 or (position + 1) << level > size:
            raise TreeOutOfRange("node")
        tile_level, rest = divmod(level, TILE_HEIGHT)
        index, offset = divmod(position << rest, TILE_WIDTH)
        width = width_at(size, tile_level, index)
        row = parse_tile(read(Tile(tile_level, index, width)), width)[offset : offset + (1 << rest)]
        while len(row) > 1:
            row = tuple(map(node_hash, row[::2], row[1::2]))
        return row[0]

    return node


def pack_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of a bundle: each entry after its 16-bit big-endian length.

    Raises:
        BundleMalformed: no entry, more than 256, or one above `MAX_ENTRY_BYTES`.
    """
    if not 1 <= len(entries) <= TILE_WIDTH or any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise BundleMalformed("entries")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(raw: bytes, width: int) -> tuple[bytes, ...]:
    """Return the entries of a bundle.

    Raises:
        BundleMalformed: it does not hold exactly `width` entries.
    """
    if not 1 <= width <= TILE_WIDTH:
        raise BundleMalformed("width")
    entries, start = [], 0
    for _ in range(width):
        first = start + 2
        start = first + int.from_bytes(raw[first - 2 : first], "big")
        if first > len(raw) or start > len(raw):
            raise BundleMalformed("length")
        entries.append(raw[first:start])
    if start != len(raw):
        raise BundleMalformed("length")
    return tuple(entries)


def _changed(size: int, since: int, level: int, name: int | None) -> Iterator[Tile]:
    """Yield the tiles of one level that are not, or not as wide, in a tree of `since` leaves."""
    first = (since >> (TILE_HEIGHT * level)) // TILE_WIDTH
    last = (size >> (TILE_HEIGHT * level)) // TILE_WIDTH
    for index in range(first, last + 1):
        width = width_at(size, level, index)
        if width > width_at(since, level, index):
            yield Tile(name, index, width)
