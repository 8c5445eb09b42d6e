"""The agency's own decision, on the agency's own rules, after the hub's: what may leave, and what is taken out of it.

Cedar decides (`policy/agency.cedar`, and whatever files the agency adds); this module asks and reads the effects.
Default is refuse, and visibly: only a rule marked `deny_silent` may look like *not known* (DESIGN section 2, 4).
Refuses to know what is held, and how fields are taken out (`minimise`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib import resources
from pathlib import Path
from typing import Final

from agents.runtime.source import Label
from broker.node.policy import (
    MARKED,
    NO_PERMIT,
    POLICY_ERROR,
    Policy,
    PolicyInvalid,
    Rule,
    Uid,
    Value,
    Verdict,
    make_policy,
)
from schemas.messages.grant import Scope
from schemas.messages.request import RequestHeader
from schemas.records.fields import Marker
from schemas.vocabulary import AgencyReason, Category, Mode, SubjectRole

SHIPPED: Final = "agency.cedar"
"""The rules that come with every agent."""
BESIDE_ANSWERED: Final[Mapping[AgencyReason, AgencyReason]] = {
    AgencyReason.LIFELONG_ANONYMITY: AgencyReason.PART_WITHHELD_LIFELONG_ANONYMITY
}
"""What a permit may say beside *answered*, and the same where some of the category's records are withheld."""
BY_CATEGORY: Final = "review-category"
"""The rule by which a category waits that the agency's settings name."""
_OWN_SENTENCES: Final[Mapping[str, str]] = {
    BY_CATEGORY: "All of this category waits for a person, by this agency's settings.",
    NO_PERMIT: "No rule of this agency lets it leave.",
    POLICY_ERROR: "The rules could not be evaluated.",
}
_NONE: Final[frozenset[Label]] = frozenset()
_NO: Final[frozenset[Marker]] = frozenset()


class Effect(IntEnum):
    """What a decision does, the strictest last: where rules differ, the strictest holds."""

    ALLOW = 0
    """It leaves, less what the passage takes out of it: `summary`, `mask` and `remove` are about fields."""
    EXISTENCE_ONLY = 1
    REVIEW = 2
    """Only after a person at the agency has read it; until one has, withheld visibly."""
    DENY_VISIBLE = 3
    DENY_SILENT = 4


_FORBIDS: Final[Mapping[str, Effect]] = {
    "existence_only": Effect.EXISTENCE_ONLY,
    "review": Effect.REVIEW,
    "deny_visible": Effect.DENY_VISIBLE,
    "deny_silent": Effect.DENY_SILENT,
}
_REFUSING: Final = frozenset(
    {
        AgencyReason.BY_RULE,
        AgencyReason.EXISTENCE_ONLY,
        AgencyReason.NEEDS_REVIEW,
        AgencyReason.NOT_A_SUBJECT,
        AgencyReason.LIMITED_ACCESS,
        AgencyReason.NOT_PROPORTIONATE,
        AgencyReason.DETRIMENT,
    }
)
"""What a forbid may give for its reason: a rule's, and nothing that says how the look-up went."""
_REASONS: Final[Mapping[Effect, AgencyReason]] = {
    Effect.EXISTENCE_ONLY: AgencyReason.EXISTENCE_ONLY,
    Effect.REVIEW: AgencyReason.NEEDS_REVIEW,
}
"""What the asker sees where the rule gives no reason of its own; of the others, `by-rule`."""
_SUMMARY: Final = frozenset({Marker.FREE_TEXT, Marker.THIRD_PARTY, Marker.OFFICER_CONTACT, Marker.WHEREABOUTS})
_DEFAULT_TAKEN: Final = frozenset({Marker.FREE_TEXT, Marker.THIRD_PARTY})
_PERMITS: Final[Mapping[str, frozenset[Marker]]] = {
    "allow": _DEFAULT_TAKEN,
    "allow_free_text": frozenset({Marker.THIRD_PARTY}),
    "allow_whole": frozenset(),
    "summary": _SUMMARY,
    "mask": _DEFAULT_TAKEN,
    "remove": _DEFAULT_TAKEN,
}
"""What a permit of that effect still takes away by itself; `mask` and `remove` say what becomes of its @remove."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the rules see of a request and one of its subjects."""

    header: RequestHeader
    subject_role: SubjectRole
    person: frozenset[Label]
    anybody: frozenset[Label]
    conflict: bool = False
    """The officer has a conflict of interest in somebody whom the request asks about."""
    unlisted: bool = False
    """The person has a list of officers who may ask, and this one is not on it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A decision: its effect, the rule it rests on, the reason the asker may see, and what is taken out.

    Where a field is both removed and masked it is removed: the stricter holds.
    """

    effect: Effect
    rule: str
    reason: AgencyReason | None = None
    markers: frozenset[Marker] = _DEFAULT_TAKEN
    fields: frozenset[str] = frozenset()
    masked_markers: frozenset[Marker] = frozenset()
    masked_fields: frozenset[str] = frozenset()


