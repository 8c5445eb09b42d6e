"""Signatures over transmitted bytes, and the type that says one was checked (SPEC 3.3).

A signature covers `needtoknow/v1/<purpose>`, a zero byte, and the bytes exactly as they are sent. `Verified` values are
made here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from schemas.crypto.failures import SignatureInvalid, WrongPurpose
from schemas.crypto.keys import PublicKey, SigningKey
from schemas.crypto.purposes import USES, KeyPurpose, context

SIGNATURE_BYTES: Final = 64

T = TypeVar("T")
_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class Verified(Generic[T]):
    """A value whose bytes a key of the right purpose signed. Only `verify` makes one."""

    value: T
    raw: bytes
    by: PublicKey
    _seal: object

    def __post_init__(self) -> None:
        if self._seal is not _MADE_HERE:
            raise TypeError("only schemas.crypto.signing.verify makes a Verified value")


def sign(key: SigningKey, purpose: KeyPurpose, raw: bytes) -> bytes:
    """The 64-byte Ed25519 signature of `raw` under the purpose's context (RFC 8032).

    Raises:
        WrongPurpose: the key is for something else.
    """
    if key.purpose is not purpose or not USES[purpose].signs:
        raise WrongPurpose(f"a {key.purpose} key may not sign as {purpose}")
    return key.private.sign(context(purpose) + raw)


def verify(key: PublicKey, purpose: KeyPurpose, raw: bytes, signature: bytes, value: T) -> Verified[T]:
    """`value`, which the caller parsed from `raw`, now known to be signed by `key`.

    Raises:
        WrongPurpose: the key is for something else.
        SignatureInvalid: the signature does not hold.
    """
    if key.purpose is not purpose or not USES[purpose].signs:
        raise WrongPurpose(f"a {key.purpose} key does not sign as {purpose}")
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureInvalid("an Ed25519 signature is 64 bytes")
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, context(purpose) + raw)
    except InvalidSignature:
        raise SignatureInvalid(f"not signed by that {purpose} key") from None
    return Verified(value, raw, key, _MADE_HERE)
