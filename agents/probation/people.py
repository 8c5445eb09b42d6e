"""People on probation as local persons, and what protects them: limited access.

A number that does not hold is left out, since nobody is ever matched by it. Limited access that cannot be read is an
error: nobody may be looked at of whom it is not known whether they are restricted (DOMAIN 6.4, R12).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from agents.probation import mapping
from agents.probation.members import MemberBroken, Members
from agents.runtime.source import Label, LocalPerson, PersonAddress, PersonName, RecordBroken
from schemas.identifiers import Identifier, IdentifierInvalid, IdentifierKind, parse_identifier
from schemas.records.person import Gender
from schemas.vocabulary import Category


def person_of(crn: str, held: Members, addresses: object) -> LocalPerson:
    """A person as far as they can be read; a member that does not hold hides nobody."""
    aliases = _aliases(held)
    return LocalPerson(
        ref=crn,
        names=tuple(dict.fromkeys(_name(one) for one in (held, *aliases))),
        birth_dates=birth_dates_of(held),
        sex=_sex(held),
        identifiers=frozenset({*identifiers_of(held), *_parsed(IdentifierKind.CRN, crn)}),
        addresses=tuple(_addresses(addresses)),
        labels=_labels_said(held),
    )


def limited_access(crn: str, persons: Mapping[str, Any]) -> frozenset[Label]:
    """The labels of limited access.

    Raises:
        RecordBroken: whether access is limited is not said, or not by yes or no.
    """
    held = persons.get(crn)
    labels = {"currentRestriction": Label.LIMITED_ACCESS, "currentExclusion": Label.EXCLUDED}
    for name in labels:
        if not isinstance(held, dict) or not isinstance(held.get(name), bool):
            raise RecordBroken(Category.PROBATION_IDENTITY, crn, name)
    return frozenset(label for name, label in labels.items() if persons[crn][name])


def identifiers_of(held: Members) -> Iterator[Identifier]:
    """The numbers of a person that hold."""
    yield from _parsed(IdentifierKind.PNC, held.values.get("pncId"))
    numbers = held.values.get("identifiers")
    if isinstance(numbers, dict):
        for name, kind in mapping.IDENTIFIERS.items():
            yield from _parsed(kind, numbers.get(name))


def _parsed(kind: IdentifierKind, written: object) -> Iterator[Identifier]:
    if isinstance(written, str):
        try:
            yield parse_identifier(kind, written)
        except IdentifierInvalid:
            return


def _labels_said(held: Members) -> frozenset[Label]:
    restricted, excluded = held.values.get("currentRestriction"), held.values.get("currentExclusion")
    said = ((restricted, Label.LIMITED_ACCESS), (excluded, Label.EXCLUDED))
    return frozenset(label for value, label in said if value is True)


def _aliases(held: Members) -> list[Members]:
    try:
        return list(held.objects("aliases"))
    except MemberBroken:
        return []


def _name(held: Members) -> PersonName:
    given = " ".join(text for name in ("firstName", "middleName") if (text := _said(held, name)))
    return PersonName(given, _said(held, "lastName"))


def _said(held: Members, name: str) -> str:
    try:
        return held.line(name) or ""
    except MemberBroken:
        return ""


def birth_dates_of(held: Members) -> tuple[date, ...]:
    """Every date of birth of a person, aliases' too, as far as they can be read."""
    said = (held, *_aliases(held))
    return tuple(dict.fromkeys(day for one in said if (day := _birth_date(one)) is not None))


def _birth_date(held: Members) -> date | None:
    try:
        return held.date("dateOfBirth")
    except MemberBroken:  # still found by name and number; the record of identity says that it is broken
        return None


def _sex(held: Members) -> str | None:
    gender = mapping.GENDERS.get(_said(held, "gender"), Gender.UNKNOWN)
    return gender.value if gender in (Gender.FEMALE, Gender.MALE) else None


def _addresses(held: object) -> Iterator[PersonAddress]:
    for one in held if isinstance(held, list) else ():
        if isinstance(one, dict):
            members = Members(one)
            line = " ".join(text for name in ("number", "street") if (text := _said(members, name)))
            yield PersonAddress(line or None, _said(members, "postcode") or None)
