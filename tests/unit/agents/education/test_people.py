"""Who is found on the schools' rolls: by a number they had before, under the name they have now, and one twin only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents.education.records import EducationSource
from agents.runtime.matching.deciding import Nobody, Possible, find_match
from agents.runtime.source import Label, PersonName, PersonQuery, SourceAway
from schemas.identifiers import IdentifierKind, parse_identifier
from schemas.vocabulary import Category
from tests.contract.records.county_education import (
    add,
    alter,
    county,
    holdings,
    open_source,
    pupil_of,
    query_for,
    transfer_of,
)
from tests.unit.agents.education.asking import by_upn, facts, findings, matched, the_person

FORMER = "H801200001001"


def test_every_pupil_is_found_by_name_and_by_number(source: EducationSource) -> None:
    for pupil in holdings().pupils:
        for query in (query_for(pupil.person), by_upn(pupil.upn)):
            assert any(pupil.upn in person.ref for person in source.people(query))


def test_a_former_upn_finds_the_child(folder: Path, source: EducationSource) -> None:
    upn = pupil_of("family").upn
    path = transfer_of(folder, "family")
    alter(path, "<BasicDetails>", f"<BasicDetails><FormerUPN>{FORMER}</FormerUPN>", after=upn)
    (person,) = matched(source, by_upn(FORMER))
    assert person.identifiers == {parse_identifier(IdentifierKind.UPN, one) for one in (upn, FORMER)}


def test_what_was_filed_under_a_former_upn_is_told(folder: Path, source: EducationSource) -> None:
    before = len(findings(source, the_person(source, "family"), Category.EDU_SAFEGUARDING_FILE))
    upn = pupil_of("family").upn
    alter(transfer_of(folder, "family"), "<BasicDetails>", f"<BasicDetails><FormerUPN>{FORMER}</FormerUPN>", after=upn)
    add(folder / "safeguarding.csv", f"{FORMER},2024-01-08,Neglect,No coat.,Monitored,A Other,\n")
    assert len(findings(source, the_person(source, "family"), Category.EDU_SAFEGUARDING_FILE)) == before + 1


def test_one_twin_is_not_the_other(source: EducationSource) -> None:
    for twin in ("twin_a", "twin_b"):
        assert pupil_of(twin).upn in the_person(source, twin).ref


def test_one_sibling_is_not_the_other(source: EducationSource) -> None:
    for sibling in ("sibling_a", "sibling_b"):
        assert pupil_of(sibling).upn in the_person(source, sibling).ref


def test_what_two_children_have_one_number_for_is_told_of_neither(folder: Path, source: EducationSource) -> None:
    one, other = pupil_of("twin_a").upn, pupil_of("twin_b").upn
    alter(transfer_of(folder, "twin_b"), other, one)
    for twin in ("twin_a", "twin_b"):
        person = the_person(source, twin)
        for category in (Category.EDU_ATTENDANCE, Category.EDU_ATTENDANCE_MARKS, Category.EDU_SAFEGUARDING_FILE):
            told = list(source.findings(person, category))
            assert "UPN" in {getattr(found, "field", None) for found in told}
        assert facts(source, person, Category.PERSON_IDENTITY)[0]["given"] == county().case(twin).given


def test_a_birth_date_with_day_and_month_swapped_is_a_possible_match(source: EducationSource) -> None:
    child = county().case("transposed_birth_date")
    swapped = child.born_on.replace(month=child.born_on.day, day=child.born_on.month)
    query = replace(query_for(child), birth_date=swapped)
    assert isinstance(find_match(query, source.people(query)), Possible)


def test_an_adopted_child_is_known_by_its_new_name_alone(source: EducationSource) -> None:
    child = county().case("adopted_child")
    assert the_person(source, "adopted_child").names[0].family == child.family
    query = PersonQuery((PersonName("Jayden", str(child.birth_family)),), child.born_on)
    assert isinstance(find_match(query, source.people(query)), Nobody)


def test_a_number_whose_letter_does_not_hold_is_nobodys(folder: Path, source: EducationSource) -> None:
    upn = pupil_of("family").upn
    wrong = ("A" if upn[0] != "A" else "B") + upn[1:]
    alter(transfer_of(folder, "family"), upn, wrong)
    person = the_person(source, "family")
    assert person.identifiers == frozenset()
    assert [found.field for found in source.findings(person, Category.EDU_ENROLMENT) if hasattr(found, "field")] == [
        "UPN"
    ]


def test_a_preferred_name_finds_the_child(folder: Path, source: EducationSource) -> None:
    names = "<BasicDetails><PreferredForename>Lil</PreferredForename><PreferredSurname>Rawstron</PreferredSurname>"
    alter(transfer_of(folder, "family"), "<BasicDetails>", names, after=pupil_of("family").upn)
    child = county().case("family")
    (person,) = matched(source, PersonQuery((PersonName("Lil", "Rawstron"),), child.born_on))
    assert pupil_of("family").upn in person.ref


def test_a_reference_is_the_same_in_the_next_export(folder: Path, source: EducationSource) -> None:
    before = the_person(source, "family").ref
    path = transfer_of(folder, "family")
    path.write_text(path.read_text("utf-8").replace("<CTFpupilData>", f"<CTFpupilData>{PUPIL}"), "utf-8")
    assert the_person(source, "family").ref == before


def test_a_child_gone_from_the_files_since_it_was_found_is_away(folder: Path, source: EducationSource) -> None:
    person = the_person(source, "family")
    alter(transfer_of(folder, "family"), "<Surname>Oldroyd", "<Surname>Newroyd", after=pupil_of("family").upn)
    with pytest.raises(SourceAway):
        list(source.findings(person, Category.EDU_ENROLMENT))


@pytest.mark.parametrize("label", ["refuge", "adopted", "sensitive"])
def test_a_child_of_the_protected_list_is_protected(folder: Path, source: EducationSource, label: str) -> None:
    assert source.restrictions(the_person(source, "lao_child")).labels == frozenset()
    (folder / "protected.csv").write_text(f"UPN,label\n{pupil_of('lao_child').upn},{label}\n")
    person = the_person(source, "lao_child")
    assert person.labels == source.restrictions(person).labels == {Label(label)}
    assert the_person(source, "family").labels == frozenset()


@pytest.mark.parametrize("row", ["X123,refuge\n", "{upn},nobody\n", "{upn}\n", ",refuge\n", '{upn},"refuge\n'])
def test_a_protected_list_that_does_not_hold_is_away(folder: Path, source: EducationSource, row: str) -> None:
    (folder / "protected.csv").write_text("UPN,label\n" + row.format(upn=pupil_of("refuge_child").upn))
    with pytest.raises(SourceAway):
        source.people(query_for(county().case("family")))


def test_a_protected_list_that_has_to_be_there_and_is_not_is_away(folder: Path) -> None:
    (folder / "protected.csv").unlink()
    source = open_source(folder, protected_file=True)
    with pytest.raises(SourceAway, match=r"protected\.csv"):
        source.people(query_for(county().case("family")))


PUPIL = "<Pupil><UPN>A801200001099</UPN><Surname>Zetter</Surname><Forename>Ann</Forename><DOB>2018-05-06</DOB></Pupil>"


def test_a_pupils_contacts_and_the_pupils_who_live_there_are_linked(source: EducationSource) -> None:
    one, other = the_person(source, "twin_a"), the_person(source, "twin_b")
    linked = {person.ref: person for person in source.linked(one)}
    assert other.ref in linked
    assert one.ref not in linked
    mother = county().case("twins_mother")
    named = {(name.given, name.family) for person in linked.values() for name in person.names}
    assert (mother.given, mother.family) in named
