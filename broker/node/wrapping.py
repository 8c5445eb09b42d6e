"""What seals private keys at rest: the port, and the keys that this machine itself can hold.

A wrapping key comes from an owner-only file, a systemd credential, a passphrase or the operating system's key store;
which of them is `broker.node.wrapping_choice`'s. A hardware module or a cloud's key service implements `WrappingKey`
too: `wrap` and `unwrap` are one call each to a device that never gives its key out (deploy/systemd/README.md).

Refuses to know which keys it seals. No key, passphrase or path of a credential is in a repr or an error.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from broker.node.owner_only import KeyStoreUnsafe, check_owner_only, read_owner_only, write_durably
from schemas import canonical
from schemas.failures import GroundLost, Rejected
from schemas.messages.fields import decode_base64, encode_base64

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SALT_BYTES: Final = 16
_SALT_FILE_LIMIT_BYTES: Final = 1024
PASSPHRASE_CHARACTERS: Final = 20
"""Six words of a word list, or a generator's: over 77 bits, of which Argon2id makes each guess cost 64 MiB."""
PASSPHRASE_DISTINCT: Final = 10
_ITERATIONS: Final = 3
_LANES: Final = 4
_MEMORY_KIB: Final = 64 * 1024
"""RFC 9106 section 4, second recommended option: 64 MiB for a fifth of a second, once a start."""
_BOUNDS: Final = {"iterations": (2, 32), "lanes": (1, 16), "memory_kib": (19 * 1024, 1024 * 1024)}
"""What stored parameters may be: not below what is in use anywhere, not so much that a start never ends."""


class KeyDamaged(GroundLost):
    """A key file that its wrapping key does not open, or a wrapping key that is none."""

    code = "key_damaged"


class WrappingKey(Protocol):
    """Seals secrets of up to 4 KiB. An implementation keeps its key to itself, and may be slow (a device far away)."""

    @property
    def name(self) -> str:
        """As `keys.wrapping` of `config.toml` names it; the key store remembers it."""

    def wrap(self, secret: bytes, associated: bytes) -> bytes:
        """Seal, authenticating `associated` too; never the same bytes twice."""

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """Open what `wrap` made for the same `associated`.

        Raises: KeyDamaged; any RETRY failure (`schemas.failures.Away`) while a device is away.
        """


class AeadWrappingKey:
    """A 256-bit key in this process's memory, used as AES-256-GCM.

    With random 96-bit nonces one key may seal 2^32 times (NIST SP 800-38D section 8.3): far more than a party makes.
    """

    __slots__ = ("_aead", "_name")

    def __init__(self, name: str, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise KeyDamaged(f"the wrapping key {name} is not {KEY_BYTES} bytes; restore it from its own backup")
        self._name = name
        self._aead = AESGCM(key)

    @property
    def name(self) -> str:
        """As the configuration names it."""
        return self._name

    def wrap(self, secret: bytes, associated: bytes) -> bytes:
        """Seal under a fresh random nonce."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret, associated)

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """Open.

        Raises: KeyDamaged.
        """
        try:
            return self._aead.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], associated)
        except (InvalidTag, ValueError):
            raise KeyDamaged("a key does not open under this wrapping key; restore the key store as a whole") from None


class FileWrappingKey(AeadWrappingKey):
    """The key in an owner-only file."""

    __slots__ = ()

    def __init__(self, path: Path, name: str = "file") -> None:
        super().__init__(name, read_owner_only(path))

    @staticmethod
    def create(path: Path) -> None:
        """Make the file with a fresh key, durable before this returns.

        Raises: FileExistsError.
        """
        write_durably(path, secrets.token_bytes(KEY_BYTES))


class PassphraseWrappingKey(AeadWrappingKey):
    """The key that Argon2id makes of a passphrase in an owner-only file, and of a salt kept beside the sealed keys."""

    __slots__ = ()

    def __init__(self, path: Path, salt_path: Path, name: str) -> None:
        passphrase = read_passphrase(path)
        salt, iterations, lanes, memory_kib = _read_salt(salt_path)
        try:
            derive = Argon2id(salt=salt, length=KEY_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory_kib)
        except UnsupportedAlgorithm:
            raise KeyStoreUnsafe(
                "this build of cryptography has no Argon2id (it needs OpenSSL 3.2): use its wheel, or another "
                "keys.wrapping"
            ) from None
        super().__init__(name, derive.derive(passphrase))

    @staticmethod
    def create(salt_path: Path) -> None:
        """Make the file of salt and parameters; the passphrase itself is a person's to write.

        Raises: FileExistsError.
        """
        members = {
            "v": 1,
            "kind": "argon2id",
            "salt": encode_base64(secrets.token_bytes(_SALT_BYTES)),
            "iterations": _ITERATIONS,
            "lanes": _LANES,
            "memory_kib": _MEMORY_KIB,
        }
        write_durably(salt_path, canonical.encode(members))


def read_passphrase(path: Path) -> bytes:
    """The passphrase in a file, without the line's end.

    Raises: KeyStoreUnsafe, if others can read the file or the passphrase is too weak to protect keys.
    """
    passphrase = read_owner_only(path).strip(b"\r\n")
    if b"\n" in passphrase:
        raise KeyStoreUnsafe(f"{path} holds more than one line; a passphrase file is one")
    if len(passphrase) < PASSPHRASE_CHARACTERS or len(set(passphrase)) < PASSPHRASE_DISTINCT:
        raise KeyStoreUnsafe(
            f"the passphrase in {path} is too weak: at least {PASSPHRASE_CHARACTERS} characters, {PASSPHRASE_DISTINCT} "
            f"of them different; for example: (umask 077; openssl rand -base64 24 > {path})"
        )
    return passphrase


def _read_salt(path: Path) -> tuple[bytes, int, int, int]:
    check_owner_only(path)
    try:
        members = canonical.parse(path.read_bytes(), limit_bytes=_SALT_FILE_LIMIT_BYTES)
        salt = decode_base64(str(members["salt"]))
        costs = {name: members[name] for name in _BOUNDS}
    except (Rejected, KeyError, ValueError, OSError):
        raise KeyDamaged(f"{path} is damaged; restore the key store as a whole") from None
    whole = {name: cost for name, cost in costs.items() if isinstance(cost, int) and not isinstance(cost, bool)}
    for name, (least, most) in _BOUNDS.items():
        if not least <= whole.get(name, -1) <= most:
            raise KeyDamaged(f"{path}: {name} is not between {least} and {most}; restore the key store as a whole")
    if len(salt) != _SALT_BYTES or members.get("kind") != "argon2id":
        raise KeyDamaged(f"{path} is damaged; restore the key store as a whole")
    return salt, whole["iterations"], whole["lanes"], whole["memory_kib"]
