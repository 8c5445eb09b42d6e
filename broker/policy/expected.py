"""A pack's expected decisions: cases in codes, and which rules permit or refuse them.

They ship with the pack and are tried whenever it is loaded: a pack that decides one of them otherwise is refused, and
so is a rule that decides none of them. Such a rule may be one that can never decide anything at all; one expected
decision is the proof that it can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from broker.node.policy import MARKED, PolicyInvalid, Verdict, place_of
from broker.policy.agreements import Agreement
from broker.policy.filters import FILTERS
from broker.policy.legal import Span
from broker.policy.pack import EXPECTED, Pack
from broker.policy.question import Question
from broker.policy.terms import Terms
from broker.policy.toml_file import Table, places, read_file
from schemas.messages.fields import Slug, Word
from schemas.messages.glass import HOUR_MS
from schemas.records.fields import Marker
from schemas.records.registry import kind_of, marked
from schemas.vocabulary import (
    AgencyKind,
    Category,
    ConsentState,
    LawfulBasis,
    Mode,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)


class _Facts(Table):
    """What a case says; what it leaves unsaid is said by the tables it is `like`, and at last by `default`."""

    mode: Mode | None = None
    about: SubjectRole | None = None
    by: OfficerRole | None = None
    purpose: Purpose | None = None
    bases: Annotated[list[LawfulBasis], Field(min_length=1)] | None = None
    stage: Stage | None = None
    rag: Rag | None = None
    consent: ConsentState | None = None
    allocated: bool | None = None
    conditions: list[LawfulBasis] | None = None
    agency: Slug | None = None
    kind: AgencyKind | None = None
    on: date | None = None
    break_glass: bool | None = None
    glass_hours: Annotated[int, Field(ge=1)] | None = None


class _Default(Table):
    mode: Mode
    about: SubjectRole
    by: OfficerRole
    purpose: Purpose
    bases: Annotated[list[LawfulBasis], Field(min_length=1)]
    stage: Stage
    rag: Rag
    consent: ConsentState
    allocated: bool
    conditions: list[LawfulBasis]
    on: date


class _Case(_Facts):
    id: Annotated[str, Field(min_length=1, max_length=120)]
    says: str | None = None
    like: tuple[str, ...] = ()
    asks: Category
    permitted_by: Annotated[list[Word], Field(min_length=1)] | None = None
    refused_by: Annotated[list[Word], Field(min_length=1)] | None = None
    not_by: tuple[Word, ...] = ()
    lifts: tuple[Word, ...] = ()
    leaves: tuple[str, ...] = ()
    takes_away: tuple[str, ...] = ()


class _File(Table):
    default: _Default
    like: Annotated[dict[str, _Facts], Field(default_factory=dict)]
    case: Annotated[list[_Case], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expected decision."""

    id: str
    place: str
    question: Question
    """Without an agency's name: what is expected where the agency has signed an agreement for it that holds."""
    conditions: frozenset[LawfulBasis]
    """What that agreement states. A case that names an agency is held against the pack's own agreements instead."""
    category: Category
    mode: Mode
    about: SubjectRole
    permitted: bool
    rules: tuple[str, ...]
    """All that decide it, in order."""
    not_by: tuple[str, ...]
    """Rules that it is just outside of."""
    lifts: tuple[str, ...]
    """Rules that a broken glass lifts there, in order."""
    leaves: tuple[str, ...]
    takes_away: tuple[str, ...]


def read_expected(raw: bytes) -> tuple[Expectation, ...]:
    """The expected decisions in a file.

    Raises:
        PolicyInvalid: something does not hold; the text says file, line and reason.
    """
    file, text = read_file(EXPECTED, raw, _File), raw.decode()
    found: dict[str, Expectation] = {}
    for where, case in zip(places(EXPECTED, text, "case", len(file.case)), file.case, strict=True):
        if case.id in found:
            raise PolicyInvalid(f"{where}: another case is called {case.id!r} too")
        found[case.id] = _expectation(case, file, where)
    return tuple(found.values())


def check_expected(pack: Pack, files: Mapping[str, bytes]) -> tuple[Expectation, ...]:
    """Hold a pack against its expected decisions, and give them back.

    Raises:
        PolicyInvalid: it decides one otherwise, or has a rule on which none rests; the text says file, line and reason.
    """
    expectations = read_expected(files[EXPECTED])
    for one in expectations:
        _check(pack, one)
    decisive = {rule for one in expectations for rule in one.rules}
    for rule in pack.cedar.rules.values():
        if rule.id not in decisive:
            where = place_of(rule.file, files[rule.file].decode(), rule.id)
            raise PolicyInvalid(f"{where}: it decides no case of {EXPECTED}; a rule that can never decide is refused")
    return expectations


