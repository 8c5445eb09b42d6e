"""Finding whoever might be meant among a million: by identifier, date of birth, family name and address.

A private SQLite database holds folded names, dates and numbers, in memory while it is small and in an unnamed file
beyond that. Every look is bound values on an index. Says who might be meant, the likeliest first; who is meant is
`agents.runtime.matching`'s. Refuses to know what else is held.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from agents.runtime.matching.candidates import family_keys, folded_named, folded_share, name_letters
from agents.runtime.matching.dates import birth_dates, day_number, misread_days
from agents.runtime.matching.names import FoldedName, fold_name
from agents.runtime.matching.text import postcode_key, words_of
from agents.runtime.source import MAX_PEOPLE, LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.identifiers import Identifier, IdentifierKind

TABLES: Final = """
CREATE TABLE person(id INTEGER PRIMARY KEY, ref TEXT);
CREATE TABLE name(key TEXT, born INTEGER, day INTEGER, family TEXT, given TEXT, person INTEGER);
CREATE TABLE place(postcode TEXT, key TEXT, person INTEGER);
CREATE TABLE number(value TEXT, person INTEGER);
"""
# The first three hold all that a look by name or birth date reads: one stretch of an index, not a page for each person.
INDEXES: Final = """
CREATE INDEX name_key ON name(key, born, family, given, person);
CREATE INDEX name_day ON name(key, day, family, given, person);
CREATE INDEX name_born ON name(born, family, given, person);
CREATE INDEX name_person ON name(person);
CREATE INDEX person_ref ON person(ref);
CREATE INDEX place_postcode ON place(postcode);
CREATE INDEX number_value ON number(value);
CREATE INDEX number_person ON number(person);
"""
_OF_NAME: Final = "SELECT person, family, given FROM name WHERE key = ? AND"
_AT_ONCE: Final = 500
"""Bound values of one statement; SQLite takes at least 999."""


class PeopleIndex:
    """People by what they are looked for with. Filled once, then only read; its owner locks the database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database: Final = database
        database.executescript(TABLES)

    def add(self, person: LocalPerson) -> None:
        """Take a person in."""
        number = self._database.execute("INSERT INTO person(ref) VALUES (?)", (person.ref,)).lastrowid
        names = person.names or (PersonName("", ""),)
        born: Iterable[int | None] = [day_number(day) for day in person.birth_dates] or [None]
        self._database.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    key,
                    day,
                    day and day % 10_000,
                    " ".join(words_of(name.family)),
                    " ".join(words_of(name.given)),
                    number,
                )
                for name in names
                for key in _keys(name.family)
                for day in born
            ],
        )
        postcodes = {postcode_key(one.postcode) for one in person.addresses} - {""}
        self._database.executemany(
            "INSERT INTO place VALUES (?, ?, ?)",
            [
                (postcode, key, number)
                for postcode in postcodes
                for key in {one for name in names for one in _keys(name.family)}
            ],
        )
        self._add_numbers(number, person.identifiers)

    def add_numbers(self, ref: str, numbers: Iterable[Identifier]) -> None:
        """Further numbers of a person taken in."""
        for (person,) in self._database.execute("SELECT id FROM person WHERE ref = ?", (ref,)).fetchall():
            self._add_numbers(person, numbers)

    def finish(self) -> None:
        """Everybody is in."""
        self._database.executescript(INDEXES)

    def search(self, query: PersonQuery) -> list[str]:
        """References of whoever might be meant, the likeliest first.

        More than `MAX_PEOPLE` only where so many could not be told apart; the same name without any date of birth asked
        or held fills up to that.
        """
        names = tuple(fold_name(name) for name in query.names)
        found = dict.fromkeys(self._by_number([_number(one) for one in query.identifiers]))
        found |= dict.fromkeys(self._by_birth_date(query, names))
        found |= dict.fromkeys(self._by_family(query, names))
        found |= dict.fromkeys(self._by_address(query))
        found |= dict.fromkeys(self._by_shared_number(list(found)[:MAX_PEOPLE]))
        undated = self._undated(query, names) if len(found) < MAX_PEOPLE else iter(())
        for person in undated:
            if len(found) < MAX_PEOPLE:
                found.setdefault(person)
        return self._refs(list(found)[: MAX_PEOPLE + 1])

    def at_postcodes(self, addresses: Iterable[PersonAddress]) -> list[str]:
        """References of everybody who has or had an address of the same postcode as one of these."""
        postcodes = sorted({postcode_key(one.postcode) for one in addresses} - {""})[:_AT_ONCE]
        found = self._database.execute(
            "SELECT DISTINCT ref FROM place JOIN person ON place.person = person.id"  # noqa: S608
            f" WHERE postcode IN ({_marks(postcodes)})",
            postcodes,
        )
        return sorted(row[0] for row in found)

    def numbers_of(self, ref: str) -> frozenset[Identifier]:
        """Every number that was taken in of a person."""
        found = self._database.execute(
            "SELECT value FROM number JOIN person ON number.person = person.id WHERE ref = ?", (ref,)
        )
        parts = (row[0].partition(" ") for row in found)
        return frozenset(Identifier(IdentifierKind(kind), value) for kind, _, value in parts)

    def _add_numbers(self, person: int | None, numbers: Iterable[Identifier]) -> None:
        self._database.executemany("INSERT INTO number VALUES (?, ?)", [(_number(one), person) for one in numbers])

    def _refs(self, people: Sequence[int]) -> list[str]:
        if not people:
            return []
        found = dict(self._database.execute(f"SELECT id, ref FROM person WHERE id IN ({_marks(people)})", people))  # noqa: S608
        return list(dict.fromkeys(found[one] for one in people))

    def _by_number(self, numbers: Sequence[str]) -> Iterator[int]:
        if numbers:
            found = self._database.execute(f"SELECT person FROM number WHERE value IN ({_marks(numbers)})", numbers)  # noqa: S608
            yield from (row[0] for row in found)

    def _by_shared_number(self, people: Sequence[int]) -> Iterator[int]:
        """Further records of those found: whoever has a number that one of them has."""
        if people:
            found = self._database.execute(
                "SELECT theirs.person FROM number JOIN number AS theirs ON theirs.value = number.value"  # noqa: S608
                f" WHERE number.person IN ({_marks(people)})",
                people,
            )
            yield from (row[0] for row in found)

    def _by_birth_date(self, query: PersonQuery, names: Sequence[FoldedName]) -> Iterator[int]:
        """Born on the day, or on it with day and month swapped, under a name that agrees in one part."""
        families, givens = name_letters(names)
        days = sorted(birth_dates(query.birth_date), key=lambda day: day != query.birth_date)
        if days and names:
            found = self._database.execute(
                f"SELECT person, family, given FROM name WHERE born IN ({_marks(days)})"  # noqa: S608
                f" AND (substr(family, 1, 1) IN ({_marks(families)}) OR substr(given, 1, 1) IN ({_marks(givens)})"
                " OR instr(family, ' ') OR instr(given, ' '))",
                (*map(day_number, days), *families, *givens),
            )
            for person, name in _rows(found):
                if any(folded_share(asked, name) for asked in names):
                    yield person

    def _by_family(self, query: PersonQuery, names: Sequence[FoldedName]) -> Iterator[int]:
        """Of the name, in both parts, with a date of birth that may be a misreading of the one asked for, or none."""
        if query.birth_date is None:
            return
        misread = misread_days(query.birth_date)
        first, last, yearly = misread.first_of_month, misread.last_of_month, misread.day_of_year
        for key in family_keys(names):
            found = self._database.execute(
                f"{_OF_NAME} born BETWEEN ? AND ? UNION ALL {_OF_NAME} day = ? UNION ALL {_OF_NAME} born IS NULL"
                f" UNION ALL {_OF_NAME} born IN ({_marks(misread.others)})",
                (key, first, last, key, yearly, key, key, *misread.others),
            )
            yield from _named(_rows(found), names)

    def _by_address(self, query: PersonQuery) -> Iterator[int]:
        """At the address, of the family name or the date of birth."""
        keys = set(family_keys([fold_name(name) for name in query.names]))
        for postcode in {postcode_key(one.postcode) for one in query.addresses} - {""}:
            there = self._database.execute("SELECT key, person FROM place WHERE postcode = ?", (postcode,)).fetchall()
            yield from (person for key, person in there if key in keys)
            others = list({person for key, person in there if key not in keys})[:_AT_ONCE]
            if query.birth_date is not None and others:
                found = self._database.execute(
                    f"SELECT person FROM name WHERE person IN ({_marks(others)}) AND born = ?",  # noqa: S608
                    (*others, day_number(query.birth_date)),
                )
                yield from (row[0] for row in found)

    def _undated(self, query: PersonQuery, names: Sequence[FoldedName]) -> Iterator[int]:
        """Of the name, where no date of birth is asked for."""
        if query.birth_date is None:
            for key in family_keys(names):
                found = self._database.execute("SELECT person, family, given FROM name WHERE key = ?", (key,))
                yield from _named(_rows(found), names)


def _named(rows: Iterable[tuple[int, FoldedName]], names: Sequence[FoldedName]) -> Iterator[int]:
    for person, name in rows:
        if any(folded_named(asked, name) for asked in names):
            yield person


def _rows(found: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int, FoldedName]]:
    for person, family, given in found:
        yield person, FoldedName(tuple(given.split()), tuple(family.split()))


def _keys(family: str) -> set[str]:
    """A family name joined, and its words; empty where there is none, so that the person is found by birth date."""
    words = words_of(family)
    return {"".join(words), *words}


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _number(identifier: Identifier) -> str:
    return f"{identifier.kind.value} {identifier.value}"
