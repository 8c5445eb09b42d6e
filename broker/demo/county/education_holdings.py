"""What schools know of the county's children: where each is on roll, every mark of this school year, and concerns.

Owns who is on which roll and what was marked and written. Refuses to know files; `education` and `education_ctf` do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

from broker.demo.county import story
from broker.demo.county.draws import LA_NUMBER, Draws
from broker.demo.county.model import County, Person
from broker.demo.county.names import OFFICERS, TOWNS

Mark: TypeAlias = tuple[date, Literal["AM", "PM"], str]
Concern: TypeAlias = tuple[str, str, str, str, str, str, str]
Protection: TypeAlias = tuple[str, str]
"""UPN and what protects the child."""

AUTHORITY_REGISTER: Final = 7000
"""Number of the authority's own register of children on no school's roll."""
_CATEGORIES: Final = (
    "Attendance",
    "Neglect",
    "Peer conflict",
    "Online safety",
    "Physical injury",
    "Family circumstances",
)
_ENTRIES: Final = (
    "Arrived hungry and in yesterday's clothes.",
    "Fell asleep in class twice this week.",
    "Parent shouted at the office about a late mark.",
    "Says an older cousin sends messages at night.",
    "Came in without a coat in the rain.",
)
_ACTIONS: Final = ("Spoke to parent", "Monitored", "Referred to early help", "Discussed at safeguarding meeting")
_NEEDS: Final = ("SLCN", "SEMH", "ASD", "MLD", "SPLD", "HI")


@dataclass(frozen=True, slots=True)
class School:
    """A school, or the authority's register."""

    estab: int
    name: str
    phase: str
    town: str
    telephone: str
    lead: str
    lead_telephone: str

    @property
    def number(self) -> str:
        """Authority and establishment number together."""
        return f"{LA_NUMBER}{self.estab}"

    def row(self) -> tuple[str, ...]:
        """Return the line of `schools.csv`."""
        address = f"School Lane, {self.town}, ZZ{TOWNS.index(self.town) + 1} 2AA"
        return (
            LA_NUMBER,
            str(self.estab),
            self.name,
            self.phase,
            address,
            self.telephone,
            self.lead,
            self.lead_telephone,
        )


@dataclass(frozen=True, slots=True)
class Pupil:
    """A child as one school has it."""

    person: Person
    upn: str
    school: School
    status: str
    entered_on: date
    year_group: str
    sen: str
    need: str | None
    marks: tuple[Mark, ...]
    last_year: tuple[int, int, int, int]
    """Sessions of last school year: possible, attended, authorised absent, unauthorised absent."""


@dataclass(frozen=True, slots=True)
class EducationHoldings:
    """What the schools hold. `Pupil.person` is the truth, known to nobody but a test."""

    county: County
    schools: tuple[School, ...]
    pupils: tuple[Pupil, ...]
    concerns: tuple[Concern, ...]
    protected: tuple[Protection, ...]


def education_holdings(county: County) -> EducationHoldings:
    """Return what the schools of a county hold: the same for the same county."""
    draws = Draws(county.seed, "education")
    schools = tuple(_schools())
    days = tuple(_school_days(county.as_of))
    pupils = tuple(
        _pupil(county, draws, schools, days, person, person.upn) for person in county.people.values() if person.upn
    )
    concerns = [*_family_concerns(county), *_drawn_concerns(county, draws, pupils)]
    protected = tuple((pupil.upn, "refuge") for pupil in pupils if county.households[pupil.person.household].is_refuge)
    return EducationHoldings(county, schools, pupils, tuple(concerns), protected)


def _schools() -> Iterator[School]:
    for number, town in enumerate(TOWNS):
        lead = " ".join(OFFICERS[number % len(OFFICERS)])
        phones = f"01632 960{700 + number}", f"01632 960{720 + number}"
        yield School(2000 + number, f"{town} Primary School", "Primary", town, phones[0], lead, phones[1])
        if number % 3 == 0:
            lead = " ".join(OFFICERS[(number + 5) % len(OFFICERS)])
            phones = f"01632 960{740 + number}", f"01632 960{760 + number}"
            yield School(4000 + number, f"{town} Academy", "Secondary", town, phones[0], lead, phones[1])
    lead = " ".join(OFFICERS[-1])
    name = "Zedshire Council, children not on a roll"
    yield School(AUTHORITY_REGISTER, name, "Register", TOWNS[0], "01632 960780", lead, "01632 960781")


