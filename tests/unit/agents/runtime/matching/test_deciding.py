"""Who is meant: identifiers, names and dates; doubt is a possible match, and twins never match."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.matching.candidates import might_be
from agents.runtime.matching.deciding import CONFIRM_PERSON, Matched, Nobody, Possible, find_match
from agents.runtime.matching.levels import Family
from agents.runtime.matching.names import compare_family
from agents.runtime.matching.text import words_of
from agents.runtime.matching.weights import shipped_weights
from agents.runtime.source import LocalPerson, PersonAddress, PersonName, PersonQuery
from schemas.identifiers import Identifier, IdentifierKind, parse_identifier

BORN = date(2008, 9, 20)
NHS = parse_identifier(IdentifierKind.NHS_NUMBER, "9691292211")
OTHER_NHS = parse_identifier(IdentifierKind.NHS_NUMBER, "9449306613")


def person(
    given: str = "Octavia",
    family: str = "Chislett",
    born: date | None = BORN,
    *,
    ref: str = "p1",
    numbers: tuple[Identifier, ...] = (),
    also: tuple[PersonName, ...] = (),
    sex: str | None = None,
    postcode: str | None = None,
) -> LocalPerson:
    return LocalPerson(
        ref,
        (PersonName(given, family), *also),
        (born,) if born else (),
        identifiers=frozenset(numbers),
        sex=sex,
        addresses=(PersonAddress(postcode=postcode),) if postcode else (),
    )


def query(
    given: str = "Octavia",
    family: str = "Chislett",
    born: date | None = BORN,
    *,
    numbers: tuple[Identifier, ...] = (),
    sex: str | None = None,
    postcode: str | None = None,
) -> PersonQuery:
    return PersonQuery(
        (PersonName(given, family),),
        born,
        identifiers=frozenset(numbers),
        sex=sex,
        addresses=(PersonAddress(postcode=postcode),) if postcode else (),
    )


def test_the_same_name_and_birth_date_match() -> None:
    assert find_match(query(), [person()]) == Matched((person(),))


@pytest.mark.parametrize(
    ("given", "family"),
    [
        ("OCTAVIA", "chislett"),
        ("Octávia", "Chíslett"),
        ("Octavia", "Chis-lett"),
        ("Octavia May", "Chislett"),
        ("Ms Octavia", "Chislett (née Smith)"),
        (" Octavia ", "Chis'lett"),
    ],
)
def test_case_diacritics_and_punctuation_do_not_hide_a_person(given: str, family: str) -> None:
    assert isinstance(find_match(query(given, family), [person()]), Matched)


def test_a_letter_without_decomposition_is_the_letter_people_type() -> None:
    assert isinstance(find_match(query("Lukasz", "Sorensen"), [person("Łukasz", "Sørensen")]), Matched)


def test_an_alias_matches_like_the_current_name() -> None:
    held = person("Tavy", "Smith", also=(PersonName("Octavia", "Chislett"),))
    assert isinstance(find_match(query(), [held]), Matched)


def test_an_identifier_matches_without_a_name() -> None:
    asked = PersonQuery(identifiers=frozenset({NHS}))
    assert isinstance(find_match(asked, [person(numbers=(NHS,))]), Matched)


def test_an_identifier_with_another_birth_date_is_only_possible() -> None:
    found = find_match(query(born=date(1990, 1, 1), numbers=(NHS,)), [person(numbers=(NHS,))])
    assert isinstance(found, Possible)


def test_an_identifier_with_another_given_name_is_only_possible() -> None:
    assert isinstance(find_match(query("Brian", numbers=(NHS,)), [person(numbers=(NHS,))]), Possible)


def test_a_changed_family_name_with_identifier_and_birth_date_matches() -> None:
    assert isinstance(find_match(query(family="Jones", numbers=(NHS,)), [person(numbers=(NHS,))]), Matched)


def test_the_same_name_and_date_under_another_number_is_only_possible() -> None:
    assert isinstance(find_match(query(numbers=(OTHER_NHS,)), [person(numbers=(NHS,))]), Possible)


def test_the_same_name_and_date_with_another_sex_is_only_possible() -> None:
    assert isinstance(find_match(query(sex="male"), [person(sex="female")]), Possible)


def test_a_superseded_number_beside_the_new_one_matches() -> None:
    assert isinstance(find_match(query(numbers=(OTHER_NHS,)), [person(numbers=(NHS, OTHER_NHS))]), Matched)


def test_a_twin_is_somebody_else() -> None:
    assert find_match(query("Flora"), [person("Octavia")]) == Nobody()


def test_of_twins_only_the_one_asked_about_is_found() -> None:
    asked, twin = person(ref="o"), person("Flora", ref="f")
    assert find_match(query(), [twin, asked]) == Matched((asked,))


def test_a_twin_under_the_mistyped_number_of_the_other_is_only_possible() -> None:
    held = person("Flora", numbers=(NHS,))
    assert isinstance(find_match(query(numbers=(NHS,)), [held]), Possible)


def test_a_newborn_without_a_name_of_its_own_is_only_possible() -> None:
    assert isinstance(find_match(query("Baby"), [person()]), Possible)


def test_day_and_month_swapped_is_only_possible() -> None:
    assert isinstance(find_match(query(born=date(2008, 3, 9)), [person(born=date(2008, 9, 3))]), Possible)


def test_one_differing_part_of_the_date_is_only_possible() -> None:
    assert isinstance(find_match(query(born=date(2009, 9, 20)), [person()]), Possible)


def test_one_letter_of_a_rare_family_name_does_not_hide_a_person() -> None:
    assert isinstance(find_match(query(family="Chislet"), [person()]), Matched)


def test_a_misspelt_name_that_many_bear_is_only_possible() -> None:
    assert isinstance(find_match(query("John", "Smth"), [person("John", "Smith")]), Possible)


def test_a_common_name_needs_more_than_the_birth_date() -> None:
    held = person("John", "Smith", postcode="KT19 0ST")
    assert isinstance(find_match(query("John", "Smith"), [held]), Possible)
    assert isinstance(find_match(query("John", "Smith", postcode="KT19 0ST"), [held]), Matched)


def test_names_in_each_others_place_are_only_possible() -> None:
    assert isinstance(find_match(query("Chislett", "Octavia"), [person()]), Possible)


def test_another_family_name_at_the_same_address_is_only_possible() -> None:
    assert isinstance(find_match(query(family="Jones", postcode="kt19 0st"), [person(postcode="KT190ST")]), Possible)


def test_the_same_name_with_quite_another_date_is_nobody() -> None:
    assert find_match(query(born=date(1971, 1, 2)), [person()]) == Nobody()


def test_a_name_without_any_date_is_only_possible() -> None:
    assert isinstance(find_match(query(born=None), [person()]), Possible)
    assert isinstance(find_match(query(), [person(born=None)]), Possible)


def test_what_would_settle_a_possible_match_does_not_tell_what_differed() -> None:
    doubts = [
        find_match(query(born=date(2009, 9, 20)), [person()]),
        find_match(query("Octavio"), [person()]),
        find_match(query("O"), [person()]),
        find_match(query(numbers=(OTHER_NHS,)), [person(numbers=(NHS,))]),
    ]
    assert {found.confirm for found in doubts if isinstance(found, Possible)} == {CONFIRM_PERSON}
    assert all(isinstance(found, Possible) for found in doubts)


def test_every_local_record_of_one_person_is_found() -> None:
    first, second = person(ref="1", numbers=(NHS,)), person(ref="2")
    linked = person("Octavia", "Renamed", None, ref="3", numbers=(NHS,))
    found = find_match(query(), [first, second, linked])
    assert isinstance(found, Matched)
    assert {one.ref for one in found.people} == {"1", "2", "3"}


def test_two_people_of_one_name_and_date_are_only_possible() -> None:
    found = find_match(query(), [person(ref="1", numbers=(NHS,)), person(ref="2", numbers=(OTHER_NHS,))])
    assert isinstance(found, Possible)


def test_the_number_asked_for_decides_between_two_of_one_name_and_date() -> None:
    asked, other = person(ref="1", numbers=(NHS,)), person(ref="2", numbers=(OTHER_NHS,))
    assert find_match(query(numbers=(NHS,)), [other, asked]) == Matched((asked,))


def test_an_unborn_child_is_at_most_possible_and_only_through_the_mother() -> None:
    expected = date(2027, 2, 1)
    unborn = LocalPerson("u", expected_on=expected, mother_ref="m")
    asked = PersonQuery(expected_on=date(2027, 2, 10), mothers=frozenset({"m"}))
    assert isinstance(find_match(asked, [unborn]), Possible)
    assert find_match(PersonQuery(expected_on=expected, mothers=frozenset({"x"})), [unborn]) == Nobody()
    assert find_match(PersonQuery(expected_on=date(2027, 5, 1), mothers=frozenset({"m"})), [unborn]) == Nobody()


names = st.sampled_from(["Octavia", "Octavia May", "May Octavia", "Chislett", "Flora", "Baby", "Ocatvia", "Tavy", ""])
families = st.sampled_from(["Chislett", "Octavia", "May", "Smith-Chislett", "Chislet", "Smith", ""])
days = st.sampled_from([BORN, date(2008, 9, 21), date(2009, 9, 20), date(1980, 1, 1), None])
numbers = st.sampled_from([(), (NHS,), (OTHER_NHS,), (NHS, OTHER_NHS)])


@given(names, families, days, numbers, names, families, days, numbers)
def test_whoever_matches_or_may_is_named_by_a_source_that_uses_might_be(
    given: str,
    family: str,
    born: date | None,
    mine: tuple[Identifier, ...],
    held_given: str,
    held_family: str,
    held_born: date | None,
    held: tuple[Identifier, ...],
) -> None:
    asked = query(given, family, born, numbers=mine)
    local = person(held_given, held_family, held_born, numbers=held)
    if not isinstance(find_match(asked, [local]), Nobody):
        assert might_be(asked, local)


@given(names, families, days, names, families, days)
def test_without_a_number_nobody_of_another_given_name_or_date_ever_matches(
    given: str, family: str, born: date | None, held_given: str, held_family: str, held_born: date | None
) -> None:
    found = find_match(query(given, family, born), [person(held_given, held_family, held_born)])
    if isinstance(found, Matched):
        assert born == held_born
        assert given.split()[0] == held_given.split()[0]
        assert compare_family(words_of(family), words_of(held_family), shipped_weights().forms) is not Family.OTHER
