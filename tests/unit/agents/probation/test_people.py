"""Who is found in an export, and who is protected: limited access that cannot be read stops every look."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agents.probation.records import ProbationSource
from agents.runtime.matching.deciding import Match, Matched, Nobody, Possible, find_match
from agents.runtime.source import MAX_PEOPLE, Label, LocalPerson, PersonQuery, RecordBroken, SourceAway
from schemas.identifiers import IdentifierKind, parse_identifier
from tests.contract.records.county_police import STEPFATHER, county, query_for
from tests.contract.records.county_probation import crn_of, edit, holdings, put
from tests.unit.agents.probation.asking import ask, entry

BORN = date(1980, 6, 4)


def matched(source: ProbationSource, query: PersonQuery) -> list[str]:
    match = find_match(query, source.people(query))
    assert isinstance(match, Matched)
    return [person.ref for person in match.people]


def test_a_person_is_found_under_either_of_two_names(source: ProbationSource) -> None:
    man = county().case("alias_user")
    assert matched(source, ask("Mark", "Dobson", man.born_on)) == [crn_of("alias_user")]
    assert matched(source, ask("Marek", "Dabrowski", man.born_on)) == [crn_of("alias_user")]


def by_number(source: ProbationSource, kind: IdentifierKind, value: str) -> Match:
    query = PersonQuery(identifiers=frozenset({parse_identifier(kind, value)}))
    return find_match(query, source.people(query))


def test_a_person_is_found_by_each_number_alone(source: ProbationSource) -> None:
    crn = crn_of(STEPFATHER)
    held = holdings().resources["persons"][crn]
    for kind, value in ((IdentifierKind.CRN, crn), (IdentifierKind.PNC, held["pncId"])):
        match = by_number(source, kind, value)
        assert isinstance(match, Matched | Possible)
        assert [person.ref for person in match.people] == [crn]


def test_a_number_without_a_check_digit_matches_nobody_by_itself(source: ProbationSource) -> None:
    crn = crn_of(STEPFATHER)
    assert isinstance(by_number(source, IdentifierKind.CRN, crn), Possible)
    query = dataclasses.replace(query_for(county().case(STEPFATHER)), identifiers=frozenset(), addresses=())
    asked = dataclasses.replace(query, identifiers=frozenset({parse_identifier(IdentifierKind.CRN, crn)}))
    assert matched(source, asked) == [crn]


def test_prison_and_cro_numbers_find_a_person(source: ProbationSource, folder: Path) -> None:
    numbers = {"nomisNumber": "A1234AA", "croNumber": "29906/12J", "deliusCrn": "X900001"}
    edit(folder, "persons", lambda held: held.update(X900001=entry("Ann", "Zetter", None, identifiers=numbers)))
    for kind, value in ((IdentifierKind.NOMS, "A1234AA"), (IdentifierKind.CRO, "029906/12J")):
        match = by_number(source, kind, value)
        assert isinstance(match, Matched | Possible)
        assert [person.ref for person in match.people] == ["X900001"]


def test_a_number_that_does_not_hold_matches_nobody_and_hides_nobody(source: ProbationSource, folder: Path) -> None:
    edit(folder, "persons", lambda held: held.update(X900001=entry("Ann", "Zetter", "1980-06-04", pncId="2008/0X")))
    (person,) = source.people(ask("Ann", "Zetter", BORN))
    assert {one.kind for one in person.identifiers} == {IdentifierKind.CRN}


def test_a_swapped_birth_date_is_a_possible_match(source: ProbationSource, folder: Path) -> None:
    edit(folder, "persons", lambda held: held.update(X900001=entry("Ann", "Zetter", "1980-04-06")))
    query = ask("Ann", "Zetter", BORN)
    assert isinstance(find_match(query, source.people(query)), Possible)


def test_one_twin_is_not_the_other(source: ProbationSource, folder: Path) -> None:
    twins = [county().case("twin_a"), county().case("twin_b")]
    both = {
        f"X90000{number}": entry(twin.given, twin.family, twin.born_on.isoformat()) for number, twin in enumerate(twins)
    }
    edit(folder, "persons", lambda held: held.update(both))
    assert matched(source, query_for(twins[1])) == ["X900001"]


def test_names_the_wrong_way_round_are_found_by_birth_date(source: ProbationSource, folder: Path) -> None:
    edit(folder, "persons", lambda held: held.update(X900001=entry("Zetter", "Ann", "1980-06-04")))
    assert [person.ref for person in source.people(ask("Ann", "Zetter", BORN))] == ["X900001"]


def test_a_shared_address_finds_a_person_of_the_family_name(source: ProbationSource, folder: Path) -> None:
    edit(folder, "persons", lambda held: held.update(X900001=entry("Ann", "Zetter", None)))
    edit(folder, "addresses", lambda held: held.update(X900001=[{"number": "1", "postcode": "zz1 1aa"}]))
    query = PersonQuery(names=ask("", "Zetter").names, addresses=(query_for(county().case(STEPFATHER)).addresses))
    assert source.people(query) == ()
    (person,) = source.people(ask("Ann", "Zetter", BORN))
    assert person.addresses[0].postcode == "zz1 1aa"
    there = PersonQuery(names=ask("", "Zetter").names, addresses=person.addresses)
    assert [one.ref for one in source.people(there)] == ["X900001"]


def test_a_common_name_does_not_hide_the_one_with_the_birth_date(source: ProbationSource, folder: Path) -> None:
    many = {f"X91{number:04d}": entry("John", "Smith", f"{1930 + number % 40}-01-03") for number in range(400)}
    edit(folder, "persons", lambda held: held.update(many, X900001=entry("John", "Smith", "1980-06-04")))
    query = ask("John", "Smith", BORN)
    found = source.people(query)
    assert len(found) <= MAX_PEOPLE
    match = find_match(query, found)
    assert isinstance(match, Possible)
    assert "X900001" in {person.ref for person in match.people}


def test_a_broken_birth_date_leaves_a_person_found_by_name(source: ProbationSource, folder: Path) -> None:
    edit(folder, "persons", lambda held: held.update(X900001=entry("Ann", "Zetter", "31 February")))
    (person,) = source.people(ask("Ann", "Zetter", BORN))
    assert person.birth_dates == ()


def test_a_person_added_by_a_later_export_is_found(source: ProbationSource, folder: Path) -> None:
    query = ask("Ann", "Zetter", BORN)
    assert isinstance(find_match(query, source.people(query)), Nobody)
    edit(folder, "persons", lambda held: held.update(X900001=entry("Ann", "Zetter", "1980-06-04")))
    assert matched(source, query) == ["X900001"]


def test_a_parent_under_limited_access_carries_both_labels(source: ProbationSource) -> None:
    both = {Label.LIMITED_ACCESS, Label.EXCLUDED}
    crn = crn_of("lao_parent")
    person = next(one for one in source.people(query_for(county().case("lao_parent"))) if one.ref == crn)
    assert person.labels == both
    assert source.restrictions(person).labels == both


def test_nobody_else_is_restricted(source: ProbationSource) -> None:
    for crn in set(holdings().crns) - {crn_of("lao_parent")}:
        assert source.restrictions(LocalPerson(crn)).labels == frozenset()


def test_a_restriction_made_meanwhile_counts_at_once(source: ProbationSource, folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    edit(folder, "persons", lambda held: held[crn].update(currentRestriction=True))
    assert source.restrictions(LocalPerson(crn)).labels == {Label.LIMITED_ACCESS}


@pytest.mark.parametrize("value", [None, "no", 0, "false", []])
@pytest.mark.parametrize("name", ["currentRestriction", "currentExclusion"])
def test_limited_access_that_is_not_yes_or_no_is_not_no(
    source: ProbationSource, folder: Path, name: str, value: object
) -> None:
    crn = crn_of(STEPFATHER)

    def change(held: dict[str, Any]) -> None:
        held[crn][name] = value

    edit(folder, "persons", change)
    with pytest.raises(RecordBroken, match=name):
        source.restrictions(LocalPerson(crn))
    edit(folder, "persons", lambda held: held[crn].pop(name))
    with pytest.raises(RecordBroken, match=name):
        source.restrictions(LocalPerson(crn))


def test_limited_access_of_somebody_no_longer_there_is_not_no(source: ProbationSource) -> None:
    with pytest.raises(RecordBroken):
        source.restrictions(LocalPerson("X999999"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"X1": 1, "X1": 2}', '{"X1": NaN}', b"\xff\xfe", "[" * 100_000])
def test_a_file_of_persons_that_does_not_hold_stops_every_look(
    source: ProbationSource, folder: Path, text: str | bytes
) -> None:
    put(folder, "persons", text)
    with pytest.raises(SourceAway):
        source.restrictions(LocalPerson(crn_of(STEPFATHER)))
    with pytest.raises(SourceAway):
        source.people(query_for(county().case(STEPFATHER)))


def test_a_missing_file_of_persons_stops_every_look(source: ProbationSource, folder: Path) -> None:
    (folder / "persons.json").unlink()
    with pytest.raises(SourceAway):
        source.restrictions(LocalPerson(crn_of("lao_parent")))
    with pytest.raises(SourceAway):
        source.people(query_for(county().case("lao_parent")))


def test_whoever_has_an_address_with_a_person_is_linked(folder: Path, source: ProbationSource) -> None:
    crn = crn_of(STEPFATHER)
    (man,) = [one for one in source.people(query_for(county().case(STEPFATHER))) if one.ref == crn]
    theirs = holdings().resources["addresses"][crn]
    edit(folder, "persons", lambda held: held.update(X900001=entry("Wilma", "Lodger", "1980-01-01")))
    edit(folder, "addresses", lambda held: held.update(X900001=theirs))
    linked = [one.ref for one in source.linked(man)]
    assert "X900001" in linked
    assert crn not in linked


def test_addresses_that_cannot_be_read_link_nobody_silently(folder: Path, source: ProbationSource) -> None:
    put(folder, "addresses", "no JSON")
    with pytest.raises(SourceAway):
        source.linked(LocalPerson(crn_of(STEPFATHER)))
    (folder / "addresses.json").unlink()
    with pytest.raises(SourceAway):
        source.linked(LocalPerson(crn_of(STEPFATHER)))
