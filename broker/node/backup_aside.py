"""A second copy of another life of the store: it is put aside and never written over.

Whoever restores an older backup and starts the program would otherwise have it begin its second copy anew, over the
only one that has what the backup lacks. Each restore draws a new epoch, and the copy's base holds the one it is of.
Refuses to know what is in a copy; a person deletes what was put aside when nothing is missed.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from broker.node.backup_files import MANIFEST, BackupInvalid, read_manifest
from broker.node.owner_only import sync_directory
from broker.node.store.following import generations
from schemas.messages.party import PartyStatement

_log = structlog.get_logger()

BEFORE: Final = "before-"
"""A folder in that of the second copy, and the epoch of what lies there: a second copy that can be restored."""


def set_aside(folder: Path, epoch: str, statement: PartyStatement) -> Path | None:
    """Put a second copy of another epoch aside; where it lies now, None if there is none.

    Raises:
        BackupInvalid: the folder is the second copy of another party.
        OSError.
    """
    known = generations(folder)
    if not known:
        return None
    _check_own(folder, statement)
    found = _epoch_of(folder / f"{known[-1]:08}.base")
    if found == epoch:
        return None
    aside = folder / f"{BEFORE}{found}"
    aside.mkdir(mode=0o700, exist_ok=True)  # it exists after a crash in here: the rest follows
    # The bases last: as long as one is here the next start goes on with this.
    names = [path.name for path in folder.iterdir() if not path.name.startswith((".", BEFORE))]
    for name in sorted(names, key=lambda name: (name.endswith(".base"), name)):
        os.rename(folder / name, aside / name)
    sync_directory(aside)
    sync_directory(folder)
    _log.warning("second_copy_set_aside")
    return aside


def _check_own(folder: Path, statement: PartyStatement) -> None:
    if not (folder / MANIFEST).exists():
        return  # a crash before it was written: the base tells whose it is by its epoch
    manifest, _ = read_manifest(folder)
    if (manifest.hub, manifest.party) != (statement.hub, statement.party):
        raise BackupInvalid(
            f"{folder} is the second copy of {manifest.party} of {manifest.hub}; give each program a folder of its own"
        )


def _epoch_of(base: Path) -> str:
    """The epoch of the store that a base is a copy of; nothing else has it open, and nothing is written beside it."""
    try:
        with closing(sqlite3.connect(f"{base.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            return str(connection.execute("SELECT value FROM epoch").fetchone()[0])
    except (sqlite3.Error, TypeError):
        raise BackupInvalid(f"{base} is no whole store; move the folder away and keep it") from None
