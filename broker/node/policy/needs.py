"""What a rule needs of a question before it can apply, read from Cedar's own parsed form of the rule.

A rule is a row of conditions: its scope, then its clauses, each taken apart at `&&`. Cedar evaluates them in that
order and stops at the first that is false; a rule applies if all are true, and fails if it comes to one that fails. So
a rule can be left out of a question, and nothing is different, where one of its conditions is false *and none before
it can fail*. Only such conditions are needs here, and only where they compare one part of the question with words that
the rule spells out. What is not understood ends the row or is passed over: such a rule is asked.

Refuses to know who asks, and which rules there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Final, TypeAlias

from cedarpy import pst

from broker.node.policy.question import Uid, Value

PRINCIPAL: Final = "principal"
ACTION: Final = "action"
RESOURCE: Final = "resource"
CONTEXT: Final = "context"
_HARMLESS: Final = frozenset({"eq", "not_eq", "and", "or", "contains", "contains_all", "contains_any"})
"""Operators that cannot fail where the validator found the types right: no arithmetic, no look-up of an entity."""

Slot: TypeAlias = tuple[str, str]
"""A part of a question: `(principal, "")`, `(action, "")`, `(resource, "")`, or an attribute: `(context, name)`."""


@dataclass(frozen=True, slots=True)
class Need:
    """A condition on one part of a question: it is, or has among its members, one of these words; or none of them."""

    slot: Slot
    words: frozenset[Uid | bool]
    of_set: bool
    is_met_by_none: bool

    def can_be_met(self, value: Value) -> bool:
        """Whether a rule with this need can apply; of a value that is not of the kind it compares, it can."""
        if isinstance(value, frozenset):
            return not self.of_set or value.isdisjoint(self.words) is self.is_met_by_none
        if self.of_set or not isinstance(value, bool | Uid):
            return True
        return (value not in self.words) is self.is_met_by_none


def needs_of(policy: pst.Template, *, are_actions_grouped: bool) -> tuple[Need, ...]:
    """What this policy needs, in no order.

    Args:
        are_actions_grouped: whether the schema has actions in other actions; then `action in` is not understood.
    """
    found = [*_scope(policy, are_actions_grouped=are_actions_grouped)]
    for clause in policy.clauses:
        for condition, is_denied in _conditions(clause.expr, isinstance(clause, pst.Unless)):
            need = _need(condition, is_denied)
            if need is not None:
                found.append(need)
            elif not _is_harmless(condition):
                return tuple(found)
    return tuple(found)


def attributes_read(policy: pst.Template) -> frozenset[str] | None:
    """The attributes of the context that a policy may look at; None if that may be all of them."""
    found: set[str] = set()
    rest: list[object] = list(policy.clauses)
    while rest:
        node = rest.pop()
        if isinstance(node, pst.GetAttr) and node.base == pst.Var(CONTEXT):
            found.add(node.attr)
        elif isinstance(node, pst.HasAttr) and node.base == pst.Var(CONTEXT):
            found.add(node.attrs[0])
        elif node == pst.Var(CONTEXT):
            return None
        elif isinstance(node, Mapping):
            rest.extend(node.values())
        elif isinstance(node, tuple):
            rest.extend(node)
        elif is_dataclass(node):
            rest.extend(getattr(node, one.name) for one in fields(node))
    return frozenset(found)


def _scope(policy: pst.Template, *, are_actions_grouped: bool) -> Iterator[Need]:
    """Of the scope. It cannot fail, so that whatever of it is not understood is passed over."""
    for slot, constraint in ((PRINCIPAL, policy.principal), (RESOURCE, policy.resource)):
        if isinstance(constraint, pst.ScopeEq) and isinstance(constraint.entity, pst.EntityUid):
            yield _one_of((slot, ""), constraint.entity)
    if isinstance(policy.action, pst.ActionEq):
        yield _one_of((ACTION, ""), policy.action.entity)
    elif isinstance(policy.action, pst.ActionIn) and not are_actions_grouped:
        yield _one_of((ACTION, ""), *policy.action.entities)


def _one_of(slot: Slot, *entities: pst.EntityUid) -> Need:
    return Need(slot, frozenset(_uid(entity) for entity in entities), of_set=False, is_met_by_none=False)


def _conditions(expr: pst.Expr, is_denied: bool) -> Iterator[tuple[pst.Expr, bool]]:
    """The row of conditions that an expression is, in the order of evaluation; each with whether it must be false."""
    if isinstance(expr, pst.UnaryOp) and expr.op == "not":
        yield from _conditions(expr.arg, not is_denied)
    elif isinstance(expr, pst.BinaryOp) and expr.op == ("or" if is_denied else "and"):
        yield from _conditions(expr.left, is_denied)
        yield from _conditions(expr.right, is_denied)
    else:
        yield expr, is_denied


def _need(condition: pst.Expr, is_denied: bool) -> Need | None:
    if (slot := _slot(condition)) is not None:
        return Need(slot, frozenset({not is_denied}), of_set=False, is_met_by_none=False)
    if not isinstance(condition, pst.BinaryOp):
        return None
    left, right = condition.left, condition.right
    match condition.op:
        case "eq" | "not_eq":
            slot, words = (_slot(left), _word(right)) if _slot(left) is not None else (_slot(right), _word(left))
            denied, of_set = is_denied is (condition.op == "eq"), False
        case "contains" if _slot(right) is not None:
            slot, words, denied, of_set = _slot(right), _words(left), is_denied, False
        case "contains":
            slot, words, denied, of_set = _slot(left), _word(right), is_denied, True
        case "contains_any":
            slot, words, denied, of_set = _slot(left), _words(right), is_denied, True
        case _:
            return None
    if slot is None or words is None:
        return None
    return Need(slot, words, of_set=of_set, is_met_by_none=denied)


def _slot(expr: pst.Expr) -> Slot | None:
    if isinstance(expr, pst.Var) and expr.name != CONTEXT:
        return expr.name, ""
    if isinstance(expr, pst.GetAttr) and expr.base == pst.Var(CONTEXT):
        return CONTEXT, expr.attr
    return None


def _words(expr: pst.Expr) -> frozenset[Uid | bool] | None:
    if not isinstance(expr, pst.Set):
        return None
    words = [_word(element) for element in expr.elements]
    return frozenset(one for some in words if some is not None for one in some) if None not in words else None


def _word(expr: pst.Expr) -> frozenset[Uid | bool] | None:
    if isinstance(expr, pst.EntityLit):
        return frozenset({_uid(expr.value)})
    return frozenset({expr.value}) if isinstance(expr, pst.BoolLit) else None


def _uid(entity: pst.EntityUid) -> Uid:
    return Uid(str(entity.type), entity.id)


def _is_harmless(expr: pst.Expr) -> bool:
    """Whether an expression cannot fail, given that the validator passed the rule and Cedar took the question."""
    match expr:
        case pst.Var() | pst.BoolLit() | pst.LongLit() | pst.StringLit() | pst.EntityLit():
            return True
        case pst.GetAttr() | pst.HasAttr():
            # Of the context alone. An entity that is not there, as none is but actions, has no attribute to read.
            return expr.base == pst.Var(CONTEXT)
        case pst.Set():
            return all(_is_harmless(element) for element in expr.elements)
        case pst.UnaryOp():
            return expr.op == "not" and _is_harmless(expr.arg)
        case pst.BinaryOp():
            return expr.op in _HARMLESS and _is_harmless(expr.left) and _is_harmless(expr.right)
        case _:
            return False
