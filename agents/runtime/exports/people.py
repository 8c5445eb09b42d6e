"""Finding whoever might be meant among a million: by identifier, date of birth and family name, in memory.

An SQLite database that is never written anywhere holds the names, dates and numbers, at about a hundred bytes a person,
where Python's own objects would take thousands. Says who might be meant, the likeliest first; who is meant is
`agents.runtime.match`'s. Refuses to know what else is held.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from agents.runtime.candidates import birth_dates, is_named, may_be_misread, shares_a_name
from agents.runtime.names import postcode_key, words_of
from agents.runtime.source import MAX_PEOPLE, LocalPerson, PersonName, PersonQuery
from schemas.identifiers import Identifier, IdentifierKind

TABLES: Final = """
CREATE TABLE name(key TEXT, family TEXT, given TEXT, born TEXT, postcode TEXT, ref TEXT);
CREATE TABLE number(value TEXT, ref TEXT);
"""
INDEXES: Final = """
CREATE INDEX name_key ON name(key);
CREATE INDEX name_born ON name(born);
CREATE INDEX number_value ON number(value);
CREATE INDEX number_ref ON number(ref);
"""


@dataclass(frozen=True, slots=True)
class _Row:
    ref: str = field(repr=False)
    name: PersonName = field(repr=False)
    born: date | None = field(repr=False)
    postcode: str | None = field(repr=False)


class PeopleIndex:
    """People by what they are looked for with. Filled once, then only read; its owner locks the database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database: Final = database
        database.executescript(TABLES)

    def add(self, person: LocalPerson) -> None:
        """Take a person in."""
        postcodes: Iterable[str | None] = {postcode_key(one.postcode) for one in person.addresses} - {""} or {None}
        born: Iterable[str | None] = [day.isoformat() for day in person.birth_dates] or [None]
        self._database.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?, ?)",
            [
                (key, name.family, name.given, day, postcode, person.ref)
                for name in person.names or (PersonName("", ""),)
                for key in _keys(name.family)
                for day in born
                for postcode in postcodes
            ],
        )
        self.add_numbers(person.ref, person.identifiers)

    def add_numbers(self, ref: str, numbers: Iterable[Identifier]) -> None:
        """Further numbers of a person taken in."""
        rows = [(_number(one), ref) for one in numbers]
        self._database.executemany("INSERT INTO number VALUES (?, ?)", rows)

    def finish(self) -> None:
        """Everybody is in."""
        self._database.executescript(INDEXES)

    def search(self, query: PersonQuery) -> list[str]:
        """References of whoever might be meant, the likeliest first.

        More than `MAX_PEOPLE` only where so many could not be told apart; the same name with quite another date of
        birth fills up to that.
        """
        found = dict.fromkeys(self._by_number(_number(one) for one in query.identifiers))
        found |= dict.fromkeys(self._by_birth_date(query))
        near, far = self._by_name(query)
        found |= dict.fromkeys(near)
        theirs = [_number(number) for ref in list(found)[:MAX_PEOPLE] for number in self.numbers_of(ref)]
        found |= dict.fromkeys(self._by_number(theirs))
        for ref in far:
            if len(found) < MAX_PEOPLE:
                found.setdefault(ref)
        return list(found)[: MAX_PEOPLE + 1]

    def numbers_of(self, ref: str) -> frozenset[Identifier]:
        """Every number that was taken in of a person."""
        found = self._database.execute("SELECT value FROM number WHERE ref = ?", (ref,))
        parts = (row[0].partition(" ") for row in found)
        return frozenset(Identifier(IdentifierKind(kind), value) for kind, _, value in parts)

    def _by_number(self, numbers: Iterable[str]) -> Iterator[str]:
        for number in dict.fromkeys(numbers):
            for row in self._database.execute("SELECT ref FROM number WHERE value = ?", (number,)):
                yield row[0]

    def _by_birth_date(self, query: PersonQuery) -> Iterator[str]:
        """Born on the day, or on it with day and month swapped, under a name alike in one part or at the address."""
        for row in self._rows("born", _likeliest_first(query.birth_date)):
            if any(shares_a_name(asked, row.name) for asked in query.names) or _is_at(query, row):
                yield row.ref

    def _by_name(self, query: PersonQuery) -> tuple[list[str], list[str]]:
        """Of the family name and one element more: those whose date of birth may be a slip, and those of another."""
        near: list[str] = []
        far: list[str] = []
        for row in self._rows("key", sorted({key for name in query.names for key in _keys(name.family)} - {""})):
            is_near = may_be_misread(query.birth_date, row.born)
            if any(is_named(asked, row.name) for asked in query.names):
                (near if is_near else far).append(row.ref)
            elif _is_at(query, row):
                far.append(row.ref)
        return near, far

    def _rows(self, column: str, values: Sequence[str]) -> Iterator[_Row]:
        for value in values:
            found = self._database.execute(
                f"SELECT DISTINCT ref, family, given, born, postcode FROM name WHERE {column} = ?",  # noqa: S608
                (value,),
            )
            for ref, family, given, born, postcode in found:
                yield _Row(ref, PersonName(given, family), date.fromisoformat(born) if born else None, postcode)


def _keys(family: str) -> set[str]:
    """A family name joined, and its words; empty where there is none, so that the person is found by birth date."""
    words = words_of(family)
    return {"".join(words), *words}


def _number(identifier: Identifier) -> str:
    return f"{identifier.kind.value} {identifier.value}"


def _likeliest_first(born_on: date | None) -> list[str]:
    return [day.isoformat() for day in sorted(birth_dates(born_on), key=lambda day: day != born_on)]


def _is_at(query: PersonQuery, row: _Row) -> bool:
    return row.postcode is not None and row.postcode in {postcode_key(one.postcode) for one in query.addresses}
