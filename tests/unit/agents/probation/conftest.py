"""An export a test may change, and a source on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.probation.records import ProbationSource
from tests.contract.records.county_probation import open_source, write_region


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_region(tmp_path / "region")


@pytest.fixture
def source(folder: Path) -> Iterator[ProbationSource]:
    opened = open_source(folder)
    yield opened
    opened.close()
