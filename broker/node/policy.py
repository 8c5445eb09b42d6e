"""The policy engine of coordinator and agent: Cedar, prepared once, and closed whenever it fails.

Owns how a pack of rules is loaded, named and asked. Refuses to know what any rule is about. Nothing here can turn a
fault into a permit: Cedar itself skips a `forbid` whose condition fails, so an answer that came with any error, no
answer, and any exception are all refusals by the rule `policy-error`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources.abc import Traversable
from itertools import chain, pairwise
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import cedarpy

from schemas.failures import GroundLost
from schemas.records.fields import Marker
from schemas.records.registry import fields_of, marked
from schemas.vocabulary import Category, Mode

POLICY_ERROR: Final = "policy-error"
"""The rule that refuses when the policy could not be evaluated without error."""
NO_PERMIT: Final = "no-permit"
"""The rule that refuses when no rule permits: the default."""
ANNOTATIONS: Final = frozenset({"id", "sentence", "source", "effect", "reason", "keep", "remove", "liftable"})
"""What may stand before a policy. Any other word is refused: a misspelt `@remove` would let a field through."""
MARKED: Final = "marked:"
"""In `@keep` and `@remove`: every field that the record models mark so (`marked:free_text`)."""
BREAK_GLASS: Final = "break-glass"
"""In `@liftable`, of a forbid: it does not count where a manager broke the glass."""
REMEMBERED: Final = 16_384
"""Answers kept in memory. A hub's questions are combinations of codes and come again and again."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_POLICY_START: Final = re.compile(r"^[ \t]*@id\b", re.MULTILINE)
_RESERVED: Final = frozenset({POLICY_ERROR, NO_PERMIT})
_MARKERS: Final = frozenset(MARKED + marker for marker in Marker)


class PolicyInvalid(GroundLost):
    """A policy pack that cannot be relied on; says which file, line and policy. Without a policy nothing is decided."""

    code = "policy_invalid"


class Uid(NamedTuple):
    """A Cedar entity: its type and its id."""

    type: str
    id: str


