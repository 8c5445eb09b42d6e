"""What is left of a finding: the granted fields, less what the rule takes, nested parts included."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.gatekeeping.gatekeeper import Effect, Passage
from agents.runtime.gatekeeping.minimise import minimise, minimise_existence
from agents.runtime.gatekeeping.third_party import REDACTED
from agents.runtime.source import Finding, RecordBroken
from schemas.messages.grant import Scope
from schemas.records.fields import Marker
from schemas.records.person import Involvement, InvolvementStatus
from schemas.records.police import Incident
from schemas.records.probation import (
    CommunityOffenderManager,
    Licence,
    LicenceCondition,
    OfficerFullName,
    ResponsibleOfficer,
)
from schemas.records.probation_risk import Risks, RiskSummary, RoshLevel
from schemas.records.record import Contact
from schemas.records.registry import fields_of
from schemas.vocabulary import Category, Mode, SubjectRole

NONE: frozenset[Marker] = frozenset()
INCIDENT = Incident(
    date="2026-03-01", type="Assault", location="1 High St", others_involved=("A. N. Other",), summary_text="Words."
)


def scope(category: Category, *fields: str, mode: Mode = Mode.CONTENT) -> Scope:
    named = sorted(fields or fields_of(category, mode))
    return Scope(category=category, mode=mode, roles=[SubjectRole.INDEX_CHILD], fields=named, rule="r")


def passage(*markers: Marker, fields: frozenset[str] = frozenset()) -> Passage:
    return Passage(Effect.ALLOW, "r", markers=frozenset(markers), fields=fields)


def masking(*markers: Marker, fields: frozenset[str] = frozenset(), removed: frozenset[Marker] = NONE) -> Passage:
    return Passage(Effect.ALLOW, "r", markers=removed, masked_markers=frozenset(markers), masked_fields=fields)


def finding(record: Incident = INCIDENT) -> Finding:
    return Finding(Category.POLICE_INCIDENT, record, date(2026, 3, 1), local_ref="X1")


def test_only_granted_fields_leave() -> None:
    extract = minimise([(finding(), passage())], scope(Category.POLICE_INCIDENT, "date", "type"))
    assert extract.facts == ({"date": "2026-03-01", "type": "Assault"},)


def test_marked_fields_are_taken_away_by_their_marker() -> None:
    taken = passage(Marker.FREE_TEXT, Marker.THIRD_PARTY, Marker.WHEREABOUTS)
    extract = minimise([(finding(), taken)], scope(Category.POLICE_INCIDENT))
    assert extract.facts == ({"date": "2026-03-01", "type": "Assault"},)


def test_a_text_about_third_parties_stays_even_where_free_text_may_leave() -> None:
    extract = minimise([(finding(), passage(Marker.THIRD_PARTY))], scope(Category.POLICE_INCIDENT))
    assert "summary_text" not in extract.facts[0]


def test_levels_stay_where_only_the_texts_of_a_part_are_taken() -> None:
    risks = Risks(summary=RiskSummary(overallRiskLevel=RoshLevel.HIGH, whoIsAtRisk="Her sister Jane."))
    held = Finding(Category.PROBATION_ROSH, risks, local_ref="R1")
    extract = minimise([(held, passage(Marker.FREE_TEXT, Marker.THIRD_PARTY))], scope(Category.PROBATION_ROSH))
    assert extract.facts == ({"summary": {"overallRiskLevel": "HIGH"}},)


def test_a_part_of_which_nothing_is_left_is_not_there_at_all() -> None:
    officer = CommunityOffenderManager(name=OfficerFullName(forename="Ann", surname="Lee"))
    held = Finding(
        Category.PROBATION_RESPONSIBLE_OFFICER, ResponsibleOfficer(communityOffenderManager=officer), local_ref="R1"
    )
    extract = minimise([(held, passage(Marker.OFFICER_CONTACT))], scope(Category.PROBATION_RESPONSIBLE_OFFICER))
    assert extract.facts == ()


def test_a_field_that_a_rule_names_is_taken_out_wherever_it_stands() -> None:
    extract = minimise([(finding(), passage(fields=frozenset({"type"})))], scope(Category.POLICE_INCIDENT, "type"))
    assert extract.facts == ()


def test_a_masked_text_is_written_over_and_tells_neither_length_nor_number() -> None:
    extract = minimise([(finding(), masking(Marker.FREE_TEXT, Marker.THIRD_PARTY))], scope(Category.POLICE_INCIDENT))
    assert extract.facts == (
        {
            "date": "2026-03-01",
            "type": "Assault",
            "location": "1 High St",
            "others_involved": [REDACTED],
            "summary_text": REDACTED,
        },
    )


def test_what_is_no_text_is_removed_where_it_is_masked() -> None:
    officer = CommunityOffenderManager(
        name=OfficerFullName(forename="Ann", surname="Lee"), email="ann@example.org", telephoneNumber="01603 000000"
    )
    record = ResponsibleOfficer(communityOffenderManager=officer, allocatedOn="2026-01-05")
    held = Finding(Category.PROBATION_RESPONSIBLE_OFFICER, record, local_ref="R1")
    extract = minimise([(held, masking(Marker.OFFICER_CONTACT))], scope(Category.PROBATION_RESPONSIBLE_OFFICER))
    name = {"forename": REDACTED, "surname": REDACTED}
    assert extract.facts == ({"communityOffenderManager": {"name": name}, "allocatedOn": "2026-01-05"},)


def test_what_one_rule_masks_and_another_removes_is_removed() -> None:
    taken = masking(Marker.THIRD_PARTY, removed=frozenset({Marker.FREE_TEXT}))
    extract = minimise([(finding(), taken)], scope(Category.POLICE_INCIDENT))
    assert "summary_text" not in extract.facts[0]
    assert extract.facts[0]["others_involved"] == [REDACTED]


def test_a_mask_of_a_nested_text_leaves_the_codes_beside_it() -> None:
    condition = LicenceCondition(code="NLC5", condition="Not to go near Jane Doe at 3 High St.")
    held = Finding(Category.PROBATION_LICENCE, Licence(conditions=(condition,)), local_ref="L1")
    extract = minimise([(held, masking(Marker.FREE_TEXT))], scope(Category.PROBATION_LICENCE))
    assert extract.facts == ({"conditions": [{"code": "NLC5", "condition": REDACTED}]},)


def test_a_field_that_a_rule_names_is_masked_wherever_it_stands() -> None:
    extract = minimise([(finding(), masking(fields=frozenset({"type"})))], scope(Category.POLICE_INCIDENT))
    assert extract.facts[0]["type"] == REDACTED


def test_a_fact_of_which_only_masks_are_left_does_not_leave() -> None:
    masked = masking(Marker.FREE_TEXT)
    extract = minimise([(finding(), masked)], scope(Category.POLICE_INCIDENT, "summary_text"))
    assert extract.facts == ()


def test_a_fact_that_does_not_fit_its_model_does_not_leave() -> None:
    broken = Incident.model_construct(date="1st March")
    with pytest.raises(RecordBroken) as told:
        minimise([(finding(broken), passage())], scope(Category.POLICE_INCIDENT))
    assert told.value.local_ref == "X1"
    assert "March" not in str(told.value)


def test_a_finding_of_another_category_does_not_leave() -> None:
    with pytest.raises(RecordBroken):
        minimise([(finding(), passage())], scope(Category.POLICE_NOTICE))


def test_existence_tells_months_and_whom_to_ring_and_nothing_else() -> None:
    open_one = Involvement(status=InvolvementStatus.OPEN, start="2025-01-15", KeyWorker="Ann Lee")
    held = [
        Finding(Category.AGENCY_INVOLVEMENT, open_one, date(2025, 1, 15), local_ref="1"),
        Finding(Category.AGENCY_INVOLVEMENT, Involvement(start="2019-06-30"), date(2019, 6, 30), local_ref="2"),
    ]
    contact = Contact(team="Duty desk", telephone="01603 000000")
    extract = minimise_existence(held, passage(), scope(Category.AGENCY_INVOLVEMENT, mode=Mode.EXISTENCE), contact)
    assert extract.facts == (
        {
            "held": True,
            "open": True,
            "earliest_on": "2019-06",
            "latest_on": "2025-01",
            "contact": {"team": "Duty desk", "telephone": "01603 000000"},
        },
    )


@given(
    st.sets(st.sampled_from(sorted(fields_of(Category.POLICE_INCIDENT, Mode.CONTENT)))),
    st.sets(st.sampled_from(Marker)),
    st.sets(st.sampled_from(Marker)),
)
def test_nothing_outside_the_grant_ever_leaves(fields: set[str], removed: set[Marker], masked: set[Marker]) -> None:
    granted = fields or {"date"}
    taken = masking(*masked, removed=frozenset(removed))
    extract = minimise([(finding(), taken)], scope(Category.POLICE_INCIDENT, *granted))
    assert all(set(fact) <= granted for fact in extract.facts)
