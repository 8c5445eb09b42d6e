"""One small county, and it written once, for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.demo.county import County, build_county, write_county


@pytest.fixture(scope="session")
def county() -> County:
    return build_county(seed=7, people=1_200)


@pytest.fixture(scope="session")
def written(county: County, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("county")
    write_county(county, root)
    return root
