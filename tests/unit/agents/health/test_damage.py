"""Files damaged anywhere, at random and again the same: what is told is told, and nobody becomes unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.records.county_health import county, open_source, query_for
from tests.support.damage import read_through_damage


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_away_or_told_and_make_nobody_unknown(folder: Path, seed: int) -> None:
    read_through_damage(folder, open_source, query_for(county().case("family")), seed)
