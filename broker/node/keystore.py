"""The key store: private keys in owner-only files, sealed under a wrapping key, outside ordinary backups.

A key is known by its purpose and its random name, and by nothing about a person. Contents are sealed under the wrapping
key, with purpose and name as associated data: a file put in another's place does not open.

    wrapping        the name of the wrapping key, and a text sealed under it: another one is noticed at once
    wrap.*          what the wrapping key keeps here, if anything (broker.node.wrapping_choice)
    PURPOSE.NAME.key

Destroying a key must hold even if the program dies in the middle: the file is first renamed, after which the key is
gone for every reader, then overwritten and unlinked; `open` finishes what was begun. Flash and copying file systems may
keep old blocks: they hold only the sealed form, and the wrapping key belongs on another volume or in a device.

One owner at a time: `open` takes the directory for this process (flock on the directory itself) and is what a program
does. `inspect` reads beside it and finishes nothing that the owner has begun: a key may be gone or not yet there.

Blocking file calls, each a few milliseconds; call from a thread where that matters.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import weakref
from pathlib import Path
from typing import Final

from broker.node.owner_only import (
    KeyStoreUnsafe,
    check_owner_only,
    overwrite,
    read_owner_only,
    shred,
    sync_directory,
    write_durably,
)
from broker.node.wrapping import KeyDamaged, WrappingKey
from broker.node.wrapping_choice import FILE, choice_of
from schemas import canonical
from schemas.failures import Failure, GroundLost, Rejected
from schemas.messages.fields import decode_base64, encode_base64

_MAGIC: Final = b"needtoknow key 1\n"
_RECORD: Final = "wrapping"
_RECORD_LIMIT_BYTES: Final = 16 * 1024
_STAGED: Final = ".staged"
_REWRAPPED: Final = "rewrapped"
_PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class KeyMissing(Failure):
    """There is no such key: it was never here, or it was destroyed."""

    code = "key_missing"


class KeyExists(Failure):
    """Another key has that purpose and name."""

    code = "key_exists"


class KeyStoreInUse(GroundLost):
    """Another program owns the key store just now."""

    code = "key_store_in_use"


class KeyReader:
    """A key store as anybody of the same user may read it. Secrets are never in its repr or errors."""

    __slots__ = ("__weakref__", "_directory", "_wrapping")

    def __init__(self, directory: Path, wrapping: WrappingKey) -> None:
        self._directory = directory
        self._wrapping = wrapping

    @property
    def wrapped_by(self) -> str:
        """The name of the wrapping key, as `keys.wrapping` of a configuration says it."""
        return self._wrapping.name

    def get(self, purpose: str, name: str) -> bytes:
        """The secret.

        Raises: KeyMissing, KeyDamaged, KeyStoreUnsafe; what the wrapping key raises while its device is away.
        """
        path = self._path(purpose, name)
        if not path.is_symlink() and not path.exists():
            raise KeyMissing(f"no key of purpose {purpose} has that name; it may have been destroyed")
        raw = read_owner_only(path)
        if not raw.startswith(_MAGIC):
            raise KeyDamaged("a key file is not of this form; restore the key store as a whole")
        return self._wrapping.unwrap(raw[len(_MAGIC) :], _associated(purpose, name))

    def names(self, purpose: str) -> list[str]:
        """The names of all keys of that purpose, sorted."""
        _check_purpose(purpose)
        return sorted(name for of, name in self.held() if of == purpose)

    def held(self) -> list[tuple[str, str]]:
        """Purpose and name of every key, sorted."""
        parts = (path.name.removesuffix(".key").partition(".") for path in self._directory.glob("*.*.key"))
        return sorted((purpose, name) for purpose, _, name in parts)

    def _path(self, purpose: str, name: str) -> Path:
        _check_purpose(purpose)
        if _NAME.fullmatch(name) is None:
            raise ValueError("a key name is 1 to 64 of a-z, 0-9, - and _")
        return self._directory / f"{purpose}.{name}.key"


class KeyStore(KeyReader):
    """The key store in the hands of its one owner. `create` makes one, `open` opens one, `close` lets go of it."""

    __slots__ = ("_release",)

    def __init__(self, directory: Path, wrapping: WrappingKey, claimed: int) -> None:
        super().__init__(directory, wrapping)
        self._release = weakref.finalize(self, os.close, claimed)

    @classmethod
    def create(cls, directory: Path, wrapping: WrappingKey | None = None, *, configured: str | None = None) -> KeyStore:
        """Make the directory (its parent must exist) and a wrapping key as configured, without one `wrap.key` in it.

        Raises: KeyExists, if there is a key store already; KeyStoreUnsafe; what making the wrapping key raises.
        """
        directory.mkdir(mode=0o700, exist_ok=True)
        check_owner_only(directory)
        if any(directory.iterdir()):
            raise KeyExists("the directory of the key store is not empty")
        if wrapping is None:
            wrapping = choice_of(configured or FILE).make(directory)
        write_durably(directory / _RECORD, _record(wrapping))
        sync_directory(directory.parent)
        return cls.open(directory, wrapping)

    @classmethod
    def open(cls, directory: Path, wrapping: WrappingKey | None = None, *, configured: str | None = None) -> KeyStore:
        """Take the directory for this process and finish what a crash interrupted.

        Args:
            wrapping: for a device that no configuration names.
            configured: what `keys.wrapping` says; another than the store's is refused.

        Raises: KeyStoreInUse; KeyStoreUnsafe, naming what to run; KeyDamaged, if the wrapping key is another one.
        """
        check_owner_only(directory)
        claimed = _claim(directory)
        try:
            _finish_rewrapping(directory)
            store = cls(directory, wrapping or _wrapping_of(directory, configured), claimed)
        except BaseException:
            os.close(claimed)
            raise
        _check_record(directory, store._wrapping)
        for pattern in ("*.gone", "*.new", f"*{_STAGED}"):
            for leftover in directory.glob(pattern):
                shred(leftover)
        return store

    @staticmethod
    def inspect(directory: Path, wrapping: WrappingKey | None = None, *, configured: str | None = None) -> KeyReader:
        """Read beside the owner, if there is one; nothing is changed, but that a rewrapping cut short is finished.

        Raises: KeyStoreInUse, while it is being rewrapped; KeyStoreUnsafe, KeyDamaged, as `open`.
        """
        check_owner_only(directory)
        if (directory / _REWRAPPED).exists():
            # Neither the old wrapping key nor the new one opens all of it.
            claimed = _claim(directory)
            try:
                _finish_rewrapping(directory)
            finally:
                os.close(claimed)
        reader = KeyReader(directory, wrapping or _wrapping_of(directory, configured))
        _check_record(directory, reader._wrapping)
        return reader

    def close(self) -> None:
        """Let go of the directory. Closing twice is closing once."""
        self._release()

    def add(self, purpose: str, name: str, secret: bytes) -> None:
        """Keep a secret; durable once this returns. Adding the same again changes nothing.

        Raises: KeyExists, if the name is taken by another secret; KeyStoreUnsafe.
        """
        path = self._path(purpose, name)
        if path.exists():
            if not secrets.compare_digest(self.get(purpose, name), secret):
                raise KeyExists(f"another key of purpose {purpose} has that name")
            return
        write_durably(path, _MAGIC + self._wrapping.wrap(secret, _associated(purpose, name)))

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
        sync_directory(self._directory)
        shred(gone)

    def rewrap(self, wrapping: WrappingKey, *, companion: str | None = None) -> int:
        """Seal every key under another wrapping key; all of them or none, whenever the program dies.

        Args:
            companion: the file `wrapping` keeps here, made by the caller with the suffix `.staged`.

        Returns:
            How many keys there are.
        """
        staged = []
        for purpose, name in self.held():
            secret = self.get(purpose, name)
            path = self._path(purpose, name)
            staged.append(path.with_name(path.name + _STAGED))
            write_durably(staged[-1], _MAGIC + wrapping.wrap(secret, _associated(purpose, name)))
            again = wrapping.unwrap(read_owner_only(staged[-1])[len(_MAGIC) :], _associated(purpose, name))
            if not secrets.compare_digest(again, secret):
                raise KeyDamaged(f"{wrapping.name} does not give back what it sealed; nothing was changed")
        write_durably(self._directory / f"{_RECORD}{_STAGED}", _record(wrapping))
        # A crash before this line: everything opens as before, and `open` clears the staged files away.
        write_durably(self._directory / _REWRAPPED, (companion or "").encode("ascii"))
        # A crash after it: every staged file is whole and on disk, and `open` goes on from here.
        _finish_rewrapping(self._directory)
        self._wrapping = wrapping
        return len(staged)


def wrapped_by(directory: Path) -> str:
    """The name of the wrapping key that a key store is sealed under.

    Raises: KeyStoreUnsafe, KeyDamaged.
    """
    return _read_record(directory)[0]


def _claim(directory: Path) -> int:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise KeyStoreInUse(f"another program has taken {directory}: use its commands, or stop it first") from None
    return descriptor


def _finish_rewrapping(directory: Path) -> None:
    if not (directory / _REWRAPPED).exists():
        return  # somebody else was quicker
    companion = (directory / _REWRAPPED).read_text("ascii")
    for staged in sorted(directory.glob(f"*{_STAGED}")):
        target = staged.with_name(staged.name.removesuffix(_STAGED))
        if target.exists():
            overwrite(target)
        os.rename(staged, target)
    sync_directory(directory)
    for stale in directory.glob("wrap.*"):
        if stale.name != companion:
            shred(stale)
    (directory / _REWRAPPED).unlink()
    sync_directory(directory)


def _wrapping_of(directory: Path, configured: str | None) -> WrappingKey:
    name, _ = _read_record(directory)
    if configured is not None and configured != name:
        raise KeyStoreUnsafe(
            f"keys.wrapping is {configured}, and the keys in {directory} are sealed under {name}: run keys rewrap, or "
            "set it back"
        )
    return choice_of(name).load(directory)


def _record(wrapping: WrappingKey) -> bytes:
    check = encode_base64(wrapping.wrap(b"", _check_text(wrapping.name)))
    return canonical.encode({"v": 1, "kind": "key-store", "wrapping": wrapping.name, "check": check})


def _read_record(directory: Path) -> tuple[str, bytes]:
    path = directory / _RECORD
    if not path.exists():
        raise KeyStoreUnsafe(f"{directory} is no key store: {path.name} is missing; restore it, or make one with init")
    try:
        members = canonical.parse(read_owner_only(path), limit_bytes=_RECORD_LIMIT_BYTES)
        return str(members["wrapping"]), decode_base64(str(members["check"]))
    except (Rejected, KeyError, ValueError):
        raise KeyDamaged(f"{path} is damaged; restore the key store as a whole") from None


def _check_record(directory: Path, wrapping: WrappingKey) -> None:
    name, check = _read_record(directory)
    if wrapping.name != name:
        raise KeyStoreUnsafe(f"the keys in {directory} are sealed under {name}, not under {wrapping.name}")
    try:
        wrapping.unwrap(check, _check_text(name))
    except KeyDamaged:
        raise KeyDamaged(
            f"{name} is not what the keys in {directory} are sealed under: put back the one they were made with"
        ) from None


def _check_text(name: str) -> bytes:
    return f"needtoknow/v1/key-store-check\0{name}".encode()


def _check_purpose(purpose: str) -> None:
    if _PURPOSE.fullmatch(purpose) is None:
        raise ValueError("a key purpose is 1 to 32 of a-z, 0-9, - and _")


def _associated(purpose: str, name: str) -> bytes:
    return f"needtoknow/v1/key-store\0{purpose}\0{name}".encode("ascii")
