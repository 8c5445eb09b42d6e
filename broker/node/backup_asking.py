"""What the commands `backup` and `restore` do, for every party alike: plain values in, lines for a person out.

The backup itself is made by the running program; keys are read beside it; a restore needs it stopped, and says what to
do next.
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from broker.node.backup_files import BackupInvalid
from broker.node.backup_keys import back_up_keys, open_keys
from broker.node.backup_restore import restore
from broker.node.command_client import CommandClient
from broker.node.home import Home
from schemas.messages.party import PartyKind

BACKUP_WITHIN: Final = timedelta(hours=2)
"""A store of a hundred gigabytes on a slow disk."""


class KeysNotAsked(BackupInvalid):
    """A key backup and its passphrase are named together or not at all."""

    code = "keys_not_asked"


@dataclass(frozen=True, slots=True)
class KeyBackup:
    """A key backup's file, and the file with its passphrase."""

    file: Path
    passphrase: Path

    @classmethod
    def of(cls, file: Path | None, passphrase: Path | None) -> KeyBackup | None:
        """Both or neither.

        Raises:
            KeysNotAsked.
        """
        if file is None and passphrase is None:
            return None
        if file is None or passphrase is None:
            raise KeysNotAsked("--keys and --passphrase-file are named together")
        return cls(file, passphrase)


def back_up_party(home: Home, folder: Path | None, keys: KeyBackup | None) -> list[str]:
    """Have the running program make a backup, and write its keys apart.

    Raises:
        NotRunning, CommandFailed, BackupInvalid and what reading the key store raises.
    """
    if folder is None and keys is None:
        raise BackupInvalid("name a folder for the backup, a file for the keys, or both")
    lines = []
    if folder is not None:
        made = CommandClient(home.socket_path, timeout=BACKUP_WITHIN).ask("backup", {"folder": str(folder.absolute())})
        log = "" if made["log_size"] is None else f", log of {made['log_size']} entries"
        lines += [
            f"backed up {made['party']}: {made['files']} files, {made['bytes']} bytes{log}",
            f"manifest  {made['manifest']}",
            "its key store is not in it: back that up apart with --keys",
        ]
    if keys is not None:
        purposes = back_up_keys(home, keys.file, keys.passphrase, now=_now())
        lines += [
            f"keys      {len(purposes)} sealed in {keys.file}",
            "keep it, its passphrase and the other backups in three places",
        ]
    return lines


def restore_party(
    home: Home,
    source: Path,
    keys: KeyBackup | None,
    *,
    kinds: tuple[PartyKind, ...],
    manifest: str | None = None,
    lock_copy: Path | None = None,
) -> list[str]:
    """Put a backup or a second copy into an empty home, and keys into its key store.

    Raises:
        BackupInvalid, FollowLost, KeyExists: the text says what to do; the home stays empty, but for keys.
    """
    _check_stopped(home)
    if keys is not None:
        opened = open_keys(keys.file, keys.passphrase)
        if opened.party_kind not in kinds:
            raise BackupInvalid(f"these are the keys of a {opened.party_kind.value}, {opened.party}")
        home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened.put_into(home.path / "keys", _config_in(source))
    done = restore(home, source, now=_now(), kinds=kinds, expected=manifest, lock_copy=lock_copy)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(done.manifest.made_at / 1000))
    lines = [f"restored {done.manifest.party} into {home.path}"]
    if done.is_followed:
        torn = f"; {done.torn_bytes} bytes of a commit that nobody was told of are left out" if done.torn_bytes else ""
        lines.append(f"from its second copy, with {done.groups} commits since that began{torn}")
    else:
        lines.append(f"to the state of {at}Z; what was committed after it is lost here")
    if done.log is not None:
        lines.append(f"log       {done.log.size} entries")
    lines.append(f"epoch     {done.epoch}: its peers will send again what it lost")
    if not (home.path / "keys").exists():
        lines.append("it has NO KEY STORE: put the one that survived into its place, or its key backup with --keys")
    lines.append("next: run it; it acts on nothing before it has caught up; doctor says what it waits for")
    return lines


def _config_in(source: Path) -> Path:
    plain = source / "config.toml"
    return plain if plain.exists() else source / "files" / "config.toml"


def _check_stopped(home: Home) -> None:
    """Refuse while a program holds the store of that home.

    Raises:
        BackupInvalid.
    """
    claimed = home.store_path.with_name(home.store_path.name + ".inuse")
    if not claimed.exists():
        return
    descriptor = os.open(claimed, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BackupInvalid(f"a program runs from {home.path}; stop it first") from None
    finally:
        os.close(descriptor)


def _now() -> int:
    return time.time_ns() // 1_000_000
