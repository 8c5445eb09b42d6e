"""A world with one agent for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from agents.runtime.source import Finding, LocalPerson, PersonName
from schemas.identifiers import IdentifierKind, parse_identifier
from schemas.messages.request import IdentifierGiven, NameGiven, Subject
from schemas.records.police import Incident, Intelligence
from schemas.vocabulary import Category, SubjectRole
from tests.support.source import MemorySource
from tests.unit.agents.runtime.hub import World

NHS = "9691292211"
BORN = date(2008, 9, 20)


def octavia(ref: str = "a" * 32, role: SubjectRole = SubjectRole.INDEX_CHILD) -> Subject:
    """A child the source below holds."""
    return Subject(
        ref=ref,
        role=role,
        name=NameGiven(given="Octavia", family="Chislett"),
        other_names=[],
        birth_date=BORN.isoformat(),
        identifiers=[IdentifierGiven(kind=IdentifierKind.NHS_NUMBER, value=NHS)],
        addresses=[],
    )


def stranger(ref: str = "b" * 32) -> Subject:
    """Somebody it does not hold."""
    return Subject(
        ref=ref,
        role=SubjectRole.PARENT_CARER,
        name=NameGiven(given="Nemo", family="Nobody"),
        other_names=[],
        birth_date="1980-01-01",
        identifiers=[],
        addresses=[],
    )


@pytest.fixture
def source() -> MemorySource:
    """A child with an incident and a piece of intelligence."""
    child = LocalPerson(
        "POLE-1",
        (PersonName("Octavia", "Chislett"),),
        (BORN,),
        identifiers=frozenset({parse_identifier(IdentifierKind.NHS_NUMBER, NHS)}),
    )
    incident = Incident(date="2026-03-01", type="Domestic incident", summary_text="Words about others.")
    return MemorySource(
        [child],
        {
            "POLE-1": [
                Finding(Category.POLICE_INCIDENT, incident, date(2026, 3, 1), local_ref="INC-1"),
                Finding(Category.POLICE_INTELLIGENCE, Intelligence(date="2026-02-01"), local_ref="INT-1"),
            ]
        },
    )


@pytest.fixture
async def world(tmp_path: Path, source: MemorySource) -> AsyncIterator[World]:
    """The hub and its agent, connected and greeted."""
    world = World(tmp_path, source)
    await world.start()
    yield world
    await world.stop()
