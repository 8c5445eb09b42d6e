"""The pack for England: each rule where it decides, and just outside."""

from __future__ import annotations

from typing import Any

import pytest

from broker.node.policy import NO_PERMIT
from schemas.records.fields import Marker
from schemas.records.registry import fields_of, marked
from schemas.vocabulary import (
    AgencyKind,
    Category,
    ConsentState,
    LawfulBasis,
    Mode,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)
from tests.unit.broker.policy.asking import POLICY, ask, fields

C, B, R, O, M = Category, LawfulBasis, SubjectRole, OfficerRole, Mode  # noqa: E741
Question = dict[str, Any]
SCREENING: Question = {"stage": Stage.SCREENING, "purpose": Purpose.SCREENING, "lawful_bases": [B.CA2004_11]}
IN_NEED: Question = {"purpose": Purpose.CHILD_IN_NEED, "lawful_bases": [B.CA1989_17]}
ADULT: Question = {"purpose": Purpose.ADULT_SAFEGUARDING, "lawful_bases": [B.CARE2014_42]}
PUBLIC: Question = {"purpose": Purpose.PUBLIC_PROTECTION, "lawful_bases": [B.CJA2003_325]}
STRATEGY: Question = {"stage": Stage.STRATEGY_DISCUSSION}
AMBER: Question = {"rag": Rag.AMBER}
GREEN: Question = {"rag": Rag.GREEN}
EXISTS: Question = {"mode": M.EXISTENCE}

