"""The probation `RecordSource`: a folder of HMPPS resources, read only.

Composition: which reader answers which category. Refuses to know who is meant, what may leave and how a resource reads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from agents.probation import findings_person, findings_risk, findings_sentence
from agents.probation.config import ProbationConfig
from agents.probation.folder import Folder, ResourceBroken
from agents.probation.index import Region
from agents.probation.people import limited_access
from agents.probation.reading import Reader
from agents.runtime.source import (
    NOBODY,
    Finding,
    LocalPerson,
    PersonQuery,
    RecordBroken,
    Restrictions,
    SourceAway,
    SourceReport,
)
from broker.node.clock import Clock, SystemClock
from schemas.vocabulary import Category


class ProbationSource:
    """An export's folder. May be used by several threads at once; files are read again when they change."""

    def __init__(self, config: ProbationConfig, home: Path, clock: Clock | None = None) -> None:
        """Index the people, where the folder can be read already; where not, the first look does."""
        settle = timedelta(seconds=config.settle_seconds)
        self._clock: Final[Clock] = clock or SystemClock()
        self._folder: Final = Folder(home / config.folder, settle, self._clock)
        self._lock: Final = threading.Lock()
        self._indexed: tuple[Mapping[str, Any], Mapping[str, Any], Region] | None = None
        self._readers: Final[Mapping[Category, Reader]] = {
            **findings_person.READERS,
            **findings_sentence.readers(self._today),
            **findings_risk.readers(frozenset(config.untold_registers)),
        }
        try:
            self._index()
        except SourceAway:
            return  # said again by the first look

    def people(self, query: PersonQuery) -> Sequence[LocalPerson]:
        """Everybody who might be meant, the likeliest first.

        Raises:
            SourceAway: the file of persons cannot be read, or does not hold: nobody could be found in it.
        """
        return self._index().search(query)

    def findings(self, person: LocalPerson, category: Category) -> Iterator[Finding | RecordBroken]:
        """All that is held of a category under this CRN.

        Raises:
            SourceAway: the category's file is missing, cannot be read, or is being written.
        """
        if (reader := self._readers.get(category)) is not None:
            yield from reader(self._folder, person.ref)

    def restrictions(self, person: LocalPerson) -> Restrictions:
        """Limited access, as the file of persons says it now.

        Raises:
            SourceAway: the file cannot be read, or does not hold.
            RecordBroken: it does not say whether this person's access is limited.
        """
        persons = self._persons()
        return Restrictions(frozenset() if person == NOBODY else limited_access(person.ref, persons))

    def linked(self, person: LocalPerson) -> Sequence[LocalPerson]:
        """Who has or had an address with the person.

        Raises:
            SourceAway: the file of persons or of addresses cannot be read, or does not hold.
        """
        try:
            self._folder.read("addresses")
        except ResourceBroken as broken:
            raise SourceAway(f"{broken}; without it nobody can say whom a text names") from None
        return self._index().household(person)

    def check(self) -> SourceReport:
        """Read every file. They are opened for reading alone: there is no way to write here that could be refused.

        Raises:
            SourceAway: the folder cannot be read.
        """
        counts, problems = self._folder.look()
        told = list(problems)
        if "persons" in counts and (unreadable := self._index().unreadable):
            told.append(f"{unreadable} entries of persons.json are no objects; nobody can be found by them")
        return SourceReport("folder of HMPPS resources", True, counts, tuple(told))

    def close(self) -> None:
        """Let go of what was read."""
        with self._lock:
            self._indexed = None

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now() / 1000, UTC).date()

    def _persons(self) -> Mapping[str, Any]:
        try:
            return self._folder.read("persons")
        except ResourceBroken as broken:
            raise SourceAway(f"{broken}; nobody can be looked for until it is exported again") from None

    def _index(self) -> Region:
        persons, addresses = self._persons(), self._addresses()
        with self._lock:
            kept = self._indexed
            # The folder gives the very same objects as long as the files have not changed.
            if kept is None or kept[0] is not persons or kept[1] is not addresses:
                kept = self._indexed = persons, addresses, Region(persons, addresses)
            return kept[2]

    def _addresses(self) -> Mapping[str, Any]:
        """Addresses help to find a person; that they cannot be read is for the category of addresses to say."""
        try:
            return self._folder.read("addresses")
        except (SourceAway, ResourceBroken):
            return _NOWHERE


_NOWHERE: Final[Mapping[str, Any]] = {}
