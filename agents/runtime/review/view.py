"""A request in review as people read it: plain values for a terminal or a page. Pure; it goes nowhere but there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from agents.runtime.gatekeeping.gatekeeper import Effect, Gatekeeper, Question
from agents.runtime.gatekeeping.minimise import names_of_others, scope_for
from agents.runtime.gatekeeping.outcomes import Decided, Found, Looked, decide_outcome
from agents.runtime.gatekeeping.ruling import Heard
from agents.runtime.gatekeeping.third_party import Others
from agents.runtime.hub_policy.bases import NamedBasis
from agents.runtime.looking.look import others_of
from agents.runtime.review.case import CHILDREN, IN_WRITING, Case
from agents.runtime.source import Finding, Label
from schemas.messages.grant import Scope
from schemas.messages.request import Subject
from schemas.vocabulary import Mode, Outcome


@dataclass(frozen=True, slots=True)
class _Shared:
    """What protects one protects everybody of the request."""

    anybody: frozenset[Label]
    conflict: bool
    others: Callable[[], Others]


def listed(case: Case, now: int) -> dict[str, Any]:
    """A line of the list: codes and times."""
    header = case.header
    return {
        "exchange": case.exchange,
        "hub": header.hub,
        "rag": header.rag.value,
        "stage": header.stage.value,
        "categories": [one.value for one in case.categories()],
        "asked_at": header.asked_at,
        "now": now,
        "deadline_at": header.deadline_at,
        "until": case.job.review_until,
        "left_ms": max(0, case.job.review_until - now),
    }


def view(
    case: Case,
    looked: Sequence[Looked],
    decided: Sequence[Decided],
    heard: Heard,
    *,
    bases: Sequence[NamedBasis],
    gatekeeper: Gatekeeper,
    shown: str,
    pressed: Sequence[str],
    needed: int,
    now: int,
) -> dict[str, Any]:
    """A request in full: the question, the people, the basis, the clock, and what would leave and why."""
    header, told = case.header, case.told
    by_ref = {one.subject.ref: one for one in looked}
    shared = _Shared(
        anybody=frozenset().union(*(one.labels for one in looked)),
        conflict=any(one.conflict for one in looked),
        others=cache(lambda: others_of(looked)),
    )
    return {
        **listed(case, now),
        "purpose": header.purpose.value,
        "lawful_bases": [_basis(one) for one in bases],
        "consent": header.consent.value,
        "officer": {
            "name": told.officer.name,
            "position": told.officer.position,
            "contact": told.officer.contact,
            "role": header.officer_role.value,
        },
        "asks_why": told.reason,
        "subjects": [_subject(one) for one in told.subjects],
        "outcomes": [_outcome(case, one, by_ref[one.row.subject], heard, gatekeeper, shared) for one in decided],
        "third_parties": sorted(
            {
                name
                for one in looked
                for found in one.found.values()
                for finding in found.findings
                for name in names_of_others(finding)
            }
            | {f"{name.given} {name.family}" for one in looked for person in one.linked for name in person.names}
        ),
        "confirm_asked": list(heard.ruling.confirm),
        "has_child": not CHILDREN.isdisjoint(one.role for one in header.subjects),
        "in_writing": not IN_WRITING.isdisjoint(header.lawful_bases),
        "pressed": list(pressed),
        "needed": needed,
        "shown": shown,
    }


def _basis(basis: NamedBasis) -> dict[str, Any]:
    return {
        "code": basis.code.value,
        "title": basis.title,
        "source": basis.source,
        "nation": basis.nation,
        "in_force_from": basis.first.isoformat() if basis.first is not None else None,
        "in_force_until": basis.last.isoformat() if basis.last is not None else None,
    }


def _subject(subject: Subject) -> dict[str, Any]:
    names = [subject.name] if subject.name is not None else []
    return {
        "ref": subject.ref,
        "role": subject.role.value,
        "names": [f"{one.given} {one.family}" for one in (*names, *subject.other_names)],
        "birth_date": subject.birth_date or subject.expected_on,
        "identifiers": [f"{one.kind.value} {one.value}" for one in subject.identifiers],
        "addresses": [", ".join(filter(None, [one.line, one.postcode])) for one in subject.addresses],
    }


def _outcome(
    case: Case, decided: Decided, looked: Looked, heard: Heard, gatekeeper: Gatekeeper, shared: _Shared
) -> dict[str, Any]:
    row, kept = decided.row, decided.kept
    scope = scope_for(case.grant, row.category, looked.subject.role)
    rule = (kept.rule if kept is not None else None) or row.rule
    said = {
        "subject": row.subject,
        "category": row.category.value,
        "mode": row.mode.value,
        "outcome": row.outcome.value,
        "truth": kept.truth if kept is not None else "not-matched",
        "rule": rule,
        "sentence": None if rule is None else gatekeeper.sentence_of(rule),
        "reason": row.reason,
        "written": row.written,
        "confirm": row.confirm,
        "facts": row.facts,
        "records": [],
    }
    if scope is not None and row.mode is Mode.CONTENT:
        said["records"] = [
            _record(case, scope, replace(looked, found={row.category: Found((one,))}), one, heard, gatekeeper, shared)
            for one in looked.found.get(row.category, Found()).findings
        ]
    return said


def _record(
    case: Case, scope: Scope, alone: Looked, finding: Finding, heard: Heard, gatekeeper: Gatekeeper, shared: _Shared
) -> dict[str, Any]:
    """A record by itself: what it is called here, when it was, by which rule it waits, and what of it would leave."""
    ref, role = alone.subject.ref, alone.subject.role
    question = Question(case.header, role, alone.labels, shared.anybody, shared.conflict, alone.unlisted)
    unread = gatekeeper.decide(question, scope.category, scope.mode, finding.labels)
    say = heard.about(ref, scope.category)
    leaves = decide_outcome(gatekeeper, question, scope, alone, None, shared.others, say).row
    waits = unread.rule if unread.effect is Effect.REVIEW else None
    return {
        "record": heard.name(ref, finding),
        "on": finding.happened_on.isoformat() if finding.happened_on is not None else None,
        "labels": sorted(label.value for label in finding.labels),
        "waits_by": waits,
        "waits_because": None if waits is None else gatekeeper.sentence_of(waits),
        "leaves": leaves.outcome is Outcome.ANSWERED,
        "facts": leaves.facts,
    }
