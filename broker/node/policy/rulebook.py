"""The rules of a policy, asked no more than they must be: those that can apply, of what they look at.

Two ways to ask, and they answer alike. The *whole* way gives Cedar every rule, the whole question and the schema to
hold it against. The *short* way leaves out the rules that cannot apply (`needs`) and the attributes that none of the
others looks at, and does not hold the question against the schema again: it is taken only for a question whose every
part the schema has accepted before. A schema accepts a question part by part (who, about what, each attribute by its
own type, and which attributes there are), so that parts accepted one by one are accepted together. Whatever is new,
or of a type whose reading depends on the schema, is asked the whole way.

Refuses to know what an answer means, and remembers none.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import Final

import cedarpy
from cedarpy import pst

from broker.node.policy.needs import ACTION, CONTEXT, PRINCIPAL, RESOURCE, Need, Slot, attributes_read, needs_of
from broker.node.policy.question import Part, Uid, Value

WORDS_KEPT: Final = 4_096
"""Accepted parts of questions kept in memory for each action. Codes are some hundred; sets of codes may be more."""
RULES_KEPT: Final = 2_048
"""Rules kept in memory, in selections of those that can apply; a rule once in each, at 14 KiB: 28 MiB at most."""

Answer = tuple[bool, tuple[str, ...]]
"""Allowed or not, and the `@id`s of the rules it rests on, in order."""


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A part of a question that the schema accepts: as Cedar reads it without, and the rules that it lets apply."""

    text: str
    rules: int
    """One bit for each rule."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What of an action's questions the schema has accepted so far."""

    rules: int
    attributes: set[tuple[str, ...]] = field(default_factory=set)
    """Which attributes there may be, together."""
    parts: dict[object, _Accepted] = field(default_factory=dict)
    """By attribute, type and value; principal and resource by what they are and their own."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """Rules that can apply, and the attributes that they may look at; None if that may be all."""

    policies: cedarpy.PolicySet
    attributes: frozenset[str] | None


class Rulebook:
    """A validated set of policies, whose every policy has an `@id`, and its schema; as handles."""

    def __init__(self, policies: cedarpy.PolicySet, schema: cedarpy.Schema, entities: cedarpy.Entities) -> None:
        """Take policies that `entities`, the actions of the schema, are all the entities of."""
        self.policies, self.schema, self.entities = policies, schema, entities
        self._known: dict[str, _Known] = {}
        self._seen: set[int] = set()
        self._choices: dict[int, _Choice] = {}
        self._rules_kept = 0

    @cached_property
    def _parsed(self) -> tuple[tuple[str, pst.Template], ...]:
        return tuple(self.policies.to_pst().static_policies.items())

    @cached_property
    def _needs(self) -> Mapping[Slot, list[tuple[int, Need]]]:
        """What each part of a question must be for a rule to apply, with the rule's bit."""
        are_actions_grouped = any(action["parents"] for action in json.loads(str(self.entities)))
        found: dict[Slot, list[tuple[int, Need]]] = {}
        for at, (_, policy) in enumerate(self._parsed):
            for need in needs_of(policy, are_actions_grouped=are_actions_grouped):
                found.setdefault(need.slot, []).append((1 << at, need))
        return found

    def without(self, ids: Collection[str]) -> Rulebook:
        """The same but for the policies of these ids."""
        if not ids:
            return self
        kept = {name: one for name, one in self._parsed if one.annotations.get("id") not in ids}
        return Rulebook(cedarpy.PolicySet.from_pst(pst.PolicySet({}, kept, ())), self.schema, self.entities)

    def ask(self, principal: Uid, action: str, resource: Uid, parts: tuple[Part, ...]) -> Answer | None:
        """What the rules say; None if that could not be found out without error.

        Raises:
            AttributeError: `principal` or `resource` is not a Uid.
        """
        short = self.ask_short(principal, action, resource, parts)
        return self.ask_whole(principal, action, resource, parts) if short is None else short

    def ask_whole(self, principal: Uid, action: str, resource: Uid, parts: tuple[Part, ...]) -> Answer | None:
        """The same, of every rule, the question held against the schema."""
        request = {
            "principal": principal._asdict(),
            "action": {"type": "Action", "id": action},
            "resource": resource._asdict(),
            "context": json.dumps({name: _by_schema(value) for name, _, value in parts}),
        }
        answer = _answer(cedarpy.is_authorized(request, self.policies, self.entities, self.schema))
        if answer is not None:
            self._accept(principal, action, resource, parts)
        return answer

    def ask_short(self, principal: Uid, action: str, resource: Uid, parts: tuple[Part, ...]) -> Answer | None:
        """The same, the short way; None if something has not been accepted before, or it could not be found out."""
        known = self._known.get(action)
        if known is None or tuple([name for name, _, _ in parts]) not in known.attributes:
            return None
        who, what = known.parts.get((PRINCIPAL, principal)), known.parts.get((RESOURCE, resource))
        if who is None or what is None:
            return None
        rules, accepted = known.rules & who.rules & what.rules, []
        for part in parts:
            if (one := known.parts.get(part)) is None:
                return None
            rules &= one.rules
            accepted.append((part[0], one.text))
        if (choice := self._choice(rules)) is None:
            return None
        read = choice.attributes
        request = {
            "principal": principal._asdict(),
            "action": {"type": "Action", "id": action},
            "resource": resource._asdict(),
            "context": f"{{{','.join([text for name, text in accepted if read is None or name in read])}}}",
        }
        return _answer(cedarpy.is_authorized(request, choice.policies, self.entities))

    def _choice(self, rules: int) -> _Choice | None:
        """The handle for these rules; None the first time: to make it takes longer than to do without it once."""
        if (choice := self._choices.pop(rules, None)) is not None:
            self._choices[rules] = choice  # the last of all to be forgotten
            return choice
        if rules not in self._seen:
            if len(self._seen) >= WORDS_KEPT:
                self._seen.clear()
            self._seen.add(rules)
            return None
        chosen = {name: policy for at, (name, policy) in enumerate(self._parsed) if rules >> at & 1}
        read = [attributes_read(policy) for policy in chosen.values()]
        attributes = None if None in read else frozenset(name for names in read if names for name in names)
        choice = _Choice(cedarpy.PolicySet.from_pst(pst.PolicySet({}, chosen, ())), attributes)
        self._rules_kept += len(chosen) + 1
        self._choices[rules] = choice
        while self._rules_kept > RULES_KEPT and len(self._choices) > 1:
            oldest = next(iter(self._choices))
            self._rules_kept -= len(self._choices.pop(oldest).policies) + 1
        return choice

    def _accept(self, principal: Uid, action: str, resource: Uid, parts: tuple[Part, ...]) -> None:
        """Remember that the schema accepts what this question is made of, as far as that says what it is without it."""
        if not all(_is_plain(value) for _, _, value in parts):
            return
        known = self._known.get(action)
        if known is None or len(known.parts) >= WORDS_KEPT:
            known = self._known[action] = _Known(self._rules((ACTION, ""), Uid("Action", action)))
        known.attributes.add(tuple(name for name, _, _ in parts))
        for slot, one in ((PRINCIPAL, principal), (RESOURCE, resource)):
            known.parts[slot, one] = _Accepted("", self._rules((slot, ""), one))
        for part in parts:
            name, _, value = part
            text = f"{json.dumps(name)}:{json.dumps(_by_itself(value))}"
            known.parts[part] = _Accepted(text, self._rules((CONTEXT, name), value))

    def _rules(self, slot: Slot, value: Value) -> int:
        """The rules that can apply where this part of a question is this."""
        out = [bit for bit, need in self._needs.get(slot, ()) if not need.can_be_met(value)]
        return (1 << len(self._parsed)) - 1 & ~reduce(or_, out, 0)


def _answer(result: cedarpy.AuthzResult) -> Answer | None:
    said = result.diagnostics
    if said.errors or result.decision is cedarpy.Decision.NoDecision:
        return None
    ids = said.id_annotations_by_reason
    return result.decision is cedarpy.Decision.Allow, tuple(sorted([ids[reason] for reason in said.reasons]))


def _is_plain(value: Value) -> bool:
    """Whether a value is the same with a schema as without: a text may be a date by it, and numbers are never asked."""
    return isinstance(value, bool | Uid) or (
        isinstance(value, frozenset) and all(isinstance(one, Uid) for one in value)
    )


def _by_schema(value: Value) -> object:
    # By its schema Cedar knows that type and id are an entity's; said again (`__entity`) it is read a tenth slower.
    if isinstance(value, Uid):
        return value._asdict()
    if isinstance(value, frozenset):
        return [member._asdict() for member in value]
    return value


def _by_itself(value: Value) -> object:
    if isinstance(value, Uid):
        return {"__entity": value._asdict()}
    if isinstance(value, frozenset):
        return [{"__entity": member._asdict()} for member in value]
    return value
