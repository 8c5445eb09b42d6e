"""The people of one version of the export: found by number, date of birth, family name and postcode, and read again.

Built once for each version of the files. Says who might be meant, the likeliest first; who is meant is
`agents.runtime.matching`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agents.probation.members import Members
from agents.probation.people import person_of
from agents.runtime.exports.household import household
from agents.runtime.exports.people import PeopleIndex
from agents.runtime.exports.private import open_private
from agents.runtime.source import LocalPerson, PersonQuery


class Region:
    """Everybody in the file of persons; never changed after it is built. Used by several threads at once."""

    def __init__(self, persons: Mapping[str, Any], addresses: Mapping[str, Any]) -> None:
        self._persons: Final = persons
        self._addresses: Final = addresses
        self._lock: Final = threading.Lock()
        database = open_private(self)
        self._people: Final = PeopleIndex(database)
        database.execute("BEGIN")
        readable = [crn for crn, held in persons.items() if isinstance(held, dict)]
        for crn in readable:
            self._people.add(self._person(crn))
        self._people.finish()
        self.unreadable: Final = len(persons) - len(readable)
        """Entries that are no object, and so hold nobody that could be found."""

    def search(self, query: PersonQuery) -> Sequence[LocalPerson]:
        """Whoever might be meant; more than `MAX_PEOPLE` only where so many could not be told apart."""
        with self._lock:
            found = self._people.search(query)
        return tuple(self._person(crn) for crn in found)

    def household(self, person: LocalPerson) -> Sequence[LocalPerson]:
        """Who has or had an address with the person."""
        with self._lock:
            found = self._people.at_postcodes(person.addresses)
        return household(person, (self._person(crn) for crn in found))

    def _person(self, crn: str) -> LocalPerson:
        return person_of(crn, Members(self._persons[crn]), self._addresses.get(crn))
