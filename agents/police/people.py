"""A force's nominals as local persons: every name, number and address of each, and what protects them.

One human may be several nominals; each is a person of its own here, and `agents.runtime.matching` says which are one. A
number that does not hold is left out, since nobody is ever matched by it. Refuses to know who is asked about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, or_, select

from agents.police import mapping
from agents.police.database import rows
from agents.police.row import FieldBroken, Row
from agents.police.tables import ADDRESS, ALIAS, IDENTIFIER, LOCATION, MARKER, PERSON, ROLE
from agents.runtime.source import Label, LocalPerson, PersonAddress, PersonName
from schemas.identifiers import Identifier, IdentifierInvalid, parse_identifier
from schemas.records.person import Gender

REFS_MAX: Final = 500
"""Bound values of one statement; SQLite takes at least 999."""


def load_people(
    connection: Connection, refs: Sequence[str], marker_labels: Mapping[str, Label], today: date
) -> Sequence[LocalPerson]:
    """The people of those references, in that order."""
    refs = refs[:REFS_MAX]
    if not refs:
        return ()
    persons = {row.ref("person_id"): row for row in _all(connection, _of(PERSON, refs))}
    aliases = _grouped(connection, _of(ALIAS, refs).order_by(ALIAS.c.alias_id))
    numbers = _grouped(connection, _of(IDENTIFIER, refs))
    addresses = _grouped(connection, addresses_of(refs))
    labels = load_labels(connection, refs, marker_labels, today)
    return tuple(
        _person(persons[ref], aliases[ref], numbers[ref], addresses[ref], labels[ref]) for ref in refs if ref in persons
    )


def linked_refs(connection: Connection, ref: str) -> Sequence[str]:
    """Who has a part in an event that the person has a part in, or has or had an address of theirs."""
    events = select(ROLE.c.event_id).where(ROLE.c.person_id == ref)
    homes = select(ADDRESS.c.location_id).where(ADDRESS.c.person_id == ref)
    found = {
        row.ref("person_id")
        for statement in (
            select(ROLE.c.person_id).where(ROLE.c.event_id.in_(events)),
            select(ADDRESS.c.person_id).where(ADDRESS.c.location_id.in_(homes)),
        )
        for row in _all(connection, statement.distinct())
    }
    return sorted(found - {ref})


def load_labels(
    connection: Connection, refs: Sequence[str], marker_labels: Mapping[str, Label], today: date
) -> Mapping[str, frozenset[Label]]:
    """What protects each of those people on that day, by their markers and addresses."""
    labels: dict[str, set[Label]] = defaultdict(set)
    safe = select(ADDRESS.c.person_id).where(
        ADDRESS.c.person_id.in_(refs),
        ADDRESS.c.address_type == mapping.SAFE,
        or_(ADDRESS.c.to_on.is_(None), ADDRESS.c.to_on >= today),
    )
    for ref in connection.scalars(safe):
        labels[ref].add(Label.REFUGE)
    marked = select(MARKER.c.person_id, MARKER.c.marker_code).where(
        MARKER.c.person_id.in_(refs),
        MARKER.c.marker_code.in_(list(marker_labels)),
        or_(MARKER.c.to_on.is_(None), MARKER.c.to_on >= today),
    )
    for row in _all(connection, marked):
        labels[row.ref("person_id")].add(marker_labels[row.ref("marker_code").strip()])
    return {ref: frozenset(labels[ref]) for ref in refs}


def addresses_of(refs: Iterable[str]) -> Select[Any]:
    """The addresses of people, the current ones first."""
    return (
        select(ADDRESS, LOCATION.c.line_1, LOCATION.c.town, LOCATION.c.postcode)
        .join(LOCATION, LOCATION.c.location_id == ADDRESS.c.location_id)
        .where(ADDRESS.c.person_id.in_(refs))
        .order_by(ADDRESS.c.to_on.is_not(None), ADDRESS.c.location_id)
    )


def identifiers_of(found: Iterable[Row]) -> Iterator[Identifier]:
    """The numbers among the rows that hold."""
    for row in found:
        kind = mapping.IDENTIFIERS.get(row.ref("identifier_type"))
        if kind is None:
            continue
        try:
            yield parse_identifier(kind, row.ref("identifier_value"))
        except IdentifierInvalid:
            continue


def name_of(row: Row) -> PersonName:
    """The name of a person or alias row."""
    return PersonName(row.line("given_names") or "", row.line("family_name") or "")


def _person(
    row: Row, aliases: Sequence[Row], numbers: Sequence[Row], addresses: Sequence[Row], labels: frozenset[Label]
) -> LocalPerson:
    dates = dict.fromkeys(day for one in (row, *aliases) if (day := _birth_date(one)) is not None)
    sex = mapping.GENDERS.get(row.text("sex") or "", Gender.UNKNOWN)
    return LocalPerson(
        ref=row.ref("person_id"),
        names=tuple(dict.fromkeys(name_of(one) for one in (row, *aliases))),
        birth_dates=tuple(dates),
        sex=None if sex is Gender.UNKNOWN else sex.value,
        identifiers=frozenset(identifiers_of(numbers)),
        addresses=tuple(PersonAddress(one.line("line_1"), one.line("postcode")) for one in addresses),
        labels=labels,
    )


def birth_dates_of(connection: Connection, ref: str) -> tuple[date, ...]:
    """Every date of birth of a person, aliases' too, as far as they can be read."""
    held = [row for table in (PERSON, ALIAS) for row in _all(connection, _of(table, [ref]))]
    return tuple(dict.fromkeys(day for one in held if (day := _birth_date(one)) is not None))


def _birth_date(row: Row) -> date | None:
    try:
        return row.date("date_of_birth")
    except FieldBroken:  # still found by name and number; the record of identity says that it is broken
        return None


def _of(table: Table, refs: Sequence[str]) -> Select[Any]:
    return select(table).where(table.c.person_id.in_(refs))


def _all(connection: Connection, statement: Select[Any]) -> Sequence[Row]:
    return [Row(values) for values in rows(connection, statement)]


def _grouped(connection: Connection, statement: Select[Any]) -> Mapping[str, Sequence[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in _all(connection, statement):
        grouped[row.ref("person_id")].append(row)
    return grouped
