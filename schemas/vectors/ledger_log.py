"""The log and the keys the ledger vectors are made with. The seeds are public; the keys sign nothing else, ever."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from schemas.ledger.checkpoint import SignedTreeHead, TreeHead, open_checkpoint, sign_checkpoint
from schemas.ledger.cosignature import Ed25519Cosigner, MlDsa44Cosigner
from schemas.ledger.merkle import CompactRange, NodeReader, leaf_hash
from schemas.ledger.note import Ed25519NoteSigner

ORIGIN: Final = "hub.example/sharing-log/2026"
COSIGNED_AT: Final = 1_795_315_924_123
CT_LEAVES: Final = tuple(
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
)
"""The eight leaves of the Certificate Transparency reference tests."""


def leaves(count: int) -> tuple[bytes, ...]:
    """Return the first leaves of the log: those eight, then `leaf 8`, `leaf 9` and so on."""
    return (*CT_LEAVES, *(f"leaf {number}".encode() for number in range(len(CT_LEAVES), count)))[:count]


def grown(count: int) -> tuple[CompactRange, NodeReader]:
    """Return the tree of the first leaves, and a reader of its complete subtrees."""
    whole, nodes = CompactRange.EMPTY, {}
    for position, leaf in enumerate(leaves(count)):
        nodes[0, position] = leaf_hash(leaf)
        whole, completed = whole.append(nodes[0, position])
        nodes |= {(one.level, one.position): one.hash for one in completed}
    return whole, lambda level, position: nodes[level, position]


def head(size: int = len(CT_LEAVES)) -> TreeHead:
    """Return the log's head at a size."""
    return TreeHead(ORIGIN, size, grown(size)[0].root())


def signer(seed: int = 1, name: str = ORIGIN) -> Ed25519NoteSigner:
    """Return the note signer of a seed; seed 1 is the log's."""
    return Ed25519NoteSigner(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def signed_head(size: int = len(CT_LEAVES)) -> SignedTreeHead:
    """Return the log's head at a size, signed by the log."""
    return open_checkpoint(sign_checkpoint(head(size), signer()), log=signer().verifier_key, origin=ORIGIN)


def ed25519_cosigner() -> Ed25519Cosigner:
    """Return the Ed25519 cosigner, of seed 3."""
    return Ed25519Cosigner("agency-x.example/witness", Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32))


def ml_dsa_44_cosigner() -> MlDsa44Cosigner:
    """Return the ML-DSA-44 cosigner, of seed 4."""
    return MlDsa44Cosigner("agency-x.example/witness-pq", MLDSA44PrivateKey.from_seed_bytes(bytes([4]) * 32))


def flipped(raw: bytes, position: int) -> bytes:
    """Return some bytes with the lowest bit of one of them changed."""
    position %= len(raw)
    return raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
