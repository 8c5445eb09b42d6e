"""Schools' files a test may change, and a source on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.education.records import EducationSource
from tests.contract.records.county_education import open_source, write_schools


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_schools(tmp_path)


@pytest.fixture
def source(folder: Path) -> Iterator[EducationSource]:
    opened = open_source(folder)
    yield opened
    opened.close()
