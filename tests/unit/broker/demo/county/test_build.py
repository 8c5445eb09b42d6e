"""The county: repeatable, of any size, with nobody real in it and every hard case."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.demo.county import County, build_county
from broker.demo.county.build import PEOPLE_MAX, PEOPLE_MIN
from schemas.identifiers import IdentifierKind, canonical_identifier

DRAMA = re.compile(
    r"01632 960\d{3}|011[345678] 496 0\d{3}|01[256]1 496 0\d{3}|0191 498 0\d{3}"
    r"|020 7946 0\d{3}|029 2018 0\d{3}|07700 900\d{3}"
)


def test_the_same_seed_gives_the_same_county(county: County) -> None:
    assert build_county(seed=7, people=1_200) == county


def test_another_seed_gives_other_people(county: County) -> None:
    assert build_county(seed=8, people=1_200).people != county.people


@settings(max_examples=15)
@given(st.integers(), st.integers(PEOPLE_MIN, 400))
def test_a_county_has_exactly_as_many_people_as_asked_and_each_lives_in_one_household(seed: int, size: int) -> None:
    county = build_county(seed, size)
    members = [member for household in county.households.values() for member in household.members]
    assert len(county.people) == size
    assert sorted(members) == sorted(county.people)
    assert all(county.people[m].household == h.id for h in county.households.values() for m in h.members)
    assert set(county.cases.values()) <= set(county.people)


@pytest.mark.parametrize("size", [PEOPLE_MIN - 1, 0, -1, PEOPLE_MAX + 1])
def test_a_size_that_cannot_hold_the_cases_or_the_numbers_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="people must be between"):
        build_county(1, size)


def test_every_identifier_is_valid_and_given_to_one_person(county: County) -> None:
    people = county.people.values()
    numbers = [n for p in people for n in (p.nhs_number, p.superseded_nhs_number) if n]
    upns = [p.upn for p in people if p.upn]
    assert all(canonical_identifier(IdentifierKind.NHS_NUMBER, number) == number for number in numbers)
    assert all(canonical_identifier(IdentifierKind.UPN, upn) == upn for upn in upns)
    assert len(set(numbers)) == len(numbers)
    assert len(set(upns)) == len(upns)


def test_nothing_could_belong_to_a_real_person(county: County) -> None:
    for person in county.people.values():
        assert person.nhs_number is None or person.nhs_number.startswith("999")
        assert person.upn is None or person.upn[1:4] == "990"
        assert person.phone is None or DRAMA.fullmatch(person.phone)
        assert person.email is None or person.email.endswith(".example")
        for place in (county.place_of(person), *person.former_places):
            assert re.fullmatch(r"ZZ([1-9]|1\d|20) [1-9][A-Z]{2}", place.postcode)


def test_ages_and_parents_make_sense(county: County) -> None:
    for person in county.people.values():
        age = person.age_on(county.as_of)
        assert -1 <= age <= 90
        assert (person.upn is not None) == (4 <= (county.as_of - person.born_on).days // 365 < 18 and not person.unborn)
        for parent in person.parents:
            assert (person.born_on - county.people[parent].born_on).days > 15 * 365


def test_a_county_can_stand_at_another_day() -> None:
    earlier = build_county(3, 200, date(2024, 2, 29))
    assert earlier.case("family").age_on(date(2024, 2, 29)) == 7
    assert earlier.case("unborn_child").born_on > date(2024, 2, 29)


def test_the_family_is_a_mother_her_partner_a_child_of_seven_and_a_baby(county: County) -> None:
    child = county.case("family")
    keys = ("family_mother", "family_stepfather", "family", "family_baby")
    assert [p.id for p in county.with_household(child)] == [county.cases[key] for key in keys]
    assert child.age_on(county.as_of) == 7
    assert county.case("family_baby").age_on(county.as_of) == 0
    assert county.cases["family_stepfather"] not in child.parents


def test_twins_share_all_but_their_names_and_numbers(county: County) -> None:
    a, b = county.case("twin_a"), county.case("twin_b")
    assert (a.family, a.born_on, a.sex, a.household, a.parents) == (b.family, b.born_on, b.sex, b.household, b.parents)
    assert a.given != b.given
    assert a.nhs_number != b.nhs_number


def test_a_transposed_birth_date_is_a_date_too(county: County) -> None:
    born_on = county.case("transposed_birth_date").born_on
    assert born_on.day <= 12
    assert born_on.day != born_on.month


def test_hard_cases_are_what_their_keys_say(county: County) -> None:
    case = county.case
    assert case("no_nhs_number").nhs_number is None
    assert case("superseded_nhs_number").superseded_nhs_number not in (None, case("superseded_nhs_number").nhs_number)
    assert case("unborn_child").unborn
    assert case("unborn_child").born_on > county.as_of
    assert case("unborn_child").parents == (county.cases["expectant_mother"],)
    assert county.households[case("refuge_resident").household].is_refuge
    assert case("refuge_resident").former_places == (county.place_of(case("refuge_perpetrator")),)
    assert case("adopted_child").birth_family == case("birth_mother").family
    assert case("adopted_child").household != case("birth_mother").household
    assert county.place_of(case("shared_address_a")) == county.place_of(case("shared_address_b"))
    assert case("shared_address_a").household != case("shared_address_b").household
    assert case("sibling_a").parents == case("sibling_b").parents
    assert case("sibling_a").household != case("sibling_b").household
    assert case("lao_child").household == case("lao_parent").household


def test_some_households_share_an_address_and_some_people_have_no_number(county: County) -> None:
    places = Counter(household.place for household in county.households.values())
    assert any(count > 1 for count in places.values())
    assert any(
        p.nhs_number is None and not p.unborn and p.id not in county.cases.values() for p in county.people.values()
    )
