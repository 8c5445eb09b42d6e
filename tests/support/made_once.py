"""What many tests begin with is made once in a session and copied for each: keys, files, whatever lies on disk."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_made: dict[Hashable, tuple[Path, Any]] = {}


def made_once(likeness: Hashable, folder: Path, make: Callable[[Path], T]) -> T:
    """Have in `folder` what `make` makes in a folder, and give back what it gave back the first time.

    Args:
        likeness: what it depends on; what is alike is made once.
        make: writes files, and leaves nothing open or running.
    """
    if likeness not in _made:
        first = Path(tempfile.mkdtemp(prefix="made-once-"))
        atexit.register(shutil.rmtree, first, ignore_errors=True)
        _made[likeness] = first, make(first)
    first, given = _made[likeness]
    shutil.copytree(first, folder, dirs_exist_ok=True)
    result: T = given
    return result
