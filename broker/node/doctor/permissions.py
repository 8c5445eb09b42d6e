"""The doctor on files: nothing in a party's home can be read or written by another user.

Every file counts, the public ones too: whoever can write `own.party` can put another's key into it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from broker.node.doctor.checked import NotWell
from broker.node.home import Home


def check_permissions(home: Home) -> str:
    """Every file and directory of a home is its one user's alone.

    Raises: NotWell, naming the first that is not and what to run.
    """
    owner = home.path.lstat().st_uid
    count = 0
    for path in _all(home.path):
        count += 1
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise NotWell(f"{path} is a link: nobody can say who writes what it leads to; put the file itself there")
        if status.st_uid != owner:
            raise NotWell(f"{path} belongs to another user than {home.path}; run: chown {owner} {path}")
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise NotWell(f"{path} can be read by others; run: chmod go= {path}")
    _check_above(home.path, owner)
    return f"{home.path}: {count} files and directories, all their owner's only"


def _all(root: Path) -> Iterator[Path]:
    yield root
    for folder, directories, files in os.walk(root, onerror=_unreadable):
        for name in sorted((*directories, *files)):
            yield Path(folder) / name


def _unreadable(error: OSError) -> None:
    raise NotWell(f"{error.filename} cannot be read ({error.strerror}); run the doctor as the user it belongs to")


def _check_above(path: Path, owner: int) -> None:
    """Whoever may write the directory above can put another home in this one's place."""
    above = path.absolute().parent
    status = above.stat()
    is_sticky = bool(status.st_mode & stat.S_ISVTX)
    if stat.S_IMODE(status.st_mode) & 0o022 and not is_sticky:
        raise NotWell(
            f"{above} can be written by others, who could put another {path.name} there; run: chmod go-w {above}"
        )
    if status.st_uid not in {0, owner}:
        raise NotWell(f"{above} belongs to another user, who could put another {path.name} there; run: chown 0 {above}")