class Gatekeeper:
    """Asks one prepared policy; keeps nothing of a question but the policy's own memory of codes."""

    def __init__(self, policy: Policy, reviewed: frozenset[Category] = frozenset()) -> None:
        """Take a policy; `reviewed` are categories of which all waits for a person, whatever the rules say."""
        _check_effects(policy)
        self._policy = policy
        self._reviewed = reviewed
        reviews = [rule.id for rule in policy.rules.values() if _effect(rule) == "review"]
        # What may leave once a person has read it: by the same rules, less those that ask for the reading.
        self._read = policy.without(reviews) if reviews else policy

    @property
    def digest(self) -> str:
        """What the policy in force is named by in the agency's own log."""
        return self._policy.digest

    def decide(
        self,
        question: Question,
        category: Category,
        mode: Mode,
        record: frozenset[Label] = _NONE,
        *,
        is_read: bool = False,
    ) -> Passage:
        """May a record of that category leave, in that mode; and what is taken out of it.

        Args:
            is_read: a person of the agency has read it and lets it leave; that lifts the effect `review` and no other.
        """
        ask = self._asker(question, category, record)
        verdict = ask(mode.value)
        if not verdict.allowed:
            refused = self._refusal(verdict)
            if not is_read or refused.effect is not Effect.REVIEW:
                return refused
            ask = self._asker(question, category, record, self._read)
            verdict = ask(mode.value)
            if not verdict.allowed:
                return self._refusal(verdict)
        elif not is_read and category in self._reviewed:
            return Passage(Effect.REVIEW, BY_CATEGORY, AgencyReason.NEEDS_REVIEW)
        taken = ask("take_away")
        if POLICY_ERROR in taken.rules or (not taken.allowed and taken.rules != (NO_PERMIT,)):
            return Passage(Effect.DENY_VISIBLE, POLICY_ERROR, AgencyReason.POLICY_ERROR)
        permits = [self._policy.rules[rule] for rule in verdict.rules]
        takers = [*permits, *(self._policy.rules[rule] for rule in taken.rules if taken.allowed)]
        removed = [word for rule in takers if _effect(rule) != "mask" for word in rule.remove]
        masked = [word for rule in takers if _effect(rule) == "mask" for word in rule.remove]
        # What any permit lets through is let through; what any rule takes away is taken away.
        said = next((rule.annotations["reason"] for rule in takers if "reason" in rule.annotations), None)
        markers = frozenset.intersection(*(_PERMITS[_effect(rule)] for rule in permits)) | _markers(removed)
        return Passage(
            Effect.ALLOW,
            verdict.rules[0],
            markers=markers | (_SUMMARY if any(_effect(rule) == "summary" for rule in takers[len(permits) :]) else _NO),
            reason=AgencyReason(said) if said else None,
            fields=_fields(removed),
            masked_markers=_markers(masked),
            masked_fields=_fields(masked),
        )

    def sentence_of(self, rule: str) -> str | None:
        """What a rule says, for a person of the agency; None if it is none of the policy's."""
        known = self._policy.rules.get(rule)
        return _OWN_SENTENCES.get(rule) if known is None else known.sentence

    def may_be_silent(self, header: RequestHeader, scope: Iterable[Scope]) -> bool:
        """Whether a rule could be silent about anything granted, whatever is held: by request, grant and rules alone.

        The shipped rules are asked about somebody with every label there is. What an agency's own silent rules wait
        for is not guessed: with one of those, every request counts.
        """
        silent = [rule for rule in self._policy.rules.values() if _effect(rule) == "deny_silent"]
        if any(rule.file != SHIPPED for rule in silent):
            return True
        ids = {rule.id for rule in silent}
        return any(
            not ids.isdisjoint(self._asker(question, one.category, every)(one.mode.value).rules)
            for every in (frozenset(Label),)
            for one in scope
            for role in one.roles
            for question in (Question(header, role, every, every, conflict=True, unlisted=True),)
        )

    def must_be_read(self, header: RequestHeader, scope: Iterable[Scope]) -> bool:
        """Whether a person must read what is granted, whatever is held: by request, grant and rules alone.

        So a request waits for a person about somebody unknown as about anybody else, and that it waits tells nothing.
        What waits only for what is held (a label on a person or a record) does not make a request wait: it is withheld,
        as it would be without a desk, unless the request waits for another reason.
        """
        nobody = [(one, role) for one in scope for role in one.roles]
        return any(
            self.decide(question, one.category, one.mode).effect is Effect.REVIEW
            and self.decide(question, one.category, one.mode, is_read=True).effect is Effect.ALLOW
            for one, role in nobody
            for question in (Question(header, role, _NONE, _NONE),)
        )

    def _asker(
        self, question: Question, category: Category, record: frozenset[Label], policy: Policy | None = None
    ) -> Callable[[str], Verdict]:
        header = question.header
        context: dict[str, Value] = {
            "purpose": Uid("Purpose", header.purpose.value),
            "stage": Uid("Stage", header.stage.value),
            "rag": Uid("Rag", header.rag.value),
            "consent": Uid("ConsentState", header.consent.value),
            "subject_role": Uid("SubjectRole", question.subject_role.value),
            "person": _labels(question.person),
            "anybody": _labels(question.anybody),
            "record": _labels(record),
            "conflict": question.conflict,
            "unlisted": question.unlisted,
        }
        principal = Uid("OfficerRole", header.officer_role.value)
        resource = Uid("Category", category.value)
        asked = policy or self._policy
        return lambda action: asked.decide(principal, action, resource, context)

    def _refusal(self, verdict: Verdict) -> Passage:
        if verdict.rules[0] == NO_PERMIT:
            return Passage(Effect.DENY_VISIBLE, NO_PERMIT, AgencyReason.NO_RULE)
        if verdict.rules[0] == POLICY_ERROR:
            return Passage(Effect.DENY_VISIBLE, POLICY_ERROR, AgencyReason.POLICY_ERROR)
        rules = [self._policy.rules[rule] for rule in verdict.rules]
        strictest = max(rules, key=lambda rule: _FORBIDS[_effect(rule)])
        effect = _FORBIDS[_effect(strictest)]
        said = strictest.annotations.get("reason")
        return Passage(effect, strictest.id, AgencyReason(said) if said else _REASONS.get(effect, AgencyReason.BY_RULE))


