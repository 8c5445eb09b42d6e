"""Who is found in a trust's export: under a number that was replaced, without any number, and never behind a seal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from agents.health.records import HealthSource
from agents.runtime.matching.deciding import Nobody, Possible, find_match
from agents.runtime.source import Label, LocalPerson, PersonName, PersonQuery
from schemas.vocabulary import Category
from tests.contract.records.county_health import (
    Resource,
    about,
    alter,
    county,
    holdings,
    patients_of,
    query_for,
)
from tests.unit.agents.health.asking import by_number, facts, matched, the_person


def is_of(case: str) -> Callable[[Resource], bool]:
    return lambda patient: patient["id"] in patients_of(case)


def _has_id(ref: str, patient: Resource) -> bool:
    return bool(patient["id"] == ref)


def _link(to: str, patient: Resource) -> None:
    patient["link"] = [{"other": {"reference": f"Patient/{to}"}, "type": "replaced-by"}]


def refs(source: HealthSource, query: PersonQuery) -> list[str]:
    return [person.ref for person in matched(source, query)]


def test_a_superseded_number_finds_both_records_of_the_child(source: HealthSource) -> None:
    child = county().case("superseded_nhs_number")
    assert sorted(refs(source, by_number(child.superseded_nhs_number))) == sorted(patients_of("superseded_nhs_number"))


def test_every_record_of_a_child_has_the_earlier_number_beside_the_current(source: HealthSource) -> None:
    child = county().case("superseded_nhs_number")
    for person in matched(source, by_number(child.nhs_number)):
        assert {one.value for one in person.identifiers} == {child.nhs_number, child.superseded_nhs_number}


def test_an_earlier_record_is_told_with_the_number_that_replaced_its_own(source: HealthSource) -> None:
    child = county().case("superseded_nhs_number")
    for person in matched(source, by_number(child.superseded_nhs_number)):
        (fact,) = facts(source, person, Category.PERSON_IDENTITY)
        assert fact["nhs_number"] == child.nhs_number


def test_records_of_one_person_are_found_together_by_name(source: HealthSource) -> None:
    found = refs(source, query_for(county().case("superseded_nhs_number")))
    assert sorted(found) == sorted(patients_of("superseded_nhs_number"))


def test_a_child_without_a_number_is_found_by_name_and_birth_date(source: HealthSource) -> None:
    person = the_person(source, "no_nhs_number")
    assert (person.ref, person.identifiers) == (patients_of("no_nhs_number")[0], frozenset())


def test_one_twin_is_not_the_other(source: HealthSource) -> None:
    for twin in ("twin_a", "twin_b"):
        assert refs(source, query_for(county().case(twin))) == patients_of(twin)


def test_one_sibling_is_not_the_other(source: HealthSource) -> None:
    assert [the_person(source, one).ref for one in ("sibling_a", "sibling_b")] == [
        *patients_of("sibling_a"),
        *patients_of("sibling_b"),
    ]


def test_a_birth_date_with_day_and_month_swapped_is_a_possible_match(source: HealthSource) -> None:
    child = county().case("transposed_birth_date")
    swapped = child.born_on.replace(month=child.born_on.day, day=child.born_on.month)
    query = replace(query_for(child), birth_date=swapped)
    match = find_match(query, source.people(query))
    assert isinstance(match, Possible)
    assert [person.ref for person in match.people] == patients_of("transposed_birth_date")


def test_an_adopted_child_is_found_under_its_new_name_alone(source: HealthSource) -> None:
    child = county().case("adopted_child")
    (current,) = matched(source, query_for(child, child.nhs_number))
    assert current.labels == frozenset()
    assert {one.value for one in current.identifiers} == {child.nhs_number}
    assert set(patients_of("adopted_child")) - {current.ref}


def test_the_record_before_adoption_carries_its_seal(source: HealthSource) -> None:
    (before,) = matched(source, by_number(county().case("adopted_child").superseded_nhs_number))
    assert Label.ADOPTED in before.labels
    assert Label.ADOPTED in source.restrictions(before).labels


def test_a_link_to_a_sealed_record_joins_nothing(folder: Path, source: HealthSource) -> None:
    child = county().case("adopted_child")
    (current,) = matched(source, by_number(child.nhs_number))
    (before,) = matched(source, by_number(child.superseded_nhs_number))
    for one, other in ((current.ref, before.ref), (before.ref, current.ref)):
        alter(folder, "Patient", partial(_has_id, one), partial(_link, other))
    assert refs(source, by_number(child.nhs_number)) == [current.ref]
    assert refs(source, by_number(child.superseded_nhs_number)) == [before.ref]
    (fact,) = facts(source, before, Category.PERSON_IDENTITY)
    assert fact["nhs_number"] == child.superseded_nhs_number


def test_an_unborn_child_is_found_by_its_mother(source: HealthSource) -> None:
    mother, child = the_person(source, "expectant_mother"), county().case("unborn_child")
    query = PersonQuery(expected_on=child.born_on, mothers=frozenset({mother.ref}))
    match = find_match(query, source.people(query))
    assert isinstance(match, Possible)
    (unborn,) = match.people
    assert (unborn.expected_on, unborn.mother_ref) == (child.born_on, mother.ref)
    assert source.restrictions(unborn).labels == {Label.UNBORN}


def test_a_child_long_due_is_no_longer_expected(folder: Path, source: HealthSource) -> None:
    mother = the_person(source, "expectant_mother")
    past = (county().as_of - timedelta(days=29)).isoformat()
    alter(folder, "Observation", about("expectant_mother"), lambda one: one.update(valueDateTime=past))
    query = PersonQuery(mothers=frozenset({mother.ref}))
    assert isinstance(find_match(query, source.people(query)), Nobody)


@pytest.mark.parametrize("case", ["refuge_resident", "refuge_child"])
def test_whoever_lives_in_a_refuge_is_protected(source: HealthSource, case: str) -> None:
    person = the_person(source, case)
    assert {Label.REFUGE, Label.SENSITIVE} <= person.labels & source.restrictions(person).labels


def test_a_flag_protects_by_itself_until_its_end(folder: Path, source: HealthSource) -> None:
    alter(folder, "Patient", is_of("refuge_resident"), lambda one: one.pop("meta"))
    person = the_person(source, "refuge_resident")
    assert person.labels == frozenset()
    assert source.restrictions(person).labels == {Label.REFUGE}

    def end(flag: Resource) -> None:
        flag["period"]["end"] = (county().as_of - timedelta(days=1)).isoformat()

    alter(folder, "Flag", about("refuge_resident"), end)
    assert source.restrictions(person).labels == frozenset()


def test_a_label_nobody_mapped_protects(folder: Path, source: HealthSource) -> None:
    security = {"meta": {"security": [{"code": "LOCAL-7"}]}}
    alter(folder, "Patient", is_of("family"), lambda one: one.update(security))
    assert the_person(source, "family").labels == {Label.REFUGE, Label.SENSITIVE}


def test_a_number_that_was_not_verified_is_nobodys(folder: Path, source: HealthSource) -> None:
    child = county().case("family")

    def doubt(patient: Resource) -> None:
        patient["identifier"][0]["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] = "02"

    alter(folder, "Patient", is_of("family"), doubt)
    query = by_number(child.nhs_number)
    assert isinstance(find_match(query, source.people(query)), Nobody)
    (person,) = matched(source, query_for(child))
    assert person.identifiers == frozenset()


def test_a_married_name_does_not_hide_a_woman(source: HealthSource) -> None:
    mother = county().case("family_mother")
    assert mother.birth_family
    query = PersonQuery((PersonName(mother.given, mother.birth_family),), mother.born_on)
    assert refs(source, query) == patients_of("family_mother")


def test_names_the_wrong_way_round_are_found_by_birth_date(source: HealthSource) -> None:
    child = county().case("family")
    query = PersonQuery((PersonName(child.family, child.given),), child.born_on)
    assert patients_of("family")[0] in [person.ref for person in source.people(query)]


def test_everybody_of_the_county_who_is_a_patient_is_found(source: HealthSource) -> None:
    for ref, person in holdings().patients.items():
        found = source.people(query_for(county().people[person]))
        if person != county().cases["adopted_child"]:
            assert ref in {one.ref for one in found}


def test_a_childs_household_and_contacts_are_linked_and_never_the_childs_own_record(
    folder: Path, source: HealthSource
) -> None:
    child = the_person(source, "family")
    (mother,) = patients_of("family_mother")
    contact = {"name": {"given": ["Blodwen"], "family": "Aunt"}, "address": {"postalCode": "NP20 9ZZ"}}
    alter(folder, "Patient", is_of("family"), lambda patient: patient.update(contact=[contact, "?", {"name": 1}]))
    linked = {person.ref: person for person in source.linked(child)}
    assert mother in linked
    assert child.ref not in linked
    assert [name.family for name in linked[f"{child.ref}/contact/0"].names] == ["Aunt"]


def test_another_record_of_the_same_child_is_not_somebody_elses(source: HealthSource) -> None:
    child = county().case("superseded_nhs_number")
    for person in matched(source, by_number(child.nhs_number)):
        assert not {one.ref for one in source.linked(person)} & set(patients_of("superseded_nhs_number"))


def test_the_mother_is_linked_to_the_child_she_expects(source: HealthSource) -> None:
    (mother,) = patients_of("expectant_mother")
    child = LocalPerson(f"{mother}/expected", mother_ref=mother)
    assert mother in {one.ref for one in source.linked(child)}
