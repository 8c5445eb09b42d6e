"""The county's people written down twice, wrong in the ways records are wrong; it is known who is who.

The first record is as a hub asks, the second as an agency holds. How often what goes wrong is our own estimate, high
rather than low; the names are the county's own, or redrawn by how common they are in the country.
"""

from __future__ import annotations

import bisect
import csv
import itertools
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from agents.runtime.source import PersonAddress, PersonName
from agents.training.labelled import LabelledRecord
from broker.demo.county.build import build_county
from broker.demo.county.draws import Draws
from broker.demo.county.model import County, Person, Place
from schemas.identifiers import Identifier, IdentifierKind

_TRAINING: Final = Path(__file__).parents[3] / "agents" / "training"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def draw_county(seed: int, people: int, *, common_names: bool = False) -> list[list[LabelledRecord]]:
    """What is asked about everybody in a county of that seed, and what is held about them, in the same order.

    With `common_names` households and people bear names as common as in the country, else the county's own.
    """
    county = build_county(seed, people)
    writer = _Writer(county, Draws(seed, "labelled"), _Names(seed) if common_names else None)
    born = [person for person in county.people.values() if not person.unborn]
    return [[writer.asked(person) for person in born], [writer.held(person) for person in born]]


class _Names:
    """Names drawn by how common they are; the rest of the country's are made up and rare."""

    def __init__(self, seed: int) -> None:
        self._draws = Draws(seed, "names")
        self._families: dict[str, str] = {}
        self._tables = {part: _cumulated(part) for part in ("given", "family")}

    def family(self, person: Person, written: str) -> str:
        """The name of a household's family: one for one written name in one household."""
        return self._families.setdefault(f"{person.household}/{written}", self._draw("family"))

    def given(self) -> str:
        """A given name."""
        return self._draw("given")

    def _draw(self, part: str) -> str:
        names, shares = self._tables[part]
        at = bisect.bisect(shares, self._draws.number(0, 999_999) / 1_000_000)
        if at < len(names):
            return names[at]
        return "".join(self._draws.one(_SYLLABLES) for _ in range(3)).capitalize()


_SYLLABLES: Final = tuple(a + b for a, b in itertools.product("bdfgklmnprstvw", ("a", "e", "o", "en", "or", "ick")))


