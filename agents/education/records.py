"""The education `RecordSource`: transfer files, registers and safeguarding files, read only.

Composition: which reader answers which category. Refuses to know who is meant, what may leave and how a field reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from agents.education import findings_person, findings_school
from agents.education.config import EducationConfig
from agents.education.loading import FILE_NAME, Loader
from agents.education.pupils import read_contacts, read_person
from agents.education.reading import Holdings, Reader
from agents.education.roll import Roll
from agents.runtime.exports.export import Export
from agents.runtime.exports.folder import Folder
from agents.runtime.exports.household import household
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

_READERS: Final[Mapping[Category, Reader]] = {
    Category.PERSON_IDENTITY: findings_person.read_identity,
    Category.PERSON_ADDRESS: findings_person.read_addresses,
    Category.PERSON_HOUSEHOLD: findings_person.read_household,
    Category.AGENCY_INVOLVEMENT: findings_person.read_involvement,
    Category.EDU_ENROLMENT: findings_school.read_enrolment,
    Category.EDU_ATTENDANCE: findings_school.read_attendance,
    Category.EDU_ATTENDANCE_MARKS: findings_school.read_marks,
    Category.EDU_SEND: findings_school.read_send,
    Category.EDU_SAFEGUARDING_FILE: findings_school.read_safeguarding,
}


class EducationSource:
    """Schools' files. May be used by several threads at once; new files are taken in whole before the next look."""

    def __init__(self, config: EducationConfig, home: Path, clock: Clock | None = None) -> None:
        """The files are read now, so that no question waits for it; files that are away are read when they are back."""
        self._config: Final = config
        settled_after = timedelta(seconds=config.settle_seconds)
        folder = Folder(home / config.folder, FILE_NAME, settled_after, config.finished_file)
        self._export: Final = Export(folder, Loader(config.protected_file).learn, clock or SystemClock())
        with suppress(SourceAway), self._export.look():
            pass

    def people(self, query: PersonQuery) -> Sequence[LocalPerson]:
        """Everybody who might be meant, the likeliest first.

        Raises:
            SourceAway: the files are away or being replaced, or one has pupils who cannot be found.
        """
        with self._export.look() as look:
            if look.learnt.is_damaged:
                raise SourceAway("a transfer file cannot be read whole: nobody could be called unknown")
            return tuple(person for ref in look.learnt.search(query) for person in _people(look.learnt, ref))

    def findings(self, person: LocalPerson, category: Category) -> Iterator[Finding | RecordBroken]:
        """All that the school, and the files under the pupil's number, hold of a category.

        Raises:
            SourceAway: the files are away or being replaced, or the pupil is in them no longer.
        """
        if (reader := _READERS.get(category)) is None:
            return
        found: list[Finding | RecordBroken] = []
        with self._export.look() as look:
            held = list(look.learnt.held(person.ref))
            if not held and person != NOBODY:
                raise SourceAway("the pupil was in the files and is not there now")
            for pupil in held:
                found.extend(reader(Holdings(look.learnt, look.files, self._config, pupil), person))
        yield from found

    def restrictions(self, person: LocalPerson) -> Restrictions:
        """What protects the child just now, by the file of protected children.

        Raises:
            SourceAway: the files are away or being replaced.
        """
        with self._export.look() as look:
            return Restrictions(person.labels | look.learnt.labels(person.ref))

    def linked(self, person: LocalPerson) -> Sequence[LocalPerson]:
        """The pupil's contacts, and the pupils who live where the pupil does: brothers and sisters.

        Raises:
            SourceAway: the files are away or being replaced.
        """
        with self._export.look() as look:
            roll = look.learnt
            contacts = (one for held in roll.held(person.ref) for one in read_contacts(person.ref, held.node))
            neighbours = (one for ref in roll.neighbours(person) for one in _people(roll, ref))
            return (*contacts, *household(person, neighbours))

    def check(self) -> SourceReport:
        """Count what can be read. Files are opened for reading alone, so writing is impossible by the kind of source.

        Raises:
            SourceAway: the files are away or being replaced.
        """
        with self._export.look() as look:
            return SourceReport("school files", True, dict(look.learnt.counts), tuple(look.learnt.problems))

    def close(self) -> None:
        """Let go of what was read."""
        self._export.forget()


def _people(roll: Roll, ref: str) -> Iterator[LocalPerson]:
    for held in roll.held(ref):
        found = read_person(held.school.number, held.node)
        yield replace(found, labels=roll.labels(ref))
        return
