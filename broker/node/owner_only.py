"""Files that their owner alone can read: checked before they are believed, written whole, overwritten when destroyed.

Knows no keys; what is in a file is the caller's. Blocking calls, each a few milliseconds on a disk.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from schemas.failures import GroundLost


class KeyStoreUnsafe(GroundLost):
    """A directory or file that others could read or write, that is no plain one, or that is not there."""

    code = "key_store_unsafe"


def check_owner_only(path: Path) -> None:
    """Refuse what is looser than owner-only, is another user's, or is a link or a device.

    Raises: KeyStoreUnsafe, naming what to run.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise KeyStoreUnsafe(f"there is no {path}; check the configured path, or make one with init") from None
    except OSError as error:
        raise KeyStoreUnsafe(f"{path} cannot be looked at ({error.strerror}); run as the user it belongs to") from None
    mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        raise KeyStoreUnsafe(f"{path} is neither a directory nor a file; put the real one in its place")
    if status.st_uid != os.geteuid():
        raise KeyStoreUnsafe(f"{path} belongs to another user; run: chown {os.geteuid()} {path}")
    if status.st_mode & 0o077:
        raise KeyStoreUnsafe(f"{path} is open to other users; run: chmod {mode} {path}")


def read_owner_only(path: Path) -> bytes:
    """The bytes of a file that nobody else can read.

    Raises: KeyStoreUnsafe.
    """
    check_owner_only(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyStoreUnsafe(f"{path} cannot be read ({error.strerror})") from None


def write_durably(path: Path, content: bytes) -> None:
    """Make a file that is not there yet, whole and durable once this returns.

    Raises: FileExistsError, if it is there or an earlier attempt was not cleared away; OSError.
    """
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb", buffering=0, closefd=False) as file:
            left = memoryview(content)
            while left:
                left = left[file.write(left) or 0 :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if path.exists():
        fresh.unlink()
        raise FileExistsError(f"{path.name} is there already")
    os.rename(fresh, path)
    # A crash before the directory is on disk leaves no file or a whole one; the caller has not been told either way.
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the directory's names durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def overwrite(path: Path) -> None:
    """Put random bytes over a file's content, where it lies."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        os.pwrite(descriptor, secrets.token_bytes(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shred(path: Path) -> None:
    """Overwrite a file, unlink it and make that durable."""
    overwrite(path)
    path.unlink()
    sync_directory(path.parent)
