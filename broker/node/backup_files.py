"""What of a home belongs in a backup besides the store, and the manifest that names every file by its digest.

Everything but keys, the store's own files, what only a running program needs, and the lock copy of the log, which put
back together with the store would vouch for the past. Refuses to know what the files say.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from broker.node.home import Home
from broker.node.owner_only import sync_directory
from schemas.failures import Failure, Rejected
from schemas.messages.fields import Hex16, Hex32, Millis, Slug
from schemas.messages.model import Message, Part, read
from schemas.messages.party import PartyKind

MANIFEST: Final = "manifest.json"
STORE: Final = "store.sqlite"
MANIFEST_LIMIT_BYTES: Final = 4 * 1024 * 1024
MOST_FILES: Final = 10_000
LARGEST_FILE_BYTES: Final = 64 * 1024 * 1024
"""Above what any configuration, party file, card or policy is: something else lies in the home."""
_LEFT_OUT: Final = ("keys", "run", "store.sqlite", "checkpoint.lock")
_CHUNK_BYTES: Final = 1024 * 1024


class BackupInvalid(Failure):
    """A backup that cannot be made or does not hold; the text names the file and what to do."""

    code = "backup_invalid"


class NamedFile(Part):
    """One file of a backup."""

    path: Annotated[str, Field(min_length=1, max_length=512)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Hex32


class LogHead(Part):
    """The party's own log at the moment of the backup."""

    origin: str
    size: Annotated[int, Field(ge=0)]
    root: Hex32


class Manifest(Message):
    """`manifest.json`: of which party and moment the files are, and what each of them is."""

    kind: Literal["backup"] = "backup"
    of: Literal["moment", "every-commit"]
    hub: Slug
    party: Slug
    party_kind: PartyKind
    epoch: Hex16
    made_at: Millis
    log: LogHead | None = None
    files: Annotated[list[NamedFile], Field(max_length=MOST_FILES)]


def belonging(home: Home) -> list[Path]:
    """The small files of a home, as paths within it, sorted.

    Raises:
        BackupInvalid: something in it is neither a file nor a directory, or is a key.
    """
    found: list[Path] = []
    for folder, folders, files in os.walk(home.path):
        inside = Path(folder).relative_to(home.path)
        if inside == Path():
            folders[:] = [name for name in folders if name not in _LEFT_OUT and not name.startswith(".")]
            files = [name for name in files if not name.startswith((*_LEFT_OUT, "."))]
        found += [inside / name for name in files]
        for name in (*folders, *files):
            _check_plain(home.path / inside / name)
    if len(found) > MOST_FILES:
        raise BackupInvalid(
            f"{home.path} holds more than {MOST_FILES} files; what is not the party's belongs elsewhere"
        )
    return sorted(found)


def _check_plain(path: Path) -> None:
    status = path.lstat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise BackupInvalid(f"{path} is a link or a device; put the file itself in its place")
    if path.suffix == ".key":
        raise BackupInvalid(f"{path} looks like a private key: it belongs into the key store, or to its person")
    if stat.S_ISREG(status.st_mode) and status.st_size > LARGEST_FILE_BYTES:
        raise BackupInvalid(f"{path} is larger than {LARGEST_FILE_BYTES // 1024**2} MB; it belongs outside the home")


def copy_in(source: Path, target: Path) -> NamedFile:
    """Copy a file owner-only and durable; its name in the manifest is the target's, to be set by the caller.

    Raises:
        OSError.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as given, open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as taken:
        while chunk := given.read(_CHUNK_BYTES):
            taken.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        taken.flush()
        os.fsync(taken.fileno())
    return NamedFile(path=target.name, bytes=size, sha256=digest.hexdigest())


def copy_all(source: Path, target: Path, paths: Iterable[Path]) -> list[NamedFile]:
    """Copy files under the same paths; each as the manifest names it."""
    return [
        copy_in(source / path, target / path).model_copy(update={"path": path.as_posix()}) for path in sorted(paths)
    ]


def name_file(folder: Path, path: str) -> NamedFile:
    """A file that lies in a backup already, as the manifest names it."""
    digest, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as given:
        while chunk := given.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return NamedFile(path=path, bytes=size, sha256=digest.hexdigest())


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write the manifest, last and durable; gives back its own digest in hexadecimal."""
    raw = manifest.encode()
    fresh = folder / f".{MANIFEST}.new"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    os.rename(fresh, folder / MANIFEST)
    sync_directory(folder)
    return hashlib.sha256(raw).hexdigest()


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """The manifest of a backup and its digest.

    Raises:
        BackupInvalid: there is none, or it is none.
    """
    try:
        raw = (folder / MANIFEST).read_bytes()
        return read(Manifest, raw, limit_bytes=MANIFEST_LIMIT_BYTES), hashlib.sha256(raw).hexdigest()
    except OSError as error:
        raise BackupInvalid(f"{folder / MANIFEST} cannot be read ({error.strerror}): is this a backup?") from None
    except Rejected as failure:
        raise BackupInvalid(f"{folder / MANIFEST} is not a manifest ({failure.code}); take another backup") from None


def check_files(folder: Path, manifest: Manifest) -> None:
    """Check that a backup holds exactly what its manifest names.

    Raises:
        BackupInvalid: a file is missing, is another one, or leads out of the folder.
    """
    for named in manifest.files:
        path = Path(named.path)
        if path.is_absolute() or ".." in path.parts:
            raise BackupInvalid("the manifest names a file outside the backup; take another backup")
        try:
            found = name_file(folder, named.path)
        except OSError as error:
            raise BackupInvalid(f"{named.path} of the backup cannot be read ({error.strerror})") from None
        if found != named:
            raise BackupInvalid(f"{named.path} is not what the manifest names; take another backup")
