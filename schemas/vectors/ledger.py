"""Vectors of the sharing log: trees, proofs, keys, notes, checkpoints, cosignatures, tiles and receipts.

Every case says `expect`: `ok`, or the code of the one failure it must end in. Hashes, leaves and keys are hexadecimal,
whole documents (`raw`) base64. The log and its keys are `schemas.vectors.ledger_log`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from schemas.ledger.merkle import EMPTY_ROOT, consistency_proof, inclusion_proof
from schemas.ledger.tiles import entry_bundles, hash_tiles
from schemas.vectors.ledger_log import ORIGIN, flipped, grown, leaves
from schemas.vectors.ledger_texts import Case, checkpoints, cosignatures, notes, proofs, receipts, verifier_keys

_TREE_SIZES: Final = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 256, 257, 300)
_PROOF_SIZES: Final = (1, 2, 3, 5, 8, 13, 64, 100)
_TILED_SIZES: Final = ((0, 1), (0, 256), (250, 257), (0, 70_000), (69_990, 70_000), (0, 65_536))


def ledger_vectors() -> dict[str, object]:
    """Return all vectors of the sharing log as plain JSON values; the same on every run."""
    return {
        "origin": ORIGIN,
        "leaves": _hex(leaves(max(_TREE_SIZES))),
        "trees": _trees(),
        "inclusion": _inclusion(),
        "consistency": _consistency(),
        "verifier_keys": verifier_keys(),
        "notes": notes(),
        "checkpoints": checkpoints(),
        "cosignatures": cosignatures(),
        "tiles": _tiles(),
        "proofs": proofs(),
        "receipts": receipts(),
    }


def _trees() -> list[Case]:
    ranges = [grown(size)[0] for size in _TREE_SIZES]
    return [{"size": one.size, "peaks": _hex(one.peaks), "root": one.root().hex()} for one in ranges]


def _inclusion() -> list[Case]:
    cases: list[Case] = []
    for size in _PROOF_SIZES:
        whole, node = grown(size)
        for index in sorted({0, size // 3, size // 2, size - 1}):
            path, leaf, root = inclusion_proof(index, size, node), node(0, index), whole.root()
            sound: Case = {"index": index, "size": size, "leaf_hash": leaf.hex(), "proof": _hex(path)}
            sound["root"] = root.hex()
            broken: list[tuple[str, Case]] = [
                ("another root", {"root": flipped(root, 0).hex()}),
                ("another leaf", {"leaf_hash": flipped(leaf, 31).hex()}),
                ("an index outside the tree", {"index": size}),
                ("a hash too many", {"proof": _hex((*path, leaf))}),
                ("a short root", {"root": root[:31].hex()}),
            ]
            if path:
                broken.append(("a hash too few", {"proof": _hex(path[:-1])}))
                broken.append(("a changed hash", {"proof": _hex((flipped(path[0], 5), *path[1:]))}))
                broken.append(("the leaf beside it", {"index": index ^ 1}))
            cases += _cases(sound, broken, "inclusion_not_proven")
    return cases


def _consistency() -> list[Case]:
    cases: list[Case] = []
    for new_size in _PROOF_SIZES:
        whole, node = grown(new_size)
        for old_size in sorted({0, 1, new_size // 2, new_size - 1, new_size}):
            path, old_root, root = consistency_proof(old_size, new_size, node), grown(old_size)[0].root(), whole.root()
            sound: Case = {"old_size": old_size, "new_size": new_size, "old_root": old_root.hex()}
            sound |= {"new_root": root.hex(), "proof": _hex(path)}
            broken: list[tuple[str, Case]] = [
                ("another old root", {"old_root": flipped(old_root, 0).hex()}),
                ("a hash too many", {"proof": _hex((*path, EMPTY_ROOT))}),
                ("an old tree above the new", {"old_size": new_size + 1}),
                ("a short root", {"new_root": root[:31].hex()}),
            ]
            if path:
                broken.append(("another new root", {"new_root": flipped(root, 31).hex()}))
                broken.append(("a hash too few", {"proof": _hex(path[:-1])}))
                broken.append(("a changed hash", {"proof": _hex((*path[:-1], flipped(path[-1], 5)))}))
            cases += _cases(sound, broken, "consistency_not_proven")
    return cases


def _tiles() -> list[Case]:
    return [
        {
            "since": since,
            "size": size,
            "first_and_last_tiles": [*paths[:3], *paths[-3:]],
            "tile_count": len(paths),
            "bundle_count": len([*entry_bundles(size, since=since)]),
        }
        for since, size in _TILED_SIZES
        for paths in [[one.path for one in hash_tiles(size, since=since)]]
    ]


def _cases(sound: Case, broken: Iterable[tuple[str, Case]], expect: str) -> list[Case]:
    refused = [{"name": name, **sound, **change, "expect": expect} for name, change in broken]
    return [{"name": "sound", **sound, "expect": "ok"}, *refused]


def _hex(values: Iterable[bytes]) -> list[str]:
    return [one.hex() for one in values]