def decided(pack: Pack, question: Question, category: Category, mode: Mode, about: SubjectRole) -> Verdict:
    """What a pack says to one thing asked, its footing included."""
    terms = pack.terms(question)
    if not isinstance(terms, Terms):
        return Verdict(False, tuple(sorted({reason.rule for reason in terms})))
    return pack.weigh(question, terms).verdict(category, mode, about)


def _check(pack: Pack, one: Expectation) -> None:
    where = f"{one.place}: case {one.id!r}"
    if strange := sorted({*one.rules, *one.not_by, *one.lifts} - pack.cedar.rules.keys() - FILTERS.keys()):
        raise PolicyInvalid(f"{where}: there is no rule {strange[0]}")
    held = pack if one.question.agency else replace(pack, agreements=(_as_agreed(one),))
    verdict = decided(held, one.question, one.category, one.mode, one.about)
    if (verdict.allowed, verdict.rules) != (one.permitted, one.rules):
        expected, found = _said(one.permitted, one.rules), _said(verdict.allowed, verdict.rules)
        raise PolicyInvalid(f"{where}: expected {expected}, found {found}")
    if both := sorted(set(one.not_by) & set(verdict.rules)):
        raise PolicyInvalid(f"{where}: {both[0]} decides it")
    if verdict.lifted != one.lifts:
        raise PolicyInvalid(f"{where}: expected to lift {_named(one.lifts)}, lifts {_named(verdict.lifted)}")
    left = pack.cedar.fields_left(verdict, one.category, one.mode)
    if lost := sorted(_fields(one.leaves, one) - left):
        raise PolicyInvalid(f"{where}: the field {lost[0]} is expected to be left and is taken away")
    if kept := sorted(_fields(one.takes_away, one) & left):
        raise PolicyInvalid(f"{where}: the field {kept[0]} is expected to be taken away and is left")


def _as_agreed(one: Expectation) -> Agreement:
    return Agreement(
        id="as-agreed",
        title="",
        version=1,
        agencies=frozenset(),
        kinds=frozenset({one.question.kind}),
        purposes=frozenset({one.question.purpose}),
        span=Span(one.question.on),
        conditions=one.conditions,
        source="",
    )


def _fields(words: Iterable[str], one: Expectation) -> set[str]:
    named: set[str] = set()
    for word in words:
        kind = word.removeprefix(MARKED)
        named |= marked(one.category, one.mode, Marker(kind)) if kind != word else {word}
    return named


def _said(permitted: bool, rules: Iterable[str]) -> str:
    return f"{'permitted' if permitted else 'refused'} by {', '.join(rules)}"


def _named(rules: Iterable[str]) -> str:
    return ", ".join(rules) or "nothing"


def _expectation(case: _Case, file: _File, where: str) -> Expectation:
    if (case.permitted_by is None) is (case.refused_by is None):
        raise PolicyInvalid(f"{where}: case {case.id!r} needs permitted_by or refused_by, and not both")
    facts: dict[str, Any] = dict(file.default)
    for name in case.like:
        if name not in file.like:
            raise PolicyInvalid(f"{where}: there is no table like.{name}")
        facts.update(_said_in(file.like[name]))
    facts.update({name: value for name, value in _said_in(case).items() if name in _Facts.model_fields})
    kind = facts.get("kind") or kind_of(case.asks) or AgencyKind.SOCIAL_CARE
    question = Question(
        by=facts["by"],
        purpose=facts["purpose"],
        bases=frozenset(facts["bases"]),
        stage=facts["stage"],
        rag=facts["rag"],
        consent=facts["consent"],
        allocated=facts["allocated"],
        agency=facts.get("agency", ""),
        kind=kind,
        on=facts["on"],
        break_glass=facts.get("break_glass", False),
        glass_lasts_ms=facts.get("glass_hours", 0) * HOUR_MS,
    )
    return Expectation(
        id=case.id,
        place=where,
        question=question,
        conditions=frozenset(facts["conditions"]),
        category=case.asks,
        mode=facts["mode"],
        about=facts["about"],
        permitted=case.permitted_by is not None,
        rules=tuple(sorted(case.permitted_by or case.refused_by or ())),
        not_by=case.not_by,
        lifts=tuple(sorted(case.lifts)),
        leaves=_known(case.leaves, where),
        takes_away=_known(case.takes_away, where),
    )


def _said_in(facts: _Facts) -> dict[str, Any]:
    return {name: value for name, value in facts if value is not None}


def _known(words: Iterable[str], where: str) -> tuple[str, ...]:
    for word in words:
        if word.startswith(MARKED) and word.removeprefix(MARKED) not in set(Marker):
            raise PolicyInvalid(f"{where}: there is no marker {word}")
    return tuple(words)
