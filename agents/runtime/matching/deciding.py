"""Who of the local records is the person asked about: matched, possibly, or nobody.

Pure. A record is the person where its score says so and no guard objects; it may be where either leaves doubt. Doubt is
a possible match, which gives no fact away and never says what differed: what would settle it is the same list whatever
it was. Explanations are for the agency's own people and are never sent. Refuses to know what is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, TypeAlias

from agents.runtime.matching.guards import Verdict, guards_of
from agents.runtime.matching.levels import Birth, Given
from agents.runtime.matching.scoring import Described, Score, describe_person, describe_query, score
from agents.runtime.matching.weights import Weights, shipped_weights
from agents.runtime.source import LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.identifiers import Identifier, parse_identifier
from schemas.messages.request import Subject
from schemas.vocabulary import Evidence

CONFIRM_PERSON: Final = (Evidence.IDENTIFIER, Evidence.FULL_NAME, Evidence.BIRTH_DATE, Evidence.ADDRESS)
"""What would settle a possible match of a person born. One list for all, so that it cannot tell what differed."""
CONFIRM_UNBORN: Final = (Evidence.MOTHER, Evidence.EXPECTED_DATE)
EXPECTED_WITHIN: Final = timedelta(days=28)
"""How far two estimates of one date of delivery may lie apart: scans correct the first by up to four weeks."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Why a record is the person asked about, may be, or is not: field by field, and the guards that held."""

    ref: str = field(repr=False)
    score: Score = field(repr=False)
    guards: tuple[str, ...]
    verdict: Verdict

    def lines(self) -> list[str]:
        """The same in words, for the agency's own people: levels and powers of two, nothing of what is written."""
        named = {Verdict.YES: "is the person", Verdict.MAYBE: "may be the person", Verdict.NO: "is somebody else"}
        told = [f"{self.ref} {named[self.verdict]}: {self.score.weight:+.1f}, chance {self.score.chance:.5f}"]
        told += [
            f"  {one.field} {one.level} {one.weight:+.1f}" + (f", rarity {one.rarity:+.1f}" if one.rarity else "")
            for one in self.score.fields
        ]
        return told + [f"  guard {guard}" for guard in self.guards]


@dataclass(frozen=True, slots=True)
class Matched:
    """These local records are the person; several when the system has the person more than once."""

    people: tuple[LocalPerson, ...] = field(repr=False)
    weighed: tuple[Weighed, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Possible:
    """These may be; nothing of them leaves. `confirm` says what kinds of evidence would settle it."""

    confirm: tuple[Evidence, ...]
    people: tuple[LocalPerson, ...] = field(repr=False)
    weighed: tuple[Weighed, ...] = field(default=(), repr=False, compare=False)
    is_capped: bool = False
    """Whether it would have been a match, had the officer not tried so often (`tries`)."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """No local record is or may be the person."""

    weighed: tuple[Weighed, ...] = field(default=(), repr=False, compare=False)


Match: TypeAlias = "Matched | Possible | Nobody"


def query_for(subject: Subject, mothers: Iterable[str] = ()) -> PersonQuery:
    """The query a subject of a request makes. Its identifiers were checked where the bytes came in."""
    named = ([subject.name] if subject.name else []) + list(subject.other_names)
    return PersonQuery(
        names=tuple(PersonName(name.given, name.family) for name in named),
        birth_date=_day(subject.birth_date),
        expected_on=_day(subject.expected_on),
        identifiers=frozenset(parse_identifier(given.kind, given.value) for given in subject.identifiers),
        addresses=tuple(PersonAddress(address.line, address.postcode) for address in subject.addresses),
        sex=subject.sex,
        mothers=frozenset(mothers),
    )


def find_match(query: PersonQuery, people: Sequence[LocalPerson], weights: Weights | None = None) -> Match:
    """Decide among everybody who might be meant, by the weights that ship unless others are given.

    Raises:
        WeightsBroken: there are none.
    """
    if query.expected_on is not None or query.mothers:
        unborn = tuple(person for person in people if _may_be_unborn(query, person))
        return Possible(CONFIRM_UNBORN, unborn) if unborn else Nobody()
    weights = weights or shipped_weights()
    asked = describe_query(query)
    born = [_Held(person, held := describe_person(person), weigh(asked, held, person.ref, weights))
            for person in people if person.expected_on is None]  # fmt: skip
    weighed = tuple(one.weighed for one in born)
    sure = [one for one in born if one.weighed.verdict is Verdict.YES]
    if sure and _are_one(sure, query, weights):
        same = [one for one in born if one not in sure and _is_same_record(one, sure)]
        return Matched(tuple(one.person for one in (*sure, *same)), weighed)
    doubtful = tuple(one.person for one in born if one.weighed.verdict is not Verdict.NO)
    return Possible(CONFIRM_PERSON, doubtful, weighed) if doubtful else Nobody(weighed)


def weigh(asked: Described, held: Described, ref: str, weights: Weights) -> Weighed:
    """Weigh one record: the score's verdict, or the strictest guard's."""
    scored = score(asked, held, weights)
    guards = guards_of(scored.agreement)
    verdict = Verdict.NO
    if scored.weight >= weights.possible_from:
        verdict = Verdict.YES if scored.weight >= weights.release_from else Verdict.MAYBE
    verdict = min((verdict, *(guard.leaves for guard in guards)))
    return Weighed(ref, scored, tuple(guard.name for guard in guards), verdict)


@dataclass(frozen=True, slots=True)
class _Held:
    person: LocalPerson = field(repr=False)
    described: Described = field(repr=False)
    weighed: Weighed = field(repr=False)


def _are_one(sure: Sequence[_Held], query: PersonQuery, weights: Weights) -> bool:
    """Whether several sure records can be one person: nothing in two of them says that they are two.

    Two numbers of one kind do, unless both were asked for; so do given names of two (twins of whom only the first of
    several given names was asked for).
    """
    for at, one in enumerate(sure):
        for other in sure[at + 1 :]:
            mine, theirs = one.person.identifiers, other.person.identifiers
            if mine & query.identifiers and theirs & query.identifiers:
                continue
            if _numbers_differ(mine, theirs):
                return False
            given = score(one.described, other.described, weights).agreement.given
            if not mine & theirs and given in (Given.FIRST, Given.OTHER):
                return False
    return True


def _numbers_differ(one: frozenset[Identifier], other: frozenset[Identifier]) -> bool:
    shared = {number.kind for number in one & other}
    return bool(({number.kind for number in one} & {number.kind for number in other}) - shared)


def _is_same_record(one: _Held, sure: Sequence[_Held]) -> bool:
    """A further record of somebody matched: it shares a number with a sure one and contradicts neither it nor us."""
    numbers = frozenset[Identifier]().union(*(other.person.identifiers for other in sure))
    agreement = one.weighed.score.agreement
    return (
        bool(one.person.identifiers & numbers)
        and agreement.given is not Given.OTHER
        and agreement.birth in (Birth.SAME, None)
    )


def _may_be_unborn(query: PersonQuery, person: LocalPerson) -> bool:
    if person.expected_on is None or person.mother_ref not in query.mothers:
        return False
    return query.expected_on is None or abs(person.expected_on - query.expected_on) <= EXPECTED_WITHIN


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None  # 30 February passes the field's pattern; as a date it is nothing to match on
