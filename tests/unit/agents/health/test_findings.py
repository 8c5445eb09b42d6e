"""What is read of a patient: each category from its own resources, and nothing that belongs to another category."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agents.health.records import HealthSource
from agents.runtime.source import Label, LocalPerson, PersonQuery
from schemas.vocabulary import Category
from tests.contract.records.county_health import Resource, about, alter, county, open_source, patients_of
from tests.unit.agents.health.asking import facts, findings, the_person


def unborn_child(source: HealthSource) -> LocalPerson:
    mother = the_person(source, "expectant_mother")
    (child,) = source.people(PersonQuery(mothers=frozenset({mother.ref})))
    return child


def test_an_emergency_attendance_says_when_why_and_where_to(source: HealthSource) -> None:
    (finding,) = findings(source, the_person(source, "family"), Category.HEALTH_ED_ATTENDANCE)
    on = county().as_of - timedelta(days=20)
    fact = finding.record.as_fact()
    assert (finding.happened_on, fact["Date"]) == (on, on.isoformat())
    assert str(fact["Reason"]).startswith("Bruising and pain to left forearm.")
    assert (fact["Department"], fact["Disposal"]) == ("Emergency department", "Discharged home with mother")


def test_a_record_labelled_for_violence_waits_for_a_reader(source: HealthSource) -> None:
    (finding,) = findings(source, the_person(source, "family"), Category.HEALTH_ED_ATTENDANCE)
    assert finding.labels == {Label.NEEDS_REVIEW}


def test_missed_appointments_say_how_many_in_a_year(source: HealthSource) -> None:
    found = facts(source, the_person(source, "family"), Category.HEALTH_WAS_NOT_BROUGHT)
    assert {one["Reason"] for one in found} == {
        "Speech and language therapy: Was not brought",
        "Fracture clinic: Was not brought",
    }
    assert {one["MissedInTwelveMonths"] for one in found} == {2}


def test_an_appointment_that_was_kept_is_not_told(folder: Path, source: HealthSource) -> None:
    alter(folder, "Appointment", about("family"), lambda one: one.update(status="fulfilled"))
    assert facts(source, the_person(source, "family"), Category.HEALTH_WAS_NOT_BROUGHT) == []


def test_a_plan_that_ended_within_a_year_is_told_by_cpis(folder: Path, source: HealthSource) -> None:
    person = the_person(source, "family")
    (fact,) = facts(source, person, Category.HEALTH_CPIS)
    assert (fact["status"], fact["localAuthority"]) == ("cp_plan", "Zedshire Council, children's services")

    def end(flag: Resource) -> None:
        flag["period"]["end"] = (county().as_of - timedelta(days=367)).isoformat()

    alter(folder, "Flag", lambda one: about("family")(one) and "cp-plan" in str(one), end)
    assert facts(source, person, Category.HEALTH_CPIS) == []


def test_a_cpis_flag_is_no_flag_of_the_trust(source: HealthSource) -> None:
    (fact,) = facts(source, the_person(source, "family"), Category.HEALTH_FLAG)
    assert (fact["code"], fact["status"]) == ("Safeguarding concern raised by ED", "active")


def test_a_flag_entered_in_error_says_nothing(folder: Path, source: HealthSource) -> None:
    alter(folder, "Flag", about("family"), lambda one: one.update(status="entered-in-error"))
    person = the_person(source, "family")
    assert facts(source, person, Category.HEALTH_FLAG) == facts(source, person, Category.HEALTH_CPIS) == []


def test_a_health_visitor_is_told_with_the_day_the_child_was_seen(source: HealthSource) -> None:
    visitor, seen = facts(source, the_person(source, "family_baby"), Category.HEALTH_UNIVERSAL)
    assert (visitor["role"], visitor["planLevel"], visitor["team"]) == (
        "health_visitor",
        "targeted",
        "Health visiting team",
    )
    assert visitor["lastSeen"] == seen["lastSeen"]
    assert str(seen["concerns"]).startswith("Mother tearful")


def test_a_mental_health_service_says_that_it_was_involved_and_no_more(source: HealthSource) -> None:
    (fact,) = facts(source, the_person(source, "family_mother"), Category.HEALTH_ADULT_MH)
    assert fact["status"] == "closed"
    assert set(fact) == {"status", "start", "end", "TeamInvolvement", "ContactDetails"}


@pytest.mark.parametrize("case", ["family_mother", "family_stepfather"])
def test_involvement_names_no_service_that_has_a_category_of_its_own(source: HealthSource, case: str) -> None:
    found = facts(source, the_person(source, case), Category.AGENCY_INVOLVEMENT)
    assert found
    assert all(set(fact) <= {"status", "start", "end"} for fact in found)


def test_involvement_names_the_school_nurse_and_whom_to_ring(folder: Path) -> None:
    source = open_source(folder, duty_contact={"name": "Safeguarding desk", "telephone": "01632 960123"})
    nurse, trust = facts(source, the_person(source, "family"), Category.AGENCY_INVOLVEMENT)
    assert (nurse["status"], nurse["TeamInvolvement"]) == ("open", ["School nursing team"])
    assert trust["DutyContactDetails"] == [{"name": "Safeguarding desk", "telephone": "01632 960123"}]


def test_sexual_health_is_labelled_in_whatever_category_it_comes(folder: Path, source: HealthSource) -> None:
    def change(episode: Resource) -> None:
        episode["type"] = [{"coding": [{"code": "sexual-health"}]}]
        del episode["meta"]

    alter(folder, "EpisodeOfCare", about("family_mother"), change)
    person = the_person(source, "family_mother")
    for category in (Category.HEALTH_SEXUAL, Category.AGENCY_INVOLVEMENT):
        (finding,) = findings(source, person, category)
        assert finding.labels == {Label.SEXUAL_HEALTH}
    assert findings(source, person, Category.HEALTH_ADULT_MH) == []


def test_fertility_treatment_is_labelled_even_beside_another_service(folder: Path, source: HealthSource) -> None:
    def change(episode: Resource) -> None:
        episode["type"] = [{"coding": [{"code": "sexual-health"}, {"code": "fertility"}]}]
        del episode["meta"]

    alter(folder, "EpisodeOfCare", about("family_mother"), change)
    person = the_person(source, "family_mother")
    (finding,) = findings(source, person, Category.AGENCY_INVOLVEMENT)
    assert finding.labels == {Label.FERTILITY}
    assert findings(source, person, Category.HEALTH_SEXUAL) == []


def test_a_sensitivity_nobody_mapped_waits_for_a_reader(folder: Path, source: HealthSource) -> None:
    security = {"security": [{"code": "LOCAL-7"}]}
    alter(folder, "Appointment", about("family"), lambda one: one.update(meta=security))
    found = findings(source, the_person(source, "family"), Category.HEALTH_WAS_NOT_BROUGHT)
    assert {one.labels for one in found} == {frozenset({Label.NEEDS_REVIEW})}


def test_a_pregnancy_booked_at_26_weeks_was_booked_late(source: HealthSource) -> None:
    (fact,) = facts(source, the_person(source, "expectant_mother"), Category.HEALTH_MATERNITY)
    assert (fact["gestationAtBookingWeeks"], fact["lateBooking"]) == (26, True)
    assert fact["expectedDeliveryDate"] == county().case("unborn_child").born_on.isoformat()
    assert fact["midwifeTeam"] == "Community midwifery team"


def test_without_a_line_of_its_own_a_trust_calls_no_booking_late(folder: Path) -> None:
    source = open_source(folder, late_booking_weeks=None)
    (fact,) = facts(source, the_person(source, "expectant_mother"), Category.HEALTH_MATERNITY)
    assert "lateBooking" not in fact


def test_an_unborn_child_has_its_plan_its_pregnancy_and_its_midwife(source: HealthSource) -> None:
    child = unborn_child(source)
    (plan,) = facts(source, child, Category.HEALTH_CPIS)
    assert plan["status"] == "unborn_cp_plan"
    assert len(facts(source, child, Category.HEALTH_MATERNITY)) == 1
    (midwives,) = facts(source, child, Category.AGENCY_INVOLVEMENT)
    assert midwives["TeamInvolvement"] == ["Community midwifery team"]
    (identity,) = facts(source, child, Category.PERSON_IDENTITY)
    assert identity == {"expected_birthdate": county().case("unborn_child").born_on.isoformat()}


def test_an_unborn_child_has_nothing_that_is_its_mothers_alone(source: HealthSource) -> None:
    child = unborn_child(source)
    for category in (
        Category.PERSON_ADDRESS,
        Category.HEALTH_WAS_NOT_BROUGHT,
        Category.HEALTH_ED_ATTENDANCE,
        Category.HEALTH_FLAG,
        Category.HEALTH_REGISTRATION,
        Category.HEALTH_ADULT_MH,
    ):
        assert findings(source, child, category) == []


def test_the_practice_of_a_patient_is_told_whole(source: HealthSource) -> None:
    (fact,) = facts(source, the_person(source, "family"), Category.HEALTH_REGISTRATION)
    assert set(fact) == {"RegisteredGPName", "RegisteredGPSurgery", "GPAddress", "GPTelephone"}


def test_a_person_of_no_fixed_abode_is_said_to_have_none(folder: Path, source: HealthSource) -> None:
    here = [{"use": "home", "postalCode": "ZZ99 3VZ"}]
    alter(folder, "Patient", lambda one: one["id"] in patients_of("family"), lambda one: one.update(address=here))
    (fact,) = facts(source, the_person(source, "family"), Category.PERSON_ADDRESS)
    assert fact == {"Postcode": "ZZ99 3VZ", "noFixedAddress": True, "type": "home"}


def test_a_former_address_is_dated_and_a_current_one_is_not(folder: Path, source: HealthSource) -> None:
    places = [
        {"use": "old", "line": ["1 Heron Lane"], "period": {"start": "2019", "end": "2020-02-01"}},
        {"use": "home", "line": ["2 Heron Lane"], "period": {"start": "2020-02-01"}},
    ]
    alter(folder, "Patient", lambda one: one["id"] in patients_of("family"), lambda one: one.update(address=places))
    found = findings(source, the_person(source, "family"), Category.PERSON_ADDRESS)
    assert [one.happened_on is None for one in found] == [False, True]
    assert [one.record.as_fact().get("startDate") for one in found] == [None, "2020-02-01"]
