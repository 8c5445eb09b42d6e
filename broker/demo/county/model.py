"""The county as it truly is: people, households and the hard cases. No agency knows all of it.

A `PersonId` is the county's own and is written nowhere: agencies know people by their own numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NewType, TypeAlias

PersonId = NewType("PersonId", str)
HouseholdId = NewType("HouseholdId", str)
Sex: TypeAlias = Literal["F", "M"]


@dataclass(frozen=True, slots=True)
class Place:
    """A postal address in a postcode area that does not exist."""

    line1: str
    town: str
    postcode: str


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person.

    `born_on` is the date of birth, or the expected one while `unborn`. `parents` lists the parents who are in the
    county, the mother first; a step-parent is not one of them. `former_places` are earlier addresses, the latest first.
    """

    id: PersonId
    given: str
    middle: str | None
    family: str
    birth_family: str | None
    sex: Sex
    born_on: date
    unborn: bool
    ethnicity: str
    nhs_number: str | None
    superseded_nhs_number: str | None
    upn: str | None
    phone: str | None
    email: str | None
    household: HouseholdId
    former_places: tuple[Place, ...]
    parents: tuple[PersonId, ...]

    def age_on(self, day: date) -> int:
        """Return completed years on a day; negative before birth."""
        return day.year - self.born_on.year - ((day.month, day.day) < (self.born_on.month, self.born_on.day))


@dataclass(frozen=True, slots=True)
class Household:
    """People who live at one place; two households at one place share an address and nothing else."""

    id: HouseholdId
    place: Place
    members: tuple[PersonId, ...]
    is_refuge: bool


@dataclass(frozen=True, slots=True)
class County:
    """All of it, on one day. `cases` leads from a stable key to the person who is that hard case."""

    seed: int
    as_of: date
    people: Mapping[PersonId, Person]
    households: Mapping[HouseholdId, Household]
    cases: Mapping[str, PersonId]

    def case(self, key: str) -> Person:
        """Return the person of a hard case.

        Raises:
            KeyError: there is no such case.
        """
        return self.people[self.cases[key]]

    def place_of(self, person: Person) -> Place:
        """Return where a person lives now."""
        return self.households[person.household].place

    def with_household(self, person: Person) -> tuple[Person, ...]:
        """Return everyone of a person's household, the person included, in its order."""
        return tuple(self.people[member] for member in self.households[person.household].members)
