"""How likely a record is of the person asked about: what each field agrees on, and the sum of what that is worth.

Fellegi and Sunter's sum with Winkler's term frequencies, as Splink computes it (a test compares them). Where one side
has several names, dates or addresses the pair that says most counts. Refuses to know what follows from a score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from agents.runtime.matching.dates import compare_births
from agents.runtime.matching.levels import Birth, Family, Given, Number, Place, Sex
from agents.runtime.matching.names import FoldedName, Words, compare_family, compare_given, fold_name
from agents.runtime.matching.places import FoldedPlace, compare_places, fold_place
from agents.runtime.matching.weights import Weights, chance_of
from agents.runtime.source import LocalPerson, PersonQuery
from schemas.identifiers import Identifier, IdentifierKind

UNCHECKED_KINDS: Final = frozenset({IdentifierKind.CRN, IdentifierKind.NOMS})
"""Kinds whose numbers have no check digit (`schemas.identifiers`)."""
_TELLING: Final = frozenset({"female", "male"})


@dataclass(frozen=True, slots=True)
class Described:
    """A person as they are compared, whichever side they are of."""

    names: tuple[FoldedName, ...] = field(repr=False)
    births: tuple[date, ...] = field(repr=False)
    sex: str | None = field(repr=False)
    places: tuple[FoldedPlace, ...] = field(repr=False)
    numbers: frozenset[Identifier] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What each field agrees on; None where one side does not say."""

    given: Given | None
    family: Family | None
    birth: Birth | None
    sex: Sex | None
    place: Place | None
    number: Number | None
    is_turned: bool = False
    """Whether the names agree only with given and family name in each other's place."""


@dataclass(frozen=True, slots=True)
class FieldWeight:
    """What one field adds: the level, its weight, and what the name's rarity adds to that."""

    field: str
    level: str
    weight: float
    rarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """A record weighed: powers of two for it being the person asked about, the prior among them."""

    agreement: Agreement
    fields: tuple[FieldWeight, ...]
    weight: float

    @property
    def chance(self) -> float:
        """The same as a chance from 0 to 1."""
        return chance_of(self.weight)


def describe_query(query: PersonQuery) -> Described:
    """The person asked about, as they are compared."""
    return Described(
        tuple(fold_name(name) for name in query.names),
        (query.birth_date,) if query.birth_date is not None else (),
        query.sex,
        tuple(place for one in query.addresses if (place := fold_place(one))),
        query.identifiers,
    )


def describe_person(person: LocalPerson) -> Described:
    """A local record, as it is compared."""
    return Described(
        tuple(fold_name(name) for name in person.names),
        person.birth_dates,
        person.sex,
        tuple(place for one in person.addresses if (place := fold_place(one))),
        person.identifiers,
    )


def score(one: Described, other: Described, weights: Weights) -> Score:
    """Weigh two descriptions; the same whichever is named first."""
    births = [compare_births(a, b) for a in one.births for b in other.births]
    birth = max(births, key=weights.of.__getitem__, default=None)
    names = _best_names(one, other, weights)
    is_turned = False
    if birth is Birth.SAME and names[0].level == Given.OTHER.value:
        turned = max((_best_names(_turned(one), other, weights), _best_names(one, _turned(other), weights)), key=_total)
        is_turned = _total(turned) > _total(names)
        names = turned if is_turned else names
    places = [level for a in one.places for b in other.places if (level := compare_places(a, b)) is not None]
    place = max(places, key=weights.of.__getitem__, default=None)
    sex = _compare_sex(one.sex, other.sex)
    number = _compare_numbers(one.numbers, other.numbers)
    given, family = names
    rest = [("birth", birth), ("sex", sex), ("place", place), ("number", number)]
    fields = (
        *(part for part in names if part.level),
        *(FieldWeight(name, level.value, weights.of[level]) for name, level in rest if level is not None),
    )
    agreement = Agreement(
        Given(given.level) if given.level else None,
        Family(family.level) if family.level else None,
        birth,
        sex,
        place,
        number,
        is_turned,
    )
    return Score(agreement, fields, weights.prior + _total(fields))


def _best_names(one: Described, other: Described, weights: Weights) -> tuple[FieldWeight, FieldWeight]:
    """What the best pair of names adds, given and family name."""
    none = (FieldWeight("given", "", 0.0), FieldWeight("family", "", 0.0))
    pairs = [_weigh_names(a, b, weights) for a in one.names for b in other.names]
    return max(pairs, key=_total, default=none)


def _weigh_names(one: FoldedName, other: FoldedName, weights: Weights) -> tuple[FieldWeight, FieldWeight]:
    given = compare_given(one.given, other.given, weights.forms)
    family = compare_family(one.family, other.family, weights.forms)
    return (
        _weigh("given", given, one.given[:1], other.given[:1], weights),
        _weigh("family", family, one.family, other.family, weights),
    )


def _weigh(name: str, level: Given | Family | None, one: Words, two: Words, weights: Weights) -> FieldWeight:
    if level is None:
        return FieldWeight(name, "", 0.0)
    counted = weights.rarity.get(level)
    if counted is None:
        return FieldWeight(name, level.value, weights.of[level])
    # The commoner of the two counts; a name that is not listed is as common as names are.
    found = [counted[word] for word in {"".join(one), "".join(two)} if word in counted]
    return FieldWeight(name, level.value, weights.of[level], min(found, default=0.0))


def _total(parts: tuple[FieldWeight, ...]) -> float:
    return sum(part.weight + part.rarity for part in parts)


def _turned(one: Described) -> Described:
    return Described(tuple(name.turned() for name in one.names), one.births, one.sex, one.places, one.numbers)


def _compare_sex(one: str | None, other: str | None) -> Sex | None:
    if one not in _TELLING or other not in _TELLING:
        return None
    return Sex.SAME if one == other else Sex.OTHER


def _compare_numbers(one: frozenset[Identifier], other: frozenset[Identifier]) -> Number | None:
    shared = one & other
    if shared:
        return Number.UNCHECKED if all(number.kind in UNCHECKED_KINDS for number in shared) else Number.SAME
    both: frozenset[IdentifierKind] = frozenset(number.kind for number in one) & {number.kind for number in other}
    return Number.OTHER if both else None
