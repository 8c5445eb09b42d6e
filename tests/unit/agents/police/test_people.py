"""Who is found in a force's database: every nominal of a person, under every name, and nobody for want of a comma."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from agents.police.records import PoliceSource
from agents.runtime.matching.deciding import Matched, Possible, find_match
from agents.runtime.source import MAX_PEOPLE, Label, LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.identifiers import IdentifierKind, parse_identifier
from tests.contract.records.county_police import alter, county, holdings, nominals_of, pnc_of, query_for
from tests.unit.agents.police.asking import add_nominal, ask, refs

BORN = date(1980, 6, 17)


def test_a_person_is_found_under_an_alias(source: PoliceSource) -> None:
    man = county().case("alias_user")
    query = ask("Mark", "Dobson", man.born_on.replace(day=1))
    match = find_match(query, source.people(query))
    assert isinstance(match, Matched)
    assert [person.ref for person in match.people] == nominals_of("alias_user")


def test_a_nominal_has_all_its_names_dates_and_addresses(source: PoliceSource) -> None:
    man = county().case("alias_user")
    (person,) = source.people(ask("Mark", "Dobson", man.born_on.replace(day=1)))
    assert {name.family for name in person.names} == {"Dabrowski", "Dobson", "Dombrovski"}
    assert person.names[0].family == "Dabrowski"
    assert person.birth_dates == (man.born_on, man.born_on.replace(day=1))
    places = (county().place_of(man), *man.former_places)
    assert set(person.addresses) == {PersonAddress(place.line1, place.postcode) for place in places}


def test_every_nominal_of_one_man_is_a_person_of_its_own(source: PoliceSource) -> None:
    man = county().case("duplicate_person")
    nominals = nominals_of("duplicate_person")
    assert len(nominals) == 3
    found = source.people(query_for(man))
    assert set(nominals) <= {person.ref for person in found}
    assert next(person for person in found if person.ref == nominals[2]).birth_dates == ()


def test_a_nominal_is_found_by_the_number_that_only_it_carries(source: PoliceSource) -> None:
    second = nominals_of("duplicate_person")[1]
    number = parse_identifier(IdentifierKind.PNC, pnc_of(second))
    match = find_match(query := PersonQuery(identifiers=frozenset({number})), source.people(query))
    assert isinstance(match, Matched)
    assert [person.ref for person in match.people] == [second]


def test_two_nominals_with_one_pnc_id_are_both_matched(source: PoliceSource, database: Path) -> None:
    second = nominals_of("duplicate_person")[1]
    man = county().case("duplicate_person")
    again = add_nominal(database, "N9000001", "Mohamed", "Elsewhere", None)
    alter(database, "INSERT INTO person_identifier VALUES (?, 'PNC', ?)", again, pnc_of(second))
    query = ask("Mohamed", "Farouk", man.born_on)
    match = find_match(query, source.people(query))
    assert isinstance(match, Matched)
    assert {second, again} <= {person.ref for person in match.people}


def test_two_nominals_with_one_name_and_birth_date_are_both_matched(source: PoliceSource, database: Path) -> None:
    pair = {add_nominal(database, ref, "Ann", "Zetter", BORN.isoformat()) for ref in ("N9000001", "N9000002")}
    query = ask("Ann", "Zetter", BORN)
    match = find_match(query, source.people(query))
    assert isinstance(match, Matched)
    assert {person.ref for person in match.people} == pair


def test_a_birth_date_with_day_and_month_swapped_is_a_possible_match(source: PoliceSource) -> None:
    query = query_for(county().case("transposed_birth_date"))
    match = find_match(query, source.people(query))
    assert isinstance(match, Possible)
    assert [person.ref for person in match.people] == nominals_of("transposed_birth_date")


def test_one_twin_is_not_the_other(source: PoliceSource, database: Path) -> None:
    twins = [county().case("twin_a"), county().case("twin_b")]
    for number, twin in enumerate(twins):
        add_nominal(database, f"N900000{number}", twin.given, twin.family, twin.born_on.isoformat())
    query = query_for(twins[0])
    match = find_match(query, source.people(query))
    assert isinstance(match, Matched)
    assert [person.ref for person in match.people] == ["N9000000"]


def test_a_refuge_resident_and_a_child_there_are_protected(source: PoliceSource) -> None:
    for case in ("refuge_resident", "refuge_child"):
        person = next(one for one in source.people(query_for(county().case(case))) if one.ref in nominals_of(case))
        assert person.labels == {Label.REFUGE}
        assert source.restrictions(person).labels == {Label.REFUGE}


def test_whoever_was_left_behind_is_not_protected(source: PoliceSource) -> None:
    (ref,) = nominals_of("refuge_perpetrator")
    assert source.restrictions(LocalPerson(ref)).labels == frozenset()


def test_a_marker_of_a_protecting_code_is_a_label_until_its_end(source: PoliceSource, database: Path) -> None:
    (ref,) = nominals_of("alias_user")
    alter(database, "INSERT INTO warning_marker VALUES (9001, ?, 'CA', 'Confidential', '2020-01-01', NULL)", ref)
    assert source.restrictions(LocalPerson(ref)).labels == {Label.REFUGE}
    alter(database, "UPDATE warning_marker SET to_on = '2024-01-01' WHERE marker_id = 9001")
    assert source.restrictions(LocalPerson(ref)).labels == frozenset()


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("O'Brien", "OBrien"),
        ("OBrien", "O’Brien"),
        ("Smith-Jones", "Smith Jones"),
        ("SMITH JONES", "Smith-Jones"),
        ("de Souza", "De Souza"),
        ("Łukasik", "Łukasik"),
        ("McDonald", "MCDONALD"),
    ],
)
def test_the_spelling_of_a_family_name_hides_nobody(
    source: PoliceSource, database: Path, stored: str, asked: str
) -> None:
    ref = add_nominal(database, "N9000001", "Ann", stored, BORN.isoformat())
    assert ref in refs(source, ask("Ann", asked, BORN))
    assert ref in refs(source, ask("Ann", asked))


@pytest.mark.parametrize(
    ("given", "family", "asked"),
    [
        ("Bob", "Zetter", ("Robert", "Zetter")),
        ("Elizabeth", "Zetter", ("Beth", "Zetter")),
        ("Mohammed", "Zetter", ("Muhammad", "Zetter")),
        ("Anna", "Kowalska", ("Anna", "Kowalski")),
        ("Ann", "Zetter", ("Ann", "Zetter-Quill")),
    ],
)
def test_a_nickname_or_another_spelling_hides_nobody_whose_birth_date_is_written_wrongly(
    source: PoliceSource, database: Path, given: str, family: str, asked: tuple[str, str]
) -> None:
    ref = add_nominal(database, "N9000001", given, family, BORN.replace(year=BORN.year + 1).isoformat())
    assert ref in refs(source, ask(*asked, BORN))


@pytest.mark.parametrize("stored", ["2008/0545166T", "08/545166T", "2008/545166T", "20080545166T", "08/0545166T"])
def test_a_pnc_id_is_found_however_the_force_wrote_it(source: PoliceSource, database: Path, stored: str) -> None:
    ref = add_nominal(database, "N9000001", "Ann", "Zetter", None)
    alter(database, "INSERT INTO person_identifier VALUES (?, 'PNC', ?)", ref, stored)
    number = parse_identifier(IdentifierKind.PNC, "2008/0545166T")
    (person,) = source.people(PersonQuery(identifiers=frozenset({number})))
    assert person.ref == ref
    assert person.identifiers == {number}


def test_a_number_that_does_not_hold_matches_nobody_and_hides_nobody(source: PoliceSource, database: Path) -> None:
    ref = add_nominal(database, "N9000001", "Ann", "Zetter", BORN.isoformat())
    alter(database, "INSERT INTO person_identifier VALUES (?, 'PNC', '2008/0545166X')", ref)
    (person,) = source.people(ask("Ann", "Zetter", BORN))
    assert person.identifiers == frozenset()


def test_a_broken_birth_date_leaves_a_person_found_by_name(source: PoliceSource, database: Path) -> None:
    ref = add_nominal(database, "N9000001", "Ann", "Zetter", "31/02/1980")
    (person,) = source.people(ask("Ann", "Zetter", BORN))
    assert (person.ref, person.birth_dates) == (ref, ())


def test_a_family_name_and_a_shared_address_find_a_person(source: PoliceSource) -> None:
    man = county().case("duplicate_person")
    query = replace(query_for(man), names=(PersonName("", man.family),), birth_date=None)
    assert set(nominals_of("duplicate_person")[::2]) <= set(refs(source, query))


def test_names_the_wrong_way_round_are_found_by_birth_date(source: PoliceSource, database: Path) -> None:
    ref = add_nominal(database, "N9000001", "Zetter", "Ann", BORN.isoformat())
    assert refs(source, ask("Ann", "Zetter", BORN)) == [ref]


def test_a_common_name_does_not_hide_the_one_with_the_birth_date(source: PoliceSource, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO person VALUES (?, 'Smith', 'John', ?, 'M', NULL, NULL, '2020-01-01')",
            [(f"N8{number:06d}", f"{1940 + number % 60}-05-{1 + number % 20:02d}") for number in range(600)],
        )
    ref = add_nominal(database, "N9000001", "John", "Smith", BORN.isoformat())
    query = ask("John", "Smith", BORN)
    found = source.people(query)
    match = find_match(query, found)
    assert len(found) <= MAX_PEOPLE
    assert isinstance(match, Possible)
    assert ref in {person.ref for person in match.people}


def test_a_name_that_cannot_be_narrowed_is_too_many(source: PoliceSource, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO person VALUES (?, 'Smith', 'John', NULL, 'M', NULL, NULL, '2020-01-01')",
            [(f"N8{number:06d}",) for number in range(MAX_PEOPLE + 50)],
        )
    assert len(source.people(ask("John", "Smith"))) == MAX_PEOPLE + 1


def test_text_that_looks_like_sql_is_only_text(source: PoliceSource) -> None:
    before = len(holdings().tables["person"])
    assert refs(source, ask("x", "'; DELETE FROM person; --", BORN)) == []
    assert source.check().counts["person"] == before
