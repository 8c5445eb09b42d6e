"""Every rule that ships with an agent decides one case, and not the case that differs from it in one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from agents.runtime.gatekeeping.gatekeeper import Question, load_gatekeeper
from agents.runtime.source import Label
from schemas.messages.request import RequestHeader
from schemas.vocabulary import (
    Category,
    ConsentState,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)

GATEKEEPER: Final = load_gatekeeper(None)
NONE: Final[frozenset[Label]] = frozenset()


@dataclass(frozen=True)
class Case:
    """A social worker's question about a child in an amber enquiry, unless it says otherwise."""

    action: str = "content"
    category: Category = Category.POLICE_INCIDENT
    stage: Stage = Stage.ENQUIRY
    rag: Rag = Rag.AMBER
    officer_role: OfficerRole = OfficerRole.SOCIAL_WORKER
    role: SubjectRole = SubjectRole.INDEX_CHILD
    person: frozenset[Label] = NONE
    anybody: frozenset[Label] = NONE
    record: frozenset[Label] = NONE
    conflict: bool = False
    unlisted: bool = False

    def rules(self) -> tuple[str, ...]:
        """The rules that decide it."""
        said: dict[str, Any] = {
            "purpose": Purpose.CHILD_PROTECTION,
            "stage": self.stage,
            "rag": self.rag,
            "consent": ConsentState.NOT_SOUGHT,
            "officer_role": self.officer_role,
        }
        header = RequestHeader.model_construct(**said)
        anybody = self.anybody | self.person
        question = Question(header, self.role, self.person, anybody, self.conflict, self.unlisted)
        return GATEKEEPER._asker(question, self.category, self.record)(self.action).rules


def labelled(label: Label, **more: Any) -> tuple[Case, Mapping[str, Any]]:
    """A record with a label; just outside: without."""
    return Case(record=frozenset({label}), **more), {"record": NONE}


LIMITED: Final = frozenset({Label.LIMITED_ACCESS})
CASES: Final[Mapping[str, tuple[Case, Mapping[str, Any]]]] = {
    "permit-existence": (Case("existence", stage=Stage.SCREENING), {"stage": Stage.CONTACT}),
    "permit-enquiry-content": (Case(), {"rag": Rag.GREEN}),
    "permit-strategy-content": (
        Case(stage=Stage.STRATEGY_DISCUSSION, rag=Rag.GREEN),
        {"officer_role": OfficerRole.BUSINESS_SUPPORT},
    ),
    "forbid-bystander-content": (Case(role=SubjectRole.REFERRER), {"role": SubjectRole.HOUSEHOLD_MEMBER}),
    "forbid-limited-access-risk": (
        Case(category=Category.PERSON_ADDRESS, person=LIMITED),
        {"category": Category.PERSON_IDENTITY},
    ),
    "forbid-intelligence-unread": (
        Case(category=Category.POLICE_INTELLIGENCE, stage=Stage.STRATEGY_DISCUSSION),
        {"category": Category.POLICE_CUSTODY_PNC},
    ),
    "forbid-marked-for-review": labelled(Label.NEEDS_REVIEW),
    "forbid-adoption-link": labelled(Label.ADOPTED, action="existence"),
    "forbid-gender-recognition": labelled(Label.GENDER_RECOGNITION, action="existence"),
    "forbid-sexual-health": labelled(Label.SEXUAL_HEALTH, action="existence"),
    "forbid-fertility": labelled(Label.FERTILITY, action="existence"),
    "forbid-conflict-of-interest": (Case("existence", conflict=True), {"conflict": False}),
    "forbid-unlisted-officer": (Case("existence", unlisted=True), {"unlisted": False}),
    "forbid-spent-convictions": (Case(record=frozenset({Label.SPENT})), {"rag": Rag.RED}),
    "spent-in-summary": labelled(Label.SPENT, action="take_away", rag=Rag.RED),
    "label-lifelong-anonymity": (Case("take_away", person=frozenset({Label.ANONYMITY})), {"person": NONE}),
    "hide-refuge": (Case("take_away", anybody=frozenset({Label.REFUGE})), {"anybody": NONE}),
    "hide-sensitive-demographics": (Case("take_away", person=frozenset({Label.SENSITIVE})), {"person": NONE}),
    "hide-limited-access-details": (
        Case("take_away", person=frozenset({Label.EXCLUDED})),
        {"person": frozenset({Label.SENSITIVE})},
    ),
    "mask-limited-access-notes": (
        Case("take_away", category=Category.PROBATION_LICENCE, person=LIMITED),
        {"category": Category.PROBATION_RMP},
    ),
    "hide-limited-access-text": (
        Case("take_away", category=Category.PROBATION_RMP, person=LIMITED),
        {"category": Category.PROBATION_STATUS},
    ),
    "mask-risk-text": (
        Case("take_away", category=Category.PROBATION_ROSH),
        {"officer_role": OfficerRole.PROBATION_NAVIGATOR},
    ),
    "hide-limited-access-whereabouts": (
        Case("take_away", category=Category.PROBATION_STATUS, person=LIMITED),
        {"category": Category.AGENCY_INVOLVEMENT},
    ),
    "mask-officer-contact": (Case("take_away"), {"rag": Rag.RED}),
}


def test_every_rule_that_ships_with_an_agent_has_its_two_cases() -> None:
    assert set(CASES) == set(GATEKEEPER._policy.rules)
    assert all(len(change) == 1 for _, change in CASES.values())


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_decides_its_case(rule: str) -> None:
    case, _ = CASES[rule]
    assert rule in case.rules()


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_does_not_decide_what_differs_in_one_thing(rule: str) -> None:
    case, change = CASES[rule]
    outside = replace(case, **change)
    assert outside != case
    assert rule not in outside.rules()
