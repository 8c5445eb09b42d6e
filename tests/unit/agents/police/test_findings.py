"""What a force's rows become: the family's story, what leads to a refuge, intelligence that nobody sanitised."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agents.police.records import PoliceSource
from agents.runtime.source import Finding, Label, LocalPerson
from broker.demo.county import story
from schemas.records.registry import categories_of
from schemas.vocabulary import AgencyKind, Category
from tests.contract.records.county_police import (
    STEPFATHER,
    alter,
    county,
    holdings,
    nominals_of,
    open_source,
    pnc_of,
)
from tests.unit.agents.police.asking import add_nominal, facts, findings


def ago(days: int) -> str:
    return story.ago(county().as_of, days).isoformat()


def test_an_incident_tells_the_part_and_the_others(source: PoliceSource) -> None:
    (mother,) = nominals_of("family_mother")
    incidents = facts(source, mother, Category.POLICE_INCIDENT)
    second = next(fact for fact in incidents if fact["date"] == ago(story.SECOND_INCIDENT))
    assert second["role"] == "victim"
    assert second["domestic_abuse"] is True
    assert second["children_present"] is True
    assert second["outcome"] == "Suspect bailed"
    others = second["others_involved"]
    assert isinstance(others, list)
    assert any(text.startswith("Declan") and text.endswith("Rawstron, suspect") for text in others)
    assert not any(text.startswith("Carys") for text in others)


def test_people_of_the_same_events_and_addresses_are_linked(source: PoliceSource) -> None:
    (mother,) = nominals_of("family_mother")
    (stepfather,) = nominals_of(STEPFATHER)
    linked = {person.ref for person in source.linked(LocalPerson(mother))}
    assert stepfather in linked
    assert mother not in linked


def test_an_assessment_tells_grade_hearing_order_and_children(source: PoliceSource) -> None:
    (mother,) = nominals_of("family_mother")
    latest = facts(source, mother, Category.POLICE_DA)[0]
    assert latest["date"] == ago(story.SECOND_INCIDENT)
    assert (latest["dash_score"], latest["dash_grade"], latest["role"]) == (16, "high", "victim")
    assert (latest["marac_on"], latest["orders"]) == (ago(story.MARAC), ["non_molestation"])
    children = latest["children"]
    assert isinstance(children, list)
    assert {name.split()[0] for name in children} == {"Ellie", "Archie"}


def test_a_notice_and_the_bail_of_the_same_day_are_told(source: PoliceSource) -> None:
    (child,) = nominals_of("family")
    (stepfather,) = nominals_of(STEPFATHER)
    grades = {fact["date"]: fact["grade"] for fact in facts(source, child, Category.POLICE_NOTICE)}
    assert grades == {ago(story.FIRST_INCIDENT): "medium", ago(story.SECOND_INCIDENT): "high"}
    custody = [fact for fact in facts(source, stepfather, Category.POLICE_CUSTODY_PNC) if "arrestedOn" in fact]
    assert [fact["arrestedOn"] for fact in custody] == [ago(story.SECOND_INCIDENT)]
    assert "Not to enter the home address" in str(custody[0]["bail_conditions"])


def test_the_national_computer_entry_is_one_fact_and_what_is_spent_another(source: PoliceSource) -> None:
    (stepfather,) = nominals_of(STEPFATHER)
    found = findings(source, stepfather, Category.POLICE_CUSTODY_PNC)
    entry, old = [one for one in found if "convictions" in one.record.as_fact()]
    fact, spent = entry.record.as_fact(), old.record.as_fact()
    assert fact["pncId"] == spent["pncId"] == pnc_of(stepfather)
    assert [one["offence"] for one in fact["convictions"]] == ["Unlawful wounding s20"]  # type: ignore[attr-defined]
    assert [one["offence"] for one in spent["convictions"]] == ["Battery"]  # type: ignore[attr-defined]
    assert (entry.labels, old.labels) == (frozenset(), frozenset({Label.SPENT}))
    assert "warning_signals" not in spent
    assert fact["warning_signals"] == ["Violent: has assaulted officers when drunk"]
    assert entry.happened_on == county().as_of - timedelta(days=story.SENTENCED)


@pytest.mark.parametrize(("days", "spent"), [(1, True), (0, False)])
def test_a_fine_of_eight_months_ago_is_spent_of_who_was_under_18(
    source: PoliceSource, database: Path, days: int, spent: bool
) -> None:
    fined = county().as_of - timedelta(days=240)
    born = fined.replace(year=fined.year - 18) + timedelta(days=days)
    ref = add_nominal(database, "N9000002", "Ben", "Zetter", born.isoformat())
    alter(database, "INSERT INTO disposal VALUES (91000, ?, ?, 'Theft', 'Fine', 'N')", ref, fined.isoformat())
    found = findings(source, ref, Category.POLICE_CUSTODY_PNC)
    assert [Label.SPENT in one.labels for one in found if one.record.as_fact().get("convictions")] == [spent]


def test_more_convictions_than_a_fact_carries_go_into_another(source: PoliceSource, database: Path) -> None:
    ref = add_nominal(database, "N9000001", "Ann", "Zetter", None)
    for number in range(60):
        alter(database, "INSERT INTO disposal VALUES (?, ?, '2020-01-01', 'Theft', 'Fine', 'N')", 90_000 + number, ref)
    counts = [len(fact["convictions"]) for fact in facts(source, ref, Category.POLICE_CUSTODY_PNC)]  # type: ignore[arg-type]
    assert counts == [50, 10]


def test_intelligence_comes_sanitised_and_waits_for_a_reader(source: PoliceSource) -> None:
    (stepfather,) = nominals_of(STEPFATHER)
    (report,) = findings(source, stepfather, Category.POLICE_INTELLIGENCE)
    assert report.labels == {Label.NEEDS_REVIEW}
    fact = report.record.as_fact()
    assert str(fact["sanitised_text"]).startswith("There is reporting")
    assert (fact["source_evaluation"], fact["information_assessment"], fact["handling_code"]) == ("2", "B", "P")


def test_intelligence_nobody_sanitised_is_told_without_its_words(source: PoliceSource) -> None:
    third = nominals_of("duplicate_person")[2]
    (report,) = findings(source, third, Category.POLICE_INTELLIGENCE)
    fact = report.record.as_fact()
    assert "sanitised_text" not in fact
    assert fact["handling_conditions"] == "Not to be acted on without the originator"
    assert report.labels == {Label.NEEDS_REVIEW}


def test_no_raw_intelligence_is_in_anything_that_is_found(source: PoliceSource) -> None:
    raw = {str(row[7]) for row in holdings().tables["intelligence"]}
    assert raw
    told = ""
    for ref in holdings().nominals:
        for category in Category:
            told += "".join(str(one.record.as_fact()) for one in findings(source, ref, category))
    assert not [text for text in raw if text in told]


def test_every_category_of_the_police_is_answered_for_somebody(source: PoliceSource) -> None:
    told = {
        category
        for category in categories_of(AgencyKind.POLICE)
        for ref in holdings().nominals
        if findings(source, ref, category)
    }
    assert set(categories_of(AgencyKind.POLICE)) - told == {Category.PERSON_HOUSEHOLD}


def test_an_incident_at_a_refuge_is_marked_in_the_suspects_record_too(source: PoliceSource, database: Path) -> None:
    (suspect,) = nominals_of("refuge_perpetrator")
    (before,) = findings(source, suspect, Category.POLICE_INCIDENT)
    assert before.labels == frozenset(), "it happened where they had lived together"
    alter(
        database,
        "UPDATE event SET location_id = (SELECT location_id FROM person_address WHERE address_type = 'safe')"
        " WHERE event_id = (SELECT event_id FROM event_role WHERE person_id = ?)",
        suspect,
    )
    (after,) = findings(source, suspect, Category.POLICE_INCIDENT)
    assert after.labels == {Label.REFUGE}


def test_a_safe_address_is_marked_and_not_the_postcode_of_the_identity(source: PoliceSource) -> None:
    (resident,) = nominals_of("refuge_resident")
    addresses = findings(source, resident, Category.PERSON_ADDRESS)
    safe = [one for one in addresses if one.record.as_fact().get("Postcode") == "ZZ9 9AA"]
    assert [one.labels for one in safe] == [{Label.REFUGE}]
    (identity,) = facts(source, resident, Category.PERSON_IDENTITY)
    assert "postcode" not in identity


def test_identity_tells_other_names_and_a_nominal_without_a_birth_date(source: PoliceSource) -> None:
    (alias_user,) = nominals_of("alias_user")
    (identity,) = facts(source, alias_user, Category.PERSON_IDENTITY)
    assert identity["former_family"] == ["Dobson", "Dombrovski"]
    (third,) = facts(source, nominals_of("duplicate_person")[2], Category.PERSON_IDENTITY)
    assert "birthdate" not in third


def test_involvement_is_open_while_the_force_works_on_something(source: PoliceSource) -> None:
    (stepfather,) = nominals_of(STEPFATHER)
    (involvement,) = facts(source, stepfather, Category.AGENCY_INVOLVEMENT)
    assert involvement["status"] == "open"
    assert "end" not in involvement
    (alias_user,) = nominals_of("alias_user")
    (closed,) = facts(source, alias_user, Category.AGENCY_INVOLVEMENT)
    assert (closed["status"], closed["end"] >= ago(400)) == ("closed", True)  # type: ignore[operator]


def test_the_duty_contact_of_the_configuration_is_told(database: Path) -> None:
    source = open_source(database, duty_contact={"name": "MASH desk", "telephone": "01632 960123"})
    (stepfather,) = nominals_of(STEPFATHER)
    (involvement,) = facts(source, stepfather, Category.AGENCY_INVOLVEMENT)
    assert involvement["DutyContactDetails"] == [{"name": "MASH desk", "telephone": "01632 960123"}]
    source.close()


def test_the_warnings_in_force_are_told_and_not_those_that_ended(source: PoliceSource, database: Path) -> None:
    (stepfather,) = nominals_of(STEPFATHER)
    (known,) = facts(source, stepfather, Category.POLICE_INVOLVEMENT)
    assert known["ServicesKnownTo"] == ["Police"]
    assert known["PoliceMarkerDetails"] == "Violent: has assaulted officers when drunk"
    alter(database, "UPDATE warning_marker SET to_on = ? WHERE person_id = ?", ago(1), stepfather)
    (later,) = facts(source, stepfather, Category.POLICE_INVOLVEMENT)
    assert "PoliceMarkerDetails" not in later


def test_the_day_of_unread_intelligence_is_told_by_no_other_record(source: PoliceSource) -> None:
    (stepfather,) = nominals_of(STEPFATHER)
    (report,) = facts(source, stepfather, Category.POLICE_INTELLIGENCE)
    others = [fact for category in Category for fact in facts(source, stepfather, category) if fact != report]
    assert str(report["date"]) not in str(others)
    assert ago(story.SECOND_INCIDENT) in str(others)


def test_a_marker_that_protects_is_not_told_in_words(source: PoliceSource, database: Path) -> None:
    (stepfather,) = nominals_of(STEPFATHER)
    alter(database, "INSERT INTO warning_marker VALUES (9001, ?, 'CA', 'In a refuge', '2020-01-01', NULL)", stepfather)
    told = [
        *facts(source, stepfather, Category.POLICE_INVOLVEMENT),
        *facts(source, stepfather, Category.POLICE_CUSTODY_PNC),
    ]
    assert "refuge" not in str(told)
    assert "Violent" in str(told)


def test_a_nominal_with_nothing_else_is_known_to_the_police(source: PoliceSource, database: Path) -> None:
    ref = add_nominal(database, "N9000001", "Ann", "Zetter", None)
    (known,) = facts(source, ref, Category.POLICE_INVOLVEMENT)
    assert known == {"ServicesKnownTo": ["Police"], "lastContactOn": "2020-01-01"}


def test_a_risk_of_exploitation_is_told_by_its_kind(source: PoliceSource) -> None:
    (child,) = nominals_of("transposed_birth_date")
    (risk,) = findings(source, child, Category.POLICE_EXPLOITATION_RISK)
    assert risk.record.as_fact() == {"Date": ago(150), "RiskType": "CriminalExploitation", "level": "medium"}
    assert risk.happened_on == county().as_of - timedelta(days=150)


def test_missing_and_police_protection_are_told(source: PoliceSource) -> None:
    (child,) = nominals_of("transposed_birth_date")
    (missing,) = facts(source, child, Category.POLICE_MISSING)
    assert missing == {
        "Date": ago(150),
        "ReturnedOn": ago(150),
        "RiskGrade": "medium",
        "ReturnedHomeInterviewAttended": False,
    }
    infant = nominals_of("adopted_child")[0]
    (power,) = facts(source, infant, Category.POLICE_PROTECTION)
    assert power["LastPoliceProtectionPowerEvent"] == ago(2_000)


def test_findings_name_their_record_for_the_agencys_own_log(source: PoliceSource) -> None:
    (stepfather,) = nominals_of(STEPFATHER)
    for category in Category:
        for one in source.findings(LocalPerson(stepfather), category):
            assert isinstance(one, Finding)
            assert one.local_ref
