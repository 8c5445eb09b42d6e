"""Cosignatures: others' word, and the log's own in ML-DSA-44, that a checkpoint follows from all they saw before.

C2SP tlog-cosignature v1.1.0: Ed25519 `cosignature/v1` (0x04) and ML-DSA-44 `subtree/v1` (0x06), over checkpoints only.
Who must have cosigned is a policy's question; that a cosigner looked before it signed is the witness's.

Times are milliseconds here and whole seconds in the signed bytes, rounded down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from schemas.ledger.checkpoint import SignedTreeHead, TreeHead
from schemas.ledger.failures import CosignatureInvalid, VerifierKeyAmbiguous, VerifierKeyUnsuitable
from schemas.ledger.note import NoteSignature, claimed_by, parse_note
from schemas.ledger.verifier_key import ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE, VerifierKey

SIGNATURE_BYTES: Final = {ED25519_COSIGNATURE: 64, ML_DSA_44_COSIGNATURE: 2420}
"""Signature type to the length of its signature, without the timestamp."""
MAX_TIMESTAMP: Final = 253_402_300_799
"""The last second of the year 9999: above it a cosigner's clock is broken and milliseconds stop fitting date types."""
_TIMESTAMP_BYTES: Final = 8
_SUBTREE_LABEL: Final = b"subtree/v1\n\x00"
_CHECKED: Final = object()


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that was checked. Only `verify_cosignature` makes one.

    `cosigned_at` is in milliseconds UTC; 0 is an ML-DSA-44 cosigner's way to state no time.
    """

    key: VerifierKey
    cosigned_at: int
    checked: InitVar[object]

    def __post_init__(self, checked: object) -> None:
        if checked is not _CHECKED:
            raise TypeError("only verify_cosignature makes a Cosignature")


class Cosigner(Protocol):
    """Who can put a cosignature under a checkpoint."""

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half."""

    def cosign(self, checkpoint: SignedTreeHead, cosigned_at: int) -> NoteSignature:
        """Return the signature line's content; `cosigned_at` in milliseconds UTC."""


class Ed25519Cosigner:
    """Cosigns with an Ed25519 key (0x04). The bytes do not hold the name: one key, one cosigner, never two."""

    __slots__ = ("_private", "verifier_key")

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.verifier_key = VerifierKey.of(name, ED25519_COSIGNATURE, private.public_key().public_bytes_raw())

    def cosign(self, checkpoint: SignedTreeHead, cosigned_at: int) -> NoteSignature:
        """Return the signature line's content; `cosigned_at` in milliseconds UTC."""
        timestamp = _seconds(cosigned_at)
        signature = self._private.sign(ed25519_message(checkpoint.head, timestamp))
        return _timestamped(self.verifier_key, timestamp, signature)


class MlDsa44Cosigner:
    """Cosigns with an ML-DSA-44 key (0x06)."""

    __slots__ = ("_private", "verifier_key")

    def __init__(self, name: str, private: MLDSA44PrivateKey) -> None:
        self._private = private
        self.verifier_key = VerifierKey.of(name, ML_DSA_44_COSIGNATURE, private.public_key().public_bytes_raw())

    def cosign(self, checkpoint: SignedTreeHead, cosigned_at: int) -> NoteSignature:
        """Return the signature line's content; `cosigned_at` in milliseconds UTC, 0 to state no time."""
        timestamp = _seconds(cosigned_at)
        signature = self._private.sign(ml_dsa_44_message(self.verifier_key.name, checkpoint.head, timestamp))
        return _timestamped(self.verifier_key, timestamp, signature)


def ed25519_message(head: TreeHead, timestamp: int) -> bytes:
    """Return what an Ed25519 cosigner signs (*Ed25519 signed message*); the timestamp in seconds."""
    return f"cosignature/v1\ntime {timestamp}\n{head.text}".encode()


