"""Education on files: the synthetic county's schools."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from agents.runtime.source import PersonName, PersonQuery
from schemas.vocabulary import Category
from tests.contract.records.county_education import (
    CHILD,
    break_concern,
    county,
    dump,
    open_source,
    pupil_of,
    query_for,
    write_schools,
)
from tests.contract.records.rig import SourceRig


def rigs(tmp_path: Path) -> Iterator[SourceRig]:
    """One rig."""
    folder = write_schools(tmp_path)
    break_concern(folder)
    yield SourceRig(
        name="education on files",
        source=open_source(folder),
        known=query_for(county().case(CHILD), pupil_of(CHILD).upn),
        unknown=PersonQuery((PersonName("Nemo", "Nobody"),), date(1950, 1, 2)),
        held=Category.EDU_ATTENDANCE,
        empty=Category.POLICE_MISSING,
        broken=Category.EDU_SAFEGUARDING_FILE,
        take_away=lambda: take_away(folder),
        snapshot=lambda: dump(folder),
    )


def take_away(folder: Path) -> None:
    """The share that the folder is on is gone."""
    folder.rename(folder.with_suffix(".away"))
