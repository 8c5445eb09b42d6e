"""Finding whoever might be meant among the people of an export: by number, date of birth, family name and postcode.

Held in memory, built once for each version of the files. Says who might be meant, the likeliest first; who is meant is
`agents.runtime.match`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from agents.probation.members import Members
from agents.probation.people import person_of
from agents.runtime.names import Likeness, compare_family, compare_given, postcode_key, words_of
from agents.runtime.source import MAX_PEOPLE, LocalPerson, PersonName, PersonQuery
from schemas.identifiers import Identifier


class PeopleIndex:
    """The people of one version of the export; never changed after it is built."""

    def __init__(self, persons: Mapping[str, Any], addresses: Mapping[str, Any]) -> None:
        self._by_number: Final[dict[Identifier, list[LocalPerson]]] = defaultdict(list)
        self._by_birth: Final[dict[date, list[LocalPerson]]] = defaultdict(list)
        self._by_family: Final[dict[str, list[LocalPerson]]] = defaultdict(list)
        self._by_postcode: Final[dict[str, list[LocalPerson]]] = defaultdict(list)
        self.unreadable = 0
        """Entries that are no object, and so hold nobody that could be found."""
        for crn, held in persons.items():
            if isinstance(held, dict):
                self._add(person_of(crn, Members(held), addresses.get(crn)))
            else:
                self.unreadable += 1

    def _add(self, person: LocalPerson) -> None:
        for number in person.identifiers:
            self._by_number[number].append(person)
        for day in person.birth_dates:
            self._by_birth[day].append(person)
        for key in {_key(name.family) for name in person.names} - {""}:
            self._by_family[key].append(person)
        for key in {postcode_key(address.postcode) for address in person.addresses} - {""}:
            self._by_postcode[key].append(person)

    def search(self, query: PersonQuery) -> Sequence[LocalPerson]:
        """Whoever might be meant; more than `MAX_PEOPLE` only where so many could not be told apart."""
        found: dict[str, LocalPerson] = {}
        _take(found, self._by_numbers(query.identifiers))
        _take(found, self._by_birth_date(query))
        _take(found, self._by_address(query))
        named = list(self._by_name(query))
        _take(found, (person for person in named if _may_be_misread(query.birth_date, person.birth_dates)))
        shared = frozenset[Identifier]().union(*(person.identifiers for person in found.values()))
        _take(found, self._by_numbers(shared))
        for person in named:
            if len(found) < MAX_PEOPLE:
                _take(found, [person])
        return tuple(found.values())[: MAX_PEOPLE + 1]

    def _by_numbers(self, numbers: Iterable[Identifier]) -> Iterator[LocalPerson]:
        for number in numbers:
            yield from self._by_number.get(number, ())

    def _by_birth_date(self, query: PersonQuery) -> Iterator[LocalPerson]:
        for day in _birth_dates(query.birth_date):
            for person in self._by_birth.get(day, ()):
                if any(_shares(asked, held) for asked in query.names for held in person.names):
                    yield person

    def _by_address(self, query: PersonQuery) -> Iterator[LocalPerson]:
        families = {_key(name.family) for name in query.names} - {""}
        days = _birth_dates(query.birth_date)
        for key in {postcode_key(address.postcode) for address in query.addresses} - {""}:
            for person in self._by_postcode.get(key, ()):
                if days & {*person.birth_dates} or families & {_key(name.family) for name in person.names}:
                    yield person

    def _by_name(self, query: PersonQuery) -> Iterator[LocalPerson]:
        for asked in query.names:
            for person in self._by_family.get(_key(asked.family), ()):
                if any(_is_named(asked, held) for held in person.names):
                    yield person


def _take(found: dict[str, LocalPerson], people: Iterable[LocalPerson]) -> None:
    for person in people:
        found.setdefault(person.ref, person)


def _key(family: str) -> str:
    return "".join(words_of(family))


def _shares(asked: PersonName, held: PersonName) -> bool:
    return (
        compare_family(asked.family, held.family) >= Likeness.ALIKE
        or compare_given(asked.given, held.given) >= Likeness.ALIKE
        or compare_family(asked.family, held.given) is Likeness.SAME
    )


def _is_named(asked: PersonName, held: PersonName) -> bool:
    return (
        compare_family(asked.family, held.family) is Likeness.SAME
        and compare_given(asked.given, held.given) >= Likeness.ALIKE
    )


def _birth_dates(born_on: date | None) -> frozenset[date]:
    """The date, and the date with day and month swapped where that is one."""
    if born_on is None:
        return frozenset()
    if born_on.day > 12:
        return frozenset({born_on})
    return frozenset({born_on, born_on.replace(month=born_on.day, day=born_on.month)})


def _may_be_misread(asked: date | None, held: Sequence[date]) -> bool:
    """Whether a date may be missing or misread: two of day, month and year agree, or day and month are swapped."""
    if asked is None or not held:
        return True
    return any(
        (asked.day == one.day) + (asked.month == one.month) + (asked.year == one.year) >= 2
        or one in _birth_dates(asked)
        for one in held
    )
