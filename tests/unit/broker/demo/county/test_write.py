"""What is written: each agency's own records, the same each time, and nothing of another's."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from broker.demo.county import County, build_county, write_county
from broker.demo.county.education import write_education
from broker.demo.county.health import write_health
from broker.demo.county.police import write_police
from broker.demo.county.probation import write_probation

AGENCIES = ("education", "health", "police", "probation")


def _files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_each_agency_has_a_folder_and_nothing_lies_beside_them(written: Path) -> None:
    assert tuple(sorted(path.name for path in written.iterdir())) == AGENCIES
    assert all(path.suffix in {".sqlite3", ".ndjson", ".csv", ".xml", ".json"} for path in written.rglob("*.*"))


def test_writing_the_same_county_again_gives_the_same_bytes(written: Path, county: County, tmp_path: Path) -> None:
    write_county(build_county(seed=7, people=1_200), tmp_path)
    assert _files(tmp_path) == _files(written)


@pytest.mark.parametrize("write", [write_police, write_health, write_education, write_probation])
def test_records_that_are_there_are_never_written_over(
    write: Callable[[County, Path], None], county: County, tmp_path: Path
) -> None:
    small = build_county(1, 60)
    write(small, tmp_path)
    before = _files(tmp_path)
    with pytest.raises(FileExistsError):
        write(small, tmp_path)
    assert _files(tmp_path) == before


def test_no_file_tells_the_countys_own_numbers(written: Path, county: County) -> None:
    for name, content in _files(written).items():
        assert not re.search(rb"\b[PH]\d{6}\b", content), name


def test_no_agency_holds_another_agencys_numbers(written: Path, county: County) -> None:
    numbers = {
        "health": {p.nhs_number for p in county.people.values() if p.nhs_number},
        "education": {p.upn for p in county.people.values() if p.upn},
    }
    for owner, own in numbers.items():
        for agency in AGENCIES:
            everything = b"\n".join(_files(written / agency).values()).decode("utf-8", errors="replace")
            seen = {number for number in own if number in everything}
            assert bool(seen) == (agency == owner), (owner, agency)


def test_the_smallest_county_on_another_day_can_be_written(tmp_path: Path) -> None:
    write_county(build_county(5, 60, date(2025, 2, 28)), tmp_path)
    assert len(_files(tmp_path)) > 20
