"""Worlds that nobody who asks may tell apart: nobody is held, nothing is held, and three in which a rule is silent."""

from __future__ import annotations

from agents.runtime.source import Finding, Label, LocalPerson, Restrictions
from schemas.records.police import Incident
from schemas.vocabulary import Category
from tests.support.source import MemorySource
from tests.unit.agents.runtime.hub import OFFICER

CASES = 5
INTERVAL = 2_000
"""How far apart the instants are at which an answer leaves, milliseconds."""


def hold(source: MemorySource, child: LocalPerson, case: int, records: int = 90) -> None:
    """One of the worlds; in the second a rule is silent about so many records of 400 bytes, and not about the child."""
    silent = Finding(
        Category.POLICE_INCIDENT,
        Incident(date="2026-01-01", summary_text="Long ago. " * 40),
        labels=frozenset({Label.GENDER_RECOGNITION}),
        local_ref="I",
    )
    source.persons[:] = [] if case == 0 else [child]
    source.held["POLE-1"] = [silent] * (records if case == 1 else 0)
    conflicts = frozenset({OFFICER.party.id} if case == 2 else ())
    source.protected["POLE-1"] = Restrictions(frozenset({Label.ADOPTED} if case == 3 else ()), None, conflicts)
