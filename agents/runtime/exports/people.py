"""Finding whoever might be meant among a million: by identifier, date of birth, family name and address.

A private SQLite database holds folded names, dates and numbers, in memory while it is small and in an unnamed file
beyond that. Every look is bound values on an index. Says who might be meant, the likeliest first; who is meant is
`agents.runtime.matching`'s. Refuses to know what else is held.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from agents.runtime.exports.looks import BY_BIRTH, BY_NAME, BY_NUMBER, BY_PLACE, look_for
from agents.runtime.matching.candidates import family_keys, name_letters
from agents.runtime.matching.dates import day_number
from agents.runtime.matching.names import FoldedName, fold_name
from agents.runtime.matching.sought import SoughtName
from agents.runtime.matching.text import postcode_key
from agents.runtime.matching.weights import shipped_weights
from agents.runtime.source import MAX_PEOPLE, LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.identifiers import Identifier, IdentifierKind

TABLES: Final = """
CREATE TABLE person(id INTEGER PRIMARY KEY, ref TEXT);
CREATE TABLE name(key TEXT, born INTEGER, day INTEGER, letters INTEGER, family TEXT, given TEXT, person INTEGER);
CREATE TABLE place(postcode TEXT, key TEXT, born INTEGER, person INTEGER);
CREATE TABLE number(value TEXT, person INTEGER);
"""
# Every index holds all that a look reads: one stretch of it, not a page for each person.
INDEXES: Final = """
CREATE INDEX name_key ON name(key, born, family, given, person);
CREATE INDEX name_day ON name(key, day, family, given, person);
CREATE INDEX name_born ON name(born, letters, family, given, person);
CREATE INDEX person_ref ON person(ref);
CREATE INDEX place_postcode ON place(postcode, key, born, person);
CREATE INDEX number_value ON number(value, person);
CREATE INDEX number_person ON number(person, value);
"""
_NAMED: Final = "SELECT person, family, given FROM name WHERE"
_LETTERS: Final = 26
_EVERY_LETTER: Final = -1
_AT_ONCE: Final = 500
"""Bound values of one statement (SQLite takes at least 999), and rows of a look that may be cut short."""


class PeopleIndex:
    """People by what they are looked for with. Filled once, then only read; its owner locks the database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database: Final = database
        database.executescript(TABLES)

    def add(self, person: LocalPerson) -> None:
        """Take a person in."""
        number = self._database.execute("INSERT INTO person(ref) VALUES (?)", (person.ref,)).lastrowid
        names = [fold_name(name) for name in person.names or (PersonName("", ""),)]
        born: Iterable[int | None] = [day_number(day) for day in person.birth_dates] or [None]
        self._database.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    key,
                    day,
                    day and day % 10_000,
                    _letters_of(name),
                    " ".join(name.family),
                    " ".join(name.given),
                    number,
                )
                for name in names
                for key in _keys(name)
                for day in born
            ],
        )
        postcodes = {postcode_key(one.postcode) for one in person.addresses} - {""}
        self._database.executemany(
            "INSERT INTO place VALUES (?, ?, ?, ?)",
            [
                (postcode, key, day, number)
                for postcode in postcodes
                for key in {one for name in names for one in _keys(name)}
                for day in born
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
        names = [fold_name(name) for name in query.names]
        keys = family_keys(names)
        sought = [SoughtName(name, shipped_weights().forms) for name in names]
        found = self._found(query, names, keys, sought)
        refs = self._refs(list(found)[: MAX_PEOPLE + 1])
        if query.birth_date is None and len(refs) < MAX_PEOPLE:
            undated = _first(MAX_PEOPLE, (one for one in self._undated(keys, sought) if one not in found))
            further = [one for one in self._refs(undated).items() if one[0] not in refs]
            refs |= dict(further[: MAX_PEOPLE - len(refs)])
        return list(dict.fromkeys(islice(refs.values(), MAX_PEOPLE + 1)))

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

    def _refs(self, people: Sequence[int]) -> dict[int, str]:
        """References of these people, and after them of whoever has a number that one of them has."""
        if not people:
            return {}
        marks = ",".join(f"?{at}" for at in range(1, len(people) + 1))
        known = dict(
            self._database.execute(
                f"SELECT id, ref FROM person WHERE id IN ({marks}) UNION ALL"  # noqa: S608
                " SELECT person.id, ref FROM number JOIN number AS theirs ON theirs.value = number.value"
                f" JOIN person ON person.id = theirs.person WHERE number.person IN ({marks})",
                people,
            )
        )
        return {one: known[one] for one in people} | known

    def _found(
        self, query: PersonQuery, names: Sequence[FoldedName], keys: Sequence[str], sought: Sequence[SoughtName]
    ) -> dict[int, None]:
        """Whoever any of the looks of `looks` finds and no name rules out, each once, the likeliest first."""
        families, givens = name_letters(names)
        statement, bound = look_for(
            query.birth_date,
            _bits(families) | _bits(givens) << _LETTERS,
            [_number(one) for one in query.identifiers],
            keys,
            list({postcode_key(one.postcode) for one in query.addresses} - {""}),
        )
        rows = self._database.execute(statement, bound).fetchall()
        found = dict.fromkeys([row[0] for row in rows if row[3] == BY_NUMBER])
        born_then = [row for row in rows if row[3] == BY_BIRTH]
        of_the_name = [row for row in rows if row[3] == BY_NAME]
        for name in sought:
            found.update(dict.fromkeys(name.sharing(born_then)))
            found.update(dict.fromkeys(name.named(of_the_name)))
        found.update(dict.fromkeys([row[0] for row in rows if row[3] == BY_PLACE]))
        return found

    def _undated(self, keys: Sequence[str], sought: Sequence[SoughtName]) -> Iterator[int]:
        """Of the name, whatever the date of birth."""
        for key in keys:
            rows = self._database.execute(f"{_NAMED} key = ?", (key,))
            while some := rows.fetchmany(_AT_ONCE):
                yield from chain.from_iterable(name.named(some) for name in sought)


def _first(count: int, people: Iterable[int]) -> list[int]:
    """The first of them, each once, however often they come."""
    chosen: dict[int, None] = {}
    for one in people:
        if len(chosen) == count:
            break
        chosen[one] = None
    return list(chosen)


def _keys(name: FoldedName) -> set[str]:
    """A family name joined, and its words; empty where there is none, so that the person is found by birth date."""
    return {"".join(name.family), *name.family}


def _letters_of(name: FoldedName) -> int:
    """The letters that both parts of a held name begin with; every letter where a part has several words."""
    if len(name.family) > 1 or len(name.given) > 1:
        return _EVERY_LETTER
    return _bits(name.family) | _bits(name.given) << _LETTERS


def _bits(words: Iterable[str]) -> int:
    """A bit for the letter each word begins with; letters of other scripts share theirs."""
    bits = 0
    for word in words:
        bits |= 1 << (ord(word[0]) - ord("a")) % _LETTERS
    return bits


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _number(identifier: Identifier) -> str:
    return f"{identifier.kind.value} {identifier.value}"
