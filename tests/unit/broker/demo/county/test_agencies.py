"""Health, education and probation as written: readable by their own standards, hard cases and all."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import pytest

from broker.demo.county import County
from broker.demo.county.education import education_holdings
from broker.demo.county.health import health_holdings
from broker.demo.county.health_resources import KINDS, NHS_NUMBER
from broker.demo.county.police import police_holdings
from broker.demo.county.probation import probation_holdings
from broker.demo.county.probation_files import LISTS, SINGLES
from schemas.identifiers import IdentifierKind, canonical_identifier
from schemas.records.attendance_codes import AttendanceCode

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def fhir(written: Path) -> Resources:
    found: Resources = {}
    for kind in KINDS:
        for line in (written / "health" / f"{kind}.ndjson").read_text(encoding="utf-8").splitlines():
            resource = json.loads(line)
            assert resource["resourceType"] == kind
            found[f"{kind}/{resource['id']}"] = resource
    return found


def _patients(county: County, fhir: Resources, key: str) -> list[dict[str, Any]]:
    patients = health_holdings(county).patients
    return [fhir[f"Patient/{number}"] for number, person in patients.items() if person == county.cases[key]]


def _nhs_numbers(patient: dict[str, Any]) -> list[str]:
    return [identifier["value"] for identifier in patient["identifier"] if identifier["system"] == NHS_NUMBER]


def test_every_fhir_reference_leads_somewhere(fhir: Resources) -> None:
    references = set(re.findall(r'"reference": "([^"]+)"', json.dumps(list(fhir.values()))))
    assert references <= set(fhir)


def test_nearly_everyone_born_is_a_patient(county: County) -> None:
    born = {person.id for person in county.people.values() if not person.unborn}
    known = set(health_holdings(county).patients.values())
    assert known <= born
    assert len(known) > 0.95 * len(born)


def test_a_patient_without_a_number_has_no_slice_for_it(county: County, fhir: Resources) -> None:
    [patient] = _patients(county, fhir, "no_nhs_number")
    assert _nhs_numbers(patient) == []
    assert patient["identifier"]


def test_a_superseded_number_leads_to_the_one_that_replaced_it(county: County, fhir: Resources) -> None:
    child = county.case("superseded_nhs_number")
    current, earlier = _patients(county, fhir, "superseded_nhs_number")
    assert _nhs_numbers(current) == [child.nhs_number]
    assert _nhs_numbers(earlier) == [child.superseded_nhs_number]
    assert earlier["link"] == [{"other": {"reference": f"Patient/{current['id']}"}, "type": "replaced-by"}]
    assert earlier["active"] is False


def test_nothing_links_an_adopted_child_to_the_sealed_record(county: County, fhir: Resources) -> None:
    current, sealed = _patients(county, fhir, "adopted_child")
    assert sealed["meta"]["security"][0]["code"] == "V"
    assert sealed["name"][0]["family"] == county.case("birth_mother").family
    assert "link" not in current
    assert "link" not in sealed
    assert county.case("birth_mother").family not in json.dumps(current)
    others = [r for name, r in fhir.items() if name != f"Patient/{sealed['id']}"]
    assert f"Patient/{sealed['id']}" not in json.dumps(others)


def test_refuge_residents_are_restricted(county: County, fhir: Resources) -> None:
    for key in ("refuge_resident", "refuge_child"):
        [patient] = _patients(county, fhir, key)
        assert patient["meta"]["security"][0]["code"] == "R"


def test_substance_and_sexual_health_are_labelled_very_restricted(fhir: Resources) -> None:
    episodes = [r for r in fhir.values() if r["resourceType"] == "EpisodeOfCare"]
    for episode in episodes:
        service = episode["type"][0]["coding"][0]["code"]
        labels = [label["code"] for label in episode.get("meta", {}).get("security", [])]
        assert ("V" in labels) == (service in {"substance", "sexual-health"})


def test_the_familys_child_was_seen_and_then_not_brought(county: County, fhir: Resources) -> None:
    [child] = _patients(county, fhir, "family")
    me = f"Patient/{child['id']}"
    missed = [r for r in fhir.values() if r["resourceType"] == "Appointment" and me in json.dumps(r)]
    assert {r["status"] for r in missed} == {"noshow"}
    assert {r["comment"] for r in missed} == {"Was not brought"}
    assert len(missed) == 2


@pytest.fixture(scope="module")
def pupils(written: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted((written / "education" / "ctf").glob("*.xml")):
        root = parse(path).getroot()
        assert root.tag == "CTfile"
        for pupil in root.iterfind("CTFpupilData/Pupil"):
            found[pupil.findtext("UPN") or ""] = pupil
    return found


def _csv(written: Path, name: str) -> list[dict[str, str]]:
    with (written / "education" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_child_of_school_age_is_in_one_transfer_file(county: County, pupils: dict[str, Any]) -> None:
    assert set(pupils) == {person.upn for person in county.people.values() if person.upn}
    for upn, pupil in pupils.items():
        assert canonical_identifier(IdentifierKind.UPN, upn) == upn
        names = ["UPN", "Surname", "Forename", "DOB", "Gender", "BasicDetails"]
        assert [child.tag for child in pupil][:6] == names


def test_registers_hold_marks_of_this_years_list_for_children_on_a_roll(written: Path, pupils: dict[str, Any]) -> None:
    rows = _csv(written, "attendance.csv")
    assert {row["code"] for row in rows} <= set(AttendanceCode)
    assert {row["session"] for row in rows} == {"AM", "PM"}
    on_roll = {upn for upn, pupil in pupils.items() if pupil.findtext("BasicDetails/EnrolStatus") == "C"}
    assert {row["UPN"] for row in rows} == on_roll


def test_sessions_of_a_year_add_up(pupils: dict[str, Any]) -> None:
    for pupil in pupils.values():
        for year in pupil.iterfind("Attendance/YearData"):
            names = ("SessionsPossible", "SessionsAttended", "SessionsAuthorised", "SessionsUnauthorised")
            possible, attended, authorised, unauthorised = (int(year.findtext(name)) for name in names)
            assert possible == attended + authorised + unauthorised


def test_the_familys_child_is_often_away_and_told_someone(
    written: Path, county: County, pupils: dict[str, Any]
) -> None:
    upn = county.case("family").upn
    assert upn is not None
    *_, this_year = pupils[upn].iterfind("Attendance/YearData")
    share = int(this_year.findtext("SessionsAttended")) / int(this_year.findtext("SessionsPossible"))
    assert 0.6 < share < 0.9
    entries = [row for row in _csv(written, "safeguarding.csv") if row["UPN"] == upn]
    assert [row["category"] for row in entries][-1] == "Disclosure"


def test_the_refuge_childs_school_does_not_list_the_perpetrator(county: County, pupils: dict[str, Any]) -> None:
    upn = county.case("refuge_child").upn
    assert upn is not None
    names = {contact.findtext("Forename") for contact in pupils[upn].iterfind("Contacts/Contact")}
    assert names == {county.case("refuge_resident").given}


def test_the_adopted_child_is_in_school_by_the_new_name_alone(written: Path, county: County) -> None:
    child = county.case("adopted_child")
    pupil = next(p for p in education_holdings(county).pupils if p.person.id == child.id)
    assert pupil.person.family == child.family
    concerns = _csv(written, "safeguarding.csv")
    assert not [row for row in concerns if row["UPN"] == child.upn and str(child.birth_family) in str(row)]


@pytest.fixture(scope="module")
def probation(written: Path) -> dict[str, Any]:
    folder = written / "probation"
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}


def test_probation_files_are_objects_by_crn(probation: dict[str, Any]) -> None:
    assert set(probation) == {*LISTS, *SINGLES}
    persons = set(probation["persons"])
    for name, resource in probation.items():
        assert set(resource) <= persons
        assert all(isinstance(value, list if name in LISTS else dict) for value in resource.values())
    assert all(canonical_identifier(IdentifierKind.CRN, crn) == crn for crn in persons)


def test_only_the_limited_access_parent_is_restricted_and_excluded(county: County, probation: dict[str, Any]) -> None:
    limited = [crn for crn, p in probation["persons"].items() if p["currentRestriction"] or p["currentExclusion"]]
    [crn] = limited
    assert probation_holdings(county).crns[crn] == county.cases["lao_parent"]
    assert probation["persons"][crn]["exclusionMessage"]


def test_police_and_probation_agree_on_pnc_ids(county: County, probation: dict[str, Any]) -> None:
    police = police_holdings(county)
    known = {police.nominals[str(n)]: v for n, kind, v in police.tables["person_identifier"] if kind == "PNC"}
    crns = probation_holdings(county).crns
    shared = [(known[person], crn) for crn, person in crns.items() if person in known]
    assert len(shared) == len(crns)
    for value, crn in shared:
        assert canonical_identifier(IdentifierKind.PNC, str(value)) == probation["persons"][crn]["pncId"]


def test_the_stepfather_told_probation_another_address(county: County, probation: dict[str, Any]) -> None:
    man = county.case("family_stepfather")
    [crn] = [crn for crn, person in probation_holdings(county).crns.items() if person == man.id]
    postcodes = {address["postcode"] for address in probation["addresses"][crn]}
    assert county.place_of(man).postcode not in postcodes
    assert probation["risks"][crn]["summary"]["riskInCommunity"]["children"] == "HIGH"
    assert {register["code"] for register in probation["dynamic-risks"][crn]} == {"RCCO", "RVAD", "RHRH"}
