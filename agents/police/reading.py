"""How rows become findings: one row, one finding, or word that the row does not hold.

Refuses to know any category; a category is a statement and a function that makes its record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias, TypeVar

from pydantic import ValidationError
from sqlalchemy import Connection, Select

from agents.police.database import rows
from agents.police.row import FieldBroken, Row
from agents.runtime.source import MAX_FINDINGS, Finding, Label, RecordBroken
from schemas.records.record import Part, Record
from schemas.vocabulary import Category

P = TypeVar("P", bound=Part)
Statement: TypeAlias = Select[Any]
Found: TypeAlias = "Iterator[Finding | RecordBroken]"
Reader: TypeAlias = Callable[[Connection, str], Found]
"""All of one category about one local reference."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a row became."""

    record: Record = field(repr=False)
    happened_on: date | None = field(default=None, repr=False)
    labels: frozenset[Label] = frozenset()


def one_a_row(
    category: Category, ref: str, statement: Callable[[str], Statement], make: Callable[[Row], Made]
) -> Reader:
    """A reader of a category whose every record is one row, known by the column `ref`."""

    def read(connection: Connection, person: str) -> Found:
        for values in rows(connection, statement(person).limit(MAX_FINDINGS + 1)):
            row = Row(values)
            yield finding(category, row.ref(ref), lambda row=row: make(row))  # type: ignore[misc]

    return read


def finding(category: Category, ref: str, make: Callable[[], Made]) -> Finding | RecordBroken:
    """What was made, or which field of it does not hold."""
    try:
        made = make()
    except FieldBroken as broken:
        return RecordBroken(category, ref, broken.column)
    return Finding(category, made.record, made.happened_on, made.labels, ref)


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
