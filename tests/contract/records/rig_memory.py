"""The reference source, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path

from agents.runtime.source import Finding, LocalPerson, PersonName, PersonQuery, RecordBroken
from schemas.identifiers import IdentifierKind, parse_identifier
from schemas.records.police import Incident, Missing
from schemas.vocabulary import Category
from tests.contract.records.rig import SourceRig
from tests.support.source import MemorySource

_NUMBER = parse_identifier(IdentifierKind.NHS_NUMBER, "9691292211")


def rigs(_: Path) -> Iterator[SourceRig]:
    """One rig."""
    name, born = PersonName("Octavia", "Chislett"), date(2008, 9, 20)
    person = LocalPerson("P1", (name,), (born,), identifiers=frozenset({_NUMBER}))
    source = MemorySource(
        [person],
        {
            "P1": [
                Finding(Category.POLICE_INCIDENT, Incident(date="2024-03-01"), date(2024, 3, 1), local_ref="I1"),
                Finding(Category.POLICE_MISSING, Missing(), local_ref="M1"),
                RecordBroken(Category.POLICE_MISSING, "M2", "LastMissing"),
            ]
        },
    )

    def take_away() -> None:
        source.is_away = True

    yield SourceRig(
        name="memory",
        source=source,
        known=PersonQuery((name,), born, identifiers=frozenset({_NUMBER})),
        unknown=PersonQuery((PersonName("Nemo", "Nobody"),), date(1950, 1, 2)),
        held=Category.POLICE_INCIDENT,
        empty=Category.POLICE_NOTICE,
        broken=Category.POLICE_MISSING,
        take_away=take_away,
        snapshot=lambda: deepcopy((source.persons, [list(map(id, held)) for held in source.held.values()])),
    )
