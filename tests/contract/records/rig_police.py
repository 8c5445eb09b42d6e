"""The police on SQLite: the synthetic county's force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from agents.runtime.source import PersonName, PersonQuery
from schemas.identifiers import IdentifierKind
from schemas.vocabulary import Category
from tests.contract.records.county_police import (
    BREAK_ASSESSMENT,
    STEPFATHER,
    alter,
    county,
    dump,
    nominals_of,
    open_source,
    pnc_of,
    query_for,
    write_force,
)
from tests.contract.records.rig import SourceRig


def rigs(tmp_path: Path) -> Iterator[SourceRig]:
    """One rig."""
    database = write_force(tmp_path)
    alter(database, BREAK_ASSESSMENT)
    stepfather = county().case(STEPFATHER)
    known = query_for(stepfather, numbers={IdentifierKind.PNC: pnc_of(nominals_of(STEPFATHER)[0])})
    yield SourceRig(
        name="police on SQLite",
        source=open_source(database),
        known=known,
        unknown=PersonQuery((PersonName("Nemo", "Nobody"),), date(1950, 1, 2)),
        held=Category.POLICE_INCIDENT,
        empty=Category.POLICE_MISSING,
        broken=Category.POLICE_DA,
        take_away=lambda: take_away(database),
        snapshot=lambda: dump(database),
    )


def take_away(database: Path) -> None:
    """The share that the file is on is gone."""
    database.rename(database.with_suffix(".away"))
