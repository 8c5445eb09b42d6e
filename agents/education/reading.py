"""How what schools hold becomes findings: one record, one finding, or word that it does not hold.

Refuses to know any category.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias, TypeVar

from pydantic import ValidationError

from agents.education.config import EducationConfig
from agents.education.node import FieldBroken
from agents.education.roll import Held, Roll
from agents.runtime.exports.folder import OpenFiles
from agents.runtime.source import Finding, LocalPerson, RecordBroken
from schemas.records.record import Part, Record
from schemas.vocabulary import Category

P = TypeVar("P", bound=Part)
Found: TypeAlias = "Iterator[Finding | RecordBroken]"


@dataclass(frozen=True, slots=True)
class Made:
    """What a record became."""

    record: Record = field(repr=False)
    happened_on: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Holdings:
    """The schools' files during one look, and the pupil it is about."""

    roll: Roll
    files: OpenFiles
    config: EducationConfig
    pupil: Held


Reader: TypeAlias = Callable[[Holdings, LocalPerson], Found]
"""All of one category about one pupil."""


def finding(category: Category, ref: str, make: Callable[[], Made | None]) -> Found:
    """What was made, or which field of it does not hold."""
    try:
        made = make()
    except FieldBroken as broken:
        yield RecordBroken(category, ref, broken.field)
        return
    if made is not None:
        yield Finding(category, made.record, made.happened_on, frozenset(), ref)


def build(model: type[P], fields: Mapping[str, object]) -> P:
    """A record or a part of one.

    Raises:
        FieldBroken: a value does not fit its field.
    """
    try:
        return model(**fields)
    except ValidationError as invalid:
        where = invalid.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
        raise FieldBroken(str(where[0]) if where else "whole") from None


def iso(day: date | None) -> str | None:
    """A day as the contract writes it."""
    return None if day is None else day.isoformat()