def _school_days(as_of: date) -> Iterator[tuple[date, bool]]:
    """Yield each weekday of this school year and whether schools were open: not in the last whole week of October."""
    start = date(as_of.year if as_of.month >= 9 else as_of.year - 1, 9, 2)
    half_term = date(start.year, 10, 31)
    half_term -= timedelta(days=(half_term.weekday() - 4) % 7 + 4)
    day = start
    while day <= as_of:
        if day.weekday() < 5:
            yield day, not half_term <= day < half_term + timedelta(days=5)
        day += timedelta(days=1)


def _pupil(
    county: County,
    draws: Draws,
    schools: tuple[School, ...],
    days: tuple[tuple[date, bool], ...],
    person: Person,
    upn: str,
) -> Pupil:
    is_case = person.id in county.cases.values()
    age = person.age_on(date(days[0][0].year, 8, 31))
    town = county.place_of(person).town
    phase = "Primary" if age < 11 else "Secondary"
    near = [school for school in schools if school.phase == phase]
    at_home = not is_case and draws.chance(1)
    school = schools[-1] if at_home else min(near, key=lambda one: abs(TOWNS.index(one.town) - TOWNS.index(town)))
    worst = person.id == county.cases["family"]
    present = 81 if worst else draws.one((99, 98, 97, 96, 96, 95, 93, 88))
    sen = "K" if worst else draws.one(("N",) * 16 + ("K", "K", "K", "E"))
    possible = 378
    attended = possible * (89 if worst else present) // 100
    unauthorised = (possible - attended) * (2 if worst else 1) // 3
    started = max(5 if phase == "Primary" else 11, 4)
    entered = date(person.born_on.year + started + (person.born_on.month >= 9) - (phase == "Primary"), 9, 2)
    return Pupil(
        person=person,
        upn=upn,
        school=school,
        status=draws.one(("EHE", "EHE", "CME")) if at_home else "C",
        entered_on=min(entered, days[0][0]),
        year_group="R" if age < 5 else str(age - 4),
        sen=sen,
        need=None if sen == "N" else "SLCN" if worst else draws.one(_NEEDS),
        marks=() if at_home else tuple(_marks(draws, days, present, mondays=worst)),
        last_year=(possible, attended, possible - attended - unauthorised, unauthorised),
    )


def _marks(draws: Draws, days: tuple[tuple[date, bool], ...], present: int, *, mondays: bool) -> Iterator[Mark]:
    for day, is_open in days:
        if not is_open:
            yield day, "AM", "#"
            yield day, "PM", "#"
            continue
        chance = present - 30 if mondays and day.weekday() == 0 else present
        if draws.chance(chance):
            yield day, "AM", "L" if draws.chance(3) else "/"
            yield day, "PM", "\\"
        else:
            code = draws.one("IIIIMCOO" if not mondays else "IOONU")
            yield day, "AM", code
            yield day, "PM", "\\" if code in "MU" else code


def _family_concerns(county: County) -> Iterator[Concern]:
    child = county.case("family")
    mother, man = county.case("family_mother"), county.case("family_stepfather")
    others = f"{mother.given} {mother.family}; {man.given} {man.family}"
    entries = (
        (
            story.SCHOOL_CONCERN,
            "Family circumstances",
            "Says Declan lives with them now and shouts at Mummy.",
            "Monitored",
        ),
        (story.EMERGENCY_VISIT, "Physical injury", "Arm in a splint. Mother says stairs.", "Told safeguarding lead"),
        (story.MARAC, "Domestic abuse", "Operation Encompass call received.", "Quiet support offered at the gate"),
        (
            story.SCHOOL_DISCLOSURE,
            "Disclosure",
            "Told teaching assistant: 'Declan squeezed Mummy's neck and I got in the way. I'm not allowed to say.'",
            "Called the hub",
        ),
    )
    for days, category, entry, action in entries:
        on = story.ago(county.as_of, days).isoformat()
        yield child.upn or "", on, category, entry, action, "F Hallam", others


def _drawn_concerns(county: County, draws: Draws, pupils: tuple[Pupil, ...]) -> Iterator[Concern]:
    cases = set(county.cases.values())
    for pupil in pupils:
        if pupil.person.id not in cases and draws.chance(4):
            for _ in range(draws.number(1, 3)):
                on = draws.day(story.ago(county.as_of, 700), county.as_of).isoformat()
                others = draws.one(("", "Mother", "Older brother", "A friend's parent"))
                by = draws.one(OFFICERS)
                entry = draws.one(_CATEGORIES), draws.one(_ENTRIES), draws.one(_ACTIONS)
                yield pupil.upn, on, *entry, f"{by[0][0]} {by[1]}", others
