"""A policy that is asked: closed whenever it fails."""

from __future__ import annotations

import cedarpy
import pytest

from broker.node.policy import NO_PERMIT, POLICY_ERROR, Context, PolicyInvalid, Uid, Verdict
from schemas.vocabulary import Category, Mode
from tests.unit.broker.node.policy.small import CONTEXT, MANAGER, OVERFLOWING, PERMIT, SCHEMA, SCHOOL, policy


def test_a_permit_is_allowed_and_names_its_rule() -> None:
    verdict = policy(PERMIT).decide(MANAGER, "look", SCHOOL, CONTEXT)
    assert (verdict.allowed, verdict.rules) == (True, ("may-look",))


def test_what_no_rule_permits_is_refused_by_default() -> None:
    verdict = policy(PERMIT).decide(MANAGER, "look", SCHOOL, {**CONTEXT, "purpose": Uid("Purpose", "plan")})
    assert (verdict.allowed, verdict.rules) == (False, (NO_PERMIT,))


def test_a_forbid_outweighs_a_permit_and_is_named() -> None:
    forbid = '@id("never") @sentence("Never.") forbid (principal == Officer::"manager", action, resource);'
    verdict = policy(PERMIT, forbid).decide(MANAGER, "look", SCHOOL, CONTEXT)
    assert (verdict.allowed, verdict.rules) == (False, ("never",))


def test_a_forbid_whose_condition_fails_does_not_let_the_permit_through() -> None:
    context = {**CONTEXT, "age": 5}
    # The trap: Cedar itself skips the forbid and says Allow.
    raw = {
        "principal": 'Officer::"manager"',
        "action": 'Action::"look"',
        "resource": 'Record::"school"',
        "context": {"purpose": {"__entity": {"type": "Purpose", "id": "protect"}}, "tags": [], "age": 5},
    }
    assert cedarpy.is_authorized(raw, PERMIT + OVERFLOWING, [], SCHEMA).allowed
    verdict = policy(PERMIT, OVERFLOWING).decide(MANAGER, "look", SCHOOL, context)
    assert (verdict.allowed, verdict.rules) == (False, (POLICY_ERROR,))


def test_a_forbid_that_reads_a_missing_attribute_does_not_let_the_permit_through() -> None:
    careless = '@id("no") @sentence("No.") forbid (principal, action, resource) when { context.age > 1 };'
    raw = {
        "principal": 'Officer::"manager"',
        "action": 'Action::"look"',
        "resource": 'Record::"school"',
        "context": {"purpose": {"__entity": {"type": "Purpose", "id": "protect"}}},
    }
    assert cedarpy.is_authorized(raw, PERMIT + careless, []).allowed  # the trap, without a schema
    with pytest.raises(PolicyInvalid, match="policy no"):
        policy(PERMIT, careless)


@pytest.mark.parametrize(
    ("principal", "action", "resource", "context"),
    [
        (Uid("Officer", "nobody"), "look", SCHOOL, CONTEXT),
        (Uid("Nothing", "manager"), "look", SCHOOL, CONTEXT),
        (MANAGER, "take", SCHOOL, CONTEXT),
        (MANAGER, "look", Uid("Record", "diary"), CONTEXT),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "purpose": Uid("Purpose", "curiosity")}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "purpose": "protect"}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "tags": frozenset({Uid("Purpose", "curiosity")})}),
        (MANAGER, "look", SCHOOL, {"purpose": Uid("Purpose", "protect")}),
        (MANAGER, "look", SCHOOL, {}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "surprise": True}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "age": "five"}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "age": 2**80}),
        (MANAGER, "look", SCHOOL, {**CONTEXT, "age": [5]}),
        (MANAGER, "look", None, CONTEXT),
        (None, None, None, None),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_every_time(
    principal: Uid, action: str, resource: Uid, context: Context
) -> None:
    asked = policy(PERMIT)
    for _ in range(2):  # the second time it could come from memory
        verdict = asked.decide(principal, action, resource, context)
        assert (verdict.allowed, verdict.rules) == (False, (POLICY_ERROR,))


