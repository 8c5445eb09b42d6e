"""The tours of README.md, typed exactly as they stand there, and what its table points to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.journeys.commands.transcript import Terminal

ROOT: Final = Path(__file__).parents[3]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
_CONSOLE: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH: Final = re.compile(r"`([a-z]+/[a-zA-Z0-9_./*-]*)`")
_TARGET: Final = re.compile(r"^make ([a-z]+) ", re.MULTILINE)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    at = Terminal(tmp_path)
    try:
        yield at
    finally:
        at.stop()


def test_the_tours_run_as_they_are_written(terminal: Terminal) -> None:
    tours = _CONSOLE.findall(README)
    assert len(tours) > 5
    for tour in tours:
        terminal.play(tour)


def test_what_the_table_points_to_is_there() -> None:
    table = README[README.index("## Where is") : README.index("## Status")]
    named = _PATH.findall(table)
    assert len(named) > 8
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert _TARGET.findall(README) == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in ("demo", "test"))
