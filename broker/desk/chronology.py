"""One chronology of all that agencies answered in an enquiry, and the table of what became of every question.

Pure. Silence is never *nothing known*: each (agency, subject, category) that was asked has a state of its own, to the
last screen, and whoever renders *not known* shows `NOT_KNOWN_PROVES_NOTHING` with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from broker.desk.excess import Cut
from broker.desk.kept import KeptAnswer
from broker.desk.progress import Progress
from schemas.messages.answer import OutcomeRow
from schemas.messages.grant import Scope
from schemas.messages.request import CategoryAsked, Subject
from schemas.records.registry import date_of, model_of
from schemas.vocabulary import Category, Mode, Outcome

NOT_KNOWN_PROVES_NOTHING: Final = (
    "Not known does not prove absence: it says that this agency found no record it may tell of, and nothing more."
)


class State(StrEnum):
    """What became of one question; the outcomes of an answer, and what there is before or instead of one."""

    ANSWERED = "answered"
    NOT_KNOWN = "not_known"
    KNOWN_NOTHING_RELEVANT = "known_nothing_relevant"
    WITHHELD = "withheld"
    POSSIBLE_MATCH = "possible_match"
    COULD_NOT_LOOK = "could_not_look"
    NO_ANSWER_YET = "no_answer_yet"
    NO_ANSWER = "no_answer"
    """The agency answered and left this out, or the request ended without an answer."""
    NOT_PERMITTED = "not_permitted"
    QUARANTINED = "quarantined"
    """What was answered exceeded the grant, or cannot be read, and none of it is shown."""


SAYS: Final[Mapping[State, str]] = {
    State.ANSWERED: "The agency answered.",
    State.NOT_KNOWN: f"The agency knows no such record. {NOT_KNOWN_PROVES_NOTHING}",
    State.KNOWN_NOTHING_RELEVANT: "The person is known; nothing relevant is held.",
    State.WITHHELD: "The agency holds something and withheld it.",
    State.POSSIBLE_MATCH: "The agency may know this person; confirm who it is.",
    State.COULD_NOT_LOOK: "The agency could not look. This says nothing about what it holds.",
    State.NO_ANSWER_YET: "No answer yet. This says nothing about what the agency holds.",
    State.NO_ANSWER: "No answer came. This says nothing about what the agency holds.",
    State.NOT_PERMITTED: "This was not permitted and was not asked of the agency.",
    State.QUARANTINED: "The answer exceeded what was permitted, or cannot be read, and is kept back.",
}
_UNANSWERED: Final[Mapping[Progress, State]] = {
    Progress.ASKED: State.NO_ANSWER_YET,
    Progress.PERMITTED: State.NO_ANSWER_YET,
    Progress.DELIVERED: State.NO_ANSWER_YET,
    Progress.ANSWERED: State.NO_ANSWER_YET,
    Progress.OPENED: State.NO_ANSWER,
    Progress.EXPIRED: State.NO_ANSWER,
    Progress.WITHDRAWN: State.NO_ANSWER,
    Progress.REFUSED: State.NOT_PERMITTED,
    Progress.NOT_ACCEPTED: State.NOT_PERMITTED,
}
"""What a question without an outcome shows. A prepared request is none yet: nobody was asked."""


@dataclass(frozen=True, slots=True)
class Source:
    """One exchange, as far as the officer may see it."""

    exchange: str
    agency: str
    progress: Progress
    is_late: bool
    categories: Sequence[CategoryAsked]
    subjects: Mapping[str, Subject] = field(repr=False)
    """The request's references and the enquiry's subjects they stand for."""
    scope: Sequence[Scope] | None
    """What was granted; None before or without a grant."""
    answer: KeptAnswer | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of one question."""

    agency: str
    exchange: str
    subject: str
    name: str = field(repr=False)
    category: Category
    mode: Mode
    state: State
    says: str
    rule: str | None
    reason: str | None
    written: str | None = field(repr=False)
    """Why a person at the agency declined, in the agency's words."""
    confirm: tuple[str, ...]
    is_late: bool
    is_part_quarantined: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One released fact."""

    on: str | None
    """`YYYY-MM-DD`; None where the fact has no date."""
    agency: str
    exchange: str
    subject: str
    name: str = field(repr=False)
    category: Category
    mode: Mode
    rule: str | None
    text: str = field(repr=False)
    fact: Mapping[str, object] = field(repr=False)
    handling: str = field(repr=False)
    is_late: bool
    is_possible: bool
    """The same agency is elsewhere not sure that this subject is the person it knows."""
    is_part_quarantined: bool
    """Of this subject and category more was answered than was permitted; it is kept back."""


@dataclass(frozen=True, slots=True)
class Chronology:
    """Facts in order of date, undated ones last, and the table of outcomes."""

    lines: tuple[Line, ...] = field(repr=False)
    cells: tuple[Cell, ...]
    note: str = NOT_KNOWN_PROVES_NOTHING


def compose(sources: Sequence[Source]) -> Chronology:
    """The chronology of these exchanges."""
    lines = [line for source in sources for line in _lines(source)]
    lines.sort(key=lambda line: (line.on is None, line.on or "", line.agency, line.category, line.subject))
    cells = [cell for source in sources for cell in _cells(source)]
    cells.sort(key=lambda cell: (cell.subject, cell.agency, cell.category, cell.exchange))
    return Chronology(tuple(lines), tuple(cells))


def name_of(subject: Subject) -> str:
    """How a subject is called on a screen."""
    if subject.name is not None:
        return f"{subject.name.given} {subject.name.family}"
    if subject.expected_on is not None:
        return f"unborn child, expected {subject.expected_on}"
    return "name not known"


def text_of(category: Category, mode: Mode, fact: Mapping[str, object]) -> str:
    """A fact in one line: its summary fields in order, or whatever else of it was granted."""
    named = [name for name in model_of(category, mode).one_line if name in fact] or sorted(fact)
    return "; ".join(f"{name} {_said(fact[name])}" for name in named)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(_said(part) for part in value)
    return " ".join(str(value).split())


def _lines(source: Source) -> Iterator[Line]:
    if source.answer is None:
        return
    unsure = {row.subject for row in source.answer.outcomes if row.outcome is Outcome.POSSIBLE_MATCH}
    cut = {(one.subject, one.category) for one in source.answer.cuts}
    for row in source.answer.outcomes:
        subject = source.subjects[row.subject]
        for fact in row.facts:
            on = date_of(row.category, row.mode, fact)
            yield Line(
                on=None if on is None else on.isoformat(),
                agency=source.agency,
                exchange=source.exchange,
                subject=subject.ref,
                name=name_of(subject),
                category=row.category,
                mode=row.mode,
                rule=row.rule,
                text=text_of(row.category, row.mode, fact),
                fact=fact,
                handling=source.answer.handling or "",
                is_late=source.is_late,
                is_possible=row.subject in unsure,
                is_part_quarantined=(row.subject, row.category) in cut,
            )


def _cells(source: Source) -> Iterator[Cell]:
    unanswered = _UNANSWERED.get(source.progress)
    if unanswered is None:
        return
    outcomes = {(row.subject, row.category): row for row in _outcomes(source.answer)}
    cuts = {(cut.subject, cut.category): cut for cut in (() if source.answer is None else source.answer.cuts)}
    for reference, subject in source.subjects.items():
        for asked in source.categories:
            row, cut = outcomes.get((reference, asked.category)), cuts.get((reference, asked.category))
            mode = _granted_mode(source, subject, asked.category)
            state = unanswered if source.scope is None or mode is not None else State.NOT_PERMITTED
            yield _cell(source, subject, asked.category, mode or asked.mode, row, cut, state)


def _outcomes(answer: KeptAnswer | None) -> Sequence[OutcomeRow]:
    return () if answer is None else answer.outcomes


def _granted_mode(source: Source, subject: Subject, category: Category) -> Mode | None:
    for scope in source.scope or ():
        if scope.category is category and subject.role in scope.roles:
            return scope.mode
    return None


def _cell(
    source: Source,
    subject: Subject,
    category: Category,
    mode: Mode,
    row: OutcomeRow | None,
    cut: Cut | None,
    otherwise: State,
) -> Cell:
    if row is not None:
        state = State(row.outcome.value)
    elif cut is not None:
        state = State.QUARANTINED
    else:
        state = otherwise
    return Cell(
        agency=source.agency,
        exchange=source.exchange,
        subject=subject.ref,
        name=name_of(subject),
        category=category,
        mode=mode if row is None else row.mode,
        state=state,
        says=SAYS[state],
        rule=None if row is None else row.rule,
        reason=None if row is None else row.reason,
        written=None if row is None else row.written,
        confirm=() if row is None else tuple(row.confirm),
        is_late=source.is_late,
        is_part_quarantined=row is not None and cut is not None,
    )