Value: TypeAlias = "bool | int | str | Uid | frozenset[Uid]"
Context: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy of a pack, as people know it."""

    id: str
    permits: bool
    sentence: str
    file: str
    annotations: Mapping[str, str]
    keep: tuple[str, ...]
    """If there are any, the only fields that this permit leaves."""
    remove: tuple[str, ...]
    """Fields, and `marked:` kinds of fields, that this permit takes away."""

    @property
    def is_liftable(self) -> bool:
        """Whether this forbid does not count where a manager broke the glass."""
        return "liftable" in self.annotations

    def fields_left(self, category: Category, mode: Mode) -> frozenset[str]:
        """The fields of a category that this permit leaves."""
        return _fields_left(self.keep, self.remove, category, mode)


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
    _policies: cedarpy.PolicySet = field(repr=False)
    _unlifted: cedarpy.PolicySet = field(repr=False)
    """Without the forbids that a broken glass lifts."""
    _schema: cedarpy.Schema = field(repr=False)
    _entities: cedarpy.Entities = field(repr=False)
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
            # With the type of each value: True and 1 are equal in Python and different in Cedar.
            values = tuple((name, type(v), v) for name, v in context.items())
            question = (principal, action, resource, values, is_glass_broken)
            known = self._remembered.get(question)
            if known is None:
                known = self._ask(principal, action, resource, context, self._policies)
                if is_glass_broken and not known.allowed and known is not _ERROR:
                    known = self._lifted(known, self._ask(principal, action, resource, context, self._unlifted))
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

    def _ask(
        self, principal: Uid, action: str, resource: Uid, context: Context, policies: cedarpy.PolicySet
    ) -> Verdict:
        request = {
            "principal": principal._asdict(),
            "action": {"type": "Action", "id": action},
            "resource": resource._asdict(),
            "context": json.dumps({name: _cedar(value) for name, value in context.items()}),
        }
        result = cedarpy.is_authorized(request, policies, self._entities, self._schema)
        if result.diagnostics.errors or result.decision is cedarpy.Decision.NoDecision:
            return _ERROR
        ids = result.diagnostics.id_annotations_by_reason
        rules = tuple(sorted(ids[reason] for reason in result.diagnostics.reasons))
        if result.decision is cedarpy.Decision.Allow:
            # Not what Cedar should ever say; but a permit stands on permits that we know, or does not stand.
            return Verdict(True, rules) if rules and all(self.rules[rule].permits for rule in rules) else _ERROR
        return Verdict(False, rules) if rules else _NOTHING_PERMITS

    def without(self, ids: Collection[str]) -> Policy:
        """The same policy less some of its rules; its digest stays that of the whole, of which it is a part."""
        policies = _without(self._policies, ids)
        rules = {name: rule for name, rule in self.rules.items() if name not in ids}
        unlifted = _without(policies, {rule.id for rule in rules.values() if rule.is_liftable})
        return Policy(self.digest, rules, policies, unlifted, self._schema, self._entities)

    def fields_left(self, verdict: Verdict, category: Category, mode: Mode) -> frozenset[str]:
        """The fields of a category that an allowing verdict lets through: what any of its permits leaves."""
        if not verdict.allowed:
            return frozenset()
        return frozenset(chain.from_iterable(self.rules[rule].fields_left(category, mode) for rule in verdict.rules))


def load_policy(schema: Path | Traversable, directory: Path | Traversable) -> Policy:
    """The policy of a schema file and of all `*.cedar` files of a directory.

    Its digest is what `sha256sum SCHEMA *.cedar | sha256sum` gives, each file named without its folder, the schema
    first and the others in order of name.

    Raises:
        PolicyInvalid: a file is missing or not text, there is no policy at all, or what `make_policy` finds.
    """
    try:
        texts = {file.name: file.read_bytes().decode() for file in directory.iterdir() if file.name.endswith(".cedar")}
        return make_policy((schema.name, schema.read_bytes().decode()), texts)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(f"the policy cannot be read ({type(error).__name__})") from None


def make_policy(schema: tuple[str, str], files: Mapping[str, str], *, shipped: Collection[str] = ()) -> Policy:
    """The policy of a schema (name and text) and of policy files (text by name).

    Args:
        shipped: names of files that come with the program. A test looks up the fields they name; to look again would
            have every agent load the records of all others.

    Raises:
        PolicyInvalid: something does not parse, does not fit the schema, or lacks a unique `@id` or a `@sentence`.
    """
    schema_name, schema_text = schema
    try:
        prepared = cedarpy.Schema.from_str(schema_text)
        entities = cedarpy.Entities.from_json_str("[]", prepared)
    except ValueError as error:
        raise PolicyInvalid(f"{schema_name}: {error}") from None
    rules: dict[str, Rule] = {}
    for name in sorted(files):
        for rule in _rules_of(name, files[name], prepared):
            if name not in shipped:
                _check_fields(rule, place_of(name, files[name], rule.id))
            if rule.id in rules:
                raise PolicyInvalid(f"{place_of(name, files[name], rule.id)}: {rules[rule.id].file} has that id too")
            rules[rule.id] = rule
    if not rules:
        raise PolicyInvalid("there is no policy")
    policies = cedarpy.PolicySet.from_str("\n".join(files[name] for name in sorted(files)))
    unlifted = _without(policies, {rule.id for rule in rules.values() if rule.is_liftable})
    lines = [_digest_line(schema_name, schema_text), *(_digest_line(name, files[name]) for name in sorted(files))]
    return Policy(hashlib.sha256("".join(lines).encode()).hexdigest(), rules, policies, unlifted, prepared, entities)


def _rules_of(name: str, text: str, schema: cedarpy.Schema) -> list[Rule]:
    try:
        parsed = cedarpy.PolicySet.from_str(text).to_pst()
    except ValueError as error:
        raise PolicyInvalid(f"{_broken_place(name, text)}: {error}") from None
    if parsed.templates or parsed.template_links:
        raise PolicyInvalid(f"{name}: templates are not used")
    rules = [
        _rule(name, text, number, policy.effect == "permit", policy.annotations)
        for number, policy in enumerate(parsed.static_policies.values(), 1)
    ]
    checked = cedarpy.validate_policies(text, schema)
    if not checked.validation_passed:
        first = checked.errors[0]
        rule_id = checked.id_annotations_by_policy_id.get(first.policy_id, "")
        raise PolicyInvalid(f"{place_of(name, text, rule_id)}: {first.error}")
    return rules


def _rule(name: str, text: str, number: int, permits: bool, annotations: Mapping[str, str | None]) -> Rule:
    words = {word: value or "" for word, value in annotations.items()}
    rule_id = words.get("id", "")
    if not _ID.fullmatch(rule_id) or rule_id in _RESERVED:
        raise PolicyInvalid(f"{name}: policy number {number} has no usable @id")
    place = place_of(name, text, rule_id)
    if not words.get("sentence", "").strip():
        raise PolicyInvalid(f"{place}: no @sentence")
    if unknown := sorted(words.keys() - ANNOTATIONS):
        raise PolicyInvalid(f"{place}: unknown annotation @{unknown[0]}")
    keep, remove = (
        tuple(word.strip() for word in words[name].split(",")) if name in words else () for name in ("keep", "remove")
    )
    if (keep or remove) and not permits:
        raise PolicyInvalid(f"{place}: a forbid neither keeps nor removes fields")
    if "liftable" in words and (permits or words["liftable"] != BREAK_GLASS):
        raise PolicyInvalid(f'{place}: only a forbid is liftable, and only by "{BREAK_GLASS}"')
    return Rule(rule_id, permits, words["sentence"].strip(), name, words, keep, remove)


def _without(policies: cedarpy.PolicySet, ids: Collection[str]) -> cedarpy.PolicySet:
    """The same policies but for those of these ids."""
    parsed = policies.to_pst()
    kept = {name: one for name, one in parsed.static_policies.items() if one.annotations.get("id") not in ids}
    return cedarpy.PolicySet.from_pst(replace(parsed, static_policies=kept)) if ids else policies


def _check_fields(rule: Rule, place: str) -> None:
    if strange := [word for word in rule.keep + rule.remove if word not in _MARKERS and not _is_field(word)]:
        raise PolicyInvalid(f"{place}: it names {strange[0]!r}, which is neither a field nor a marker")


@cache
def _is_field(word: str) -> bool:
    return any(word in fields_of(category, mode) for category in Category for mode in Mode)


def place_of(name: str, text: str, rule_id: str) -> str:
    """Where a rule stands in a file, for people."""
    found = re.search(rf'@id\("{re.escape(rule_id)}"\)', text) if rule_id else None
    return f"{name}, line {text.count(chr(10), 0, found.start()) + 1}, policy {rule_id}" if found else name


def _broken_place(name: str, text: str) -> str:
    """Where the first policy begins that does not parse by itself: the parser says what is wrong, and not where."""
    starts = [found.start() for found in _POLICY_START.finditer(text)] or [0]
    for start, end in pairwise([*starts, len(text)]):
        try:
            cedarpy.PolicySet.from_str(text[start:end])
        except ValueError:
            return f"{name}, line {text.count(chr(10), 0, start) + 1}"
    return name


def _digest_line(name: str, text: str) -> str:
    return f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n"


@cache
def _fields_left(keep: tuple[str, ...], remove: tuple[str, ...], category: Category, mode: Mode) -> frozenset[str]:
    left = set(fields_of(category, mode))
    if keep:
        left &= _named(keep, category, mode)
    return frozenset(left - _named(remove, category, mode))


def _named(words: tuple[str, ...], category: Category, mode: Mode) -> set[str]:
    named: set[str] = set()
    for word in words:
        is_marker = word.startswith(MARKED)
        named |= marked(category, mode, Marker(word.removeprefix(MARKED))) if is_marker else {word}
    return named


def _cedar(value: Value) -> object:
    # By its schema Cedar knows that type and id are an entity's; said again (`__entity`) it is read a tenth slower.
    if isinstance(value, Uid):
        return value._asdict()
    if isinstance(value, frozenset):
        return [member._asdict() for member in value]
    return value
