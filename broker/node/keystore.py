"""The key store: private keys in owner-only files, sealed under a wrapping key, outside ordinary backups.

A key is known by its purpose and its random name, and by nothing about a person. Contents are AES-256-GCM under the
wrapping key, with purpose and name as associated data: a file put in another's place does not open.

Destroying a key must hold even if the program dies in the middle: the file is first renamed, after which the key is
gone for every reader, then overwritten and unlinked; `open` finishes what was begun. Flash and copying file systems may
keep old blocks: they hold only the sealed form, and `wrap.key` belongs on another volume or in a device of its own.

Blocking file calls, each a few milliseconds; call from a thread where that matters. One program a directory.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.failures import Failure, GroundLost

_MAGIC: Final = b"needtoknow key 1\n"
_NONCE_BYTES: Final = 12
_WRAPPING_KEY_BYTES: Final = 32
_WRAPPING_KEY_FILE: Final = "wrap.key"
_PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class KeyMissing(Failure):
    """There is no such key: it was never here, or it was destroyed."""

    code = "key_missing"


class KeyExists(Failure):
    """Another key has that purpose and name."""

    code = "key_exists"


class KeyDamaged(GroundLost):
    """A key file that its wrapping key does not open."""

    code = "key_damaged"


class KeyStoreUnsafe(GroundLost):
    """The directory or a file in it could be read by others, or is not there."""

    code = "key_store_unsafe"


class WrappingKey(Protocol):
    """What seals keys at rest: a file by default; a systemd credential or a device where there is one."""

    def wrap(self, secret: bytes, associated: bytes) -> bytes:
        """Seal; never the same bytes twice."""

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """Open what `wrap` made for the same `associated`.

        Raises: KeyDamaged.
        """


class FileWrappingKey:
    """A 256-bit key from an owner-only file.

    With random 96-bit nonces one key may seal 2^32 times (NIST SP 800-38D section 8.3): far more than a party makes.
    """

    __slots__ = ("_aead",)

    def __init__(self, path: Path) -> None:
        key = _read_owner_only(path)
        if len(key) != _WRAPPING_KEY_BYTES:
            raise KeyDamaged(f"{path.name} does not hold {_WRAPPING_KEY_BYTES} bytes; restore it from its own backup")
        self._aead = AESGCM(key)

    @staticmethod
    def create(path: Path) -> None:
        """Make the file with a fresh key, durable before this returns.

        Raises: FileExistsError.
        """
        _write_durably(path, secrets.token_bytes(_WRAPPING_KEY_BYTES))

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


class KeyStore:
    """A directory of wrapped keys. `create` makes one, `open` opens one; secrets are never in its repr or errors."""

    __slots__ = ("_directory", "_wrapping")

    def __init__(self, directory: Path, wrapping: WrappingKey) -> None:
        self._directory = directory
        self._wrapping = wrapping

    @classmethod
    def create(cls, directory: Path, wrapping: WrappingKey | None = None) -> KeyStore:
        """Make the directory (its parent must exist) and, without another wrapping key, `wrap.key` in it.

        Raises: KeyExists, if there is a key store already; KeyStoreUnsafe.
        """
        directory.mkdir(mode=0o700, exist_ok=True)
        _check_owner_only(directory)
        if any(directory.iterdir()):
            raise KeyExists("the directory of the key store is not empty")
        if wrapping is None:
            FileWrappingKey.create(directory / _WRAPPING_KEY_FILE)
        _sync_directory(directory.parent)
        return cls.open(directory, wrapping)

    @classmethod
    def open(cls, directory: Path, wrapping: WrappingKey | None = None) -> KeyStore:
        """Open the directory and finish what a crash interrupted.

        Raises: KeyStoreUnsafe, naming what to run; KeyDamaged, if `wrap.key` is not a key.
        """
        _check_owner_only(directory)
        store = cls(directory, wrapping or FileWrappingKey(directory / _WRAPPING_KEY_FILE))
        for leftover in (*directory.glob("*.gone"), *directory.glob("*.new")):
            _shred(leftover)
        return store

    def add(self, purpose: str, name: str, secret: bytes) -> None:
        """Keep a secret; durable once this returns. Adding the same again changes nothing.

        Raises: KeyExists, if the name is taken by another secret; KeyStoreUnsafe.
        """
        path = self._path(purpose, name)
        if path.exists():
            if not secrets.compare_digest(self.get(purpose, name), secret):
                raise KeyExists(f"another key of purpose {purpose} has that name")
            return
        _write_durably(path, _MAGIC + self._wrapping.wrap(secret, _associated(purpose, name)))

    def get(self, purpose: str, name: str) -> bytes:
        """The secret.

        Raises: KeyMissing, KeyDamaged, KeyStoreUnsafe.
        """
        try:
            raw = _read_owner_only(self._path(purpose, name))
        except FileNotFoundError:
            raise KeyMissing(f"no key of purpose {purpose} has that name; it may have been destroyed") from None
        if not raw.startswith(_MAGIC):
            raise KeyDamaged("a key file is not of this form; restore the key store as a whole")
        return self._wrapping.unwrap(raw[len(_MAGIC) :], _associated(purpose, name))

    def names(self, purpose: str) -> list[str]:
        """The names of all keys of that purpose, sorted."""
        _check_purpose(purpose)
        start = purpose + "."
        files = (path.name for path in self._directory.glob("*.key"))
        return sorted(file[len(start) : -len(".key")] for file in files if file.startswith(start))

    def destroy(self, purpose: str, name: str) -> None:
        """Make the secret unreadable for ever; durable once this returns. Destroying it twice is destroying it once.

        Raises: OSError, if the disk does not do it; then it is not destroyed.
        """
        path = self._path(purpose, name)
        gone = path.with_name(path.name + ".gone")
        try:
            os.rename(path, gone)
        except FileNotFoundError:
            if not gone.exists():
                return
        # A crash before this line: the key is there. After it: nobody finds it, and `open` goes on from here.
        _sync_directory(self._directory)
        _shred(gone)

    def _path(self, purpose: str, name: str) -> Path:
        _check_purpose(purpose)
        if _NAME.fullmatch(name) is None:
            raise ValueError("a key name is 1 to 64 of a-z, 0-9, - and _")
        return self._directory / f"{purpose}.{name}.key"


def _check_purpose(purpose: str) -> None:
    if _PURPOSE.fullmatch(purpose) is None:
        raise ValueError("a key purpose is 1 to 32 of a-z, 0-9, - and _")


def _associated(purpose: str, name: str) -> bytes:
    return f"needtoknow/v1/key-store\0{purpose}\0{name}".encode("ascii")


def _check_owner_only(path: Path) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise KeyStoreUnsafe(
            f"there is no key store at {path}; check the configured path, or make one with init"
        ) from None
    mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        raise KeyStoreUnsafe(f"{path} is neither a directory nor a file; put the real one in its place")
    if status.st_uid != os.geteuid():
        raise KeyStoreUnsafe(f"{path} belongs to another user; run: chown {os.geteuid()} {path}")
    if status.st_mode & 0o077:
        raise KeyStoreUnsafe(f"{path} is open to other users; run: chmod {mode} {path}")


def _read_owner_only(path: Path) -> bytes:
    if not path.exists() and path.name != _WRAPPING_KEY_FILE:
        raise FileNotFoundError
    _check_owner_only(path)
    return path.read_bytes()


def _write_durably(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(fresh, path)
    # A crash before the directory is on disk leaves no key or a whole one; the caller has not been told either way.
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _shred(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        os.pwrite(descriptor, secrets.token_bytes(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
    _sync_directory(path.parent)
