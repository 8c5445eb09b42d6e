"""Building a county from a seed: the hard cases first, then households of the usual kinds until it is full.

Refuses to know any agency: what each holds about these people is drawn by that agency's module.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from broker.demo.county.cases import CASE_PEOPLE, CASES, CaseHousehold, Part
from broker.demo.county.draws import Draws, email, mobiles, nhs_numbers, telephones, upns
from broker.demo.county.model import County, Household, HouseholdId, Person, PersonId, Place, Sex
from broker.demo.county.names import BOYS, ETHNICITIES, FAMILIES, GIRLS, STREETS, TOWNS

COUNTY_DAY: Final = date(2026, 11, 20)
"""The day the county stands at unless told otherwise: a Friday in term."""
PEOPLE_MIN: Final = CASE_PEOPLE
"""The hard cases alone."""
PEOPLE_MAX: Final = 500_000
"""Well within the NHS numbers that the test range has."""
REFUGE_PLACE: Final = Place("Harbour House, 1 Lantern Road", "Zaltmouth", "ZZ9 9AA")

SCHOOL_AGES: Final = range(4, 18)
"""Ages at which a child has a UPN."""


def build_county(seed: int, people: int = 5_000, as_of: date = COUNTY_DAY) -> County:
    """Return the county of a seed: the same seed, size and day give the same county on any machine.

    Args:
        seed: any whole number.
        people: how many, the hard cases among them; from `PEOPLE_MIN` to `PEOPLE_MAX`.
        as_of: the day ages and histories count back from.

    Raises:
        ValueError: the size is outside those bounds.
    """
    if not PEOPLE_MIN <= people <= PEOPLE_MAX:
        raise ValueError(f"people must be between {PEOPLE_MIN} and {PEOPLE_MAX}")
    return _Builder(seed, as_of).build(people)


class _Builder:
    """Draws people one after another; every number it gives out is given once."""

    def __init__(self, seed: int, as_of: date) -> None:
        self._seed = seed
        self._as_of = as_of
        self._draws = Draws(seed, "people")
        self._nhs = nhs_numbers(self._draws)
        self._upns = upns()
        self._telephones = telephones()
        self._mobiles = mobiles()
        self._people: dict[PersonId, Person] = {}
        self._households: dict[HouseholdId, Household] = {}
        self._cases: dict[str, PersonId] = {}

    def build(self, people: int) -> County:
        self._add_cases()
        place = self._place()
        for parts in self._usual_households():
            room = people - len(self._people)
            if room <= 0:
                break
            # A few live at the address of a household they have nothing to do with.
            shared = self._draws.chance(3)
            place = place if shared else self._place()
            self._add_household(parts[:room], place)
        return County(
            seed=self._seed,
            as_of=self._as_of,
            people=MappingProxyType(self._people),
            households=MappingProxyType(self._households),
            cases=MappingProxyType(self._cases),
        )

    def _add_cases(self) -> None:
        ids = {part.key: self._id(n) for n, part in enumerate(p for household in CASES for p in household.parts)}
        self._cases.update(ids)
        places: dict[str, Place] = {}
        for case in CASES:
            places[case.name] = self._case_place(case, places)
            former = (places[case.lived_at],) if case.lived_at else ()
            self._add_household(case.parts, places[case.name], is_refuge=case.is_refuge, former=former)

    def _case_place(self, case: CaseHousehold, places: dict[str, Place]) -> Place:
        if case.is_refuge:
            return REFUGE_PLACE
        return places[case.same_place_as] if case.same_place_as else self._place()

    def _usual_households(self) -> Iterator[tuple[Part, ...]]:
        """Yield households without end, whose keys hold only within themselves."""
        draws = self._draws
        while True:
            family = draws.one(FAMILIES)
            kind = draws.number(1, 100)
            if kind <= 32:
                yield self._with_children(family, partners=draws.chance(72))
            elif kind <= 61:
                yield self._adults(1, family, oldest=88)
            elif kind <= 93:
                yield self._adults(2, family, oldest=88)
            else:
                yield self._adults(draws.number(2, 4), None, oldest=35)

    def _with_children(self, family: str, *, partners: bool) -> tuple[Part, ...]:
        draws = self._draws
        mother_years = draws.number(19, 48)
        youngest = mother_years
        parts = [Part("mother", "F", mother_years, draws.number(0, 364), family=family)]
        if partners:
            father_family = family if draws.chance(65) else draws.one(FAMILIES)
            years = max(18, mother_years + draws.number(-3, 7))
            youngest = min(youngest, years)
            parts.append(Part("father", "M", years, draws.number(0, 364), family=father_family))
        for child in range(draws.one((1, 1, 2, 2, 2, 3, 4))):
            years = draws.number(0, min(17, youngest - 17))
            sex: Sex = "F" if draws.chance(49) else "M"
            parents = ("mother", "father") if partners and draws.chance(80) else ("mother",)
            parts.append(Part(f"child{child}", sex, years, draws.number(0, 364), None, family, parents))
        return tuple(parts)

    def _adults(self, count: int, family: str | None, *, oldest: int) -> tuple[Part, ...]:
        draws = self._draws
        return tuple(
            Part(
                f"adult{n}",
                "F" if draws.chance(50) else "M",
                draws.number(18, oldest),
                draws.number(0, 364),
                family=family or draws.one(FAMILIES),
            )
            for n in range(count)
        )

    def _add_household(
        self, parts: tuple[Part, ...], place: Place, *, is_refuge: bool = False, former: tuple[Place, ...] = ()
    ) -> None:
        household = HouseholdId(f"H{len(self._households) + 1:06d}")
        first = len(self._people)
        ids = {part.key: self._id(first + n) for n, part in enumerate(parts)}
        ethnicity = self._draws.one(ETHNICITIES)
        telephone = next(self._telephones)
        if not former and self._draws.chance(25):
            former = (self._place(),)
        for part in parts:
            parents = tuple(self._cases.get(key, ids.get(key)) for key in part.parents)
            self._people[ids[part.key]] = self._person(
                part, ids[part.key], household, ethnicity, telephone, former, tuple(p for p in parents if p is not None)
            )
        self._households[household] = Household(household, place, tuple(ids.values()), is_refuge)

    def _person(
        self,
        part: Part,
        person: PersonId,
        household: HouseholdId,
        ethnicity: str,
        telephone: str,
        former: tuple[Place, ...],
        parents: tuple[PersonId, ...],
    ) -> Person:
        draws = self._draws
        names = GIRLS if part.sex == "F" else BOYS
        given, middle = part.given or draws.one(names), draws.one(names) if draws.chance(70) else None
        family = part.family or draws.one(FAMILIES)
        born_on = part.born_on or self._born_on(part)
        years = (self._as_of - born_on).days // 365
        adult = years >= 18
        married = adult and part.sex == "F" and part.birth_family is None and draws.chance(35)
        return Person(
            id=person,
            given=given,
            middle=None if middle == given else middle,
            family=family,
            birth_family=draws.one(FAMILIES) if married else part.birth_family,
            sex=part.sex,
            born_on=born_on,
            unborn=part.unborn,
            ethnicity=ethnicity,
            nhs_number=next(self._nhs)
            if part.has_nhs_number and not part.unborn and self._number_known(part)
            else None,
            superseded_nhs_number=next(self._nhs) if part.superseded else None,
            upn=next(self._upns) if years in SCHOOL_AGES and not part.unborn else None,
            phone=(next(self._mobiles) if draws.chance(20) else telephone) if adult else None,
            email=email(given, family, int(person[1:])) if adult and draws.chance(60) else None,
            household=household,
            former_places=former,
            parents=parents,
        )

    def _number_known(self, part: Part) -> bool:
        """One in a hundred has no NHS number yet; the people of the cases have theirs."""
        return part.given is not None or part.key in self._cases or not self._draws.chance(1)

    def _born_on(self, part: Part) -> date:
        if part.unborn:
            return self._as_of + timedelta(days=part.days)
        # 365.25 days a year: the age holds for any county day, give or take the leap day that `days` stays clear of.
        return self._as_of - timedelta(days=int(part.years * 365.25) + max(1, part.days))

    def _place(self) -> Place:
        draws = self._draws
        town = draws.number(0, len(TOWNS) - 1)
        letters = "".join(draws.one("ABDEFGHJLNPQRSTUWXYZ") for _ in range(2))
        # Districts 1 to 20: ZZ99 means "no address" in health systems.
        postcode = f"ZZ{town * 2 + draws.number(1, 2)} {draws.number(1, 8)}{letters}"
        return Place(f"{draws.number(1, 180)} {draws.one(STREETS)}", TOWNS[town], postcode)

    @staticmethod
    def _id(number: int) -> PersonId:
        return PersonId(f"P{number + 1:06d}")
