"""What a rule needs of a question: only what Cedar's own parsed form says plainly, and nothing behind what may fail."""

from __future__ import annotations

import cedarpy
import pytest

from broker.node.policy.needs import Need, attributes_read, needs_of
from broker.node.policy.question import Uid, Value

PLAN, PROTECT = Uid("Purpose", "plan"), Uid("Purpose", "protect")
MANAGER, WORKER = Uid("Officer", "manager"), Uid("Officer", "worker")
LOOK = Uid("Action", "look")
FAILS = "9223372036854775807 + 1 > 0"


def parsed(body: str) -> cedarpy.pst.Template:
    (policy,) = cedarpy.PolicySet.from_str(body).to_pst().static_policies.values()
    return policy


def needs(body: str, *, are_actions_grouped: bool = False) -> tuple[Need, ...]:
    return needs_of(parsed(body), are_actions_grouped=are_actions_grouped)


def when(condition: str) -> str:
    return f"forbid (principal, action, resource) when {{ {condition} }};"


def unless(condition: str) -> str:
    return f"forbid (principal, action, resource) unless {{ {condition} }};"


@pytest.mark.parametrize(
    ("body", "slot", "met", "not_met"),
    [
        ('permit (principal == Officer::"manager", action, resource);', ("principal", ""), MANAGER, WORKER),
        ('permit (principal, action, resource == Officer::"worker");', ("resource", ""), WORKER, MANAGER),
        ('permit (principal, action == Action::"look", resource);', ("action", ""), LOOK, Uid("Action", "take")),
        ('permit (principal, action in [Action::"look"], resource);', ("action", ""), LOOK, Uid("Action", "take")),
        (when('context.purpose == Purpose::"plan"'), ("context", "purpose"), PLAN, PROTECT),
        (when('Purpose::"plan" == context.purpose'), ("context", "purpose"), PLAN, PROTECT),
        (when('context.purpose != Purpose::"plan"'), ("context", "purpose"), PROTECT, PLAN),
        (unless('context.purpose == Purpose::"plan"'), ("context", "purpose"), PROTECT, PLAN),
        (unless('context.purpose != Purpose::"plan"'), ("context", "purpose"), PLAN, PROTECT),
        (when('!(!(context.purpose == Purpose::"plan"))'), ("context", "purpose"), PLAN, PROTECT),
        (when('[Purpose::"plan"].contains(context.purpose)'), ("context", "purpose"), PLAN, PROTECT),
        (unless('[Purpose::"plan"].contains(context.purpose)'), ("context", "purpose"), PROTECT, PLAN),
        (when('[Officer::"worker"].contains(principal)'), ("principal", ""), WORKER, MANAGER),
        (when('context.tags.contains(Purpose::"plan")'), ("context", "tags"), frozenset({PLAN}), frozenset({PROTECT})),
        (when('!context.tags.contains(Purpose::"plan")'), ("context", "tags"), frozenset(), frozenset({PLAN, PROTECT})),
        (when('context.tags.containsAny([Purpose::"plan"])'), ("context", "tags"), frozenset({PLAN}), frozenset()),
        (unless('context.tags.containsAny([Purpose::"plan"])'), ("context", "tags"), frozenset(), frozenset({PLAN})),
        (when("context.tags.containsAny([])"), ("context", "tags"), None, frozenset({PLAN})),
        (when("context.open"), ("context", "open"), True, False),
        (unless("context.open"), ("context", "open"), False, True),
        (when("context.open == false"), ("context", "open"), False, True),
    ],
)
def test_a_plain_comparison_with_words_is_a_need(
    body: str, slot: tuple[str, str], met: Value | None, not_met: Value
) -> None:
    (need,) = needs(body)
    assert need.slot == slot
    assert met is None or need.can_be_met(met)
    assert not need.can_be_met(not_met)


