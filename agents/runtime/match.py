"""Who of the local records is the person asked about: matched, possibly, or nobody.

Pure. A match needs a valid identifier that nothing contradicts, or the same name and the same date of birth. Doubt is a
possible match, which gives no fact away and never says what differed: what would settle it is the same list whatever
it was. Twins are the reason for the rule that another given name is another person. Refuses to know what is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum
from typing import Final, TypeAlias

from agents.runtime.names import Likeness, compare_family, compare_given, postcode_key
from agents.runtime.source import LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.identifiers import Identifier, parse_identifier
from schemas.messages.request import Subject

CONFIRM_PERSON: Final = ("identifier", "full_name", "birth_date", "address")
"""What would settle a possible match of a person born. One list for all, so that it cannot tell what differed."""
CONFIRM_UNBORN: Final = ("mother", "expected_date")
EXPECTED_WITHIN: Final = timedelta(days=28)
"""How far two estimates of one date of delivery may lie apart: scans correct the first by up to four weeks."""


@dataclass(frozen=True, slots=True)
class Matched:
    """These local records are the person; several when the system has the person more than once."""

    people: tuple[LocalPerson, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Possible:
    """These may be; nothing of them leaves. `confirm` says what kinds of evidence would settle it."""

    confirm: tuple[str, ...]
    people: tuple[LocalPerson, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Nobody:
    """No local record is or may be the person."""


Match: TypeAlias = "Matched | Possible | Nobody"


class _Dates(IntEnum):
    OTHER = 0
    UNKNOWN = 1
    NEAR = 2
    SAME = 3


class _Verdict(IntEnum):
    NO = 0
    MAYBE = 1
    YES = 2


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


def find_match(query: PersonQuery, people: Sequence[LocalPerson]) -> Match:
    """Decide among everybody who might be meant."""
    if query.expected_on is not None or query.mothers:
        unborn = tuple(person for person in people if _may_be_unborn(query, person))
        return Possible(CONFIRM_UNBORN, unborn) if unborn else Nobody()
    born = [person for person in people if person.expected_on is None]
    verdicts = [(_judge(query, person), person) for person in born]
    sure = [person for verdict, person in verdicts if verdict is _Verdict.YES]
    if sure and _are_one(sure, query):
        same = [person for person in born if person not in sure and _is_same_record(person, sure, query)]
        return Matched((*sure, *same))
    doubtful = tuple(person for verdict, person in verdicts if verdict is not _Verdict.NO)
    return Possible(CONFIRM_PERSON, doubtful) if doubtful else Nobody()


def _judge(query: PersonQuery, person: LocalPerson) -> _Verdict:
    given, family = _compare_names(query.names, person.names)
    dates = _compare_dates(query.birth_date, person.birth_dates)
    if query.identifiers & person.identifiers:
        return _judge_by_identifier(given, family, dates)
    if given is Likeness.OTHER:  # a twin, a sibling, somebody else
        return _swapped(query, person) if dates is _Dates.SAME else _Verdict.NO
    if (given, family, dates) == (Likeness.SAME, Likeness.SAME, _Dates.SAME):
        return _Verdict.MAYBE if _contradicts(query, person) else _Verdict.YES
    names_agree = given is Likeness.SAME and family is Likeness.SAME
    if names_agree and dates is not _Dates.OTHER:
        return _Verdict.MAYBE
    if dates is _Dates.SAME and family is Likeness.SAME:
        return _Verdict.MAYBE  # the given name alike, or a placeholder
    if dates is _Dates.SAME and given is Likeness.SAME and (family is Likeness.ALIKE or _share_address(query, person)):
        return _Verdict.MAYBE
    return _Verdict.NO


def _judge_by_identifier(given: Likeness, family: Likeness, dates: _Dates) -> _Verdict:
    """An identifier finds the person; a name or date that contradicts it means that it may be mistyped."""
    if dates not in (_Dates.SAME, _Dates.UNKNOWN) or given is Likeness.OTHER:
        return _Verdict.MAYBE
    if family is not Likeness.OTHER:
        return _Verdict.YES
    # Married or renamed: identifier, given name and date of birth together outweigh the family name.
    return _Verdict.YES if given is Likeness.SAME and dates is _Dates.SAME else _Verdict.MAYBE


def _contradicts(query: PersonQuery, person: LocalPerson) -> bool:
    """Another number of the same kind, or another sex, under the same name and date of birth."""
    theirs = {identifier.kind for identifier in person.identifiers}
    if any(identifier.kind in theirs for identifier in query.identifiers):
        return True
    known = {"female", "male"}
    return query.sex in known and person.sex in known and query.sex != person.sex


def _are_one(people: Sequence[LocalPerson], query: PersonQuery) -> bool:
    """Whether several sure records can be one person: no two have other numbers of one kind, unless both are asked."""
    for at, one in enumerate(people):
        for other in people[at + 1 :]:
            if one.identifiers & query.identifiers and other.identifiers & query.identifiers:
                continue
            if _numbers_differ(one.identifiers, other.identifiers):
                return False
    return True


def _numbers_differ(one: frozenset[Identifier], other: frozenset[Identifier]) -> bool:
    shared = {number.kind for number in one & other}
    return bool(({number.kind for number in one} & {number.kind for number in other}) - shared)


def _is_same_record(person: LocalPerson, sure: Sequence[LocalPerson], query: PersonQuery) -> bool:
    """A further record of somebody matched: it shares a number with a sure one and contradicts neither it nor us."""
    numbers = frozenset[Identifier]().union(*(other.identifiers for other in sure))
    given, _ = _compare_names(query.names, person.names)
    dates = _compare_dates(query.birth_date, person.birth_dates)
    return bool(person.identifiers & numbers) and given >= Likeness.UNKNOWN and dates in (_Dates.SAME, _Dates.UNKNOWN)


def _compare_names(asked: Sequence[PersonName], held: Sequence[PersonName]) -> tuple[Likeness, Likeness]:
    """The best pair of any name asked with any name held."""
    pairs = [(compare_given(a.given, b.given), compare_family(a.family, b.family)) for a in asked for b in held]
    return max(pairs, key=lambda pair: (min(pair), sum(pair)), default=(Likeness.UNKNOWN, Likeness.UNKNOWN))


def _swapped(query: PersonQuery, person: LocalPerson) -> _Verdict:
    """Given and family name in each other's place, on the same date of birth; any of the given names will do."""
    turned = tuple(PersonName(name.family, name.given) for name in query.names)
    given, family = _compare_names(turned, person.names)
    return _Verdict.MAYBE if given >= Likeness.ALIKE and family is Likeness.SAME else _Verdict.NO


def _compare_dates(asked: date | None, held: Sequence[date]) -> _Dates:
    if asked is None or not held:
        return _Dates.UNKNOWN
    return max(_compare_days(asked, one) for one in held)


def _compare_days(one: date, other: date) -> _Dates:
    if one == other:
        return _Dates.SAME
    apart = (one.day != other.day) + (one.month != other.month) + (one.year != other.year)
    is_swapped = one.year == other.year and (one.day, one.month) == (other.month, other.day)
    return _Dates.NEAR if apart == 1 or is_swapped else _Dates.OTHER


def _share_address(query: PersonQuery, person: LocalPerson) -> bool:
    held = {postcode_key(address.postcode) for address in person.addresses} - {""}
    return any(postcode_key(address.postcode) in held for address in query.addresses)


def _may_be_unborn(query: PersonQuery, person: LocalPerson) -> bool:
    if person.expected_on is None or person.mother_ref not in query.mothers:
        return False
    return query.expected_on is None or abs(person.expected_on - query.expected_on) <= EXPECTED_WITHIN


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None  # 30 February passes the field's pattern; as a date it is nothing to match on
