"""Ed25519 public keys in the text form of NATS, the nkey (SPEC 3.7).

An nkey is base32 without padding of a prefix byte that says whose key it is, the 32 key bytes and their checksum. Each
key has exactly one. Seeds are not written in this form: no private key leaves a key store as text.
"""

from __future__ import annotations

import binascii
import re
from base64 import b32decode, b32encode
from enum import StrEnum
from typing import Final

from schemas.crypto.failures import KeyMalformed
from schemas.crypto.keys import PublicKey, public_key
from schemas.crypto.purposes import KeyPurpose

LENGTH: Final = 56
_TEXT: Final = re.compile(r"[A-Z2-7]{56}")
_CHECKSUM_BYTES: Final = 2


class Kind(StrEnum):
    """Whose key it is; the word is the first letter of the text."""

    OPERATOR = "O"
    ACCOUNT = "A"
    USER = "U"
    SERVER = "N"


KIND_OF: Final = {
    KeyPurpose.BUS_OPERATOR: Kind.OPERATOR,
    KeyPurpose.BUS_OPERATOR_SIGNER: Kind.OPERATOR,
    KeyPurpose.BUS_ACCOUNT: Kind.ACCOUNT,
    KeyPurpose.BUS_SIGNER: Kind.ACCOUNT,
    KeyPurpose.BUS_SYSTEM: Kind.ACCOUNT,
    KeyPurpose.BUS_SYSTEM_SIGNER: Kind.ACCOUNT,
    KeyPurpose.BUS_USER: Kind.USER,
    KeyPurpose.BUS_SYSTEM_USER: Kind.USER,
}
"""The keys of ours that NATS knows. It keeps signing keys of accounts and operators under the owner's letter."""
_PREFIX: Final = {Kind.OPERATOR: 14 << 3, Kind.ACCOUNT: 0, Kind.USER: 20 << 3, Kind.SERVER: 13 << 3}


def encode(kind: Kind, raw: bytes) -> str:
    """The nkey of 32 public key bytes; whether they are a sound key is `schemas.crypto.keys`'s to say."""
    body = bytes([_PREFIX[kind]]) + raw
    return b32encode(body + _checksum(body)).decode("ascii")


def of(key: PublicKey) -> str:
    """The nkey of a bus key of ours.

    Raises:
        KeyError: NATS does not know keys of that purpose.
    """
    return encode(KIND_OF[key.purpose], key.raw)


def decode(kind: Kind, text: str) -> bytes:
    """The 32 bytes of an nkey of that kind. No kind of ours is needed: a server's key is none of ours.

    Raises:
        KeyMalformed: not base32 of that length, another kind's, or with a checksum that does not hold.
    """
    if not _TEXT.fullmatch(text):
        raise KeyMalformed(f"an nkey is {LENGTH} letters and digits of base32")
    whole = b32decode(text)
    body, checksum = whole[:-_CHECKSUM_BYTES], whole[-_CHECKSUM_BYTES:]
    if body[0] != _PREFIX[kind]:
        raise KeyMalformed("an nkey of another kind")
    if checksum != _checksum(body):
        raise KeyMalformed("an nkey whose checksum does not hold")
    return body[1:]


def read(purpose: KeyPurpose, text: str) -> PublicKey:
    """The bus key of ours that a text names, checked as every key is.

    Raises:
        KeyMalformed: no nkey of that purpose's kind, or no sound key.
        KeyError: NATS does not know keys of that purpose.
    """
    return public_key(purpose, decode(KIND_OF[purpose], text))


def _checksum(body: bytes) -> bytes:
    # CRC-16/XMODEM, little-endian, as nkeys has it: against slips of the pen, not against anybody.
    return binascii.crc_hqx(body, 0).to_bytes(_CHECKSUM_BYTES, "little")
