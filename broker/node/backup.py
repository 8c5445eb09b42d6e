"""Backups that the running program makes of itself: one moment in a folder, or a second copy that follows every commit.

A backup holds the store (with the mirror and the logs in it) and the home's small files; never the key store, and not
the lock copy. It is a folder nobody else can read, named whole by a manifest that is written last: without it there is
no backup. What a restore does with it is `backup_restore`.

The second copy is the stronger of the two: a store rebuilt from it has every commit that anybody was told of. It
belongs on a volume that is not lost together with the home's.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from broker.node.backup_aside import set_aside
from broker.node.backup_files import (
    MANIFEST,
    STORE,
    BackupInvalid,
    LogHead,
    Manifest,
    NamedFile,
    belonging,
    copy_all,
    name_file,
    write_manifest,
)
from broker.node.command_arguments import Arguments, read_arguments
from broker.node.commands import Command, CommandMalformed
from broker.node.ground import Ground
from broker.node.log import get_head
from broker.node.owner_only import sync_directory
from broker.node.store.port import Transaction
from schemas.failures import Failure

_log = structlog.get_logger()

FILES_FOLLOW_EVERY: Final = timedelta(seconds=10)
"""How soon a changed configuration or party file is in the second copy: a person who changed it can do so again."""
FILES: Final = "files"
"""Where in a second copy the home's small files lie."""


async def back_up(ground: Ground, folder: Path) -> tuple[Manifest, str]:
    """Make a backup of a running party; gives back its manifest and the manifest's digest.

    Args:
        folder: must not exist; its parent must. It is made owner-only, and is there only once it is whole.

    Raises:
        BackupInvalid: it is there already, cannot be written, or something in the home does not belong there.
        StoreBroken, StoreClosed.
    """
    fresh = folder.with_name(f".{folder.name}.new")
    try:
        await asyncio.to_thread(_make_room, folder, fresh)
        made_at = ground.clock.now()
        await ground.store.copy(fresh / STORE)
        made = await asyncio.to_thread(_fill, ground, fresh, made_at)
        os.rename(fresh, folder)
        await asyncio.to_thread(sync_directory, folder.parent)
    except OSError as error:
        raise BackupInvalid(f"{folder} cannot be written ({error.strerror})") from None
    except sqlite3.Error as error:
        raise BackupInvalid(f"the store cannot be copied ({type(error).__name__}); try again") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    _log.info("backup_made")
    return made


def _make_room(folder: Path, fresh: Path) -> None:
    if folder.exists():
        raise BackupInvalid(f"{folder} exists; name a folder that does not, for example by the date")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)


def _fill(ground: Ground, folder: Path, made_at: int) -> tuple[Manifest, str]:
    """Put everything but the store into a backup; the files a moment after the store, which never needs older ones."""
    epoch, log = read_store(folder / STORE)
    files = copy_all(ground.home.path, folder, belonging(ground.home))
    manifest = _manifest(ground, "moment", made_at, epoch, log, [name_file(folder, STORE), *files])
    return manifest, write_manifest(folder, manifest)


def _manifest(
    ground: Ground, of: str, made_at: int, epoch: str, log: LogHead | None, files: list[NamedFile]
) -> Manifest:
    statement = ground.me.statement
    members = {"hub": statement.hub, "party": statement.party, "party_kind": statement.party_kind, "made_at": made_at}
    return Manifest.model_validate({"of": of, "epoch": epoch, "log": log, "files": files, **members})


