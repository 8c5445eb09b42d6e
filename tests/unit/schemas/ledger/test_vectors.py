"""The vectors another implementation runs: this one ends every case as it says."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from schemas.ledger import merkle, tiles
from schemas.ledger.checkpoint import open_checkpoint
from schemas.ledger.cosignature import cosignatures_of
from schemas.ledger.failures import LedgerRejected
from schemas.ledger.note import VerifierKey, open_note
from schemas.ledger.proof import parse_proof
from schemas.ledger.receipt import verify_receipt
from schemas.vectors.ledger import ledger_vectors
from schemas.vectors.ledger_log import signer

VECTORS: dict[str, Any] = json.loads(json.dumps(ledger_vectors()))
ORIGIN: str = VECTORS["origin"]


def _hashes(values: list[str]) -> tuple[bytes, ...]:
    return tuple(map(bytes.fromhex, values))


def _inclusion(case: dict[str, Any]) -> None:
    leaf, root = bytes.fromhex(case["leaf_hash"]), bytes.fromhex(case["root"])
    merkle.verify_inclusion(case["index"], case["size"], leaf, _hashes(case["proof"]), root)


def _consistency(case: dict[str, Any]) -> None:
    old_root, new_root = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
    merkle.verify_consistency(case["old_size"], case["new_size"], old_root, new_root, _hashes(case["proof"]))


def _key(case: dict[str, Any]) -> None:
    assert str(VerifierKey.parse(case["verifier_key"])) == case["verifier_key"]


def _note(case: dict[str, Any]) -> None:
    trusted = [VerifierKey.parse(text) for text in case["trusted"]]
    assert set(open_note(base64.b64decode(case["raw"]), trusted).signed_by) == set(trusted)


def _checkpoint(case: dict[str, Any]) -> None:
    open_checkpoint(base64.b64decode(case["raw"]), log=VerifierKey.parse(case["log"]), origin=ORIGIN)


def _cosignatures(case: dict[str, Any]) -> None:
    checkpoint = open_checkpoint(base64.b64decode(case["raw"]), log=signer().verifier_key, origin=ORIGIN)
    found = cosignatures_of(checkpoint, [VerifierKey.parse(text) for text in case["cosigners"]])
    assert len(found) == case["found"]
    assert all(one.cosigned_at == case["cosigned_at"] for one in found)


def _proof(case: dict[str, Any]) -> None:
    parse_proof(base64.b64decode(case["raw"]))


def _receipt(case: dict[str, Any]) -> None:
    verify_receipt(base64.b64decode(case["raw"]), log=VerifierKey.parse(case["log"]), origin=ORIGIN)


RUN: dict[str, Callable[[dict[str, Any]], None]] = {
    "inclusion": _inclusion,
    "consistency": _consistency,
    "verifier_keys": _key,
    "notes": _note,
    "checkpoints": _checkpoint,
    "cosignatures": _cosignatures,
    "proofs": _proof,
    "receipts": _receipt,
}


@pytest.mark.parametrize("kind", RUN)
def test_every_case_ends_as_it_says(kind: str) -> None:
    for case in VECTORS[kind]:
        try:
            RUN[kind](case)
            ended = "ok"
        except LedgerRejected as failure:
            ended = failure.code
        assert ended == case["expect"], (kind, case["name"])


def test_every_kind_has_cases_that_hold_and_cases_that_do_not() -> None:
    for kind in RUN:
        outcomes = {case["expect"] for case in VECTORS[kind]}
        assert "ok" in outcomes
        assert len(outcomes) > 1


def test_the_trees_grow_from_the_leaves() -> None:
    leaves = [bytes.fromhex(leaf) for leaf in VECTORS["leaves"]]
    for case in VECTORS["trees"]:
        hashes = map(merkle.leaf_hash, leaves[: case["size"]])
        grown = merkle.extend(merkle.CompactRange.EMPTY, hashes)
        assert (grown.root().hex(), grown.peaks) == (case["root"], _hashes(case["peaks"]))


def test_the_tiles_are_those_of_the_trees() -> None:
    for case in VECTORS["tiles"]:
        paths = [one.path for one in tiles.hash_tiles(case["size"], since=case["since"])]
        assert [*paths[:3], *paths[-3:]] == case["first_and_last_tiles"]
        assert len(paths) == case["tile_count"]
        assert len([*tiles.entry_bundles(case["size"], since=case["since"])]) == case["bundle_count"]


def test_the_vectors_are_the_same_on_every_run_and_json() -> None:
    assert cast(object, json.loads(json.dumps(ledger_vectors()))) == VECTORS
