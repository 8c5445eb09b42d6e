"""Everybody on the schools' rolls, and where what other files say of them lies; in memory, small.

Pupils are held packed, concerns as they are written, marks as places in the register. Held in an SQLite database that
is never written anywhere. Refuses to know what any of it means.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.education.node import Node
from agents.education.tables import Line
from agents.education.transfer import SourceSchool, unpack
from agents.runtime.exports.people import PeopleIndex
from agents.runtime.exports.private import open_private
from agents.runtime.source import Label, LocalPerson, PersonQuery
from schemas.identifiers import IdentifierInvalid, parse_upn

_TABLES: Final = """
CREATE TABLE pupil(ref TEXT, school TEXT, school_name TEXT, packed BLOB);
CREATE TABLE key(key TEXT, ref TEXT, who TEXT);
CREATE TABLE run(key TEXT, line INTEGER, at INTEGER, length INTEGER);
CREATE TABLE concern(key TEXT, line INTEGER, entry TEXT);
CREATE TABLE protection(key TEXT, label TEXT);
CREATE TABLE year(school TEXT, year INTEGER, possible INTEGER, attended INTEGER);
"""
_INDEXES: Final = """
CREATE INDEX pupil_ref ON pupil(ref);
CREATE INDEX key_key ON key(key);
CREATE INDEX key_ref ON key(ref);
CREATE INDEX run_key ON run(key);
CREATE INDEX concern_key ON concern(key);
CREATE INDEX protection_key ON protection(key);
CREATE INDEX year_school ON year(school, year);
"""
ANYBODY: Final = ""
"""Key of a row that does not say whose it is: it may be anybody's."""
PROBLEMS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Run:
    """Rows of the register that follow each other and are of one pupil."""

    line: int
    at_bytes: int
    length_bytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """A pupil on one school's roll."""

    ref: str = field(repr=False)
    school: SourceSchool = field(repr=False)
    node: Node = field(repr=False)
    keys: frozenset[str] = field(repr=False)
    """Numbers other files name the pupil by; none where they would lead to another child too."""


