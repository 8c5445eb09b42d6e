"""Where each resource of the export lies and whose it is: file, place and length, never the resource itself.

Held in an SQLite database in memory, at about fifty bytes a resource. Refuses to know what a resource means.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from agents.runtime.exports.people import PeopleIndex
from agents.runtime.exports.private import open_private
from agents.runtime.source import Label, LocalPerson, PersonQuery
from schemas.identifiers import Identifier

_TABLES: Final = """
CREATE TABLE line(kind TEXT, key TEXT, file INTEGER, number INTEGER, at INTEGER, length INTEGER, broken INTEGER);
"""
_INDEX: Final = "CREATE INDEX line_key ON line(kind, key)"
ANYBODY: Final = ""
"""Key of a line that does not say whose it is: it may be anybody's."""
PROBLEMS_MAX: Final = 20
"""Problems told one by one; an export with more is not repaired line by line."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one line is; `line` counts from one."""

    file: str
    line: int
    at_bytes: int
    length_bytes: int
    is_broken: bool = False
    """It could not be read when it was looked over, and is not to be read as anybody's."""


class Index:
    """All lines of an export by kind and key. Filled in one thread, then read in any."""

    def __init__(self) -> None:
        self._database: Final = open_private(self, _TABLES)
        self._people: Final = PeopleIndex(self._database)
        self._database.execute("BEGIN")
        self._lock: Final = threading.Lock()
        self._files: Final[list[str]] = []
        self._sealed: Final[set[str]] = set()
        self._links: Final[list[tuple[str, str]]] = []
        self._linked: Mapping[str, tuple[str, ...]] = {}
        self.counts: Final[Counter[str]] = Counter()
        self.problems: Final[list[str]] = []
        self.is_damaged = False
        """A patient may be in it who cannot be found: nobody can be called unknown."""

    def add_line(self, kind: str, key: str, place: Place) -> None:
        """Take in where a resource of that kind about that key is."""
        if not self._files or self._files[-1] != place.file:
            self._files.append(place.file)
        row = (kind, key, len(self._files) - 1, place.line, place.at_bytes, place.length_bytes)
        self._database.execute("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, place.is_broken))

    def add_person(self, person: LocalPerson, linked: Iterable[str]) -> None:
        """Take in what a patient is looked for with, and which patients are the same person."""
        self._people.add(person)
        self._links.extend((person.ref, other) for other in linked)
        if Label.ADOPTED in person.labels:
            self._sealed.add(person.ref)

    def add_problem(self, problem: str) -> None:
        """Take in what a person has to repair."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)

    def finish(self, about_patients: Iterable[str]) -> None:
        """Everything is in: what links say is followed, but never to or from a sealed record (R18)."""
        self._people.finish()
        self._database.execute(_INDEX)
        self._check_ids()
        for kind in about_patients:
            self._check_patients(kind)
        groups: dict[str, set[str]] = {}
        for one, other in self._links:
            if one != other and not {one, other} & self._sealed:
                joined = groups.get(one, {one}) | groups.get(other, {other})
                groups.update(dict.fromkeys(joined, joined))
        self._linked = {ref: tuple(sorted(group - {ref})) for ref, group in groups.items()}
        theirs = {ref: [self._people.numbers_of(other) for other in others] for ref, others in self._linked.items()}
        for ref, numbers in theirs.items():
            self._people.add_numbers(ref, frozenset[Identifier]().union(*numbers))

    def _check_ids(self) -> None:
        twice = self._database.execute(
            "SELECT file, number FROM line WHERE kind = 'Patient' AND key <> ? GROUP BY key HAVING count(*) > 1",
            (ANYBODY,),
        ).fetchall()
        for file, line in twice:
            self.is_damaged = True
            self.add_problem(f"{self._files[file]}, line {line}: the id of this Patient is there twice")

    def _check_patients(self, kind: str) -> None:
        """A resource of a patient whom the export has not: it, or the patients, are not all there."""
        lost = "kind = ? AND key <> ? AND key NOT IN (SELECT key FROM line WHERE kind = 'Patient')"
        # A broken line's reference may be broken too: whose it is, is then not known.
        self._database.execute(f"UPDATE line SET key = ? WHERE broken AND {lost}", (ANYBODY, kind, ANYBODY))  # noqa: S608
        ((whole,),) = self._database.execute(f"SELECT count(*) FROM line WHERE {lost}", (kind, ANYBODY))  # noqa: S608
        if whole:
            self.is_damaged = True
            self.add_problem(f"{kind}: {whole} are about a Patient who is not in the export")

    def places(self, kind: str, key: str) -> list[Place]:
        """Where the resources of a kind about a key are, and those that may be about anybody."""
        with self._lock:
            found = self._database.execute(
                "SELECT DISTINCT file, number, at, length, broken FROM line WHERE kind = ? AND key IN (?, ?)",
                (kind, key, ANYBODY),
            ).fetchall()
        return [Place(self._files[file], line, at, length, bool(broken)) for file, line, at, length, broken in found]

    def search(self, query: PersonQuery) -> list[str]:
        """References of the patients who might be meant, and of their other records."""
        with self._lock:
            found = self._people.search(query)
        others = (other for ref in found for other in self._linked.get(ref, ()))
        return list(dict.fromkeys([*found, *others]))

    def neighbours(self, person: LocalPerson) -> list[str]:
        """References of patients at a postcode of the person's; never one of their own records."""
        with self._lock:
            found = self._people.at_postcodes(person.addresses)
        return [ref for ref in found if ref != person.ref and ref not in self._linked.get(person.ref, ())]

    def numbers_of(self, ref: str) -> frozenset[Identifier]:
        """Every number that a patient has or had."""
        with self._lock:
            return self._people.numbers_of(ref)
