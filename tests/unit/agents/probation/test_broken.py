"""Faults of an export: a member breaks its own record, a file its own category, the folder everything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agents.probation.config import ProbationConfig
from agents.probation.records import ProbationSource
from agents.runtime.source import Finding, LocalPerson, SourceAway
from schemas.vocabulary import Category
from tests.contract.records.county_police import STEPFATHER, county, noon_ms, query_for
from tests.contract.records.county_probation import crn_of, edit, open_source, put
from tests.unit.agents.probation.asking import broken, facts

ELSEWHERE = (Category.PROBATION_SENTENCE, Category.PROBATION_ROSH, Category.PROBATION_IDENTITY)


@pytest.mark.parametrize(
    ("category", "resource", "change", "field"),
    [
        (Category.PROBATION_OFFENCE, "offences", {"startDate": "2024-02-30"}, "startDate"),
        (Category.PROBATION_OFFENCE, "offences", {"startDate": 20240203}, "startDate"),
        (Category.PROBATION_OFFENCE, "offences", {"courtDates": ["2024-01-01", "?"]}, "courtDates"),
        (Category.PROBATION_OFFENCE, "offences", {"courtDates": "2024-01-01"}, "courtDates"),
        (Category.PROBATION_OFFENCE, "offences", {"schedule15SexualOffence": "no"}, "schedule15SexualOffence"),
        (Category.PROBATION_OFFENCE, "offences", {"description": "x" * 201}, "description"),
        (Category.PROBATION_SENTENCE, "sentences", {"fineAmount": 1.005}, "fineAmount"),
        (Category.PROBATION_SENTENCE, "sentences", {"fineAmount": "12"}, "fineAmount"),
        (Category.PROBATION_SENTENCE, "sentences", {"length": {"units": "Moons"}}, "units"),
        (Category.PROBATION_SENTENCE, "sentences", {"length": [1]}, "length"),
        (Category.PROBATION_SENTENCE, "sentences", {"isActive": 1}, "isActive"),
        (Category.PROBATION_LICENCE, "licences", {"typeCode": "XX"}, "typeCode"),
        (Category.PROBATION_LICENCE, "licences", {"conditions": [3]}, "conditions"),
        (Category.PROBATION_REGISTER, "dynamic-risks", {"code": "ZZZZ"}, "code"),
        (Category.PROBATION_ROSH, "risks", {"summary": {"overallRiskLevel": "EXTREME"}}, "overallRiskLevel"),
        (Category.PROBATION_MAPPA, "mappadetail", {"level": 9}, "level"),
        (Category.PROBATION_MAPPA, "mappadetail", {"level": "1"}, "level"),
        (Category.PROBATION_CONTACT, "contact-events", {"contactDateTime": "2026-01-01T09:00:00"}, "contactDateTime"),
        (Category.PROBATION_RMP, "risk-management-plan", {"supervision": "x" * 4001}, "supervision"),
        (Category.PERSON_IDENTITY, "persons", {"gender": "Q"}, "gender"),
        (Category.PERSON_ADDRESS, "addresses", {"postcode": "nowhere at all"}, "Postcode"),
        (Category.AGENCY_INVOLVEMENT, "persons", {"underActiveSupervision": "yes"}, "underActiveSupervision"),
        (Category.AGENCY_INVOLVEMENT, "sentences", {"dateOfSentencing": "?"}, "dateOfSentencing"),
    ],
)
def test_a_member_that_does_not_hold_is_named(
    source: ProbationSource, folder: Path, category: Category, resource: str, change: dict[str, Any], field: str
) -> None:
    crn = crn_of(STEPFATHER)

    def spoil(held: dict[str, Any]) -> None:
        (held[crn][0] if isinstance(held[crn], list) else held[crn]).update(change)

    edit(folder, resource, spoil)
    ((ref, name),) = broken(source, crn, category)
    assert name == field
    assert ref


def test_the_other_records_of_the_category_are_told(source: ProbationSource, folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    edit(folder, "offences", lambda held: held[crn][0].update(startDate="soon"))
    found = list(source.findings(LocalPerson(crn), Category.PROBATION_OFFENCE))
    assert [isinstance(one, Finding) for one in found] == [False, True]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"X1": [], "X1": []}', b"\xff\xfe", "[" * 100_000, '{"X1": NaN}'])
def test_a_broken_file_breaks_its_category_and_no_other(
    source: ProbationSource, folder: Path, text: str | bytes
) -> None:
    crn = crn_of(STEPFATHER)
    put(folder, "licences", text)
    assert broken(source, crn, Category.PROBATION_LICENCE) == [("licences.json", "file")]
    for category in ELSEWHERE:
        assert facts(source, crn, category)
    assert source.restrictions(LocalPerson(crn))


def test_a_broken_file_is_read_again_when_it_is_whole(source: ProbationSource, folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    whole = (folder / "licences.json").read_bytes()
    put(folder, "licences", b"{")
    assert broken(source, crn, Category.PROBATION_LICENCE)
    put(folder, "licences", whole)
    assert facts(source, crn, Category.PROBATION_LICENCE)


def test_a_missing_file_is_away_for_its_category_and_no_other(source: ProbationSource, folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    (folder / "risks.json").unlink()
    with pytest.raises(SourceAway, match=r"risks\.json"):
        list(source.findings(LocalPerson(crn), Category.PROBATION_ROSH))
    assert facts(source, crn, Category.PROBATION_LICENCE)


def test_a_file_that_is_being_written_is_away_and_not_broken(source: ProbationSource, folder: Path) -> None:
    crn = crn_of(STEPFATHER)
    put(folder, "licences", b'{"X100001": [')
    just_now_s = noon_ms() // 1000 - 1
    os.utime(folder / "licences.json", (just_now_s, just_now_s))
    with pytest.raises(SourceAway, match="being written"):
        list(source.findings(LocalPerson(crn), Category.PROBATION_LICENCE))


def test_a_link_in_the_folder_is_not_followed(source: ProbationSource, folder: Path, tmp_path: Path) -> None:
    elsewhere = (folder / "licences.json").rename(tmp_path / "licences.json")
    (folder / "licences.json").symlink_to(elsewhere)
    with pytest.raises(SourceAway):
        list(source.findings(LocalPerson(crn_of(STEPFATHER)), Category.PROBATION_LICENCE))


def test_a_list_that_is_none_breaks_its_own_person_only(source: ProbationSource, folder: Path) -> None:
    edit(folder, "offences", lambda held: held.update({crn_of(STEPFATHER): {"description": "Battery"}}))
    assert [field for _, field in broken(source, crn_of(STEPFATHER), Category.PROBATION_OFFENCE)] == ["offences"]
    assert facts(source, crn_of("lao_parent"), Category.PROBATION_OFFENCE)


def test_involvement_is_told_as_broken_where_the_officers_file_is(source: ProbationSource, folder: Path) -> None:
    put(folder, "person-responsible-officer", b"{")
    crn = crn_of(STEPFATHER)
    found = list(source.findings(LocalPerson(crn), Category.AGENCY_INVOLVEMENT))
    assert [isinstance(one, Finding) for one in found] == [False, True]


def test_broken_addresses_hide_nobody_from_the_search(source: ProbationSource, folder: Path) -> None:
    put(folder, "addresses", b"{")
    found = source.people(query_for(county().case(STEPFATHER)))
    assert crn_of(STEPFATHER) in {person.ref for person in found}


def test_a_folder_that_is_not_there_yet_is_away_and_found_later(folder: Path) -> None:
    away = folder.rename(folder.with_name("away"))
    source = open_source(folder)
    with pytest.raises(SourceAway):
        source.people(query_for(county().case(STEPFATHER)))
    with pytest.raises(SourceAway):
        source.check()
    away.rename(folder)
    assert source.people(query_for(county().case(STEPFATHER)))
    source.close()


def test_a_check_counts_files_and_names_what_is_wrong(source: ProbationSource, folder: Path) -> None:
    report = source.check()
    assert report.is_read_only
    assert report.problems == ()
    assert report.counts["persons"] > 0
    put(folder, "licences", b"{")
    (folder / "risks.json").unlink()
    edit(folder, "persons", lambda held: held.update(X900001="gone"))
    problems = source.check().problems
    assert [problem.split()[0] for problem in problems] == ["licences.json", "risks.json", "1"]


def test_a_files_repr_and_errors_show_nobody(source: ProbationSource, folder: Path) -> None:
    edit(folder, "offences", lambda held: held[crn_of(STEPFATHER)][0].update(startDate="Rawstron"))
    (one,) = [
        one
        for one in source.findings(LocalPerson(crn_of(STEPFATHER)), Category.PROBATION_OFFENCE)
        if not isinstance(one, Finding)
    ]
    assert "Rawstron" not in str(one)
    assert crn_of(STEPFATHER) not in str(one)


def test_an_unknown_key_of_the_section_is_named() -> None:
    with pytest.raises(ValidationError, match="folders"):
        ProbationConfig.model_validate({"folder": "x", "folders": "y"})