class _Writer:
    """Writes people down, each in turn, with the slips of a pen."""

    def __init__(self, county: County, draws: Draws, names: _Names | None) -> None:
        self._county = county
        self._draws = draws
        self._names = names
        self._places = [household.place for household in county.households.values()]
        self._numbers = [person.nhs_number for person in county.people.values() if person.nhs_number]
        self._known: dict[str, tuple[str, str | None, str, str | None]] = {}

    def asked(self, person: Person) -> LabelledRecord:
        """What a hub knows: mostly right, often without a number."""
        given, middle, family, _ = self._name(person)
        draws = self._draws
        written = f"{given} {middle}" if middle and draws.chance(40) else given
        address = self._address(person, moved=5, lost=10)
        return self._record(person, PersonName(written, family), person.born_on, address, numbered=55)

    def held(self, person: Person) -> LabelledRecord:
        """What an agency's system has: older, and more often wrong."""
        address = self._address(person, moved=25, lost=6)
        name = PersonName(self._given(person), self._family(person))
        return self._record(person, name, self._born(person.born_on), address, numbered=70)

    def _name(self, person: Person) -> tuple[str, str | None, str, str | None]:
        if self._names is None:
            return person.given, person.middle, person.family, person.birth_family
        if person.id not in self._known:
            middle = self._names.given() if person.middle else None
            before = self._names.family(person, person.birth_family) if person.birth_family else None
            family = self._names.family(person, person.family)
            self._known[person.id] = (self._names.given(), middle, family, before)
        return self._known[person.id]

    def _record(
        self, person: Person, name: PersonName, born: date | None, address: PersonAddress, *, numbered: int
    ) -> LabelledRecord:
        draws = self._draws
        told = draws.chance(98)
        sex = ("female" if person.sex == "F" else "male") if draws.chance(99.7) else draws.one(("female", "male"))
        number = person.nhs_number if draws.chance(numbered) else None
        if number and draws.chance(0.5):
            number = draws.one(self._numbers)  # somebody else's
        numbers = {number, person.superseded_nhs_number if number and draws.chance(60) else None} - {None}
        found = frozenset(Identifier(IdentifierKind.NHS_NUMBER, one) for one in numbers if one)
        return LabelledRecord(str(person.id), name, born, sex if told else None, address, found)

    def _given(self, person: Person) -> str:
        given, middle, _, _ = self._name(person)
        draws, among = self._draws, self._draws.number(1, 1000)
        if among <= 40 and (short := _forms("nicknames").get(given.casefold())):
            return draws.one(short).capitalize()
        if among <= 70 and (other := _forms("spellings").get(given.casefold())):
            return draws.one(other).capitalize()
        if among <= 100:
            return _slip(draws, given)
        if among <= 110:
            return given[0]
        if among <= 125 and middle:
            return middle
        if among <= 130:
            return "Baby" if person.age_on(self._county.as_of) < 2 else "Unknown"
        if among <= 140 and middle:
            return f"{given} {draws.one(_LETTERS).upper()}"
        return f"{given} {middle}" if middle and draws.chance(60) else given

    def _family(self, person: Person) -> str:
        _, _, family, before = self._name(person)
        draws, among = self._draws, self._draws.number(1, 1000)
        if before and among <= 300:
            return before if among <= 200 else f"{before}-{family}"
        if among <= 25 and (other := _forms("spellings").get(family.casefold())):
            return draws.one(other).capitalize()
        return _slip(draws, family) if among <= 50 else family

    def _born(self, born: date) -> date | None:
        draws, among = self._draws, self._draws.number(1, 1000)
        if among <= 10 and born.day <= 12:
            return born.replace(month=born.day, day=born.month)
        if among <= 35:
            return _misread(draws, born)
        return None if among <= 45 else born

    def _address(self, person: Person, *, moved: int, lost: int) -> PersonAddress:
        draws, place = self._draws, self._county.place_of(person)
        among = draws.number(1, 100)
        if among <= lost:
            return PersonAddress()
        if among <= lost + moved:
            place = person.former_places[0] if person.former_places else self._elsewhere()
        line = None if draws.chance(8) else _slip(draws, place.line1) if draws.chance(5) else place.line1
        return PersonAddress(line, None if draws.chance(5) else place.postcode)

    def _elsewhere(self) -> Place:
        return self._draws.one(self._places)


def _slip(draws: Draws, name: str) -> str:
    """One letter left out, doubled, changed, or swapped with its neighbour."""
    if len(name) < 3:
        return name
    at = draws.number(1, len(name) - 2)
    kind = draws.number(1, 4)
    if kind == 1:
        return name[:at] + name[at + 1 :]
    if kind == 2:
        return name[:at] + name[at] + name[at:]
    if kind == 3:
        return name[:at] + draws.one(_LETTERS) + name[at + 1 :]
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def _misread(draws: Draws, born: date) -> date:
    """Another day, month or year; mostly one digit off."""
    kind = draws.number(1, 10)
    if kind <= 4:
        return born.replace(day=draws.number(1, monthrange(born.year, born.month)[1]))
    if kind <= 6:
        return born.replace(month=draws.number(1, 12), day=min(born.day, 28))
    if kind <= 9:
        return born.replace(year=born.year + draws.one((-10, -1, 1, 10)), day=min(born.day, 28))
    return date(draws.number(1940, 2025), draws.number(1, 12), draws.number(1, 28))


@cache
def _forms(kind: str) -> dict[str, Sequence[str]]:
    """The other forms of each name, by the name in small letters."""
    found: dict[str, list[str]] = {}
    for group in read_groups(kind):
        for word in group:
            found.setdefault(word, []).extend(other for other in group if other != word and other.isascii())
    return {word: others for word, others in found.items() if others}


def read_groups(kind: str) -> Iterator[list[str]]:
    """The groups of a list of forms."""
    for line in (_TRAINING / f"{kind}.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split()


def _cumulated(part: str) -> tuple[list[str], list[float]]:
    with (_TRAINING / "names.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == part]
    return [row["name"].capitalize() for row in rows], list(itertools.accumulate(float(row["share"]) for row in rows))