# rule: (questions it decides, questions just outside where it does not)
CASES: dict[str, tuple[list[Question], list[Question]]] = {
    "R2-child-protection-basis": (
        [{"category": C.POLICE_DA, "lawful_bases": [B.CA1989_17]}],
        [{"category": C.POLICE_DA}, {"category": C.POLICE_DA, "lawful_bases": [B.CA1989_17, B.CA1989_47]}],
    ),
    "R2-child-in-need-basis": (
        [{"category": C.EDU_SEND, **IN_NEED, "lawful_bases": [B.CARE2014_42]}],
        [{"category": C.EDU_SEND, **IN_NEED}, {"category": C.EDU_SEND, **IN_NEED, "lawful_bases": [B.CA2004_SHARE]}],
    ),
    "R2-screening-basis": (
        [{"category": C.AGENCY_INVOLVEMENT, **EXISTS, **SCREENING, "lawful_bases": [B.CDA1998_115]}],
        [{"category": C.AGENCY_INVOLVEMENT, **EXISTS, **SCREENING}],
    ),
    "R2-adult-basis": (
        [{"category": C.ASC_S42, "about": R.INDEX_ADULT, **ADULT, "lawful_bases": [B.CA1989_47]}],
        [{"category": C.ASC_S42, "about": R.INDEX_ADULT, **ADULT, "lawful_bases": [B.CARE2014_45]}],
    ),
    "R2-public-protection-basis": (
        [
            {
                "category": C.PROBATION_MAPPA,
                "about": R.ALLEGED_PERPETRATOR,
                "by": O.POLICE_OFFICER,
                **PUBLIC,
                "lawful_bases": [B.CDA1998_115],
            }
        ],
        [{"category": C.PROBATION_MAPPA, "about": R.ALLEGED_PERPETRATOR, "by": O.POLICE_OFFICER, **PUBLIC}],
    ),
    "R2-ig-lead-asks-nothing": (
        [{"category": C.AGENCY_INVOLVEMENT, **EXISTS, "by": O.IG_LEAD}],
        [{"category": C.AGENCY_INVOLVEMENT, **EXISTS, "by": O.BUSINESS_SUPPORT}],
    ),
    "R4-below-threshold-content": (
        [
            {"category": C.AGENCY_INVOLVEMENT, **SCREENING, **GREEN},
            {"category": C.AGENCY_INVOLVEMENT, **SCREENING, "rag": Rag.BLUE, "consent": ConsentState.REFUSED},
            {"category": C.EDU_SEND, **SCREENING, **GREEN, "stage": Stage.CONTACT},
        ],
        [
            {"category": C.AGENCY_INVOLVEMENT, **SCREENING, **GREEN, "consent": ConsentState.GIVEN},
            {"category": C.AGENCY_INVOLVEMENT, **SCREENING, **AMBER},
            {"category": C.AGENCY_INVOLVEMENT, **SCREENING, **GREEN, **EXISTS},
            {"category": C.EDU_SEND, **IN_NEED, **GREEN},
        ],
    ),
    "R8-bystanders": (
        [{"category": C.PERSON_IDENTITY, "about": who} for who in (R.REFERRER, R.PROFESSIONAL, R.THIRD_PARTY)],
        [{"category": C.PERSON_IDENTITY, "about": R.HOUSEHOLD_MEMBER}],
    ),
    "R16-intelligence-content": (
        [{"category": C.POLICE_INTELLIGENCE, "by": O.DECISION_MAKER, **STRATEGY}],
        [{"category": C.POLICE_INTELLIGENCE, "by": O.DECISION_MAKER, **STRATEGY, **EXISTS}],
    ),
    "R16-intelligence-existence": (
        [{"category": C.POLICE_INTELLIGENCE, "by": O.POLICE_OFFICER, **STRATEGY, **EXISTS}],
        [
            {"category": C.POLICE_INTELLIGENCE, "by": O.SOCIAL_WORKER, **STRATEGY, **EXISTS},
            {"category": C.POLICE_INTELLIGENCE, "by": O.POLICE_OFFICER, **EXISTS},
        ],
    ),
    "R18-adoption": (
        [{"category": C.CSC_ADOPTION, "by": O.DECISION_MAKER, **STRATEGY, "mode": mode} for mode in Mode],
        [{"category": C.CSC_LOOKED_AFTER}],
    ),
    "R20-sexual-health": (
        [{"category": C.HEALTH_SEXUAL, "by": O.HEALTH_NAVIGATOR, **STRATEGY, "mode": mode} for mode in Mode],
        [{"category": C.HEALTH_CAMHS}],
    ),
    "R26-existence-agencies": (
        [
            {"category": C.HOUSING_TENANCY},
            {"category": C.FIRE_VISIT},
            {"category": C.VOL_INVOLVEMENT, **STRATEGY},
            {"category": C.PERSON_ADDRESS, "agency": AgencyKind.HOUSING},
        ],
        [{"category": C.HOUSING_TENANCY, **EXISTS}, {"category": C.PERSON_ADDRESS, "agency": AgencyKind.HEALTH}],
    ),
    "R26-existence": (
        [{"category": C.HOUSING_TENANCY, **EXISTS, **AMBER}, {"category": C.FIRE_VISIT, **EXISTS}],
        [{"category": C.HOUSING_TENANCY, **EXISTS, **GREEN}, {"category": C.FIRE_VISIT, **EXISTS, **SCREENING}],
    ),
    "R27-education-no-incident": (
        [{"category": C.POLICE_INCIDENT, "by": O.EDUCATION_NAVIGATOR}],
        [
            {"category": C.POLICE_INCIDENT, "by": O.HEALTH_NAVIGATOR},
            {"category": C.POLICE_INCIDENT, "by": O.EDUCATION_NAVIGATOR, **EXISTS},
        ],
    ),
    "R27-education-alert": (
        [{"category": C.POLICE_DA, "by": O.EDUCATION_NAVIGATOR}],
        [
            {"category": C.POLICE_DA, "by": O.SOCIAL_WORKER},
            {"category": C.POLICE_DA, "by": O.EDUCATION_NAVIGATOR, "about": R.PARENT_CARER},
        ],
    ),
    "R28-police-health": (
        [
            {"category": C.HEALTH_CPIS, "by": O.POLICE_OFFICER, "lawful_bases": [B.CA1989_47, B.DPA2018_PART_3]},
            {"category": C.HEALTH_ADULT_MH, "by": O.POLICE_OFFICER, "about": R.ALLEGED_PERPETRATOR, **PUBLIC},
        ],
        [
            {"category": C.HEALTH_CPIS, "by": O.POLICE_OFFICER},
            {"category": C.HEALTH_CPIS, "by": O.SOCIAL_WORKER, "lawful_bases": [B.CA1989_47, B.DPA2018_PART_3]},
            {"category": C.POLICE_MISSING, "by": O.POLICE_OFFICER, "lawful_bases": [B.CA1989_47, B.DPA2018_PART_3]},
        ],
    ),
    "R30-enquiry-decided": (
        [{"category": C.AGENCY_INVOLVEMENT, **EXISTS, "stage": Stage.DECIDED}],
        [{"category": C.AGENCY_INVOLVEMENT, **EXISTS}],
    ),
    "R33-not-this-agency": (
        [
            {"category": C.POLICE_DA, "agency": AgencyKind.HEALTH},
            {"category": C.EDU_SEND, "agency": AgencyKind.IDVA, **EXISTS},
        ],
        [{"category": C.POLICE_DA}, {"category": C.PERSON_IDENTITY, "agency": AgencyKind.HEALTH}],
    ),
    "R3-screening-involvement": (
        [{"category": C.AGENCY_INVOLVEMENT, **EXISTS, **SCREENING, **GREEN}],
        [
            {"category": C.AGENCY_INVOLVEMENT, **EXISTS, **SCREENING, "about": R.PARENT_CARER},
            {"category": C.AGENCY_INVOLVEMENT, **EXISTS, **SCREENING, "by": O.BUSINESS_SUPPORT},
            {"category": C.CSC_REFERRAL, **EXISTS, **SCREENING, **GREEN},
        ],
    ),
    "R3-involvement-with-consent": (
        [{"category": C.AGENCY_INVOLVEMENT, **SCREENING, **GREEN, "consent": ConsentState.GIVEN}],
        [
            {"category": C.AGENCY_INVOLVEMENT, **SCREENING, **AMBER},
            {"category": C.AGENCY_INVOLVEMENT, **SCREENING, "consent": ConsentState.GIVEN, "by": O.POLICE_OFFICER},
        ],
    ),
    "R3-business-support": (
        [{"category": C.AGENCY_INVOLVEMENT, **EXISTS, "by": O.BUSINESS_SUPPORT}],
        [
            {"category": C.AGENCY_INVOLVEMENT, "by": O.BUSINESS_SUPPORT},
            {"category": C.CSC_REFERRAL, **EXISTS, "by": O.BUSINESS_SUPPORT},
        ],
    ),
    "R4-screening-existence": (
        [{"category": C.CSC_CP_PLAN, **EXISTS, **SCREENING, **AMBER}],
        [
            {"category": C.CSC_CP_PLAN, **EXISTS, **SCREENING, **GREEN},
            {"category": C.CSC_CP_PLAN, **SCREENING, **AMBER},
            {"category": C.CSC_CP_PLAN, **EXISTS, **SCREENING, "by": O.EDUCATION_NAVIGATOR},
        ],
    ),
    "R5-enquiry-existence": (
        [{"category": C.CSC_CP_PLAN, **EXISTS, **IN_NEED, **GREEN}],
        [{"category": C.CSC_CP_PLAN, **EXISTS, **SCREENING}, {"category": C.EDU_ATTENDANCE_MARKS, **EXISTS, **IN_NEED}],
    ),
    "R5-enquiry-amber-red-core": (
        [{"category": C.CSC_CP_PLAN, **AMBER}, {"category": C.CSC_CP_PLAN, **IN_NEED}],
        [
            {"category": C.CSC_CP_PLAN, **GREEN},
            {"category": C.CSC_CP_PLAN, **SCREENING},
            {"category": C.CSC_CP_PLAN, "about": R.PARENT_CARER},
            {"category": C.CSC_CP_PLAN, "by": O.BUSINESS_SUPPORT},
        ],
    ),
    "R5-enquiry-amber-red-police": (
        [{"category": C.POLICE_NOTICE, **AMBER}, {"category": C.POLICE_MISSING, "about": R.OTHER_CHILD}],
        [{"category": C.POLICE_NOTICE, **GREEN}, {"category": C.POLICE_CUSTODY_PNC}],
    ),
    "R5-red-attendance-marks": (
        [{"category": C.EDU_ATTENDANCE_MARKS}],
        [
            {"category": C.EDU_ATTENDANCE_MARKS, **AMBER},
            {"category": C.EDU_ATTENDANCE_MARKS, "by": O.HEALTH_NAVIGATOR},
            {"category": C.EDU_ATTENDANCE_MARKS, **IN_NEED},
        ],
    ),
    "R15-red-worker-contact": (
        [{"category": C.HEALTH_UNIVERSAL}],
        [{"category": C.HEALTH_UNIVERSAL, **AMBER}],
    ),
    "R15-responsible-officer": (
        [{"category": C.PROBATION_RESPONSIBLE_OFFICER, "about": R.PARENT_CARER, **AMBER}],
        [{"category": C.PROBATION_RESPONSIBLE_OFFICER, "about": R.PARENT_CARER, **GREEN}],
    ),
    "R15-responsible-officer-red": (
        [{"category": C.PROBATION_RESPONSIBLE_OFFICER, "about": R.PARENT_CARER}],
        [{"category": C.PROBATION_RESPONSIBLE_OFFICER, "about": R.PARENT_CARER, **AMBER}],
    ),
    "R38-unborn-maternity": (
        [{"category": C.HEALTH_MATERNITY, "about": R.PARENT_CARER, **AMBER}],
        [
            {"category": C.HEALTH_MATERNITY, "about": R.PARENT_CARER, **GREEN},
            {"category": C.HEALTH_MATERNITY, "about": R.ALLEGED_PERPETRATOR},
            {"category": C.HEALTH_MATERNITY, "about": R.PARENT_CARER, "by": O.POLICE_OFFICER},
        ],
    ),
    "R6-adults-existence": (
        [{"category": C.HEALTH_SUBSTANCE, **EXISTS, "about": R.PARENT_CARER, **AMBER}],
        [{"category": C.HEALTH_SUBSTANCE, **EXISTS, "about": R.PARENT_CARER, **GREEN}],
    ),
    "R6-adults-summary": (
        [{"category": C.PROBATION_REGISTER, "about": R.HOUSEHOLD_MEMBER, **AMBER}],
        [
            {"category": C.PROBATION_REGISTER, "about": R.HOUSEHOLD_MEMBER, **GREEN},
            {"category": C.PROBATION_RMP, "about": R.HOUSEHOLD_MEMBER},
            {"category": C.PROBATION_REGISTER, "about": R.VICTIM},
        ],
    ),
    "R6-adults-red-detail": (
        [{"category": C.POLICE_NOTICE, "about": R.PARENT_CARER}],
        [
            {"category": C.POLICE_NOTICE, "about": R.PARENT_CARER, **AMBER},
            {"category": C.POLICE_NOTICE, "about": R.PARENT_CARER, **IN_NEED},
        ],
    ),
    "R6-domestic-abuse-summary": (
        [{"category": C.POLICE_DA, **AMBER}, {"category": C.POLICE_DA, "about": R.PARENT_CARER}],
        [{"category": C.POLICE_DA, **GREEN}, {"category": C.POLICE_DA, "by": O.EDUCATION_NAVIGATOR}],
    ),
    "R14-red-offender-detail": (
        [{"category": C.PROBATION_ROSH, "about": R.ALLEGED_PERPETRATOR, "by": O.PROBATION_NAVIGATOR}],
        [
            {"category": C.PROBATION_ROSH, "about": R.ALLEGED_PERPETRATOR, "by": O.SOCIAL_WORKER},
            {"category": C.PROBATION_ROSH, "about": R.ALLEGED_PERPETRATOR, "by": O.PROBATION_NAVIGATOR, **AMBER},
        ],
    ),
    "R7-strategy-children": (
        [{"category": C.POLICE_NOTICE, **STRATEGY, **AMBER}],
        [{"category": C.POLICE_NOTICE, **AMBER}, {"category": C.POLICE_NOTICE, **STRATEGY, **IN_NEED}],
    ),
    "R7-strategy-adults": (
        [{"category": C.PROBATION_RMP, **STRATEGY, "about": R.VICTIM}],
        [
            {"category": C.PROBATION_RMP, "about": R.PARENT_CARER},
            {"category": C.PROBATION_RMP, **STRATEGY, "about": R.PARENT_CARER, "by": O.EDUCATION_NAVIGATOR},
        ],
    ),
    "R7-strategy-existence": (
        [{"category": C.PROBATION_CONTACT, **EXISTS, **STRATEGY, "about": R.PARENT_CARER}],
        [{"category": C.PROBATION_CONTACT, **EXISTS, "about": R.PARENT_CARER}],
    ),
    "R7-strategy-contact-log": (
        [{"category": C.PROBATION_CONTACT, **STRATEGY, "about": R.ALLEGED_PERPETRATOR, "by": O.DECISION_MAKER}],
        [
            {"category": C.PROBATION_CONTACT, **STRATEGY, "about": R.ALLEGED_PERPETRATOR, "by": O.SOCIAL_WORKER},
            {"category": C.PROBATION_CONTACT, **STRATEGY, "about": R.PARENT_CARER, "by": O.DECISION_MAKER},
        ],
    ),
    "R7-strategy-idva": (
        [{"category": C.IDVA_CASE, **STRATEGY, "about": R.VICTIM}],
        [{"category": C.IDVA_CASE, **STRATEGY, "about": R.ALLEGED_PERPETRATOR}, {"category": C.IDVA_CASE}],
    ),
    "R5-adult-existence": (
        [{"category": C.ASC_S42, **EXISTS, "about": R.INDEX_ADULT, **ADULT, **GREEN}],
        [{"category": C.ASC_S42, **EXISTS, "about": R.PARENT_CARER, **ADULT}],
    ),
    "R5-adult-core": (
        [{"category": C.ASC_S42, "about": R.VICTIM, **ADULT}],
        [{"category": C.ASC_S42, "about": R.VICTIM, **ADULT, **GREEN}, {"category": C.CSC_S47, **ADULT}],
    ),
    "R6-adult-perpetrator": (
        [{"category": C.PROBATION_ROSH, "about": R.ALLEGED_PERPETRATOR, **ADULT, "by": O.DECISION_MAKER}],
        [{"category": C.PROBATION_ROSH, "about": R.ALLEGED_PERPETRATOR, **ADULT, "by": O.SOCIAL_WORKER}],
    ),
    "R13-public-protection": (
        [{"category": C.PROBATION_MAPPA, "about": R.ALLEGED_PERPETRATOR, **PUBLIC, "by": O.PROBATION_NAVIGATOR}],
        [
            {"category": C.PROBATION_MAPPA, "about": R.ALLEGED_PERPETRATOR, **PUBLIC, "by": O.SOCIAL_WORKER},
            {"category": C.PERSON_ADDRESS, "about": R.ALLEGED_PERPETRATOR, **PUBLIC, "by": O.POLICE_OFFICER},
        ],
    ),
}
DECIDES = [(rule, question) for rule, (inside, _) in CASES.items() for question in inside]
OUTSIDE = [(rule, question) for rule, (_, outside) in CASES.items() for question in outside]