def test_an_answer_remembered_for_a_truth_value_is_not_given_for_a_number() -> None:
    asked = policy(PERMIT)
    assert asked.decide(MANAGER, "look", SCHOOL, {**CONTEXT, "urgent": True}).allowed
    assert asked.decide(MANAGER, "look", SCHOOL, {**CONTEXT, "urgent": 1}).rules == (POLICY_ERROR,)


def test_an_engine_that_breaks_refuses_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = policy(PERMIT)
    with monkeypatch.context() as broken:
        broken.setattr(cedarpy, "is_authorized", lambda *_: 1 / 0)
        assert asked.decide(MANAGER, "look", SCHOOL, CONTEXT).rules == (POLICY_ERROR,)
    assert asked.decide(MANAGER, "look", SCHOOL, CONTEXT).allowed


def test_a_field_is_left_if_any_determining_permit_leaves_it() -> None:
    asked = policy(
        '@id("a") @sentence("x") @keep("code") permit (principal, action, resource);',
        '@id("b") @sentence("x") @keep("notes") permit (principal, action, resource);',
        '@id("c") @sentence("x") permit (principal == Officer::"worker", action, resource);',
    )
    verdict = asked.decide(MANAGER, "look", SCHOOL, CONTEXT)
    assert verdict.rules == ("a", "b")
    assert asked.fields_left(verdict, Category.PROBATION_REGISTER, Mode.CONTENT) == {"code", "notes"}


def test_a_refusal_leaves_no_field_at_all() -> None:
    asked = policy(PERMIT)
    verdict = asked.decide(MANAGER, "look", SCHOOL, {})
    assert asked.fields_left(verdict, Category.PERSON_IDENTITY, Mode.CONTENT) == frozenset()


LIFTABLE = """
@id("not-now")
@sentence("Not while it is planned.")
@liftable("break-glass")
forbid (principal, action, resource) when { context.tags.contains(Purpose::"plan") };
"""
FIRM = """
@id("never-police")
@sentence("Never of the police.")
forbid (principal, action, resource == Record::"police");
"""
POLICE = Uid("Record", "police")


def test_a_broken_glass_lifts_the_forbids_that_are_marked_and_says_which() -> None:
    pack = policy(PERMIT, LIFTABLE, FIRM)
    assert pack.decide(MANAGER, "look", SCHOOL, CONTEXT) == Verdict(False, ("not-now",))
    lifted = pack.decide(MANAGER, "look", SCHOOL, CONTEXT, is_glass_broken=True)
    assert lifted == Verdict(True, ("may-look",), ("not-now",))


def test_a_broken_glass_lifts_nothing_where_something_else_stands_in_the_way() -> None:
    pack = policy(PERMIT, LIFTABLE, FIRM)
    refused = pack.decide(MANAGER, "look", POLICE, CONTEXT, is_glass_broken=True)
    assert refused == Verdict(False, ("never-police", "not-now"))
    plan: Context = {**CONTEXT, "purpose": Uid("Purpose", "plan")}
    assert not pack.decide(MANAGER, "look", SCHOOL, plan, is_glass_broken=True).allowed


def test_what_was_allowed_anyway_was_not_lifted_and_an_answer_for_one_is_not_given_for_the_other() -> None:
    pack = policy(PERMIT, LIFTABLE)
    plain: Context = {**CONTEXT, "tags": frozenset()}
    for is_broken in (True, False, True):
        assert pack.decide(MANAGER, "look", SCHOOL, plain, is_glass_broken=is_broken) == Verdict(True, ("may-look",))
        assert pack.decide(MANAGER, "look", SCHOOL, CONTEXT, is_glass_broken=is_broken).allowed is is_broken


def test_a_rule_that_fails_refuses_whoever_broke_the_glass() -> None:
    pack = policy(PERMIT, LIFTABLE, OVERFLOWING)
    assert pack.decide(MANAGER, "look", SCHOOL, {**CONTEXT, "age": 2}, is_glass_broken=True).rules == (POLICY_ERROR,)
