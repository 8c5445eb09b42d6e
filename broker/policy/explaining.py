"""Why something was permitted or refused, and what about the case would have to be different for it to be permitted.

For a person at the hub's IG desk. The second half would tell an officer how to phrase a request, so no officer's screen
shows it: a requester is told rule ids and sentences. Near misses are found by asking again, with the stage, the rating,
the consent, the legal footing, the role or the mode changed, fewest changes first; nobody reads the rules backwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, combinations, product
from typing import Any, Final

from broker.node.policy import Verdict
from broker.policy.expected import decided
from broker.policy.legal import BasisKind
from broker.policy.pack import Pack
from broker.policy.question import Question
from broker.policy.terms import Terms
from schemas.messages.grant import Reason
from schemas.records.registry import fields_of
from schemas.vocabulary import Category, ConsentState, Mode, OfficerRole, Purpose, Rag, Stage, SubjectRole

MAX_CHANGES: Final = 3
MAX_SHOWN: Final = 12
"""Ways in which a case could differ that are shown; more tell nobody more."""
_THREE_OF: Final = ("stage", "rag", "footing")
"""What is changed three at a time: an enquiry that was opened in place of a screening differs in all of them."""

Difference = Mapping[str, frozenset[str]]
"""What would have to be different, all of it together: a word, and the values of which any will do."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one thing asked was permitted or refused."""

    category: Category
    mode: Mode
    about: SubjectRole
    verdict: Verdict
    reasons: tuple[Reason, ...]
    """Where the request has no footing: which basis or agreement, and its dates."""
    leaves: frozenset[str]
    takes_away: frozenset[str]
    would_differ: tuple[Difference, ...]
    glass_lifts: tuple[str, ...] = ()
    """Rules that a manager's broken glass lifted, or would lift if there were one; with `glass_permits`."""
    glass_permits: bool = False
    """Refused, and a broken glass would permit it."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing that could be different."""

    what: str
    changes: Mapping[str, Any]
    """Members of the question, or `mode`."""
    shown: Mapping[str, str]


def explain(pack: Pack, question: Question, category: Category, mode: Mode, about: SubjectRole) -> Explanation:
    """Explain a decision on one category, in one mode, about one role."""
    terms = pack.terms(question)
    verdict = decided(pack, question, category, mode, about)
    leaves = pack.cedar.fields_left(verdict, category, mode)
    broken = (
        verdict
        if leaves
        else decided(pack, replace(question, break_glass=True, glass_lasts_ms=0), category, mode, about)
    )
    return Explanation(
        category=category,
        mode=mode,
        about=about,
        verdict=verdict,
        reasons=() if isinstance(terms, Terms) else terms,
        leaves=leaves,
        takes_away=fields_of(category, mode) - leaves if verdict.allowed else frozenset(),
        would_differ=() if leaves else _near_misses(pack, question, category, mode, about),
        glass_lifts=broken.lifted,
        glass_permits=not leaves and bool(pack.cedar.fields_left(broken, category, mode)),
    )


def _near_misses(
    pack: Pack, question: Question, category: Category, mode: Mode, about: SubjectRole
) -> tuple[Difference, ...]:
    by_kind: dict[str, list[_Step]] = {}
    for step in _steps(pack, question, mode):
        by_kind.setdefault(step.what, []).append(step)
    for count in range(1, MAX_CHANGES + 1):
        found = [
            {what: frozenset({value}) for step in steps for what, value in step.shown.items()}
            for steps in _combinations(by_kind, count)
            if _is_permitted(pack, question, category, mode, about, steps)
        ]
        if found:
            return tuple(_merged(found)[:MAX_SHOWN])
    return ()


def _combinations(by_kind: Mapping[str, list[_Step]], count: int) -> Iterable[tuple[_Step, ...]]:
    kinds = [kind for kind in by_kind if count < MAX_CHANGES or kind in _THREE_OF]
    return chain.from_iterable(product(*(by_kind[kind] for kind in some)) for some in combinations(kinds, count))


def _is_permitted(
    pack: Pack, question: Question, category: Category, mode: Mode, about: SubjectRole, steps: tuple[_Step, ...]
) -> bool:
    changes = {name: value for step in steps for name, value in step.changes.items()}
    asked = changes.pop("mode", mode)
    verdict = decided(pack, replace(question, **changes), category, asked, about)
    return bool(pack.cedar.fields_left(verdict, category, asked))


def _steps(pack: Pack, question: Question, mode: Mode) -> Iterable[_Step]:
    for name, words in (("stage", Stage), ("rag", Rag), ("consent", ConsentState), ("by", OfficerRole)):
        for word in words:
            if word is not getattr(question, name):
                yield _Step(name, {name: word}, {name: word.value})
    if question.allocated:
        yield _Step("allocated", {"allocated": False}, {"allocated": "false"})
    if mode is Mode.CONTENT:
        yield _Step("mode", {"mode": Mode.EXISTENCE}, {"mode": Mode.EXISTENCE.value})
    yield from _footings(pack, question)


def _footings(pack: Pack, question: Question) -> Iterable[_Step]:
    """Another basis besides those named, or another purpose on a basis of its own; bases not in force are left out."""
    in_force = [code for code, basis in pack.bases.items() if basis.holds(pack.nation, question.on)]
    kept = question.bases.intersection(in_force)
    dropped = {"without_basis": ", ".join(sorted(question.bases - kept))} if kept != question.bases else {}
    if kept and dropped:
        yield _Step("footing", {"bases": kept}, dropped)
    for purpose in Purpose:
        is_same = purpose is question.purpose
        for code in in_force:
            is_condition = pack.bases[code].kind not in (BasisKind.DUTY, BasisKind.POWER)
            if code in question.bases or (is_condition and not is_same):
                continue
            bases = kept | {code} if is_same else frozenset({code})
            shown = {"basis": code.value, **dropped} if is_same else {"purpose": purpose.value, "basis": code.value}
            yield _Step("footing", {"purpose": purpose, "bases": bases}, shown)


def _merged(found: list[dict[str, frozenset[str]]]) -> list[Difference]:
    """The same, with those that differ in one word alone told together."""
    merged: list[Difference] = list(found)
    for name in sorted({name for one in found for name in one}):
        groups: dict[tuple[tuple[str, frozenset[str]], ...], frozenset[str]] = {}
        without = [one for one in merged if name not in one]
        for one in merged:
            if name in one:
                rest = tuple(sorted((what, values) for what, values in one.items() if what != name))
                groups[rest] = groups.get(rest, frozenset()) | one[name]
        merged = without + [{**dict(rest), name: values} for rest, values in groups.items()]
    return merged
