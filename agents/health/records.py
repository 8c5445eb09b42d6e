"""The health `RecordSource`: a FHIR R4 bulk export, read only.

Composition: which reader answers which category. Refuses to know who is meant, what may leave and how a resource reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from agents.health import findings_care, findings_events, findings_person, mapping
from agents.health.config import HealthConfig
from agents.health.loading import FILE_NAME, Loader
from agents.health.reading import Holdings, Reader
from agents.health.who import expected_by, linked_to, load_person, protection_of
from agents.runtime.exports.export import Export
from agents.runtime.exports.folder import Folder
from agents.runtime.source import (
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

_READERS: Final[Mapping[Category, Reader]] = {
    Category.PERSON_IDENTITY: findings_person.read_identity,
    Category.PERSON_ADDRESS: findings_person.read_addresses,
    Category.AGENCY_INVOLVEMENT: findings_care.read_agency_involvement,
    Category.HEALTH_REGISTRATION: findings_person.read_registration,
    Category.HEALTH_CPIS: findings_events.read_cpis,
    Category.HEALTH_ED_ATTENDANCE: findings_events.read_emergencies,
    Category.HEALTH_WAS_NOT_BROUGHT: findings_events.read_not_brought,
    **{category: findings_care.team_reader(category) for category in mapping.TEAMS},
    Category.HEALTH_UNIVERSAL: findings_care.read_universal,
    Category.HEALTH_MATERNITY: findings_events.read_maternity,
    Category.HEALTH_FLAG: findings_events.read_flags,
}


class HealthSource:
    """A trust's export. May be used by several threads at once; a new export is taken in whole before the next look."""

    def __init__(self, config: HealthConfig, home: Path, clock: Clock | None = None) -> None:
        """The export is read now, so that no question waits for it; one that is away is read when it is back."""
        self._config: Final = config
        self._clock: Final[Clock] = clock or SystemClock()
        settled_after = timedelta(seconds=config.settle_seconds)
        folder = Folder(home / config.folder, FILE_NAME, settled_after, config.finished_file)
        self._export: Final = Export(folder, Loader(config.patient_labels).learn, self._clock)
        with suppress(SourceAway), self._export.look():
            pass

    def people(self, query: PersonQuery) -> Sequence[LocalPerson]:
        """Everybody who might be meant, the likeliest first; and whoever is expected by one of the mothers.

        Raises:
            SourceAway: the export is away or being replaced, or holds a patient who cannot be found.
        """
        with self._look() as holdings:
            if holdings.index.is_damaged:
                raise SourceAway("a Patient of the export cannot be found: nobody could be called unknown")
            unborn = (child for mother in sorted(query.mothers) for child in expected_by(holdings, mother))
            return (*(load_person(holdings, ref) for ref in holdings.index.search(query)), *unborn)

    def findings(self, person: LocalPerson, category: Category) -> Iterator[Finding | RecordBroken]:
        """All that this patient's resources hold of a category.

        Raises:
            SourceAway: the export is away or being replaced.
        """
        if (reader := _READERS.get(category)) is None:
            return
        with self._look() as holdings:
            found = list(reader(holdings, person))
        yield from found

    def restrictions(self, person: LocalPerson) -> Restrictions:
        """What protects the person just now: labels of the Patient, and active flags.

        Raises:
            SourceAway: the export is away or being replaced.
        """
        with self._look() as holdings:
            return Restrictions(protection_of(holdings, person))

    def linked(self, person: LocalPerson) -> Sequence[LocalPerson]:
        """Contacts of the patient's record, and who has or had an address with them.

        Raises:
            SourceAway: the export is away or being replaced.
        """
        with self._look() as holdings:
            return tuple(linked_to(holdings, person))

    def check(self) -> SourceReport:
        """Count what can be read. Files are opened for reading alone, so writing is impossible by the kind of source.

        Raises:
            SourceAway: the export is away or being replaced.
        """
        with self._look() as holdings:
            index = holdings.index
            return SourceReport("FHIR R4 bulk export", True, dict(index.counts), tuple(index.problems))

    def close(self) -> None:
        """Let go of what was read."""
        self._export.forget()

    @contextmanager
    def _look(self) -> Iterator[Holdings]:
        with self._export.look() as look:
            yield Holdings(look.learnt, look.files, self._config, self._today())

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now() / 1000, UTC).date()
