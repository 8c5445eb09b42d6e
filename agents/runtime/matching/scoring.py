"""How likely a record is of the person asked about: what each field agrees on, and the sum of what that is worth.

Fellegi and Sunter's sum with Winkler's term frequencies, as Splink computes it (a test compares them). Where one side
has several names, dates or addresses the pair that says most counts. Refuses to know what follows from a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar

from agents.runtime.matching.dates import compare_births
from agents.runtime.matching.levels import Birth, Family, FieldLevel, Given, Number, Place, Sex
from agents.runtime.matching.names import FoldedName, Words, compare_family, compare_given, fold_name
from agents.runtime.matching.places import FoldedPlace, compare_places, fold_place
from agents.runtime.matching.weights import FieldWeight, Weights, chance_of
from agents.runtime.source import LocalPerson, PersonQuery
from schemas.identifiers import Identifier, IdentifierKind

UNCHECKED_KINDS: Final = frozenset({IdentifierKind.CRN, IdentifierKind.NOMS})
"""Kinds whose numbers have no check digit (`schemas.identifiers`)."""
L = TypeVar("L", bound=FieldLevel)
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
    birth = _best([compare_births(a, b) for a in one.births for b in other.births], weights)
    names = _best_names(one, other, weights)
    is_turned = False
    if birth is Birth.SAME and names.given is Given.OTHER:
        turned = max(_best_names(_turned(one), other, weights), _best_names(one, _turned(other), weights), key=_total)
        is_turned = turned.total > names.total
        names = turned if is_turned else names
    compared = [compare_places(a, b) for a in one.places for b in other.places]
    place = _best([level for level in compared if level is not None], weights)
    sex = _compare_sex(one.sex, other.sex)
    number = _compare_numbers(one.numbers, other.numbers)
    fields = (*names.fields, *[weights.of[level] for level in (birth, sex, place, number) if level is not None])
    agreement = Agreement(names.given, names.family, birth, sex, place, number, is_turned)
    return Score(agreement, fields, weights.prior + sum([part.weight + part.rarity for part in fields]))


class _Names(NamedTuple):
    """What a pair of names agrees on, and what that adds."""

    total: float
    given: Given | None
    family: Family | None
    fields: tuple[FieldWeight, ...]


_NO_NAMES: Final = _Names(0.0, None, None, ())
_total: Final = attrgetter("total")


def _best(levels: Sequence[L], weights: Weights) -> L | None:
    """The level that says most."""
    if len(levels) < 2:
        return levels[0] if levels else None
    return max(levels, key=lambda level: weights.of[level].weight)


def _best_names(one: Described, other: Described, weights: Weights) -> _Names:
    """What the best pair of names adds, given and family name."""
    pairs = [_weigh_names(a, b, weights) for a in one.names for b in other.names]
    return max(pairs, key=_total, default=_NO_NAMES)


def _weigh_names(one: FoldedName, other: FoldedName, weights: Weights) -> _Names:
    given = compare_given(one.given, other.given, weights.forms)
    family = compare_family(one.family, other.family, weights.forms)
    fields = []
    if given is not None:
        fields.append(_weigh(given, one.given[:1], other.given[:1], weights))
    if family is not None:
        fields.append(_weigh(family, one.family, other.family, weights))
    return _Names(sum([part.weight + part.rarity for part in fields]), given, family, tuple(fields))


def _weigh(level: Given | Family, one: Words, two: Words, weights: Weights) -> FieldWeight:
    counted = weights.rarity.get(level)
    if counted is None:
        return weights.of[level]
    # The commoner of the two counts; a name that is not listed is as common as names are.
    found = [counted[word] for word in {"".join(one), "".join(two)} if word in counted]
    return replace(weights.of[level], rarity=min(found)) if found else weights.of[level]


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
