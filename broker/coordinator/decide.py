"""The coordinator's need-to-know decision.

`decide` is the whole of it: no store, no bus, and the time is given. The words it reasons in are `schemas.vocabulary`;
what it decides by is a policy pack (`broker/policy`): first the footing of the request, then the rules. What an agency
refuses on its own account is `agents.runtime.gatekeeping.gatekeeper`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from broker.node.policy import NO_PERMIT, POLICY_ERROR, Policy, Verdict
from broker.policy.filters import OUT_OF_TIME
from broker.policy.pack import Pack, Weighing
from broker.policy.question import question_of
from broker.policy.terms import Terms
from schemas.crypto.signing import Verified
from schemas.messages.grant import Reason, Scope
from schemas.messages.request import CategoryAsked, RequestHeader
from schemas.vocabulary import AgencyKind, Category, Mode, SubjectRole

MAX_SCOPE: Final = 256
MAX_REASONS: Final = 512
MAX_RULES_OF_A_REFUSAL: Final = 32
MAX_LIFTED: Final = 32


@dataclass(frozen=True, slots=True)
class Permit:
    """What may be released, and what was left out of it and why."""

    scope: tuple[Scope, ...]
    rules: tuple[str, ...]
    reasons: tuple[Reason, ...]
    lifted: tuple[str, ...] = ()
    """Rules that did not count, because a manager broke the glass."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nothing may be released."""

    rules: tuple[str, ...]
    reasons: tuple[Reason, ...]


Decision: TypeAlias = Permit | Refuse


@dataclass(frozen=True, slots=True)
class _Granted:
    """What one subject role is granted of one category."""

    category: Category
    mode: Mode
    role: SubjectRole
    fields: frozenset[str]
    rule: str
    rules: tuple[str, ...]
    lifted: tuple[str, ...]


def decide(header: Verified[RequestHeader], *, agency_kind: AgencyKind, policy: Pack, now: int) -> Decision:
    """Say what of a request may be released.

    A request that names a basis which is none here and now, or that no sharing agreement covers, is refused as a whole.
    Each category asked is decided for each role of a subject. Where its content is refused and its existence is not,
    existence is granted and the refusal of the content is among the reasons: narrower than asked, and never unsaid.
    Where a manager broke the glass, rules that the pack marks so do not count; the footing of the request always does.

    Args:
        agency_kind: what sort of agency is asked, from its own signed statement.
        now: milliseconds UTC; a request past its deadline is refused.
    """
    asked = header.value
    if now >= asked.deadline_at:
        return Refuse((OUT_OF_TIME,), (Reason(rule=OUT_OF_TIME),))
    question = question_of(asked, agency_kind)
    terms = policy.terms(question)
    if not isinstance(terms, Terms):
        return Refuse(_rules_of_a_refusal(terms), terms)
    granted: list[_Granted] = []
    left_out: list[Reason] = []
    weighing = policy.weigh(question, terms)
    roles = sorted({subject.role for subject in asked.subjects})
    for category in asked.categories:
        for role in roles:
            one, reasons = _decide_one(weighing, category, role, policy.cedar)
            left_out += reasons
            if one is not None:
                granted.append(one)
    told = _told(left_out, len(roles))
    scope = _grouped(granted)
    if len(scope) > MAX_SCOPE:
        return Refuse((POLICY_ERROR,), (Reason(rule=POLICY_ERROR),))
    if not scope:
        return Refuse(_rules_of_a_refusal(left_out), told)
    return Permit(
        scope,
        rules=tuple(sorted({rule for one in granted for rule in one.rules})),
        reasons=told,
        lifted=tuple(sorted({rule for one in granted for rule in one.lifted}))[:MAX_LIFTED],
    )


def _decide_one(
    weighing: Weighing, category: CategoryAsked, role: SubjectRole, policy: Policy
) -> tuple[_Granted | None, list[Reason]]:
    reasons: list[Reason] = []
    # What was not asked for is not granted: existence alone never grows into content.
    for mode in (Mode.CONTENT, Mode.EXISTENCE) if category.mode is Mode.CONTENT else (Mode.EXISTENCE,):
        verdict = weighing.verdict(category.category, mode, role)
        one = _granted(verdict, category.category, mode, role, policy)
        if one is not None:
            return one, reasons
        rules = (NO_PERMIT,) if verdict.allowed else verdict.rules  # a permit that leaves no field permits nothing
        if mode is category.mode:
            reasons = [Reason(rule=rule, category=category.category, mode=mode, role=role) for rule in rules]
    return None, reasons


def _granted(verdict: Verdict, category: Category, mode: Mode, role: SubjectRole, policy: Policy) -> _Granted | None:
    fields = policy.fields_left(verdict, category, mode)
    if not fields:
        return None
    # The rule a row is known by is the one that leaves most; ties go by name, so that the same is always said.
    best = min(verdict.rules, key=lambda rule: (-len(policy.rules[rule].fields_left(category, mode)), rule))
    return _Granted(category, mode, role, fields, best, verdict.rules, verdict.lifted)


def _rules_of_a_refusal(reasons: Iterable[Reason]) -> tuple[str, ...]:
    return tuple(sorted({reason.rule for reason in reasons}))[:MAX_RULES_OF_A_REFUSAL]


def _grouped(granted: Iterable[_Granted]) -> tuple[Scope, ...]:
    rows: dict[tuple[Category, Mode, frozenset[str], str], list[SubjectRole]] = {}
    for one in granted:
        rows.setdefault((one.category, one.mode, one.fields, one.rule), []).append(one.role)
    return tuple(
        Scope(category=category, mode=mode, roles=roles, fields=sorted(fields), rule=rule)
        for (category, mode, fields, rule), roles in rows.items()
    )


def _told(reasons: list[Reason], roles: int) -> tuple[Reason, ...]:
    """The reasons, shorter where a rule left a category out for every role asked about."""
    by_rule: dict[tuple[str, Category | None, Mode | None], list[Reason]] = {}
    for reason in reasons:
        by_rule.setdefault((reason.rule, reason.category, reason.mode), []).append(reason)
    told: list[Reason] = []
    for (rule, category, mode), same in by_rule.items():
        told += [Reason(rule=rule, category=category, mode=mode)] if len(same) == roles > 1 else same
    if len(told) > MAX_REASONS:
        told = [Reason(rule=rule, category=category, mode=mode) for rule, category, mode in by_rule]
    return tuple(told[:MAX_REASONS])
