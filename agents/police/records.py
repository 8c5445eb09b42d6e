"""The police `RecordSource`: a POLE database, read only.

Composition: which reader answers which category. Refuses to know who is meant, what may leave and how a row reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from agents.police import findings_events, findings_involvement, findings_person, findings_risk
from agents.police.config import PoliceConfig
from agents.police.database import Database
from agents.police.people import REFS_MAX, linked_refs, load_labels, load_people
from agents.police.reading import Reader
from agents.police.search import search
from agents.runtime.source import (
    Finding,
    LocalPerson,
    PersonQuery,
    RecordBroken,
    Restrictions,
    SourceReport,
)
from broker.node.clock import Clock, SystemClock
from schemas.vocabulary import Category


class PoliceSource:
    """A force's database. May be used by several threads at once; every look is a connection of its own."""

    def __init__(self, config: PoliceConfig, home: Path, clock: Clock | None = None) -> None:
        """Raises `PoliceConfigInvalid` where the section cannot be used; the database is not looked at yet."""
        self._config: Final = config
        self._clock: Final[Clock] = clock or SystemClock()
        self._database: Final = Database(config, home)
        self._readers: Final[Mapping[Category, Reader]] = {
            Category.PERSON_IDENTITY: findings_person.read_identity,
            Category.PERSON_ADDRESS: findings_person.read_addresses,
            Category.AGENCY_INVOLVEMENT: lambda connection, ref: findings_involvement.read_agency_involvement(
                connection, ref, config.open_outcomes, config.duty_contact
            ),
            Category.POLICE_INVOLVEMENT: lambda connection, ref: findings_involvement.read_involvement(
                connection, ref, self._today(), config.marker_labels
            ),
            Category.POLICE_MISSING: findings_events.read_missing,
            Category.POLICE_PROTECTION: findings_events.read_protection,
            Category.POLICE_EXPLOITATION_RISK: findings_risk.read_exploitation,
            Category.POLICE_NOTICE: findings_events.read_notices,
            Category.POLICE_INCIDENT: findings_events.read_incidents,
            Category.POLICE_DA: findings_events.read_domestic_abuse,
            Category.POLICE_CUSTODY_PNC: lambda connection, ref: findings_risk.read_custody_and_pnc(
                connection, ref, self._today(), config.marker_labels
            ),
            Category.POLICE_INTELLIGENCE: findings_risk.read_intelligence,
        }

    def people(self, query: PersonQuery) -> Sequence[LocalPerson]:
        """Everybody who might be meant, the likeliest first.

        Raises:
            SourceAway: the database is away, locked or slow.
        """
        with self._database.look() as connection:
            refs = search(connection, query)
            return load_people(connection, refs, self._config.marker_labels, self._today())

    def findings(self, person: LocalPerson, category: Category) -> Iterator[Finding | RecordBroken]:
        """All that this nominal holds of a category.

        Raises:
            SourceAway: the database is away, locked or slow.
        """
        if (reader := self._readers.get(category)) is None:
            return
        with self._database.look() as connection:
            found = list(reader(connection, person.ref))
        yield from found

    def restrictions(self, person: LocalPerson) -> Restrictions:
        """What protects the person just now, by markers and safe addresses.

        Raises:
            SourceAway: the database is away, locked or slow.
        """
        with self._database.look() as connection:
            labels = load_labels(connection, [person.ref], self._config.marker_labels, self._today())
        return Restrictions(labels[person.ref])

    def linked(self, person: LocalPerson) -> Sequence[LocalPerson]:
        """Whom events and addresses link to the person.

        Raises:
            SourceAway: the database is away, locked or slow.
        """
        with self._database.look() as connection:
            refs = linked_refs(connection, person.ref)
            return [
                one
                for first in range(0, len(refs), REFS_MAX)
                for one in load_people(
                    connection, refs[first : first + REFS_MAX], self._config.marker_labels, self._today()
                )
            ]

    def check(self) -> SourceReport:
        """Count what can be read and try to write.

        Raises:
            SourceAway: the database is away, locked or slow.
        """
        counts = self._database.counts()
        refusal = self._database.probe()
        return SourceReport(self._database.system, refusal.is_refused, counts, refusal.problems)

    def close(self) -> None:
        """Let go of connections."""
        self._database.close()

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now() / 1000, UTC).date()
