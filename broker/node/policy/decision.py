"""A policy pack in force: asked, it gives a verdict, and it is closed whenever it fails.

Nothing here can turn a fault into a permit: Cedar itself skips a `forbid` whose condition fails, so an answer that came
with any error, no answer, and any exception are all refusals by the rule `policy-error`. Refuses to know what any rule
is about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from broker.node.policy.question import Context, Part, Uid
from broker.node.policy.rule import NO_PERMIT, POLICY_ERROR, Rule
from broker.node.policy.rulebook import Answer, Rulebook
from schemas.vocabulary import Category, Mode

REMEMBERED: Final = 16_384
"""Answers kept in memory. A hub's questions are combinations of codes and come again and again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer: allowed or not, and the rules it rests on, in order of their ids; there is always one."""

    allowed: bool
    rules: tuple[str, ...]
    lifted: tuple[str, ...] = ()
    """Forbids that did not count, because a manager broke the glass; without that it would not be allowed."""


_ERROR: Final = Verdict(False, (POLICY_ERROR,))
_NOTHING_PERMITS: Final = Verdict(False, (NO_PERMIT,))


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy pack, validated against its schema. `digest` is what logs and grants name it by."""

    digest: str
    rules: Mapping[str, Rule]
    _rulebook: Rulebook = field(repr=False)
    _unlifted: Rulebook = field(repr=False)
    """Without the forbids that a broken glass lifts."""
    _remembered: dict[object, Verdict] = field(default_factory=dict, repr=False, compare=False)

    def decide(
        self, principal: Uid, action: str, resource: Uid, context: Context, *, is_glass_broken: bool = False
    ) -> Verdict:
        """Ask whether `principal` may `action` on `resource`; a question that cannot be evaluated is refused.

        Args:
            context: every attribute the schema requires and no other; sets are of entities.
            is_glass_broken: whether forbids marked `@liftable` are lifted where nothing else stands in the way.
        """
        try:
            parts: tuple[Part, ...] = tuple((name, type(value), value) for name, value in context.items())
            question = (principal, action, resource, parts, is_glass_broken)
            known = self._remembered.get(question)
            if known is None:
                known = self._said(self._rulebook.ask(principal, action, resource, parts))
                if is_glass_broken and not known.allowed and known is not _ERROR:
                    known = self._lifted(known, self._said(self._unlifted.ask(principal, action, resource, parts)))
                if known is not _ERROR:
                    if len(self._remembered) >= REMEMBERED:
                        self._remembered.clear()
                    self._remembered[question] = known
            return known
        except Exception:  # noqa: BLE001 - whatever went wrong, it is not a permit
            return _ERROR

    def _lifted(self, refused: Verdict, without: Verdict) -> Verdict:
        """What holds once the glass is broken: whatever refuses without the liftable rules refuses with them."""
        if not without.allowed:
            return _ERROR if without is _ERROR else refused
        are_liftable = all(rule in self.rules and self.rules[rule].is_liftable for rule in refused.rules)
        return Verdict(True, without.rules, refused.rules) if are_liftable else _ERROR

    def _said(self, answer: Answer | None) -> Verdict:
        if answer is None:
            return _ERROR
        is_allowed, rules = answer
        if is_allowed:
            # Not what Cedar should ever say; but a permit stands on permits that we know, or does not stand.
            return Verdict(True, rules) if rules and all(self.rules[rule].permits for rule in rules) else _ERROR
        return Verdict(False, rules) if rules else _NOTHING_PERMITS

    def without(self, ids: Collection[str]) -> Policy:
        """The same policy less some of its rules; its digest stays that of the whole, of which it is a part."""
        rules = {name: rule for name, rule in self.rules.items() if name not in ids}
        return policy_of(self.digest, rules, self._rulebook.without(ids))

    def fields_left(self, verdict: Verdict, category: Category, mode: Mode) -> frozenset[str]:
        """The fields of a category that an allowing verdict lets through: what any of its permits leaves."""
        if not verdict.allowed:
            return frozenset()
        return frozenset(chain.from_iterable(self.rules[rule].fields_left(category, mode) for rule in verdict.rules))


def policy_of(digest: str, rules: Mapping[str, Rule], rulebook: Rulebook) -> Policy:
    """The policy of these rules, which are those of the rulebook."""
    unlifted = rulebook.without({rule.id for rule in rules.values() if rule.is_liftable})
    return Policy(digest, rules, rulebook, unlifted)
