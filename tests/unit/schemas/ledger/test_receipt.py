"""Receipts: what the log gave is proven, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ledger.checkpoint import TreeHead, sign_checkpoint
from schemas.ledger.cosignature import MlDsa44Cosigner
from schemas.ledger.failures import (
    InclusionNotProven,
    LedgerRejected,
    NoteNotSigned,
    ReceiptMalformed,
    ReceiptTooLarge,
    TreeOutOfRange,
)
from schemas.ledger.merkle import MAX_PATH, NodeReader, leaf_hash, root_from_leaf_hashes
from schemas.ledger.note import NoteSignature, add_signatures
from schemas.ledger.proof import TlogProof
from schemas.ledger.receipt import (
    MAX_LEAF_BYTES,
    Receipt,
    VerifiedReceipt,
    issue_receipt,
    pack_receipt,
    unpack_receipt,
    verify_receipt,
)
from schemas.vectors.ledger_log import ORIGIN, grown, head, leaves, ml_dsa_44_cosigner, signed_head, signer
from tests.unit.schemas.ledger.samples import damaged, reads_or_refuses

LOG = signer().verifier_key
NODE: NodeReader = grown(11)[1]
RAW = issue_receipt(leaves(11)[9], 9, 11, NODE, signed_head(11).note)


def _verify(raw: bytes) -> VerifiedReceipt:
    return verify_receipt(raw, log=LOG, origin=ORIGIN)


def test_every_leaf_of_a_tree_can_be_proven() -> None:
    for index, leaf in enumerate(leaves(11)):
        verified = _verify(issue_receipt(leaf, index, 11, NODE, signed_head(11).note))
        assert (verified.leaf, verified.index, verified.head) == (leaf, index, head(11))
        assert verified.checkpoint == signed_head(11).note


def test_no_changed_bit_of_a_receipt_passes() -> None:
    for position in range(len(RAW)):
        for bit in range(8):
            with pytest.raises(LedgerRejected):
                _verify(RAW[:position] + bytes([RAW[position] ^ 1 << bit]) + RAW[position + 1 :])


def test_no_part_of_a_receipt_passes() -> None:
    for end in range(len(RAW)):
        with pytest.raises(LedgerRejected):
            _verify(RAW[:end])


def test_a_receipt_is_for_its_log_only() -> None:
    forged = sign_checkpoint(head(11), signer(2))
    with pytest.raises(NoteNotSigned):
        _verify(issue_receipt(leaves(11)[9], 9, 11, NODE, forged))


def test_a_log_gives_no_receipt_that_does_not_hold() -> None:
    checkpoint = signed_head(11).note
    with pytest.raises(InclusionNotProven):
        issue_receipt(b"another leaf", 9, 11, NODE, checkpoint)
    with pytest.raises(InclusionNotProven):
        issue_receipt(leaves(11)[9], 8, 11, NODE, checkpoint)
    with pytest.raises(TreeOutOfRange):
        issue_receipt(leaves(11)[9], 9, 10, NODE, checkpoint)
    with pytest.raises(TreeOutOfRange):
        issue_receipt(leaves(11)[9], 11, 11, NODE, checkpoint)
    forked = sign_checkpoint(TreeHead(ORIGIN, 11, bytes(32)), signer())
    with pytest.raises(InclusionNotProven):
        issue_receipt(leaves(11)[9], 9, 11, NODE, forked)


def test_extra_has_no_place_in_a_receipt() -> None:
    with pytest.raises(ReceiptMalformed):
        Receipt(b"", TlogProof(0, (), signed_head(1).note, b"x"))
    with pytest.raises(ReceiptMalformed):
        _verify(RAW.replace(b"\nindex", b"\nextra AAAA\nindex"))


def test_the_largest_leaf_fits_and_not_one_byte_more() -> None:
    leaf = bytes(MAX_LEAF_BYTES)
    size, root = root_from_leaf_hashes([leaf_hash(leaf)])
    checkpoint = sign_checkpoint(TreeHead(ORIGIN, size, root), signer())
    assert _verify(issue_receipt(leaf, 0, 1, lambda level, position: b"", checkpoint)).leaf == leaf
    with pytest.raises(ReceiptTooLarge):
        Receipt(leaf + b"x", TlogProof(0, (), checkpoint))
    with pytest.raises(ReceiptTooLarge):
        unpack_receipt((MAX_LEAF_BYTES + 1).to_bytes(4, "big") + leaf)


def test_the_largest_leaf_the_longest_path_and_two_ml_dsa_44_signatures_fit() -> None:
    cosigner: MlDsa44Cosigner = ml_dsa_44_cosigner()
    line = cosigner.cosign(signed_head(), 0)
    checkpoint = add_signatures(signed_head().note, [line, NoteSignature("b.example", line.key_id, line.signature)])
    full = Receipt(bytes(MAX_LEAF_BYTES), TlogProof(0, (bytes(32),) * MAX_PATH, checkpoint))
    assert unpack_receipt(pack_receipt(full)) == full


def test_a_receipt_above_the_limit_is_neither_read_nor_written() -> None:
    many = [NoteSignature(f"w{number}.example", bytes(4), bytes(2428)) for number in range(5)]
    large = Receipt(b"", TlogProof(0, (), add_signatures(signed_head(1).note, many)))
    with pytest.raises(ReceiptTooLarge):
        pack_receipt(large)
    with pytest.raises(ReceiptTooLarge):
        unpack_receipt(RAW + bytes(16 * 1024))


@pytest.mark.parametrize("raw", [b"", b"\x00\x00\x00", b"\x00\x00\x00\x01", b"\x00\x00\x10\x00" + bytes(4095)])
def test_a_receipt_whose_length_does_not_add_up_is_refused(raw: bytes) -> None:
    with pytest.raises(ReceiptMalformed):
        unpack_receipt(raw)


def test_a_receipt_does_not_show_its_leaf() -> None:
    leaf = leaves(11)[9]
    assert leaf.decode() not in repr(_verify(RAW))
    assert leaf.decode() not in repr(unpack_receipt(RAW))


def test_nobody_but_the_verifier_says_a_receipt_holds() -> None:
    with pytest.raises(TypeError):
        VerifiedReceipt(b"", 0, head(1), b"", object())


@given(st.binary(max_size=MAX_LEAF_BYTES))
def test_a_receipt_reads_back_as_itself(leaf: bytes) -> None:
    written = Receipt(leaf, TlogProof(3, (bytes(32),), signed_head().note))
    assert unpack_receipt(pack_receipt(written)) == written


@given(damaged(RAW))
def test_any_bytes_are_a_receipt_in_its_one_form_or_refused(raw: bytes) -> None:
    reads_or_refuses(lambda one: pack_receipt(unpack_receipt(one)), raw)
    try:
        verified = _verify(raw)
    except LedgerRejected:
        return
    assert (verified.leaf, verified.index) == (leaves(11)[9], 9)