class Roll:
    """All of it. Filled in one thread, then read in any."""

    def __init__(self) -> None:
        self._database: Final = open_private(self, _TABLES)
        self._people: Final = PeopleIndex(self._database)
        self._database.execute("BEGIN")
        self._lock: Final = threading.Lock()
        self._schools: Final[dict[str, Mapping[str, str]]] = {}
        self.counts: Final[Counter[str]] = Counter()
        self.problems: Final[list[str]] = []
        self.is_damaged = False
        """A pupil may be in the files who cannot be found: nobody can be called unknown."""

    def add_problem(self, problem: str) -> None:
        """Take in what a person has to repair."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)

    def add_pupil(self, school: SourceSchool, person: LocalPerson, keys: Iterable[str], packed: bytes) -> None:
        """Take in a pupil of a school."""
        self._database.execute(
            "INSERT INTO pupil VALUES (?, ?, ?, ?)", (person.ref, school.number, school.name, packed)
        )
        given = person.names[0].given.casefold().partition(" ")[0] if person.names else ""
        who = f"{given} {person.birth_dates}"
        self._database.executemany("INSERT INTO key VALUES (?, ?, ?)", [(key, person.ref, who) for key in keys])
        self._people.add(person)

    def add_school(self, number: str, row: Mapping[str, str]) -> None:
        """Take in where a school is and whom to ring there."""
        self._schools.setdefault(number, row)

    def add_year(self, school: str, year: int, possible: int, attended: int) -> None:
        """Take in one pupil's sessions, for the school's average."""
        self._database.execute("INSERT INTO year VALUES (?, ?, ?, ?)", (school, year, possible, attended))

    def add_run(self, key: str, run: Run) -> None:
        """Take in where rows of the register are."""
        self._database.execute("INSERT INTO run VALUES (?, ?, ?, ?)", (key, run.line, run.at_bytes, run.length_bytes))

    def add_concern(self, key: str, line: Line) -> None:
        """Take in a row of the safeguarding file."""
        entry = None if line.values is None else json.dumps(line.values)
        self._database.execute("INSERT INTO concern VALUES (?, ?, ?)", (key, line.number, entry))

    def add_protection(self, key: str, label: Label) -> None:
        """Take in what protects a child."""
        self._database.execute("INSERT INTO protection VALUES (?, ?)", (key, label.value))

    def finish(self) -> Mapping[str, list[str]]:
        """Everything is in. Rows whose number is none and no pupil's are anybody's; such numbers by the table."""
        self._people.finish()
        self._database.executescript(_INDEXES)
        lost: dict[str, list[str]] = {}
        for table in ("run", "concern", "protection"):
            keys = self._all(f"SELECT DISTINCT key FROM {table} WHERE key NOT IN (SELECT key FROM key)")  # noqa: S608
            lost[table] = [key for (key,) in keys if not _holds(key)]
            for key in lost[table]:
                self._database.execute(f"UPDATE {table} SET key = ? WHERE key = ?", (ANYBODY, key))  # noqa: S608
        return lost

    def search(self, query: PersonQuery) -> list[str]:
        """References of the pupils who might be meant."""
        with self._lock:
            return self._people.search(query)

    def neighbours(self, person: LocalPerson) -> list[str]:
        """References of pupils at a postcode of this one's."""
        with self._lock:
            return self._people.at_postcodes(person.addresses)

    def held(self, ref: str) -> Iterator[Held]:
        """The pupil of a reference; two where a school has the very same child twice."""
        rows = self._all("SELECT school, school_name, packed FROM pupil WHERE ref = ?", ref)
        keys = frozenset(key for (key,) in self._all("SELECT key FROM key WHERE ref = ?", ref))
        theirs = frozenset() if any(self._is_shared(key) for key in keys) else keys
        return (Held(ref, SourceSchool(number, name), unpack(packed), theirs) for number, name, packed in rows)

    def school(self, number: str) -> Mapping[str, str]:
        """The row of a school; nothing where the list of schools has none."""
        return self._schools.get(number, {})

    def runs(self, keys: Iterable[str]) -> list[Run]:
        """Where a pupil's rows of the register are."""
        found = (self._all("SELECT line, at, length FROM run WHERE key = ? ORDER BY line", key) for key in sorted(keys))
        return [Run(*row) for rows in found for row in rows]

    def lost_rows(self) -> list[int]:
        """Lines of the register that may be anybody's."""
        return [line for (line,) in self._all("SELECT line FROM run WHERE key = ? ORDER BY line LIMIT 20", ANYBODY)]

    def concerns(self, keys: Iterable[str]) -> list[Line]:
        """A pupil's rows of the safeguarding file, and rows that may be anybody's."""
        found: list[Line] = []
        for key in sorted({*keys, ANYBODY}):
            for line, entry in self._all("SELECT line, entry FROM concern WHERE key = ? ORDER BY line", key):
                found.append(Line(line, None if entry is None or key == ANYBODY else json.loads(entry)))
        return found

    def labels(self, ref: str) -> frozenset[Label]:
        """What protects a pupil, by any of the pupil's numbers."""
        joined = "SELECT DISTINCT label FROM protection JOIN key ON key.key = protection.key WHERE ref = ?"
        return frozenset(Label(label) for (label,) in self._all(joined, ref))

    def year(self, school: str, year: int) -> tuple[int, int]:
        """Sessions possible and attended of all pupils of a school in a year."""
        summed = "SELECT coalesce(sum(possible), 0), coalesce(sum(attended), 0) FROM year WHERE school = ? AND year = ?"
        ((possible, attended),) = self._all(summed, school, year)
        return possible, attended

    def _is_shared(self, key: str) -> bool:
        """Whether two different children have one number: what is filed under it is neither's for certain."""
        ((different,),) = self._all("SELECT count(DISTINCT who) FROM key WHERE key = ?", key)
        return bool(different > 1)

    def _all(self, statement: str, *values: object) -> list[Any]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()


def _holds(key: str) -> bool:
    try:
        parse_upn(key)
    except IdentifierInvalid:
        return False
    return True
