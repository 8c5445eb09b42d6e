"""Receipts: a leaf and the proof that it is in the log, as bytes that can be checked without asking anyone.

Form: the length of the leaf as an unsigned 32-bit big-endian integer, the leaf, the text of a `tlog-proof@v1` without
`extra`. A receipt stands on the log's signature; cosignatures follow in later checkpoints. Knows nothing of what a
leaf says.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from typing import Final

from schemas.ledger.checkpoint import TreeHead, open_checkpoint, read_checkpoint
from schemas.ledger.failures import ReceiptMalformed, ReceiptTooLarge, TreeOutOfRange
from schemas.ledger.merkle import NodeReader, inclusion_proof, leaf_hash, verify_inclusion
from schemas.ledger.note import VerifierKey
from schemas.ledger.proof import TlogProof, format_proof, parse_proof

MAX_LEAF_BYTES: Final = 4096
"""The limit of DESIGN.md section 9 for an entry."""
MAX_RECEIPT_BYTES: Final = 16 * 1024
"""Room for the largest leaf, the longest path (3 kB) and a checkpoint with two ML-DSA-44 signatures (7 kB)."""
_LENGTH_BYTES: Final = 4
_CHECKED: Final = object()


@dataclass(frozen=True, slots=True)
class Receipt:
    """A well-formed receipt that nobody has checked.

    Raises:
        ReceiptTooLarge: the leaf is above `MAX_LEAF_BYTES`.
        ReceiptMalformed: the proof carries an `extra`, which nobody signs.
    """

    leaf: bytes = field(repr=False)
    proof: TlogProof

    def __post_init__(self) -> None:
        if len(self.leaf) > MAX_LEAF_BYTES:
            raise ReceiptTooLarge("leaf")
        if self.proof.extra is not None:
            raise ReceiptMalformed("extra")


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """A leaf that the log proved to hold at `index` of the tree `head`. Only `verify_receipt` makes one."""

    leaf: bytes = field(repr=False)
    index: int
    head: TreeHead
    checkpoint: bytes
    checked: InitVar[object]

    def __post_init__(self, checked: object) -> None:
        if checked is not _CHECKED:
            raise TypeError("only verify_receipt makes a VerifiedReceipt")


def pack_receipt(receipt: Receipt) -> bytes:
    """Return the bytes of a receipt.

    Raises:
        ReceiptTooLarge: above `MAX_RECEIPT_BYTES`, as a checkpoint with many cosignatures makes it.
    """
    raw = len(receipt.leaf).to_bytes(_LENGTH_BYTES, "big") + receipt.leaf + format_proof(receipt.proof)
    if len(raw) > MAX_RECEIPT_BYTES:
        raise ReceiptTooLarge("receipt")
    return raw


def unpack_receipt(raw: bytes) -> Receipt:
    """Read a receipt, proving nothing. `pack_receipt` gives the same bytes back.

    Raises:
        ReceiptTooLarge: the receipt or its leaf is above its limit.
        ReceiptMalformed: the lengths do not add up.
        ProofMalformed, NoteMalformed, NoteTooLarge, CheckpointMalformed: as `parse_proof`.
    """
    if len(raw) > MAX_RECEIPT_BYTES:
        raise ReceiptTooLarge("receipt")
    if len(raw) < _LENGTH_BYTES:
        raise ReceiptMalformed("length")
    leaf_end = _LENGTH_BYTES + int.from_bytes(raw[:_LENGTH_BYTES], "big")
    if leaf_end > _LENGTH_BYTES + MAX_LEAF_BYTES:
        raise ReceiptTooLarge("leaf")
    if leaf_end > len(raw):
        raise ReceiptMalformed("length")
    return Receipt(raw[_LENGTH_BYTES:leaf_end], parse_proof(raw[leaf_end:]))


def issue_receipt(leaf: bytes, index: int, size: int, node: NodeReader, checkpoint: bytes) -> bytes:
    """Return the receipt of a leaf in the tree that the log's checkpoint of that size signs.

    The proof is checked before it is given out: a log must not hand anyone the evidence of its own fault as a receipt.

    Raises:
        TreeOutOfRange: the checkpoint is of another size, or has no such index.
        InclusionNotProven: the stored tree is not the one the checkpoint signs, or the leaf is not that entry.
        CheckpointMalformed, NoteMalformed, NoteTooLarge: the checkpoint is none.
        ReceiptTooLarge: a limit is passed.
    """
    head = read_checkpoint(checkpoint)
    if head.size != size:
        raise TreeOutOfRange("size")
    path = inclusion_proof(index, size, node)
    verify_inclusion(index, size, leaf_hash(leaf), path, head.root)
    return pack_receipt(Receipt(leaf, TlogProof(index, path, checkpoint)))


def verify_receipt(raw: bytes, *, log: VerifierKey, origin: str) -> VerifiedReceipt:
    """Return the leaf of a receipt that this log gave.

    Raises:
        ReceiptTooLarge, ReceiptMalformed, ProofMalformed, NoteMalformed, NoteTooLarge, CheckpointMalformed: as
            `unpack_receipt`.
        CheckpointForeign, NoteNotSigned, NoteSignatureInvalid, NoteSignatureRepeated, VerifierKeyUnsuitable: as
            `open_checkpoint`.
        InclusionNotProven: the leaf is not in that tree at that index.
    """
    receipt = unpack_receipt(raw)  # 1  in its one form
    signed = open_checkpoint(receipt.proof.checkpoint, log=log, origin=origin)  # 2  signed by this log
    head, index = signed.head, receipt.proof.index
    verify_inclusion(index, head.size, leaf_hash(receipt.leaf), receipt.proof.hashes, head.root)  # 3  in that tree
    return VerifiedReceipt(receipt.leaf, index, head, signed.note, _CHECKED)
