"""A `RecordSource` in memory: people and findings by hand, and faults to order."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agents.runtime.matching.candidates import might_be
from agents.runtime.source import (
    Finding,
    LocalPerson,
    PersonQuery,
    RecordBroken,
    Restrictions,
    SourceAway,
    SourceReport,
)
from schemas.vocabulary import Category


@dataclass
class MemorySource:
    """People and what is held about them, by local reference. Set `is_away` or `hold` to make it fail or hang."""

    persons: list[LocalPerson] = field(default_factory=list)
    held: dict[str, list[Finding | RecordBroken]] = field(default_factory=dict)
    protected: dict[str, Restrictions] = field(default_factory=dict)
    links: dict[str, list[LocalPerson]] = field(default_factory=dict)
    is_away: bool = False
    restrictions_fail: bool = False
    hold: threading.Event | None = None
    """When set to an event, every look waits for it: a source that hangs."""
    calls: int = 0
    is_closed: bool = False

    def people(self, query: PersonQuery) -> Sequence[LocalPerson]:
        """Everybody who might be meant."""
        self._look()
        return tuple(person for person in self.persons if might_be(query, person))

    def findings(self, person: LocalPerson, category: Category) -> Iterator[Finding | RecordBroken]:
        """What is held."""
        self._look()
        yield from (one for one in self.held.get(person.ref, ()) if one.category is category)

    def restrictions(self, person: LocalPerson) -> Restrictions:
        """What protects the person."""
        self._look()
        if self.restrictions_fail:
            raise SourceAway("the restriction look-up is away")
        return self.protected.get(person.ref, Restrictions())

    def linked(self, person: LocalPerson) -> Sequence[LocalPerson]:
        """Whom the system links to them."""
        self._look()
        return self.links.get(person.ref, [])

    def check(self) -> SourceReport:
        """Always in order, unless away."""
        self._look()
        held = sum(len(records) for records in self.held.values())
        return SourceReport("memory", True, {"people": len(self.persons), "records": held})

    def close(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True

    def _look(self) -> None:
        self.calls += 1
        if self.hold is not None:
            self.hold.wait()
        if self.is_away:
            raise SourceAway("the case system does not answer")
