"""Probation: the synthetic county's export of HMPPS resources."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from agents.runtime.source import PersonName, PersonQuery
from schemas.identifiers import IdentifierKind
from schemas.vocabulary import Category
from tests.contract.records.county_police import STEPFATHER, county, query_for
from tests.contract.records.county_probation import crn_of, edit, open_source, write_region
from tests.contract.records.rig import SourceRig


def rigs(tmp_path: Path) -> Iterator[SourceRig]:
    """One rig."""
    folder = write_region(tmp_path / "region")
    crn = crn_of(STEPFATHER)
    edit(folder, "sentences", lambda held: held[crn][0].update(dateOfSentencing="soon"))
    yield SourceRig(
        name="probation's folder",
        source=open_source(folder),
        known=query_for(county().case(STEPFATHER), numbers={IdentifierKind.CRN: crn}),
        unknown=PersonQuery((PersonName("Nemo", "Nobody"),), date(1950, 1, 2)),
        held=Category.PROBATION_LICENCE,
        empty=Category.PROBATION_STATUS,
        broken=Category.PROBATION_SENTENCE,
        take_away=lambda: take_away(folder),
        snapshot=lambda: {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in sorted(folder.iterdir())},
    )


def take_away(folder: Path) -> None:
    """The share that the folder is on is gone."""
    folder.rename(folder.with_name("away"))
