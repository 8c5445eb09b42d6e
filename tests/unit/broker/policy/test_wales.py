"""The pack for Wales: Welsh law where England's does not reach, and what there is not in Wales."""

from __future__ import annotations

from typing import Any

import pytest

from broker.node.policy import NO_PERMIT
from broker.policy.expected import read_expected
from broker.policy.packs import folder_of, gather, load_pack
from schemas.vocabulary import Category, LawfulBasis, Mode, Nation, OfficerRole, Purpose, Rag, Stage, SubjectRole
from tests.unit.broker.policy.asking import ask

WALES = load_pack("wales")
EXPECTED = read_expected(gather(folder_of("wales")).files["expected.toml"])
B, C = LawfulBasis, Category


def test_the_pack_is_of_wales_and_its_model_agreement_too() -> None:
    assert WALES.nation is Nation.WALES
    assert [one.id for one in WALES.agreements] == ["model-wales"]


def test_every_rule_of_the_pack_is_expected_to_decide_a_case_and_not_to_decide_one_just_outside() -> None:
    rules = set(WALES.cedar.rules)
    assert rules <= {rule for case in EXPECTED for rule in case.rules}
    assert rules <= {rule for case in EXPECTED for rule in case.not_by}


@pytest.mark.parametrize("basis", [B.CA1989_17, B.CA1989_27, B.CA2004_10, B.CA2004_11, B.CA2004_16E, B.CARE2014_42])
def test_english_law_is_no_basis_in_wales(basis: LawfulBasis) -> None:
    verdict = ask(C.EDU_SEND, pack=WALES, lawful_bases=sorted([B.CA1989_47, basis]))
    assert not verdict.allowed
    assert verdict.rules in (("R2-basis-of-another-nation",), ("R2-basis-not-in-force",))


def test_the_duty_to_share_of_the_children_act_2004_is_no_basis_in_wales() -> None:
    verdict = ask(C.EDU_SEND, pack=WALES, lawful_bases=[B.CA1989_47, B.CA2004_SHARE])
    assert verdict.rules == ("R2-basis-of-another-nation",)


@pytest.mark.parametrize(
    ("purpose", "bases"),
    [
        (Purpose.CHILD_IN_NEED, [B.SSWBA_164]),
        (Purpose.CHILD_IN_NEED, [B.CA2004_25]),
        (Purpose.CHILD_PROTECTION, [B.CA1989_47, B.SSWBA_130]),
    ],
)
def test_a_childs_records_are_asked_for_on_welsh_law(purpose: Purpose, bases: list[LawfulBasis]) -> None:
    assert ask(C.CSC_CP_PLAN, pack=WALES, purpose=purpose, lawful_bases=sorted(bases)).allowed


def test_an_adult_at_risk_is_asked_about_under_the_welsh_act() -> None:
    adult: dict[str, Any] = {"about": SubjectRole.INDEX_ADULT, "purpose": Purpose.ADULT_SAFEGUARDING, "pack": WALES}
    assert ask(C.ASC_S42, lawful_bases=[B.SSWBA_126], **adult).allowed
    assert ask(C.ASC_S42, lawful_bases=[B.SSWBA_164], **adult).rules == ("R2-adult-basis",)


def test_nobody_asks_for_what_there_is_in_england_alone() -> None:
    for by in OfficerRole:
        for stage in Stage:
            for mode in Mode:
                assert not ask(C.HEALTH_CPIS, mode, by=by, stage=stage, pack=WALES).allowed
                assert not ask(C.EDU_ATTENDANCE_MARKS, mode, by=by, stage=stage, pack=WALES).allowed
    assert ask(C.EDU_ATTENDANCE_MARKS, pack=WALES).rules == (NO_PERMIT,)


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("mode", list(Mode))
def test_nothing_is_given_on_a_green_report_without_consent_but_involvement(category: Category, mode: Mode) -> None:
    report: dict[str, Any] = {"stage": Stage.SCREENING, "purpose": Purpose.SCREENING, "lawful_bases": [B.SSWBA_130]}
    verdict = ask(category, mode, by=OfficerRole.DECISION_MAKER, rag=Rag.GREEN, pack=WALES, **report)
    assert verdict.allowed is ((category, mode) == (C.AGENCY_INVOLVEMENT, Mode.EXISTENCE))


def test_the_same_is_never_given_in_either_nation() -> None:
    for category in (C.CSC_ADOPTION, C.HEALTH_SEXUAL):
        for about in SubjectRole:
            assert not ask(category, about=about, stage=Stage.STRATEGY_DISCUSSION, pack=WALES).allowed
