"""What is left of findings: the granted fields, less what the agency's rule takes away, each fact checked once more.

Pure. A fact that does not fit its model does not leave: it counts as a broken record. Refuses to know who decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agents.runtime.gatekeeper import Passage
from agents.runtime.source import Finding, RecordBroken
from schemas.messages.grant import Grant, Scope
from schemas.records.marking import Path
from schemas.records.record import Contact, Existence
from schemas.records.registry import FactInvalid, marked_paths_of, validate_fact
from schemas.vocabulary import Category, Mode, SubjectRole

Fact = dict[str, object]


@dataclass(frozen=True, slots=True)
class Extract:
    """What may leave of one category about one subject; an empty one is *known, but nothing relevant*."""

    facts: tuple[Fact, ...] = field(default=(), repr=False)


def scope_for(grant: Grant, category: Category, role: SubjectRole) -> Scope | None:
    """The part of a grant that is about this category for a subject of that role."""
    return next((one for one in grant.scope if one.category is category and role in one.roles), None)


def minimise(passed: Sequence[tuple[Finding, Passage]], scope: Scope) -> Extract:
    """The content facts of findings, each by the passage that let it through.

    Raises:
        RecordBroken: what would leave does not fit the category's model; nothing leaves.
    """
    facts = (_content(finding, passage, scope) for finding, passage in passed)
    return Extract(tuple(fact for fact in facts if fact))


def minimise_existence(findings: Sequence[Finding], passage: Passage, scope: Scope, contact: Contact | None) -> Extract:
    """The one fact that says such records are held, from which month to which, and whom to ring.

    Raises:
        RecordBroken: as `minimise`.
    """
    if not findings:
        return Extract()
    days = sorted(finding.happened_on for finding in findings if finding.happened_on is not None)
    record = Existence(
        held=True,
        open=_is_open(findings),
        earliest_on=days[0].isoformat()[:7] if days else None,
        latest_on=days[-1].isoformat()[:7] if days else None,
        contact=contact,
    )
    fact = _reduced(record.as_fact(), scope, passage)
    _check(fact, scope, findings[0].local_ref)
    return Extract((fact,) if fact else ())


def _content(finding: Finding, passage: Passage, scope: Scope) -> Fact:
    if finding.category is not scope.category:
        raise RecordBroken(scope.category, finding.local_ref, "category")
    fact = _reduced(finding.record.as_fact(), scope, passage)
    _check(fact, scope, finding.local_ref)
    return fact


def _reduced(fact: Fact, scope: Scope, passage: Passage) -> Fact:
    granted = frozenset(scope.fields) - passage.fields
    kept = {name: value for name, value in fact.items() if name in granted}
    for marker in passage.markers:
        for path in marked_paths_of(scope.category, scope.mode, marker):
            _take(kept, path)
    for name in passage.fields:
        _take_everywhere(kept, name)
    return {name: value for name, value in kept.items() if value not in ({}, [])}


def _take(holder: object, path: Path) -> None:
    """Take what stands at a path out of a fact; a list is not a step of the path."""
    if isinstance(holder, list):
        for element in holder:
            _take(element, path)
        _drop_empty(holder)
    elif isinstance(holder, dict) and path[0] in holder:
        if len(path) == 1:
            del holder[path[0]]
            return
        _take(holder[path[0]], path[1:])
        if holder[path[0]] in ({}, []):
            del holder[path[0]]


def _take_everywhere(holder: object, name: str) -> None:
    """Take a field that a rule names out of nested parts too."""
    if isinstance(holder, list):
        for element in holder:
            _take_everywhere(element, name)
        _drop_empty(holder)
    elif isinstance(holder, dict):
        holder.pop(name, None)
        for inner in list(holder):
            _take_everywhere(holder[inner], name)
            if holder[inner] in ({}, []):
                del holder[inner]


def _drop_empty(elements: list[object]) -> None:
    elements[:] = [element for element in elements if element not in ({}, [])]


def _is_open(findings: Iterable[Finding]) -> bool | None:
    """Whether any record says that it is open; None where no record says either way."""
    said = {str(getattr(finding.record, "status", "")) for finding in findings}
    return True if "open" in said else False if "closed" in said else None


def _check(fact: Fact, scope: Scope, local_ref: str) -> None:
    try:
        validate_fact(scope.category, Mode(scope.mode), fact)
    except FactInvalid as failure:
        raise RecordBroken(scope.category, local_ref, failure.field or "whole") from None
