"""Key bytes of suite 1, and what identifies a key (SPEC 3.2).

Ed25519 keys are their 32 raw bytes (RFC 8032). A hybrid HPKE public key is ML-KEM-768's 1184 bytes followed by X25519's
32; its private half is ML-KEM's 64-byte seed followed by X25519's 32. Lengths are checked before anything else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from schemas.crypto.failures import KeyMalformed, WrongPurpose
from schemas.crypto.purposes import USES, Algorithm, KeyPurpose

ED25519_BYTES: Final = 32
MLKEM_SEED_BYTES: Final = 64
MLKEM_PUBLIC_BYTES: Final = 1184
X25519_BYTES: Final = 32
HYBRID_PUBLIC_BYTES: Final = MLKEM_PUBLIC_BYTES + X25519_BYTES
HYBRID_PRIVATE_BYTES: Final = MLKEM_SEED_BYTES + X25519_BYTES
KEY_ID_BYTES: Final = 16

_FIELD_PRIME: Final = 2**255 - 19
_SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)
"""The y coordinates of the points of order 1, 2, 4 and 8: for such a "public key" everyone can sign."""
_EDWARDS_D: Final = 37095705934669439343138083508754565189542113879843219016388785533085940283555
_SMALL_ORDER_U: Final = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)
"""X25519's points of small order (RFC 7748 section 7): the shared secret would be zero."""


def key_id(purpose: KeyPurpose, public: bytes) -> str:
    """The name of a public key: 32 hexadecimal digits, which say the purpose as well (SPEC 3.2)."""
    text = b"needtoknow/v1/key-id/" + purpose.encode("ascii") + b"\x00" + public
    return hashlib.sha256(text).digest()[:KEY_ID_BYTES].hex()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key with its one purpose. Made by `public_key`, which checks the bytes."""

    purpose: KeyPurpose
    raw: bytes
    id: str


def public_key(purpose: KeyPurpose, raw: bytes) -> PublicKey:
    """The key of these bytes, checked: right length, canonical encoding, on its curve, not of small order.

    Raises:
        KeyMalformed: the bytes are not such a key.
    """
    if USES[purpose].algorithm is Algorithm.HPKE_HYBRID:
        _hybrid_public(raw)
    elif USES[purpose].algorithm is Algorithm.ED25519:
        _check_ed25519(raw)
    else:
        raise KeyMalformed(f"a {purpose} key has no public half that is stated")
    return PublicKey(purpose, raw, key_id(purpose, raw))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private signing key with its one purpose. Its bytes never show in a representation."""

    public: PublicKey
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, purpose: KeyPurpose) -> SigningKey:
        """A new key from the operating system's random numbers."""
        return cls.from_seed(purpose, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_seed(cls, purpose: KeyPurpose, seed: bytes) -> SigningKey:
        """The key of a 32-byte seed (RFC 8032 section 5.1.5).

        Raises:
            KeyMalformed: not 32 bytes.
            WrongPurpose: keys of this purpose do not sign.
        """
        if not USES[purpose].signs:
            raise WrongPurpose(f"a {purpose} key does not sign")
        if len(seed) != ED25519_BYTES:
            raise KeyMalformed("an Ed25519 seed is 32 bytes")
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(public_key(purpose, private.public_key().public_bytes_raw()), private)

    @property
    def purpose(self) -> KeyPurpose:
        """What this key is for."""
        return self.public.purpose

    @property
    def id(self) -> str:
        """The public half's key id."""
        return self.public.id

    @property
    def private(self) -> Ed25519PrivateKey:
        """The `cryptography` key itself, for `schemas.crypto.signing` and the log's note signer."""
        return self._private

    def seed(self) -> bytes:
        """The 32 secret bytes, for a key store only."""
        return self._private.private_bytes_raw()


@dataclass(frozen=True, slots=True)
class Identity:
    """A private sealing key with its one purpose: what opens. Its bytes never show in a representation."""

    public: PublicKey
    _private: MLKEM768X25519PrivateKey = field(repr=False)
    _seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, purpose: KeyPurpose) -> Identity:
        """A new hybrid key from the operating system's random numbers."""
        mlkem = MLKEM768PrivateKey.generate().private_bytes_raw()
        return cls.from_seed(purpose, mlkem + X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_seed(cls, purpose: KeyPurpose, seed: bytes) -> Identity:
        """The key of 96 secret bytes: ML-KEM's seed, then X25519's private key (SPEC 3.2).

        Raises:
            KeyMalformed: not 96 bytes.
            WrongPurpose: nothing is sealed to keys of this purpose.
        """
        if USES[purpose].algorithm is not Algorithm.HPKE_HYBRID:
            raise WrongPurpose(f"nothing is sealed to a {purpose} key")
        if len(seed) != HYBRID_PRIVATE_BYTES:
            raise KeyMalformed("a hybrid private key is 96 bytes")
        mlkem = MLKEM768PrivateKey.from_seed_bytes(seed[:MLKEM_SEED_BYTES])
        x25519 = X25519PrivateKey.from_private_bytes(seed[MLKEM_SEED_BYTES:])
        raw = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        return cls(public_key(purpose, raw), MLKEM768X25519PrivateKey(mlkem, x25519), seed)

    @property
    def purpose(self) -> KeyPurpose:
        """What this key is for."""
        return self.public.purpose

    @property
    def id(self) -> str:
        """The public half's key id."""
        return self.public.id

    @property
    def private(self) -> MLKEM768X25519PrivateKey:
        """The `cryptography` key itself, for `schemas.crypto.sealing`."""
        return self._private

    def seed(self) -> bytes:
        """The 96 secret bytes, for a key store only."""
        return self._seed


def hybrid_public(key: PublicKey) -> MLKEM768X25519PublicKey:
    """The `cryptography` key of a public sealing key."""
    return _hybrid_public(key.raw)


def _hybrid_public(raw: bytes) -> MLKEM768X25519PublicKey:
    if len(raw) != HYBRID_PUBLIC_BYTES:
        raise KeyMalformed(f"a hybrid public key is {HYBRID_PUBLIC_BYTES} bytes")
    u = int.from_bytes(raw[MLKEM_PUBLIC_BYTES:], "little")
    if u >= _FIELD_PRIME or u in _SMALL_ORDER_U:
        raise KeyMalformed("an X25519 point of small order or not in canonical form")
    try:
        mlkem = MLKEM768PublicKey.from_public_bytes(raw[:MLKEM_PUBLIC_BYTES])
        return MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(raw[MLKEM_PUBLIC_BYTES:]))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyMalformed("not an ML-KEM-768 public key (FIPS 203 section 7.2)") from None


@lru_cache(maxsize=4096)
def _check_ed25519(raw: bytes) -> None:
    # Remembered where it holds: parties are read again and again, and the square root below is 200 us of each key.
    if len(raw) != ED25519_BYTES:
        raise KeyMalformed("an Ed25519 public key is 32 bytes")
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _FIELD_PRIME or y in _SMALL_ORDER_Y:
        raise KeyMalformed("an Ed25519 point of small order or not in canonical form")
    # The library looks at the length only. x^2 is (y^2 - 1) / (d y^2 + 1), a square for half of all y (RFC 8032 5.1.3).
    if pow((y * y - 1) * (_EDWARDS_D * y * y + 1), (_FIELD_PRIME - 1) // 2, _FIELD_PRIME) != 1:
        raise KeyMalformed("not a point of Ed25519")
