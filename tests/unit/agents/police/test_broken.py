"""A row that does not hold breaks itself alone, and says which field; the other rows and categories are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.police.records import PoliceSource
from agents.runtime.source import Finding, LocalPerson
from schemas.vocabulary import Category
from tests.contract.records.county_police import STEPFATHER, alter, nominals_of
from tests.unit.agents.police.asking import broken, facts


def stepfather() -> str:
    return nominals_of(STEPFATHER)[0]


@pytest.mark.parametrize(
    ("category", "statement", "field"),
    [
        (Category.POLICE_INCIDENT, "UPDATE event SET occurred_on = 'soon'", "occurred_on"),
        (Category.POLICE_INCIDENT, "UPDATE event SET occurred_on = '2024-02-30'", "occurred_on"),
        (Category.POLICE_INCIDENT, "UPDATE event SET occurred_on = 20240203", "occurred_on"),
        (Category.POLICE_INCIDENT, "UPDATE event_role SET role = 'passer-by'", "role"),
        (Category.POLICE_INCIDENT, "UPDATE event SET domestic_abuse = '?'", "domestic_abuse"),
        (Category.POLICE_INCIDENT, "UPDATE event SET summary = printf('%.*c', 5000, 'x')", "summary_text"),
        (Category.POLICE_DA, "UPDATE da_assessment SET dash_score = 28", "dash_score"),
        (Category.POLICE_DA, "UPDATE da_assessment SET dash_score = 'many'", "dash_score"),
        (Category.POLICE_DA, "UPDATE da_assessment SET dash_grade = 'Severe'", "dash_grade"),
        (Category.POLICE_CUSTODY_PNC, "UPDATE custody_record SET arrested_on = '01/02/2024'", "arrested_on"),
        (Category.POLICE_CUSTODY_PNC, "UPDATE disposal SET disposed_on = ''' OR 1=1'", "disposed_on"),
        (Category.POLICE_CUSTODY_PNC, "UPDATE disposal SET is_caution = 'maybe'", "is_caution"),
        (Category.POLICE_INTELLIGENCE, "UPDATE intelligence SET handling_code = 'Z'", "handling_code"),
        (Category.PERSON_IDENTITY, "UPDATE person SET date_of_birth = '1993-13-01'", "date_of_birth"),
        (Category.PERSON_IDENTITY, "UPDATE person SET sex = '9'", "sex"),
        (Category.PERSON_IDENTITY, "UPDATE person SET telephone = 'ask his mother'", "phone"),
        (Category.PERSON_ADDRESS, "UPDATE person_address SET address_type = 'boat'", "address_type"),
        (Category.POLICE_INVOLVEMENT, "UPDATE custody_record SET arrested_on = '?'", "lastContactOn"),
        (Category.AGENCY_INVOLVEMENT, "UPDATE custody_record SET arrested_on = '?'", "start"),
    ],
)
def test_a_field_that_does_not_hold_is_named(
    source: PoliceSource, database: Path, category: Category, statement: str, field: str
) -> None:
    alter(database, statement)
    told = broken(source, stepfather(), category)
    assert told
    assert {name for _, name in told} == {field}
    assert all(ref for ref, _ in told)


def test_the_other_rows_of_the_category_are_told(source: PoliceSource, database: Path) -> None:
    whole = len(facts(source, stepfather(), Category.POLICE_INCIDENT))
    alter(database, "UPDATE event SET occurred_on = 'soon' WHERE event_id = (SELECT min(event_id) FROM event)")
    found = list(source.findings(LocalPerson(stepfather()), Category.POLICE_INCIDENT))
    assert whole >= 2
    assert sum(isinstance(one, Finding) for one in found) == whole - 1


def test_a_broken_conviction_leaves_the_others_on_the_entry(source: PoliceSource, database: Path) -> None:
    alter(database, "UPDATE disposal SET disposed_on = '?' WHERE offence = 'Battery'")
    found = list(source.findings(LocalPerson(stepfather()), Category.POLICE_CUSTODY_PNC))
    (entry,) = [one for one in found if isinstance(one, Finding) and "convictions" in one.record.as_fact()]
    assert [part["offence"] for part in entry.record.as_fact()["convictions"]] == ["Unlawful wounding s20"]  # type: ignore[attr-defined]
    assert broken(source, stepfather(), Category.POLICE_CUSTODY_PNC)


def test_other_categories_are_told_beside_a_broken_one(source: PoliceSource, database: Path) -> None:
    alter(database, "UPDATE event SET occurred_on = 'soon'")
    assert facts(source, stepfather(), Category.POLICE_DA)
    assert facts(source, stepfather(), Category.PERSON_IDENTITY)


def test_text_that_is_no_utf8_breaks_its_own_record(source: PoliceSource, database: Path) -> None:
    alter(database, "UPDATE event SET summary = CAST(x'4dfc6c6c6572' AS TEXT) WHERE event_id = 'E0000001'")
    found = list(source.findings(LocalPerson(stepfather()), Category.POLICE_INCIDENT))
    assert broken(source, stepfather(), Category.POLICE_INCIDENT)
    assert any(isinstance(one, Finding) for one in found)


def test_other_systems_line_ends_and_control_characters_break_nothing(source: PoliceSource, database: Path) -> None:
    alter(database, "UPDATE event SET summary = 'One' || char(13, 10) || 'two' || char(12, 8232) || 'three'")
    assert {fact["summary_text"] for fact in facts(source, stepfather(), Category.POLICE_INCIDENT)} == {
        "One\ntwo  three"
    }


def test_empty_text_is_missing_and_not_broken(source: PoliceSource, database: Path) -> None:
    alter(database, "UPDATE event SET summary = '  ', outcome = ''")
    for fact in facts(source, stepfather(), Category.POLICE_INCIDENT):
        assert not {"summary_text", "outcome"} & fact.keys()


def test_midnight_is_a_date(source: PoliceSource, database: Path) -> None:
    alter(database, "UPDATE event SET occurred_on = occurred_on || ' 00:00:00'")
    assert all(len(str(fact["date"])) == 10 for fact in facts(source, stepfather(), Category.POLICE_INCIDENT))