@pytest.mark.parametrize(("rule", "question"), DECIDES)
def test_a_rule_decides_where_it_should(rule: str, question: Question) -> None:
    verdict = ask(**question)
    assert rule in verdict.rules
    assert verdict.allowed is POLICY.rules[rule].permits


@pytest.mark.parametrize(("rule", "question"), OUTSIDE)
def test_a_rule_stays_silent_just_outside(rule: str, question: Question) -> None:
    assert rule not in ask(**question).rules


def test_every_rule_of_the_pack_is_tried_inside_and_outside() -> None:
    assert {rule for rule, (inside, outside) in CASES.items() if inside and outside} == set(POLICY.rules)


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("mode", list(Mode))
def test_nothing_is_given_on_a_green_contact_without_consent_but_involvement(category: Category, mode: Mode) -> None:
    verdict = ask(category, mode, by=O.DECISION_MAKER, **SCREENING, **GREEN)
    assert verdict.allowed is ((category, mode) == (C.AGENCY_INVOLVEMENT, M.EXISTENCE))


@pytest.mark.parametrize("category", [c for c in Category if any(marked(c, M.CONTENT, Marker.OFFICER_CONTACT))])
@pytest.mark.parametrize("role", [R.INDEX_CHILD, R.PARENT_CARER, R.ALLEGED_PERPETRATOR])
def test_no_worker_is_named_in_an_amber_enquiry_about_a_child(category: Category, role: SubjectRole) -> None:
    for by in OfficerRole:
        left = fields(ask(category, about=role, by=by, **AMBER), category)
        assert not left & marked(category, M.CONTENT, Marker.OFFICER_CONTACT)


