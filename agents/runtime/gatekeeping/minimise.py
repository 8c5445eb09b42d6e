"""What is left of findings: the granted fields, less what the agency's rule takes away, each fact checked once more.

A rule removes a field, or masks it: a text is written over with `**REDACTED**`, as HMPPS does, and what is no text is
removed. In free text that leaves, people whom the request does not name are written over (`third_party`). A fact of
which nothing but masks is left does not leave. Pure. A fact that does not fit its model does not
leave: it counts as a broken record. Refuses to know who decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.runtime.gatekeeping.gatekeeper import Passage
from agents.runtime.gatekeeping.third_party import REDACTED, Others, mask_others
from agents.runtime.source import Finding, RecordBroken
from schemas.messages.grant import Grant, Scope
from schemas.records.fields import Marker
from schemas.records.marking import Path
from schemas.records.record import Contact, Existence
from schemas.records.registry import FactInvalid, marked_paths_of, validate_fact, wording_paths_of
from schemas.vocabulary import Category, Mode, SubjectRole

Fact = dict[str, object]
_NO: Final[frozenset[Path]] = frozenset()
_NOTHING: Final[tuple[object, ...]] = (None, {}, [])


@dataclass(frozen=True, slots=True)
class Extract:
    """What may leave of one category about one subject; an empty one is *known, but nothing relevant*."""

    facts: tuple[Fact, ...] = field(default=(), repr=False)


def scope_for(grant: Grant, category: Category, role: SubjectRole) -> Scope | None:
    """The part of a grant that is about this category for a subject of that role."""
    return next((one for one in grant.scope if one.category is category and role in one.roles), None)


def minimise(passed: Sequence[tuple[Finding, Passage]], scope: Scope, others: Callable[[], Others] = Others) -> Extract:
    """The content facts of findings, each by the passage that let it through.

    Args:
        others: gives whom free text must not name; asked only where some leaves.

    Raises:
        RecordBroken: what would leave does not fit the category's model; nothing leaves.
    """
    facts = (_content(finding, passage, scope, others) for finding, passage in passed)
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


def names_of_others(finding: Finding) -> Iterator[str]:
    """What a record says in its fields for third parties, as far as they hold names and no free text."""
    fact = finding.record.as_fact()
    texts = marked_paths_of(finding.category, Mode.CONTENT, Marker.FREE_TEXT)
    for path in marked_paths_of(finding.category, Mode.CONTENT, Marker.THIRD_PARTY) - texts:
        yield from _names_in(fact.get(path[0]) if len(path) == 1 else None)


def _names_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for element in value:
            yield from _names_in(element)
    elif isinstance(value, dict):
        yield from (inner for name, inner in value.items() if isinstance(inner, str) and "name" in name.casefold())


def _content(finding: Finding, passage: Passage, scope: Scope, others: Callable[[], Others]) -> Fact:
    if finding.category is not scope.category:
        raise RecordBroken(scope.category, finding.local_ref, "category")
    fact = _reduced(finding.record.as_fact(), scope, passage)
    for path in marked_paths_of(scope.category, scope.mode, Marker.FREE_TEXT):
        _unname(fact, path, others)
    _check(fact, scope, finding.local_ref)
    return {} if _is_masked(fact) else fact


def _unname(holder: object, path: Path, others: Callable[[], Others]) -> None:
    """Write over others' names in the text, or the texts, at a path."""
    if isinstance(holder, list):
        for element in holder:
            _unname(element, path, others)
    elif isinstance(holder, dict) and path[0] in holder:
        value = holder[path[0]]
        if len(path) > 1:
            _unname(value, path[1:], others)
        elif isinstance(value, str):
            holder[path[0]] = mask_others(value, others())
        elif isinstance(value, list):
            holder[path[0]] = [mask_others(one, others()) if isinstance(one, str) else one for one in value]


def _reduced(fact: Fact, scope: Scope, passage: Passage) -> Fact:
    granted = frozenset(scope.fields) - passage.fields
    kept = {name: value for name, value in fact.items() if name in granted}
    for marker in passage.markers:
        for path in marked_paths_of(scope.category, scope.mode, marker):
            _take(kept, path)
    for name in passage.fields:
        _take_everywhere(kept, name)
    wordings = wording_paths_of(scope.category, scope.mode) if passage.masked_markers or passage.masked_fields else _NO
    for marker in passage.masked_markers:
        for path in marked_paths_of(scope.category, scope.mode, marker):
            _mask(kept, path, (), wordings)
    for name in passage.masked_fields:
        _mask_everywhere(kept, name, (), wordings)
    return {} if _is_masked(kept) else {name: value for name, value in kept.items() if value not in ({}, [])}


def _mask(holder: object, path: Path, walked: Path, wordings: frozenset[Path]) -> None:
    """Write over what stands at a path; `walked` is how `holder` was reached."""
    if isinstance(holder, list):
        for element in holder:
            _mask(element, path, walked, wordings)
        _drop_empty(holder)
    elif isinstance(holder, dict) and path[0] in holder:
        here = (*walked, path[0])
        if len(path) == 1:
            holder[path[0]] = _masked(holder[path[0]], here, wordings)
        else:
            _mask(holder[path[0]], path[1:], here, wordings)
        if holder[path[0]] in _NOTHING:
            del holder[path[0]]


def _mask_everywhere(holder: object, name: str, walked: Path, wordings: frozenset[Path]) -> None:
    if isinstance(holder, list):
        for element in holder:
            _mask_everywhere(element, name, walked, wordings)
        _drop_empty(holder)
    elif isinstance(holder, dict):
        _mask(holder, (name,), walked, wordings)
        for inner in list(holder):
            _mask_everywhere(holder[inner], name, (*walked, inner), wordings)
            if holder[inner] in _NOTHING:
                del holder[inner]


def _masked(value: object, path: Path, wordings: frozenset[Path]) -> object:
    """What a mask leaves of a value: of each text a mask, of a list of texts one, of anything else nothing."""
    if isinstance(value, dict):
        masked = {name: _masked(inner, (*path, name), wordings) for name, inner in value.items()}
        return {name: inner for name, inner in masked.items() if inner not in _NOTHING}
    if isinstance(value, list) and any(isinstance(element, dict) for element in value):
        return [part for part in (_masked(element, path, wordings) for element in value) if part not in _NOTHING]
    if path not in wordings or not value:
        return None
    # How many names a list had would itself tell something.
    return [REDACTED] if isinstance(value, list) else REDACTED


def _is_masked(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_masked(inner) for inner in value.values())
    if isinstance(value, list):
        return all(_is_masked(element) for element in value)
    return value == REDACTED


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
