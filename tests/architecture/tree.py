"""What is committed, read for the tests of this folder. Judges nothing."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("agents", "broker", "schemas")


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file: its dotted name, its text and its syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Whether it is the `__init__` of a package."""
        return self.path.name == "__init__.py"

    @property
    def length_lines(self) -> int:
        """Lines, blank ones and comments included."""
        return len(self.text.splitlines())


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is committed or added and still there, relative to the root."""
    # A clone that belongs to another user is as good as our own for reading names.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file())


@cache
def modules(*tops: str) -> tuple[Module, ...]:
    """The committed modules below these top folders."""
    return tuple(_module(path) for path in tracked() if path.suffix == ".py" and path.parts[0] in tops)


@cache
def project() -> dict[str, Any]:
    """`pyproject.toml`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _module(path: Path) -> Module:
    parts = path.with_suffix("").parts
    text = (ROOT / path).read_text()
    tree = ast.parse(text, filename=str(path), feature_version=(3, 11))
    return Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), path, text, tree)
