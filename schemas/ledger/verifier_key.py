"""The public half of a signature line: a name, a signature type and a key, and the text they are handed round in.

C2SP signed-note, sections *Signatures* and *Verifier keys*. Knows the three types we use (Ed25519 notes, and
tlog-cosignature's Ed25519 and ML-DSA-44) and refuses every other; checks no signature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from schemas.ledger.failures import VerifierKeyMalformed, VerifierKeyWeak
from schemas.ledger.lines import decode_base64, encode_base64, is_one_line

ED25519: Final = 0x01
ED25519_COSIGNATURE: Final = 0x04
ML_DSA_44_COSIGNATURE: Final = 0x06
PUBLIC_BYTES: Final = {ED25519: 32, ED25519_COSIGNATURE: 32, ML_DSA_44_COSIGNATURE: 1312}
"""Signature type to the length of its public key."""
KEY_ID_BYTES: Final = 4
MAX_NAME_BYTES: Final = 255
"""The longest name that fits `cosigner_name<1..2^8-1>` of tlog-cosignature."""
MAX_VERIFIER_KEY_CHARACTERS: Final = MAX_NAME_BYTES + 2048
"""A name and an ML-DSA-44 key (1,752 base64 characters) with its key ID."""

_FIELD_PRIME: Final = 2**255 - 19
_ORDER_8_Y: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y: Final = frozenset({0, 1, _FIELD_PRIME - 1, _ORDER_8_Y, _FIELD_PRIME - _ORDER_8_Y})
"""The y of the eight points whose order divides 8; each stands for both signs of x."""
_KEY_ID_HEX: Final = re.compile(r"[0-9a-f]{8}", re.ASCII)


def is_key_name(name: str) -> bool:
    """Say whether a key may have this name: no Unicode space, no plus, no control character, at most 255 bytes."""
    if "+" in name or name.split() != [name] or not is_one_line(name):  # `split` goes by the same spaces as `isspace`
        return False
    return len(name.encode("utf-8")) <= MAX_NAME_BYTES


def key_id_of(name: str, algorithm: int, public: bytes) -> bytes:
    """Return the four bytes by which a signature line names its key (signed-note, *Signatures*)."""
    return sha256(name.encode("utf-8") + b"\n" + bytes([algorithm]) + public).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key we may decide to believe, and under which name.

    Raises:
        VerifierKeyMalformed: a bad name, an unknown type, a wrong length, or the key ID of another key.
        VerifierKeyWeak: an Ed25519 point of small order or in a non-canonical encoding.
    """

    name: str
    key_id: bytes
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise VerifierKeyMalformed("name")
        if PUBLIC_BYTES.get(self.algorithm) != len(self.public):
            raise VerifierKeyMalformed("signature type or length of the key")
        if self.key_id != key_id_of(self.name, self.algorithm, self.public):
            raise VerifierKeyMalformed("key id")
        if self.algorithm != ML_DSA_44_COSIGNATURE:
            _refuse_weak_point(self.public)

    @classmethod
    def of(cls, name: str, algorithm: int, public: bytes) -> Self:
        """Return the verifier key of a name and a public key, its key ID computed."""
        if not is_key_name(name) or algorithm not in PUBLIC_BYTES:
            raise VerifierKeyMalformed("name or signature type")
        return cls(name, key_id_of(name, algorithm, public), algorithm, public)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name+hex(key id)+base64(type || key)`.

        Raises:
            VerifierKeyMalformed: not in its one canonical form, or the key ID is not that of the key.
            VerifierKeyWeak: an Ed25519 point of small order or in a non-canonical encoding.
        """
        if len(text) > MAX_VERIFIER_KEY_CHARACTERS:
            raise VerifierKeyMalformed("too long")
        parts = text.split("+", 2)  # the base64 may itself have a plus
        if len(parts) != 3 or _KEY_ID_HEX.fullmatch(parts[1]) is None:
            raise VerifierKeyMalformed("shape")
        typed_key = decode_base64(parts[2])
        if not typed_key:
            raise VerifierKeyMalformed("base64")
        return cls(parts[0], bytes.fromhex(parts[1]), typed_key[0], typed_key[1:])

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.algorithm]) + self.public)}"


def _refuse_weak_point(public: bytes) -> None:
    """Refuse the points under which anybody can sign. One off the curve is no danger: nothing verifies under it."""
    y = int.from_bytes(public, "little") & (2**255 - 1)
    if y >= _FIELD_PRIME:
        raise VerifierKeyWeak("not canonical")
    if y in _SMALL_ORDER_Y:
        raise VerifierKeyWeak("small order")
