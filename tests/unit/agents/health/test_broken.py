"""A line that does not hold is told of; what is anybody's is everybody's; nobody is unknown for want of reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.health.records import HealthSource
from agents.runtime.source import Label, SourceAway
from schemas.vocabulary import Category
from tests.contract.records.county_health import Resource, about, add, alter, county, patients_of, query_for
from tests.unit.agents.health.asking import broken, facts, the_person

ED = Category.HEALTH_ED_ATTENDANCE


def child_ref() -> str:
    return f"Patient/{patients_of('family')[0]}"


def test_a_line_cut_short_within_a_file_breaks_its_patients_category_alone(folder: Path, source: HealthSource) -> None:
    person, baby = the_person(source, "family"), the_person(source, "family_baby")
    add(folder, "Encounter", f'{{"resourceType": "Encounter", "subject": {{"reference": "{child_ref()}"}}, "per\n')
    assert [field for _, field in broken(source, person, ED)] == ["resource"]
    assert len(list(source.findings(person, ED))) == 2
    assert broken(source, baby, ED) == []
    assert broken(source, person, Category.HEALTH_WAS_NOT_BROUGHT) == []


@pytest.mark.parametrize(
    "line",
    [
        "garbage\n",
        '{"resourceType": "Encounter", "id": "x"}\n',
        '{"resourceType": "Encounter", "id": "x", "subject": {"reference": "#contained"}}\n',
        '{"resourceType": "Observation", "id": "x", "subject": {"reference": "Group/1"}}\n',
        '{"resourceType": "Encounter", "id": "Bad Id", "subject": {"reference": "Group/1"}}\n',
        "[" * 100_000 + "\n",
        "\udc80\n".encode("utf-8", "surrogateescape").decode("latin-1"),
    ],
    ids=["no JSON", "no subject", "contained", "another type", "no id", "too deep", "no UTF-8"],
)
def test_a_line_that_does_not_say_whose_it_is_breaks_the_category_for_everybody(
    folder: Path, source: HealthSource, line: str
) -> None:
    add(folder, "Encounter", line)
    for case in ("family", "family_baby"):
        told = broken(source, the_person(source, case), ED)
        assert [field for _, field in told] == ["resource"]
        assert told[0][0].startswith("Encounter.ndjson, line ")
    assert broken(source, the_person(source, "family"), Category.HEALTH_WAS_NOT_BROUGHT) == []
    (problem,) = source.check().problems
    assert problem.endswith("is anybody's")


def test_a_broken_line_of_a_patient_there_is_not_is_anybodys(folder: Path, source: HealthSource) -> None:
    add(folder, "Encounter", '{"subject": {"reference": "Patient/p-9"}, "per\n')
    assert broken(source, the_person(source, "family"), ED)[0][1] == "resource"


def test_a_resource_about_a_group_is_nobodys(folder: Path, source: HealthSource) -> None:
    add(folder, "Encounter", '{"resourceType": "Encounter", "id": "x", "subject": {"reference": "Group/1"}}\n')
    assert broken(source, the_person(source, "family"), ED) == []


@pytest.mark.parametrize(
    "line", ["garbage\n", '{"resourceType": "Patient"}\n', '{"resourceType": "Flag", "id": "p"}\n']
)
def test_a_patient_that_cannot_be_read_lets_nobody_be_called_unknown(
    folder: Path, source: HealthSource, line: str
) -> None:
    add(folder, "Patient", line)
    with pytest.raises(SourceAway):
        source.people(query_for(county().case("family")))
    assert any("cannot be found" in problem for problem in source.check().problems)


def test_one_id_of_two_patients_lets_nobody_be_called_unknown(folder: Path, source: HealthSource) -> None:
    add(folder, "Patient", f'{{"resourceType": "Patient", "id": "{patients_of("family")[0]}"}}\n')
    with pytest.raises(SourceAway):
        source.people(query_for(county().case("family")))


def test_a_birth_date_that_is_none_leaves_a_person_found_by_number(folder: Path, source: HealthSource) -> None:
    alter(
        folder, "Patient", lambda one: one["id"] in patients_of("family"), lambda one: one.update(birthDate="31/2/19")
    )
    person = the_person(source, "family")
    assert person.birth_dates == ()
    assert broken(source, person, Category.PERSON_IDENTITY) == [("Patient.ndjson, line 1", "birthDate")]
    assert len(facts(source, person, Category.PERSON_ADDRESS)) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"period": {"start": "2026-02-30"}}, "period"),
        ({"class": {"code": "ER"}}, "class"),
        ({"status": "done"}, "status"),
        ({"reasonCode": [{"text": "x" * 5000}]}, "Reason"),
        ({"reasonCode": "fell"}, "reasonCode"),
    ],
)
def test_a_field_that_does_not_hold_is_named(folder: Path, source: HealthSource, change: Resource, field: str) -> None:
    alter(folder, "Encounter", lambda one: about("family")(one) and "EMER" in str(one), lambda one: one.update(change))
    assert [named for _, named in broken(source, the_person(source, "family"), ED)] == [field]


def test_a_service_nobody_mapped_may_be_any_of_them(folder: Path, source: HealthSource) -> None:
    kinds = [{"coding": [{"code": "camhs-2"}]}]
    alter(folder, "EpisodeOfCare", about("family"), lambda one: one.update(type=kinds))
    person = the_person(source, "family")
    for category in (Category.HEALTH_CAMHS, Category.HEALTH_SUBSTANCE, Category.AGENCY_INVOLVEMENT):
        assert [field for _, field in broken(source, person, category)] == ["type"]


def test_a_flag_that_cannot_be_read_protects(folder: Path, source: HealthSource) -> None:
    alter(folder, "Flag", about("family"), lambda one: one.update(code="sensitive"))
    assert source.restrictions(the_person(source, "family")).labels == {Label.REFUGE, Label.SENSITIVE}


def test_hidden_characters_become_spaces(folder: Path, source: HealthSource) -> None:
    reason = [{"text": "Fell\u202e on\x00 stairs"}]
    alter(
        folder,
        "Encounter",
        lambda one: about("family")(one) and "EMER" in str(one),
        lambda one: one.update(reasonCode=reason),
    )
    (fact,) = facts(source, the_person(source, "family"), ED)
    assert fact["Reason"] == "Fell  on  stairs"


def test_a_lone_surrogate_in_a_name_breaks_that_patients_identity_alone(folder: Path, source: HealthSource) -> None:
    def change(patient: Resource) -> None:
        patient["name"] = [{"family": "Old\ud800royd", "given": ["Ellie"]}]

    alter(folder, "Patient", lambda one: one["id"] in patients_of("family"), change)
    person = source.people(query_for(county().case("family"), county().case("family").nhs_number))[0]
    assert [field for _, field in broken(source, person, Category.PERSON_IDENTITY)] == ["resource"]
    assert source.check().problems == ()