def read_store(path: Path) -> tuple[str, LogHead | None]:
    """Epoch and own log's head of a store that is not open anywhere.

    Raises:
        sqlite3.Error.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, with nothing beside it
        tx = Transaction(connection)
        epoch = str(tx.execute("SELECT value FROM epoch").fetchone()[0])
        has_log = tx.execute("SELECT 1 FROM sqlite_schema WHERE name = 'log_head'").fetchone()
        head = get_head(tx) if has_log else None
        return epoch, None if head is None else LogHead(origin=head.origin, size=head.size, root=head.root.hex())
    finally:
        connection.close()


async def follow(ground: Ground, folder: Path) -> None:
    """Keep a second copy in that folder from here on; whole when this returns.

    Raises:
        FollowLost, BackupInvalid: it cannot be kept there. If that happens later, the program halts.
    """
    try:
        await asyncio.to_thread(_check_apart, ground.home.path, folder)
        await asyncio.to_thread(set_aside, folder, ground.post.writer.epoch, ground.me.statement)
    except OSError as error:
        raise BackupInvalid(f"{folder} cannot be made ({error.strerror}); is its volume mounted?") from None
    await ground.store.follow(folder)
    seen = await asyncio.to_thread(_follow_files, ground, folder, None)
    ground.post.spawn(_keep_files(ground, folder, seen))
    _log.info("second_copy_begun")


def _check_apart(home: Path, folder: Path) -> None:
    if not folder.is_absolute():
        raise BackupInvalid(f"backup.follow of config.toml is {folder}; name the folder by its absolute path")
    if folder.resolve().is_relative_to(home.resolve()):
        raise BackupInvalid("the second copy lies in the home itself; name a folder on another volume")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_dev == home.stat().st_dev:
        # It still survives what happens to the files; not what happens to the disk.
        _log.warning("second_copy_on_same_volume")


async def _keep_files(ground: Ground, folder: Path, seen: Mapping[str, tuple[int, int]] | None) -> None:
    every = FILES_FOLLOW_EVERY // timedelta(milliseconds=1)
    while True:
        await ground.clock.sleep_until(ground.clock.now() + every)
        try:
            seen = await asyncio.to_thread(_follow_files, ground, folder, seen)
        except (Failure, OSError) as error:
            # The commits are kept all the same, or the store would have broken: a stale small file is said and no more.
            _log.error("second_copy_files_stale", code=getattr(error, "code", type(error).__name__))


def _follow_files(
    ground: Ground, folder: Path, seen: Mapping[str, tuple[int, int]] | None
) -> Mapping[str, tuple[int, int]]:
    """Copy the small files if one of them changed since it was `seen`."""
    try:
        paths = belonging(ground.home)
        states = {path.as_posix(): (ground.home.path / path).stat() for path in paths}
        now = {path: (state.st_mtime_ns, state.st_size) for path, state in states.items()}
        if now == seen:
            return now
        fresh, place = folder / f".{FILES}.new", folder / FILES
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        files = copy_all(ground.home.path, fresh, paths)
        shutil.rmtree(place, ignore_errors=True)
        # A crash between here and the manifest leaves files without their names: a restore says so, and takes those of
        # another backup. The next start makes them anew.
        (folder / MANIFEST).unlink(missing_ok=True)
        os.rename(fresh, place)
        manifest = _manifest(ground, "every-commit", ground.clock.now(), ground.post.writer.epoch, None, files)
        write_manifest(folder, manifest)
    except OSError as error:
        raise BackupInvalid(f"{folder} cannot be written ({error.strerror})") from None
    return now


class _Folder(Arguments):
    folder: str


def backup_commands(ground: Ground) -> Mapping[str, Command]:
    """What a running program's command socket takes about backups."""

    async def backup(arguments: dict[str, Any]) -> Any:
        """Make a backup in a folder of this machine, named by its absolute path."""
        folder = Path(read_arguments(_Folder, arguments).folder)
        if not folder.is_absolute():
            raise CommandMalformed("a backup goes into a folder, named by its absolute path")
        manifest, digest = await back_up(ground, folder)
        return {
            "party": manifest.party,
            "made_at": manifest.made_at,
            "files": len(manifest.files),
            "bytes": sum(one.bytes for one in manifest.files),
            "log_size": None if manifest.log is None else manifest.log.size,
            "manifest": digest,
        }

    return {"backup": backup}
