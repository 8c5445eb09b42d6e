"""The contents of an answer against its grant, once more (SPEC 6.4): what exceeds it is cut out and never shown.

An outcome about a subject, category or mode that was not granted is cut whole. Of a granted one, fields that were not
granted are cut out of each fact; if what remains of any fact does not hold, the whole outcome is cut, since nobody can
say what else is wrong with it. What cannot be read as an answer at all is cut whole. Pure; rejects nothing: excess is
recorded, not refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from schemas.messages.answer import OutcomeRow
from schemas.messages.fields import Count, Hex16, Word
from schemas.messages.grant import Grant
from schemas.messages.model import Part
from schemas.records.registry import FactInvalid, fields_of, validate_fact
from schemas.vocabulary import Category, Mode, Outcome, SubjectRole


class Cut(Part):
    """What was cut out of one outcome: names of fields, never values."""

    subject: Hex16
    category: Category
    mode: Mode
    whole: bool
    facts: Count = Field(description="Facts that something was cut from.")
    fields: Annotated[list[Word], Field(max_length=64)] = Field(description="Fields of the record that were cut.")
    unknown_fields: Count = Field(description="Names that are no field of the record: what they say is not repeated.")


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer's outcomes, divided."""

    kept: list[OutcomeRow] = field(repr=False)
    cuts: list[Cut]
    quarantined: list[OutcomeRow] = field(repr=False)
    """The outcomes that something was cut from, as they came."""


def judge(outcomes: Sequence[OutcomeRow], roles: Mapping[str, SubjectRole], grant: Grant) -> Judged:
    """Divide outcomes into what was granted and what exceeds it.

    Args:
        roles: the request's subject references and their roles.
    """
    judged = Judged([], [], [])
    for row in outcomes:
        kept, cut = _judge_one(row, _granted(row, roles.get(row.subject), grant))
        if kept is not None:
            judged.kept.append(kept)
        if cut is not None:
            judged.cuts.append(cut)
            judged.quarantined.append(row)
    return judged


def judge_unread(roles: Mapping[str, SubjectRole], grant: Grant) -> Judged:
    """Cut everything that an answer was granted for, since nobody can read what it holds."""
    asked = {
        (subject, scope.category): scope.mode
        for scope in grant.scope
        for subject, role in roles.items()
        if role in scope.roles
    }
    cuts = [
        Cut(subject=subject, category=category, mode=mode, whole=True, facts=0, fields=[], unknown_fields=0)
        for (subject, category), mode in sorted(asked.items())
    ]
    return Judged([], cuts, [])


def _granted(row: OutcomeRow, role: SubjectRole | None, grant: Grant) -> frozenset[str]:
    """The fields granted for an outcome; none if the outcome itself was not."""
    return frozenset(
        name
        for scope in grant.scope
        if scope.category is row.category and scope.mode is row.mode and role in scope.roles
        for name in scope.fields
    )


def _judge_one(row: OutcomeRow, granted: frozenset[str]) -> tuple[OutcomeRow | None, Cut | None]:
    if not granted:
        return None, _cut(row, set(row.field_names()), len(row.facts), whole=True)
    if row.outcome is not Outcome.ANSWERED:
        return row, None
    exceeding = set(row.field_names()) - granted
    reduced = [{name: value for name, value in fact.items() if name in granted} for fact in row.facts]
    touched = sum(len(before) != len(after) for before, after in zip(row.facts, reduced, strict=True))
    facts = [fact for fact in reduced if fact]
    try:
        for fact in facts:
            validate_fact(row.category, row.mode, fact)
    except FactInvalid as invalid:
        named = exceeding | ({invalid.field} if invalid.field is not None else set())
        return None, _cut(row, named, len(row.facts), whole=True)
    if not facts:
        return None, _cut(row, exceeding, len(row.facts), whole=True)
    if not touched:
        return row, None
    return row.model_copy(update={"facts": facts}), _cut(row, exceeding, touched, whole=False)


def _cut(row: OutcomeRow, names: set[str], facts: int, *, whole: bool) -> Cut:
    known = names & fields_of(row.category, row.mode)
    return Cut(
        subject=row.subject,
        category=row.category,
        mode=row.mode,
        whole=whole,
        facts=facts,
        fields=sorted(known),
        unknown_fields=len(names - known),
    )
