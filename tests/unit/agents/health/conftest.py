"""A trust's export a test may change, and a source on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.health.records import HealthSource
from tests.contract.records.county_health import open_source, write_trust


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_trust(tmp_path)


@pytest.fixture
def source(folder: Path) -> Iterator[HealthSource]:
    opened = open_source(folder)
    yield opened
    opened.close()
