"""The worked example of agents/README.md: its files as they stand there, tried, examined, and held to the contract."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contract.records import test_sources
from tests.contract.records.rig import SourceRig
from tests.journeys.commands.transcript import Terminal

ROOT: Final = Path(__file__).parents[3]
README: Final = (ROOT / "agents/README.md").read_text(encoding="utf-8")
_FILE: Final = re.compile(r"^```[a-z]+ ([a-z_.]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH: Final = re.compile(r"`((?:runtime|police|health|education|probation|tests)/[a-z_./]*)`")
CONTRACT: Final[dict[str, Callable[[SourceRig], None]]] = {
    name: promise for name, promise in vars(test_sources).items() if name.startswith("test_")
}


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files of the example, whose modules can be imported."""
    for name, text in _FILE.findall(README):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("housing", "rig_housing"):
        sys.modules.pop(name, None)


@pytest.fixture
def rig(example: Path, tmp_path: Path) -> Iterator[SourceRig]:
    rigs: Any = importlib.import_module("rig_housing").rigs
    yield from rigs(tmp_path)


@pytest.mark.parametrize("promise", CONTRACT)
def test_the_example_keeps_what_every_source_promises(rig: SourceRig, promise: str) -> None:
    CONTRACT[promise](rig)


def test_the_example_is_tried_and_examined_as_it_is_written(rig: SourceRig, example: Path) -> None:
    terminal = Terminal(example)
    for block in _CONSOLE.findall(README):
        terminal.play(block)


def test_every_file_it_points_to_is_there() -> None:
    named = _PATH.findall(README)
    assert len(named) > 8
    missing = [path for path in named if not (ROOT / "agents" / path).exists() and not (ROOT / path).exists()]
    assert missing == []
