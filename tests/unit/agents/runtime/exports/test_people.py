"""The index names just those whom its rules name when everybody is held against them one by one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.exports.people import PeopleIndex
from agents.runtime.matching.candidates import family_keys, folded_named, folded_share, name_letters
from agents.runtime.matching.dates import birth_dates, may_be_misread
from agents.runtime.matching.names import FoldedName, fold_name
from agents.runtime.matching.text import postcode_key
from agents.runtime.source import MAX_PEOPLE, LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.identifiers import IdentifierKind, parse_identifier

ASKED = date(2014, 4, 9)
NUMBERS = [parse_identifier(IdentifierKind.NHS_NUMBER, value) for value in ("9691292211", "9449306613", "9449306494")]

givens = st.sampled_from(
    ["Declan", "Delcan James", "Dec", "William", "Bill", "Mary Ann", "Maryann", "Rawstron", "Baby"]
)
families = st.sampled_from(["Rawstron", "Rawston", "Smith-Rawstron", "Kowalska", "Kowalski", "Hussain", "Hossein", ""])
names = st.lists(st.builds(PersonName, givens, families), max_size=2).map(tuple)
days = st.sampled_from(
    [
        *(ASKED, date(2014, 9, 4), date(2014, 4, 30), date(2014, 7, 9), date(1987, 4, 9), date(2041, 4, 9)),
        *(date(2104, 4, 9), date(2010, 1, 4), date(2013, 5, 10)),
    ]
)
places = st.lists(st.builds(PersonAddress, st.none(), st.sampled_from(["ZZ1 1AA", "ZZ1 2BB", "none"])), max_size=2).map(
    tuple
)
numbers = st.frozensets(st.sampled_from(NUMBERS), max_size=2)
people = st.builds(
    LocalPerson,
    st.just(""),
    names,
    st.lists(days, max_size=2, unique=True).map(tuple),
    identifiers=numbers,
    addresses=places,
)
queries = st.builds(PersonQuery, names, st.none() | st.just(ASKED) | days, identifiers=numbers, addresses=places)


def named_one_by_one(query: PersonQuery, held: Sequence[LocalPerson]) -> set[str]:
    """References of everybody whom a rule names, and of whoever shares a number with one of them."""
    undated = query.birth_date is None
    found = [one for one in held if _is_found(query, one) or (undated and _is_named(query, one))]
    shared = {number for one in found for number in one.identifiers}
    return {one.ref for one in (*found, *(one for one in held if one.identifiers & shared))}


def _is_found(query: PersonQuery, person: LocalPerson) -> bool:
    births, born = set(person.birth_dates), query.birth_date
    is_misread = not births or any(may_be_misread(born, one) for one in births)
    is_there = bool(_postcodes(query) & _postcodes(person))
    return (
        bool(query.identifiers & person.identifiers)
        or (bool(births & birth_dates(born)) and _shares_a_part(query, person))
        or (born is not None and is_misread and _is_named(query, person))
        or (is_there and (born in births or _has_key(query, person)))
    )


def _shares_a_part(query: PersonQuery, person: LocalPerson) -> bool:
    """Alike in one part, and a part begins alike or has several words."""
    families, givens = name_letters(_folded(query))
    return any(
        folded_share(asked, held)
        and (
            max(len(held.family), len(held.given)) > 1
            or "".join(held.family)[:1] in families
            or "".join(held.given)[:1] in givens
        )
        for asked in _folded(query)
        for held in _folded(person)
    )


def _is_named(query: PersonQuery, person: LocalPerson) -> bool:
    keys = set(family_keys(_folded(query)))
    return any(
        folded_named(asked, held) and keys & {"".join(held.family), *held.family}
        for asked in _folded(query)
        for held in _folded(person)
    )


def _has_key(query: PersonQuery, person: LocalPerson) -> bool:
    keys = set(family_keys(_folded(query)))
    return any(keys & {"".join(held.family), *held.family} for held in _folded(person))


def _postcodes(one: PersonQuery | LocalPerson) -> set[str]:
    return {postcode_key(address.postcode) for address in one.addresses} - {""}


def _folded(one: PersonQuery | LocalPerson) -> list[FoldedName]:
    return [fold_name(name) for name in one.names]


def _index(database: sqlite3.Connection, held: Sequence[LocalPerson]) -> PeopleIndex:
    index = PeopleIndex(database)
    for one in held:
        index.add(one)
    index.finish()
    return index


@given(st.lists(people, max_size=12), queries)
def test_the_index_names_whom_the_rules_name_one_by_one(drawn: list[LocalPerson], query: PersonQuery) -> None:
    held = [replace(one, ref=str(at)) for at, one in enumerate(drawn)]
    with closing(sqlite3.connect(":memory:")) as database:
        found = _index(database, held).search(query)
    assert len(found) == len(set(found))
    assert set(found) == named_one_by_one(query, held)


def test_a_name_that_many_bear_is_named_up_to_the_limit_where_no_date_tells_them_apart() -> None:
    name = PersonName("Declan", "Rawstron")
    held = [LocalPerson(str(at), (name,), (date(1960 + at % 60, 1, 2),)) for at in range(MAX_PEOPLE + 50)]
    with closing(sqlite3.connect(":memory:")) as database:
        index = _index(database, held)
        assert len(index.search(PersonQuery((name,)))) == MAX_PEOPLE
        same_day = [LocalPerson(f"s{at}", (name,), (ASKED,)) for at in range(MAX_PEOPLE + 50)]
    with closing(sqlite3.connect(":memory:")) as database:
        assert len(_index(database, same_day).search(PersonQuery((name,), ASKED))) == MAX_PEOPLE + 1
