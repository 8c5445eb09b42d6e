"""Finding whoever might be meant among a million: by identifier, date of birth, family name and postcode.

Five indexed looks, each with bound values, each narrowed by one element more. Says who might be meant, the likeliest
first; who is meant is `agents.runtime.matching`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    func,
    literal_column,
    or_,
    select,
    union,
    union_all,
)

from agents.police import mapping
from agents.police.database import rows
from agents.police.tables import ADDRESS, ALIAS, IDENTIFIER, LOCATION, PERSON
from agents.police.written import day_of, family_forms, given_letters, identifier_forms, postcode_forms
from agents.runtime.matching.candidates import is_named, shares_a_name
from agents.runtime.matching.dates import birth_dates, may_be_misread
from agents.runtime.source import MAX_PEOPLE, PersonName, PersonQuery

_NAMED: Final = (PERSON, ALIAS)
"""The tables a name or a date of birth may stand in."""
_ONE: Final[ColumnElement[int]] = literal_column("1")
"""Written out, not bound: an index of an expression is only used for the same expression."""


def search(connection: Connection, query: PersonQuery) -> Sequence[str]:
    """References of whoever might be meant, the likeliest first.

    More than `MAX_PEOPLE` only where so many could not be told apart; the same name with quite another date of birth
    fills up to that.
    """
    found = dict.fromkeys(_by_identifier(connection, query))
    found |= dict.fromkeys(_by_birth_date(connection, query))
    found |= dict.fromkeys(_by_postcode(connection, query))
    near, far = _by_name(connection, query)
    found |= dict.fromkeys(near)
    found |= dict.fromkeys(_by_shared_number(connection, list(found)[:MAX_PEOPLE]))
    for ref in far:
        if len(found) < MAX_PEOPLE:
            found.setdefault(ref)
    return list(found)[: MAX_PEOPLE + 1]


def _by_identifier(connection: Connection, query: PersonQuery) -> Sequence[str]:
    codes = {kind: code for code, kind in mapping.IDENTIFIERS.items()}
    wanted = [
        and_(IDENTIFIER.c.identifier_type == codes[one.kind], IDENTIFIER.c.identifier_value.in_(identifier_forms(one)))
        for one in query.identifiers
        if one.kind in codes
    ]
    return _refs(connection, select(IDENTIFIER.c.person_id).where(or_(*wanted))) if wanted else ()


def _by_shared_number(connection: Connection, refs: Sequence[str]) -> Sequence[str]:
    """Further records of those found: whoever holds a number that one of them holds."""
    if not refs:
        return ()
    theirs = IDENTIFIER.alias("theirs")
    same = and_(
        theirs.c.identifier_value == IDENTIFIER.c.identifier_value,
        theirs.c.identifier_type == IDENTIFIER.c.identifier_type,
    )
    known = IDENTIFIER.c.identifier_type.in_(mapping.IDENTIFIERS)
    return _refs(
        connection, select(theirs.c.person_id).join(IDENTIFIER, same).where(IDENTIFIER.c.person_id.in_(refs), known)
    )


def _by_birth_date(connection: Connection, query: PersonQuery) -> Iterable[str]:
    """Born on the day, or on it with day and month swapped, under a name that is alike in one part."""
    dates = birth_dates(query.birth_date)
    if not dates or not query.names:
        return ()
    born = union(*(select(table.c.person_id).where(table.c.date_of_birth.in_(dates)) for table in _NAMED)).subquery()
    named = (
        select(table.c.person_id, table.c.family_name, table.c.given_names).where(
            table.c.person_id.in_(select(born.c.person_id))
        )
        for table in _NAMED
    )
    return [
        row["person_id"]
        for row in rows(connection, union_all(*named))
        if any(shares_a_name(asked, _name_of(row)) for asked in query.names)
    ]


def _by_postcode(connection: Connection, query: PersonQuery) -> Sequence[str]:
    """At an address of the person asked about, with the family name or the date of birth."""
    postcodes = postcode_forms(query.addresses)
    shared = [one for table in _NAMED for one in _name_or_birth_date(table, query)]
    if not postcodes or not shared:
        return ()
    return _refs(
        connection,
        select(PERSON.c.person_id)
        .join(ADDRESS, ADDRESS.c.person_id == PERSON.c.person_id)
        .join(LOCATION, LOCATION.c.location_id == ADDRESS.c.location_id)
        .outerjoin(ALIAS, ALIAS.c.person_id == PERSON.c.person_id)
        .where(LOCATION.c.postcode.in_(postcodes), or_(*shared)),
    )


def _by_name(connection: Connection, query: PersonQuery) -> tuple[Sequence[str], Sequence[str]]:
    """Of the same name: those whose date of birth may be a slip of the pen, and those with quite another."""
    families, letters = family_forms(query.names), given_letters(query.names)
    if not families or not letters:
        return (), ()
    named = (
        select(table.c.person_id, table.c.family_name, table.c.given_names, table.c.date_of_birth).where(
            func.lower(table.c.family_name).in_(families),
            func.lower(func.substr(table.c.given_names, _ONE, _ONE)).in_(letters),
        )
        for table in _NAMED
    )
    near: list[str] = []
    far: list[str] = []
    for row in rows(connection, union_all(*named)):
        if any(is_named(asked, _name_of(row)) for asked in query.names):
            is_near = may_be_misread(query.birth_date, day_of(row["date_of_birth"]))
            (near if is_near else far).append(row["person_id"])
    return near, far


def _name_or_birth_date(table: Table, query: PersonQuery) -> Iterable[ColumnElement[bool]]:
    if families := family_forms(query.names):
        yield func.lower(table.c.family_name).in_(families)
    if dates := birth_dates(query.birth_date):
        yield table.c.date_of_birth.in_(dates)


def _name_of(row: Mapping[str, Any]) -> PersonName:
    return PersonName(row["given_names"] or "", row["family_name"] or "")


def _refs(connection: Connection, statement: Select[str]) -> Sequence[str]:
    return connection.scalars(statement.distinct()).all()
