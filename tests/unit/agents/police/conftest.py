"""A force's database a test may change, and a source on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.police.records import PoliceSource
from tests.contract.records.county_police import open_source, write_force


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return write_force(tmp_path)


@pytest.fixture
def source(database: Path) -> Iterator[PoliceSource]:
    opened = open_source(database)
    yield opened
    opened.close()
