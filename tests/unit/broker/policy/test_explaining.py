"""Why something was refused, and what about the case would have to be different."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broker.policy.explaining import MAX_SHOWN, Explanation, explain
from broker.policy.question import Asked, asked_in, question_of
from schemas.records.registry import kind_of
from schemas.vocabulary import AgencyKind, Category, LawfulBasis, Mode, Purpose, Rag, Stage, SubjectRole
from tests.unit.broker.policy.asking import PACK, header

SCREENING: dict[str, Any] = {
    "stage": Stage.SCREENING,
    "purpose": Purpose.SCREENING,
    "lawful_bases": [LawfulBasis.CA2004_11],
}


def explained(category: Category, mode: Mode = Mode.CONTENT, **changes: Any) -> Explanation:
    kind = kind_of(category) or AgencyKind.SOCIAL_CARE
    return explain(PACK, question_of(header(**changes), kind), category, mode, SubjectRole.INDEX_CHILD)


def ways(one: Explanation) -> list[dict[str, set[str]]]:
    return [{what: set(values) for what, values in way.items()} for way in one.would_differ]


def test_what_is_permitted_says_by_which_rules_and_what_is_taken_away() -> None:
    one = explained(Category.POLICE_DA, rag=Rag.AMBER)
    assert one.verdict.rules == ("R6-domestic-abuse-summary",)
    assert one.takes_away == {"safe_contact", "children"}
    assert not one.takes_away & one.leaves
    assert one.would_differ == ()


def test_what_a_rating_or_a_stage_alone_would_change_is_found_and_told_together() -> None:
    found = ways(explained(Category.CSC_CP_PLAN, rag=Rag.GREEN))
    assert {"rag": {"amber", "red"}} in found
    assert {"stage": {"strategy_discussion"}} in found
    assert {"mode": {"existence"}} in found


def test_fewer_changes_are_told_before_more() -> None:
    found = ways(explained(Category.CSC_CP_PLAN, Mode.EXISTENCE, rag=Rag.GREEN, **SCREENING))
    assert {"rag": {"amber", "red"}} in found
    assert all(len(way) == 1 for way in found)


def test_an_allocated_worker_is_among_what_would_have_to_be_different() -> None:
    one = explained(Category.AGENCY_INVOLVEMENT, Mode.EXISTENCE, allocated=True, **SCREENING)
    assert one.verdict.rules == ("R36-allocated",)
    assert {"allocated": {"false"}} in ways(one)


def test_a_basis_that_is_none_here_is_told_with_its_dates_and_without_it_the_rest_is_decided() -> None:
    both = sorted([LawfulBasis.CA1989_47, LawfulBasis.SSWBA_130])
    one = explained(Category.POLICE_DA, lawful_bases=both)
    assert [reason.in_force_from for reason in one.reasons] == ["2016-04-06"]
    assert {"without_basis": {"sswba-130"}} in ways(one)


@pytest.mark.parametrize("category", [Category.CSC_ADOPTION, Category.HEALTH_SEXUAL])
def test_what_is_never_given_has_no_near_miss(category: Category) -> None:
    assert explained(category).would_differ == ()


def test_no_more_ways_are_shown_than_somebody_reads() -> None:
    for category in (Category.PROBATION_ROSH, Category.EDU_SEND, Category.HEALTH_MATERNITY):
        assert len(explained(category, rag=Rag.BLUE).would_differ) <= MAX_SHOWN


def test_what_is_kept_of_a_request_is_its_question_and_no_reference_to_a_subject() -> None:
    asked = header()
    kept = asked_in(asked, AgencyKind.POLICE)
    assert kept.question == question_of(asked, AgencyKind.POLICE)
    assert Asked.model_validate_json(kept.encode()) == kept
    assert asked.subjects[0].ref.encode() not in kept.encode()
    assert asked.officer.encode() not in kept.encode()


def broken(category: Category, **changes: Any) -> Explanation:
    kind = kind_of(category) or AgencyKind.SOCIAL_CARE
    question = replace(question_of(header(**changes), kind), break_glass=True)
    return explain(PACK, question, category, Mode.CONTENT, SubjectRole.INDEX_CHILD)


def test_what_a_broken_glass_would_permit_is_told_with_the_rules_that_it_would_lift() -> None:
    one = explained(Category.EDU_SEND, rag=Rag.GREEN, **SCREENING)
    assert (one.glass_permits, one.glass_lifts) == (True, ("R4-below-threshold-content",))
    assert not one.leaves


def test_what_a_broken_glass_has_lifted_is_told_and_what_nobody_lifts_is_not() -> None:
    one = broken(Category.EDU_SEND, rag=Rag.GREEN, **SCREENING)
    assert one.leaves
    assert (one.glass_permits, one.glass_lifts) == (False, ("R4-below-threshold-content",))
    never = broken(Category.CSC_ADOPTION)
    assert (never.glass_permits, never.glass_lifts) == (False, ())
    footing = explained(Category.EDU_SEND, rag=Rag.GREEN, **{**SCREENING, "lawful_bases": [LawfulBasis.SSWBA_130]})
    assert not footing.glass_permits