def test_workers_are_named_when_it_is_red_or_a_strategy_discussion() -> None:
    contact = marked(C.HEALTH_UNIVERSAL, M.CONTENT, Marker.OFFICER_CONTACT)
    assert contact <= fields(ask(C.HEALTH_UNIVERSAL), C.HEALTH_UNIVERSAL)
    assert contact <= fields(ask(C.HEALTH_UNIVERSAL, **AMBER, **STRATEGY), C.HEALTH_UNIVERSAL)


def test_an_education_navigator_sees_of_domestic_abuse_only_the_day_and_the_scheme() -> None:
    for stage in Stage:
        left = fields(ask(C.POLICE_DA, by=O.EDUCATION_NAVIGATOR, stage=stage), C.POLICE_DA)
        assert left in (frozenset(), {"date", "operation_encompass"})


def test_where_a_victim_is_safe_is_told_to_nobody_outside_a_strategy_discussion() -> None:
    for by in OfficerRole:
        for about in SubjectRole:
            assert "safe_contact" not in fields(ask(C.POLICE_DA, about=about, by=by), C.POLICE_DA)


def test_the_words_of_a_risk_assessment_are_for_those_who_can_read_them() -> None:
    perpetrator: Question = {"about": R.ALLEGED_PERPETRATOR}
    assert "summary" in fields(ask(C.PROBATION_ROSH, by=O.POLICE_OFFICER, **perpetrator), C.PROBATION_ROSH)
    assert "summary" not in fields(ask(C.PROBATION_ROSH, by=O.SOCIAL_WORKER, **perpetrator), C.PROBATION_ROSH)
    assert "otherRisks" in fields(ask(C.PROBATION_ROSH, by=O.SOCIAL_WORKER, **perpetrator), C.PROBATION_ROSH)


def test_no_subject_role_officer_or_purpose_gets_what_is_never_given() -> None:
    for category, modes in ((C.CSC_ADOPTION, Mode), (C.HEALTH_SEXUAL, Mode), (C.POLICE_INTELLIGENCE, [M.CONTENT])):
        for mode in modes:
            for by in OfficerRole:
                for about in SubjectRole:
                    for stage in Stage:
                        assert not ask(category, mode, by=by, about=about, stage=stage).allowed


def test_a_policy_that_loses_a_rule_changes_what_is_granted() -> None:
    """Every forbid carries weight: without it, something it refuses here would pass or have no reason of its own."""
    for rule, (inside, _) in CASES.items():
        if not POLICY.rules[rule].permits:
            verdicts = [ask(**question) for question in inside]
            assert all(verdict.rules != (NO_PERMIT,) for verdict in verdicts), rule


def test_a_whole_category_is_given_only_where_no_field_is_taken_away() -> None:
    whole = fields_of(C.CSC_CP_PLAN, M.CONTENT)
    assert fields(ask(C.CSC_CP_PLAN, **AMBER), C.CSC_CP_PLAN) == whole
