"""Sealing to a public key: HPKE (RFC 9180) with MLKEM768-X25519, HKDF-SHA256, AES-256-GCM, base mode (SPEC 3.4).

`info` is `needtoknow/v1/seal/<kind>`, a zero byte, and the bytes of the header the sealed text belongs to; it can be
empty for nobody, since it is built here. Lengths are checked before a key is touched.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from schemas.crypto.failures import SealBroken, WrongPurpose
from schemas.crypto.keys import Identity, PublicKey, hybrid_public
from schemas.crypto.padding import BUCKETS, pad, unpad
from schemas.crypto.purposes import KeyPurpose

_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
ENCAPSULATION_BYTES: Final = KEM.MLKEM768_X25519.enc_length()
TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = ENCAPSULATION_BYTES + TAG_BYTES
ADDENDUM_KEY_BYTES: Final = 32
CHALLENGE_BYTES: Final = 32


class Sealing(StrEnum):
    """What is sealed; the word is part of `info`, so no sealed text can stand in for another kind."""

    REQUEST = "request"
    ANSWER = "answer"
    ADDENDUM_KEY = "addendum-key"
    CHALLENGE = "challenge"


_OPENED_BY: Final = {
    Sealing.REQUEST: KeyPurpose.SEAL,
    Sealing.ANSWER: KeyPurpose.REPLY,
    Sealing.ADDENDUM_KEY: KeyPurpose.ADDENDUM,
    Sealing.CHALLENGE: KeyPurpose.SEAL,
}
_BARE_BYTES: Final = {Sealing.ADDENDUM_KEY: ADDENDUM_KEY_BYTES, Sealing.CHALLENGE: CHALLENGE_BYTES}
"""What always has one length is not padded."""


def seal(kind: Sealing, header: bytes, content: bytes, recipient: PublicKey) -> bytes:
    """`content`, padded if it can have different lengths, sealed to `recipient` and bound to `header`.

    Args:
        header: the header's bytes without the member that will hold this sealed text's digest.

    Raises:
        WrongPurpose: that kind is not sealed to keys of that purpose.
        ContentTooLarge: more than one part holds.
    """
    if recipient.purpose is not _OPENED_BY[kind]:
        raise WrongPurpose(f"{kind} is not sealed to a {recipient.purpose} key")
    plain = content if kind in _BARE_BYTES else pad(content)
    return _SUITE.encrypt(plain, hybrid_public(recipient), info=_info(kind, header))


def open_sealed(kind: Sealing, header: bytes, sealed: bytes, identity: Identity) -> bytes:
    """The content of a sealed text.

    Raises:
        WrongPurpose: the identity is for something else.
        SealBroken: wrong length, wrong key, wrong header or changed bytes; which of them is not said.
        PaddingInvalid: opened, but not padded as prescribed.
    """
    if identity.purpose is not _OPENED_BY[kind]:
        raise WrongPurpose(f"{kind} is not opened by a {identity.purpose} key")
    plain_bytes = len(sealed) - OVERHEAD_BYTES
    if kind in _BARE_BYTES:
        if plain_bytes != _BARE_BYTES[kind]:
            raise SealBroken("not the length of a sealed key")
    elif plain_bytes not in BUCKETS:
        raise SealBroken("not a length that sealing makes")
    try:
        plain = _SUITE.decrypt(sealed, identity.private, info=_info(kind, header))
    except (InvalidTag, ValueError):
        raise SealBroken("it does not open") from None
    return plain if kind in _BARE_BYTES else unpad(plain)


def _info(kind: Sealing, header: bytes) -> bytes:
    return b"needtoknow/v1/seal/" + kind.encode("ascii") + b"\x00" + header
