"""The agency's case system, in memory. Imports nothing of the hub, since an agent's size is measured with it."""

from __future__ import annotations

from datetime import date
from typing import Final

from agents.runtime.source import Finding, LocalPerson, PersonName, RecordBroken
from schemas.identifiers import IdentifierKind, parse_identifier
from schemas.records.police import Grade, Involvement, Missing
from schemas.vocabulary import Category
from tests.support.source import MemorySource

CHILD_NHS: Final = "9691292211"
CHILD_BORN: Final = date(2008, 9, 20)


def source() -> MemorySource:
    """A case system that holds the child: one missing episode, and that services know her; not the mother."""
    child = LocalPerson(
        "POLE-1",
        (PersonName("Octavia", "Chislett"),),
        (CHILD_BORN,),
        identifiers=frozenset({parse_identifier(IdentifierKind.NHS_NUMBER, CHILD_NHS)}),
    )
    missing = Missing(Date="2026-03-04", ReturnedOn="2026-03-05", RiskGrade=Grade.HIGH)
    involvement = Involvement(ServicesKnownTo=("CAIU",), lastContactOn="2026-03-05")
    held: list[Finding | RecordBroken] = [
        Finding(Category.POLICE_MISSING, missing, date(2026, 3, 4), local_ref="MIS-1"),
        Finding(Category.POLICE_INVOLVEMENT, involvement, date(2026, 3, 5), local_ref="INV-1"),
    ]
    return MemorySource([child], {"POLE-1": held})