@pytest.mark.parametrize(
    "body",
    [
        "permit (principal, action, resource);",
        'permit (principal in Officer::"manager", action, resource);',
        "permit (principal is Officer, action, resource);",
        'permit (principal is Officer in Officer::"manager", action, resource);',
        when('context.open || context.purpose == Purpose::"plan"'),
        unless('context.open && context.purpose == Purpose::"plan"'),
        when('principal in Officer::"manager"'),
        when("principal == resource"),
        when("principal == context.officer"),
        when("context.tags.contains(context.purpose)"),
        when("[principal].contains(resource)"),
        when('[context.purpose, Purpose::"plan"].contains(Purpose::"plan")'),
        when('context.tags.containsAll([Purpose::"plan"])'),
        when("context.age == 5"),
        when('context.name == "plan"'),
        when("context has age"),
        when('principal.purpose == Purpose::"plan"'),
        when('context.asker.purpose == Purpose::"plan"'),
        when('if context.open then context.purpose == Purpose::"plan" else false'),
        when("true"),
    ],
)
def test_what_is_not_understood_is_no_need(body: str) -> None:
    assert needs(body) == ()


def test_an_action_in_a_group_is_no_need_where_actions_are_grouped() -> None:
    assert needs('permit (principal, action in [Action::"look"], resource);', are_actions_grouped=True) == ()
    assert needs('permit (principal, action == Action::"look", resource);', are_actions_grouped=True) != ()


@pytest.mark.parametrize(
    ("body", "slots"),
    [
        (when(f'{FAILS} && context.purpose == Purpose::"plan"'), []),
        (when(f'context.purpose == Purpose::"plan" && {FAILS} && context.open'), ["purpose"]),
        (when(f'context.purpose == Purpose::"plan" && (context.open && ({FAILS}))'), ["purpose", "open"]),
        (when(f'(context.open || {FAILS}) && context.purpose == Purpose::"plan"'), []),
        (unless(f'{FAILS} || context.purpose == Purpose::"plan"'), []),
        (unless(f"context.open || {FAILS}"), ["open"]),
        (when(FAILS).removesuffix(";") + " when { context.open };", []),
        (when("context.open").removesuffix(";") + f" unless {{ {FAILS} }} when {{ context.late }};", ["open"]),
        (when("context.asker.open && context.late"), []),
        (when("principal.open && context.late"), []),
        (when("(if context.open then context.late else context.held) && context.late"), []),
        (when('principal in Officer::"manager" && context.late'), []),
        (when("context has age && context.late"), ["late"]),
        (when("principal == resource && !(context.open && context.held) && context.late"), ["late"]),
    ],
)
def test_what_stands_behind_a_condition_that_may_fail_is_no_need(body: str, slots: list[str]) -> None:
    assert [need.slot[1] for need in needs(body)] == slots


@pytest.mark.parametrize("value", [1, 0, "plan", 5, frozenset({PLAN}), ("Purpose", "plan"), None, [True]])
def test_a_rule_can_apply_to_a_value_of_another_kind(value: Value) -> None:
    assert all(need.can_be_met(value) for need in needs(when('context.purpose == Purpose::"play" && context.open')))


@pytest.mark.parametrize("value", [True, PLAN, "plan", 5, None])
def test_a_rule_that_looks_into_a_set_can_apply_to_what_is_none(value: Value) -> None:
    (need,) = needs(when('context.tags.contains(Purpose::"plan")'))
    assert need.can_be_met(value)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("permit (principal, action, resource);", set()),
        (when("context.open && !(context.late || [context.held].contains(true))"), {"open", "late", "held"}),
        (unless("context has age && context.age > 5"), {"age"}),
        (when('if context.open then context.name like "a*" else 1 + context.age > 2'), {"open", "name", "age"}),
        (when("context.asker.name == principal.tags"), {"asker"}),
        (when("context has asker.name && context.asker.name == context.name"), {"asker", "name"}),
        (when("{a: context.open, b: 1}.a && context.tags.isEmpty()"), {"open", "tags"}),
        (when("context == {open: true}"), None),
        (when("[context].contains(context)"), None),
    ],
)
def test_every_attribute_that_a_rule_may_look_at_is_found(body: str, read: set[str] | None) -> None:
    assert attributes_read(parsed(body)) == read
