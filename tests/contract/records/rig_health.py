"""Health on FHIR files: the synthetic county's trust."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from agents.runtime.source import PersonName, PersonQuery
from schemas.vocabulary import Category
from tests.contract.records.county_health import (
    CHILD,
    break_missed_clinic,
    county,
    dump,
    open_source,
    query_for,
    write_trust,
)
from tests.contract.records.rig import SourceRig


def rigs(tmp_path: Path) -> Iterator[SourceRig]:
    """One rig."""
    folder = write_trust(tmp_path)
    break_missed_clinic(folder)
    child = county().case(CHILD)
    yield SourceRig(
        name="health on FHIR files",
        source=open_source(folder),
        known=query_for(child, child.nhs_number),
        unknown=PersonQuery((PersonName("Nemo", "Nobody"),), date(1950, 1, 2)),
        held=Category.HEALTH_ED_ATTENDANCE,
        empty=Category.HEALTH_CAMHS,
        broken=Category.HEALTH_WAS_NOT_BROUGHT,
        take_away=lambda: take_away(folder),
        snapshot=lambda: dump(folder),
    )


def take_away(folder: Path) -> None:
    """The share that the folder is on is gone."""
    folder.rename(folder.with_suffix(".away"))
