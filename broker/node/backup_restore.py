"""Putting a backup back: into an empty home, whole or not at all, under a new store epoch.

The order of writes: everything is assembled beside the home and checked there; the store goes in last. A crash before
that leaves a home without a store and no party; after it, a party that was restored. The new epoch is drawn before the
store can be opened by any program, so that none ever goes on under the old one.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.node.backup import FILES, read_store
from broker.node.backup_files import (
    MANIFEST,
    STORE,
    BackupInvalid,
    LogHead,
    Manifest,
    check_files,
    copy_in,
    read_manifest,
)
from broker.node.backup_standing import mark_restored
from broker.node.ground import lock_path
from broker.node.home import Home
from broker.node.log import LockCopy
from broker.node.owner_only import sync_directory
from broker.node.store.following import generations, replay
from schemas.ledger.checkpoint import TreeHead
from schemas.messages.party import PartyKind

_MAY_BE_THERE: Final = {"keys", "run"}
"""What a home may hold when a backup is put into it: a key store that survived, or was restored before."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """What was put back."""

    manifest: Manifest
    is_followed: bool
    groups: int
    """Commits after the second copy's beginning."""
    torn_bytes: int
    epoch: str
    log: LogHead | None


def restore(
    home: Home, source: Path, *, now: int, kinds: tuple[PartyKind, ...], expected: str | None, lock_copy: Path | None
) -> PutBack:
    """Put a backup or a second copy into an empty home.

    Args:
        kinds: what kinds of party belong there.
        expected: the manifest's digest as it was kept elsewhere; None asks for none.
        lock_copy: the lock copy of the party's log, if it survived the home: an older log then does not go on.

    Raises:
        BackupInvalid: the backup does not hold, or the home is not empty; nothing was changed.
        FollowLost: the second copy is damaged.
    """
    manifest, digest = read_manifest(source)
    if expected is not None and digest != expected:
        raise BackupInvalid(f"the manifest's digest is {digest}, not the one that was kept; take another backup")
    if manifest.party_kind not in kinds:
        raise BackupInvalid(f"this is the backup of a {manifest.party_kind.value}; restore it into that party's home")
    _check_empty(home)
    is_followed = bool(generations(source))
    files = source / FILES if is_followed else source
    check_files(files, manifest)
    assembled = home.path.with_name(f".{home.path.name}.restoring")
    try:
        shutil.rmtree(assembled, ignore_errors=True)
        assembled.mkdir(mode=0o700, parents=True)
        for named in manifest.files:
            copy_in(files / named.path, assembled / named.path)
        replayed = replay(source, assembled / STORE) if is_followed else None
        epoch, head = _renew(assembled / STORE, now, manifest.made_at, is_followed=is_followed)
        _put_lock(Home(assembled), head, lock_copy)
        _move_in(assembled, home)
    except OSError as error:
        raise BackupInvalid(f"{home.path} cannot be written ({error.strerror})") from None
    except sqlite3.Error as error:
        raise BackupInvalid(f"the store in the backup does not hold ({error}); take another backup") from None
    finally:
        shutil.rmtree(assembled, ignore_errors=True)
    groups, torn = (0, 0) if replayed is None else (replayed.groups, replayed.torn_bytes)
    return PutBack(manifest, is_followed, groups, torn, epoch, head)


def _check_empty(home: Home) -> None:
    if not home.path.exists():
        return
    there = {path.name for path in home.path.iterdir()} - _MAY_BE_THERE
    if there:
        raise BackupInvalid(
            f"{home.path} is not empty ({sorted(there)[0]}): a backup goes into an empty home, in which at most its key"
            " store lies; move what is there away, and keep it"
        )


def _renew(store: Path, now: int, made_at: int, *, is_followed: bool) -> tuple[str, LogHead | None]:
    _, head = read_store(store)
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise BackupInvalid("the store in the backup is damaged; take another backup")
        connection.execute("BEGIN IMMEDIATE")
        epoch = mark_restored(connection, now, made_at, is_followed=is_followed)
        connection.execute("COMMIT")
    return epoch, head


def _put_lock(home: Home, head: LogHead | None, lock_copy: Path | None) -> None:
    """The lock copy that survived, or one that remembers no more than the backup does: then the peers tell."""
    if head is None:
        return
    if lock_copy is None:
        LockCopy(lock_path(home)).create(TreeHead(head.origin, head.size, bytes.fromhex(head.root)))
        return
    survived = LockCopy(lock_copy).read()
    if survived is None:
        raise BackupInvalid(f"{lock_copy} is no lock copy; restore without it, and the peers' heads will tell")
    if survived.size > head.size:
        raise BackupInvalid(
            f"the lock copy remembers {survived.size} entries and the backup has {head.size}: it is"
            f" {survived.size - head.size} behind; restore the second copy, or a newer backup"
        )
    copy_in(lock_copy, lock_path(home))


def _move_in(assembled: Path, home: Home) -> None:
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.path.chmod(0o700)  # a person may have made the empty home
    (home.path / "run").mkdir(mode=0o700, exist_ok=True)
    (home.path / "parties").mkdir(mode=0o700, exist_ok=True) if not (assembled / "parties").exists() else None
    names = sorted(path.name for path in assembled.iterdir() if path.name not in (STORE, MANIFEST))
    for name in (*names, STORE):  # the store last: without it there is no party
        os.rename(assembled / name, home.path / name)
    sync_directory(home.path)
