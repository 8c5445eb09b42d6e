"""A rule of a pack as people know it: its words, and which fields a permit leaves.

Owns what may stand before a policy and what that must hold to. Refuses to know what Cedar makes of its conditions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

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

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_RESERVED: Final = frozenset({POLICY_ERROR, NO_PERMIT})
_MARKERS: Final = frozenset(MARKED + marker for marker in Marker)


class PolicyInvalid(GroundLost):
    """A policy pack that cannot be relied on; says which file, line and policy. Without a policy nothing is decided."""

    code = "policy_invalid"


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


def read_rule(name: str, text: str, number: int, permits: bool, annotations: Mapping[str, str | None]) -> Rule:
    """The rule that the `number`th policy of a file is.

    Raises:
        PolicyInvalid: it lacks an `@id` or a `@sentence`, or what stands before it is not for such a policy.
    """
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


def check_fields(rule: Rule, place: str) -> None:
    """Hold a rule's fields against the record models.

    Raises:
        PolicyInvalid: a word of its `@keep` or `@remove` is neither a field nor a marker.
    """
    if strange := [word for word in rule.keep + rule.remove if word not in _MARKERS and not _is_field(word)]:
        raise PolicyInvalid(f"{place}: it names {strange[0]!r}, which is neither a field nor a marker")


@cache
def _is_field(word: str) -> bool:
    return any(word in fields_of(category, mode) for category in Category for mode in Mode)


def place_of(name: str, text: str, rule_id: str, *, after: int = 0) -> str:
    """Where a rule stands in a file, for people; of several with that id the one after so many others."""
    found = list(re.finditer(rf'@id\("{re.escape(rule_id)}"\)', text))[after:] if rule_id else []
    return f"{name}, line {text.count(chr(10), 0, found[0].start()) + 1}, policy {rule_id}" if found else name


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