def load_gatekeeper(own_rules: Path | None, reviewed: Iterable[Category] = ()) -> Gatekeeper:
    """The gatekeeper of the shipped rules and of the agency's own `*.cedar` files.

    Args:
        reviewed: categories of which all waits for a person.

    Raises:
        PolicyInvalid: a file cannot be read, does not fit the schema, or says an effect there is not.
    """
    shipped = resources.files("agents.runtime.policy")
    files = {SHIPPED: (shipped / SHIPPED).read_text("utf-8")}
    try:
        for path in sorted(own_rules.glob("*.cedar")) if own_rules is not None else ():
            if path.name in files:
                raise PolicyInvalid(f"{path.name} is the name of the shipped rules; call the file something else")
            files[path.name] = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(f"the agency's own rules cannot be read ({type(error).__name__})") from None
    schema = (shipped / "agency.cedarschema").read_text("utf-8")
    return Gatekeeper(make_policy(("agency.cedarschema", schema), files, shipped=(SHIPPED,)), frozenset(reviewed))


def _check_effects(policy: Policy) -> None:
    for rule in policy.rules.values():
        if rule.is_liftable:
            # A manager of the hub opens what the hub keeps shut, and nothing of this agency's.
            raise PolicyInvalid(f"{rule.file}, policy {rule.id}: @liftable is for a hub's rules; an agency's are never")
        effect = rule.annotations.get("effect")
        known = _PERMITS if rule.permits else _FORBIDS
        if effect is not None and effect not in known:
            raise PolicyInvalid(f"{rule.file}, policy {rule.id}: @effect is not one of {', '.join(known)}")
        if effect == "mask" and not rule.remove:
            raise PolicyInvalid(f"{rule.file}, policy {rule.id}: @effect is mask, and @remove names nothing to mask")
        reason, reasons = rule.annotations.get("reason"), BESIDE_ANSWERED if rule.permits else _REFUSING
        if reason is not None and reason not in reasons:
            raise PolicyInvalid(f"{rule.file}, policy {rule.id}: @reason is not one of {', '.join(sorted(reasons))}")


def _effect(rule: Rule) -> str:
    return rule.annotations.get("effect", "allow" if rule.permits else "deny_visible")


def _labels(labels: Iterable[Label]) -> frozenset[Uid]:
    return frozenset(Uid("Label", label.value) for label in labels)


def _markers(words: Iterable[str]) -> frozenset[Marker]:
    return frozenset(Marker(word.removeprefix(MARKED)) for word in words if word.startswith(MARKED))


def _fields(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word for word in words if not word.startswith(MARKED))
