"""The pack for England: each rule where it decides, and just outside."""

from __future__ import annotations

from typing import Any

import pytest

from broker.node.policy import NO_PERMIT
from broker.policy.expected import read_expected
from broker.policy.packs import ENGLAND, folder_of, gather
from schemas.records.fields import Marker
from schemas.records.registry import fields_of, marked
from schemas.vocabulary import (
    Category,
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

EXPECTED = read_expected(gather(folder_of(ENGLAND)).files["expected.toml"])


def test_every_rule_of_the_pack_is_expected_to_decide_a_case_and_not_to_decide_one_just_outside() -> None:
    assert set(POLICY.rules) <= {rule for case in EXPECTED for rule in case.rules}
    assert set(POLICY.rules) <= {rule for case in EXPECTED for rule in case.not_by}


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
    for case in EXPECTED:
        assert case.permitted or case.rules != (NO_PERMIT,) or case.not_by, case.id


def test_a_whole_category_is_given_only_where_no_field_is_taken_away() -> None:
    whole = fields_of(C.CSC_CP_PLAN, M.CONTENT)
    assert fields(ask(C.CSC_CP_PLAN, **AMBER), C.CSC_CP_PLAN) == whole