def ml_dsa_44_message(cosigner_name: str, head: TreeHead, timestamp: int) -> bytes:
    """Return what an ML-DSA-44 cosigner signs (`cosigned_message` of a whole tree); the timestamp in seconds."""
    return b"".join(
        (
            _SUBTREE_LABEL,
            _opaque(cosigner_name),
            timestamp.to_bytes(_TIMESTAMP_BYTES, "big"),
            _opaque(head.origin),
            (0).to_bytes(8, "big"),
            head.size.to_bytes(8, "big"),
            head.root,
        )
    )


def verify_cosignature(checkpoint: SignedTreeHead, key: VerifierKey, unverified: NoteSignature) -> Cosignature:
    """Check one signature line against a cosigner's key.

    Raises:
        VerifierKeyUnsuitable: the key is not of a cosignature type.
        CosignatureInvalid: the line is not by that key over this checkpoint.
    """
    if key.algorithm not in SIGNATURE_BYTES:
        raise VerifierKeyUnsuitable
    if (unverified.name, unverified.key_id) != (key.name, key.key_id):
        raise CosignatureInvalid("key")
    if len(unverified.signature) != _TIMESTAMP_BYTES + SIGNATURE_BYTES[key.algorithm]:
        raise CosignatureInvalid("length")
    timestamp = int.from_bytes(unverified.signature[:_TIMESTAMP_BYTES], "big")
    signature = unverified.signature[_TIMESTAMP_BYTES:]
    if timestamp > MAX_TIMESTAMP:
        raise CosignatureInvalid("time")
    try:
        if key.algorithm == ED25519_COSIGNATURE:
            Ed25519PublicKey.from_public_bytes(key.public).verify(
                signature, ed25519_message(checkpoint.head, timestamp)
            )
        else:
            MLDSA44PublicKey.from_public_bytes(key.public).verify(
                signature, ml_dsa_44_message(key.name, checkpoint.head, timestamp)
            )
    except InvalidSignature:
        raise CosignatureInvalid("signature") from None
    return Cosignature(key, timestamp * 1000, _CHECKED)


def cosignatures_of(checkpoint: SignedTreeHead, cosigners: Sequence[VerifierKey]) -> tuple[Cosignature, ...]:
    """Return the cosignatures these keys put under a checkpoint, in the order of the keys; perhaps none.

    Lines by other keys are ignored. Count parties, not cosignatures: one party may hold a key of either type.

    Raises:
        VerifierKeyUnsuitable: a key is not of a cosignature type.
        VerifierKeyAmbiguous: a public key stands twice, under whatever names, or two keys share name and key ID.
        NoteSignatureRepeated: a cosigner stands twice under the checkpoint.
        CosignatureInvalid: a line that claims one of these keys is not by it.
    """
    if len({key.public for key in cosigners}) != len(cosigners):
        raise VerifierKeyAmbiguous("public key")
    if len({(key.name, key.key_id) for key in cosigners}) != len(cosigners):
        raise VerifierKeyAmbiguous("name and key id")
    signatures = parse_note(checkpoint.note).signatures
    found = ((key, claimed_by(signatures, key)) for key in cosigners)
    return tuple(verify_cosignature(checkpoint, key, line) for key, line in found if line is not None)


def _seconds(cosigned_at: int) -> int:
    timestamp = cosigned_at // 1000
    if not 0 <= timestamp <= MAX_TIMESTAMP:
        raise CosignatureInvalid("time")
    return timestamp


def _timestamped(key: VerifierKey, timestamp: int, signature: bytes) -> NoteSignature:
    return NoteSignature(key.name, key.key_id, timestamp.to_bytes(_TIMESTAMP_BYTES, "big") + signature)


def _opaque(text: str) -> bytes:
    """Return `opaque<1..2^8-1>` (RFC 8446 section 3.4); `VerifierKey` and `TreeHead` keep to that length."""
    raw = text.encode("utf-8")
    return len(raw).to_bytes(1, "big") + raw
