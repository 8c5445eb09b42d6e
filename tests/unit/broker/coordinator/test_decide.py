"""What a request is granted: narrower than asked where the rules say so, and never without saying why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.coordinator.decide import MAX_REASONS, MAX_SCOPE, Decision, Permit, Refuse, decide
from broker.node.policy import NO_PERMIT, POLICY_ERROR
from broker.policy.filters import OUT_OF_TIME
from broker.policy.pack import Pack
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign, verify
from schemas.messages.grant import Reason
from schemas.messages.request import CategoryAsked, SubjectRef
from schemas.records.registry import fields_of
from schemas.vocabulary import AgencyKind, Category, LawfulBasis, Mode, OfficerRole, Purpose, Rag, Stage, SubjectRole
from tests.support.clock import NOON
from tests.unit.broker.policy.asking import PACK, header, pack_of

IN_ENGLAND = [
    LawfulBasis.CA1989_17,
    LawfulBasis.CA1989_47,
    LawfulBasis.CA2004_10,
    LawfulBasis.CARE2014_42,
    LawfulBasis.CJA2003_325,
]
KEY = SigningKey.generate(KeyPurpose.REQUEST)


def ruling(
    *asked: tuple[Category, Mode],
    about: tuple[SubjectRole, ...] = (SubjectRole.INDEX_CHILD,),
    agency: AgencyKind = AgencyKind.POLICE,
    policy: Pack = PACK,
    now: int = NOON,
    **changes: Any,
) -> Decision:
    request = header(
        subjects=[SubjectRef(ref=f"{at:032x}", role=role) for at, role in enumerate(about)],
        categories=[CategoryAsked(category=category, mode=mode) for category, mode in asked],
        **changes,
    )
    raw = request.encode()
    checked = verify(KEY.public, KeyPurpose.REQUEST, raw, sign(KEY, KeyPurpose.REQUEST, raw), request)
    return decide(checked, agency_kind=agency, policy=policy, now=now)


def test_a_category_is_granted_with_the_fields_its_rule_leaves() -> None:
    decision = ruling((Category.POLICE_DA, Mode.CONTENT), rag=Rag.AMBER)
    assert isinstance(decision, Permit)
    (row,) = decision.scope
    assert (row.category, row.mode, row.roles) == (Category.POLICE_DA, Mode.CONTENT, [SubjectRole.INDEX_CHILD])
    assert set(row.fields) == fields_of(Category.POLICE_DA, Mode.CONTENT) - {"safe_contact", "children"}
    assert row.rule == "R6-domestic-abuse-summary"
    assert decision.rules == ("R6-domestic-abuse-summary",)
    assert decision.reasons == ()


def test_a_role_the_rules_leave_out_is_not_in_the_grant_and_its_reason_is_told() -> None:
    decision = ruling((Category.POLICE_NOTICE, Mode.CONTENT), about=(SubjectRole.INDEX_CHILD, SubjectRole.THIRD_PARTY))
    assert isinstance(decision, Permit)
    assert [row.roles for row in decision.scope] == [[SubjectRole.INDEX_CHILD]]
    assert decision.reasons == (
        Reason(
            rule="R8-bystanders",
            category=Category.POLICE_NOTICE,
            mode=Mode.CONTENT,
            role=SubjectRole.THIRD_PARTY,
        ),
    )


def test_content_refused_becomes_existence_where_that_is_permitted_and_the_refusal_is_told() -> None:
    decision = ruling((Category.CSC_CP_PLAN, Mode.CONTENT), agency=AgencyKind.SOCIAL_CARE, rag=Rag.GREEN)
    assert isinstance(decision, Permit)
    (row,) = decision.scope
    assert (row.mode, row.rule) == (Mode.EXISTENCE, "R5-enquiry-existence")
    assert decision.reasons == (
        Reason(
            rule=NO_PERMIT,
            category=Category.CSC_CP_PLAN,
            mode=Mode.CONTENT,
            role=SubjectRole.INDEX_CHILD,
        ),
    )


def test_existence_asked_never_grows_into_content() -> None:
    decision = ruling((Category.POLICE_DA, Mode.EXISTENCE))
    assert isinstance(decision, Permit)
    assert [row.mode for row in decision.scope] == [Mode.EXISTENCE]


def test_roles_with_the_same_fields_by_the_same_rule_share_a_row() -> None:
    children = (SubjectRole.INDEX_CHILD, SubjectRole.OTHER_CHILD)
    decision = ruling((Category.POLICE_MISSING, Mode.CONTENT), about=children, rag=Rag.AMBER)
    assert isinstance(decision, Permit)
    assert [row.roles for row in decision.scope] == [list(children)]


def test_one_category_may_have_a_row_for_each_kind_of_subject() -> None:
    decision = ruling(
        (Category.POLICE_NOTICE, Mode.CONTENT),
        about=(SubjectRole.INDEX_CHILD, SubjectRole.PARENT_CARER),
        rag=Rag.AMBER,
    )
    assert isinstance(decision, Permit)
    by_role = {row.roles[0]: set(row.fields) for row in decision.scope}
    assert "summary_text" not in by_role[SubjectRole.INDEX_CHILD] | by_role[SubjectRole.PARENT_CARER]
    assert {row.rule for row in decision.scope} == {"R5-enquiry-amber-red-police", "R6-adults-summary"}


def test_several_permits_grant_what_any_of_them_leaves_and_all_are_named() -> None:
    decision = ruling((Category.HEALTH_UNIVERSAL, Mode.CONTENT), agency=AgencyKind.HEALTH)
    assert isinstance(decision, Permit)
    (row,) = decision.scope
    assert set(row.fields) == fields_of(Category.HEALTH_UNIVERSAL, Mode.CONTENT)
    assert row.rule == "R15-red-worker-contact"
    assert decision.rules == ("R15-red-worker-contact", "R5-enquiry-amber-red-core")


def test_a_request_that_is_granted_nothing_is_refused_with_every_reason() -> None:
    decision = ruling(
        (Category.HEALTH_SEXUAL, Mode.CONTENT), (Category.POLICE_DA, Mode.CONTENT), agency=AgencyKind.HEALTH
    )
    assert isinstance(decision, Refuse)
    assert decision.rules == ("R20-sexual-health", "R33-not-this-agency")
    assert {(reason.rule, reason.category) for reason in decision.reasons} == {
        ("R20-sexual-health", Category.HEALTH_SEXUAL),
        ("R33-not-this-agency", Category.POLICE_DA),
    }


def test_a_request_decided_after_its_deadline_is_refused() -> None:
    asked = header()
    decision = ruling((Category.POLICE_DA, Mode.CONTENT), now=asked.deadline_at)
    assert decision == Refuse((OUT_OF_TIME,), (Reason(rule=OUT_OF_TIME),))


def test_a_policy_that_fails_refuses_the_request() -> None:
    policy = pack_of(
        '@id("all") @sentence("x") permit (principal, action, resource);'
        '@id("broken") @sentence("x") forbid (principal, action, resource)'
        ' when { (if context.rag == Rag::"red" then 9223372036854775807 else 1) + 1 > 0 };'
    )
    decision = ruling((Category.POLICE_DA, Mode.CONTENT), policy=policy)
    assert isinstance(decision, Refuse)
    assert decision.rules == (POLICY_ERROR,)


def test_a_permit_that_leaves_no_field_grants_nothing() -> None:
    policy = pack_of(
        '@id("x") @sentence("x") @keep("summary") permit (principal, action == Action::"content", resource);'
    )
    decision = ruling((Category.POLICE_DA, Mode.CONTENT), policy=policy)
    assert isinstance(decision, Refuse)
    assert decision.rules == (NO_PERMIT,)


def test_a_reason_for_every_role_is_told_once() -> None:
    decision = ruling(
        (Category.HEALTH_SEXUAL, Mode.CONTENT),
        about=(SubjectRole.INDEX_CHILD, SubjectRole.PARENT_CARER),
        agency=AgencyKind.HEALTH,
    )
    expected = Reason(rule="R20-sexual-health", category=Category.HEALTH_SEXUAL, mode=Mode.CONTENT)
    assert decision.reasons == (expected,)


@pytest.mark.parametrize("kind", list(AgencyKind))
def test_the_largest_request_there_can_be_fits_a_grant_and_a_ruling(kind: AgencyKind) -> None:
    decision = ruling(
        *((category, Mode.CONTENT) for category in list(Category)[:64]),
        about=tuple(SubjectRole),
        agency=kind,
        officer_role=OfficerRole.DECISION_MAKER,
    )
    assert len(decision.reasons) <= MAX_REASONS
    assert len(decision.rules) <= 128
    assert isinstance(decision, Refuse) or len(decision.scope) <= MAX_SCOPE


@given(
    categories=st.sets(st.sampled_from(list(Category)), min_size=1, max_size=6),
    mode=st.sampled_from(list(Mode)),
    about=st.sets(st.sampled_from(list(SubjectRole)), min_size=1, max_size=4),
    agency=st.sampled_from(list(AgencyKind)),
    stage=st.sampled_from(list(Stage)),
    rag=st.sampled_from(list(Rag)),
    by=st.sampled_from(list(OfficerRole)),
    purpose=st.sampled_from(list(Purpose)),
)
def test_a_grant_only_ever_narrows_what_was_asked(
    categories: set[Category],
    mode: Mode,
    about: set[SubjectRole],
    agency: AgencyKind,
    stage: Stage,
    rag: Rag,
    by: OfficerRole,
    purpose: Purpose,
) -> None:
    decision = ruling(
        *((category, mode) for category in sorted(categories)),
        about=tuple(sorted(about)),
        agency=agency,
        stage=stage,
        rag=rag,
        officer_role=by,
        purpose=purpose,
        lawful_bases=IN_ENGLAND,
    )
    granted: set[tuple[Category, SubjectRole]] = set()
    if isinstance(decision, Permit):
        for row in decision.scope:
            assert row.category in categories
            assert row.mode in (mode, Mode.EXISTENCE)
            assert set(row.roles) <= about
            assert set(row.fields) <= fields_of(row.category, row.mode)
            pairs = {(row.category, role) for role in row.roles}
            assert not pairs & granted
            granted |= pairs
    told = {
        (reason.category, role) for reason in decision.reasons for role in ([reason.role] if reason.role else about)
    }
    assert granted | told == {(category, role) for category in categories for role in about}
