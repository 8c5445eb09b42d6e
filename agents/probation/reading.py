"""How resources become findings: one object, one finding, or word that it does not hold.

A file that does not hold breaks the categories read from it, for everybody, and no other. Refuses to know any category.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias, TypeVar

from pydantic import ValidationError

from agents.probation.folder import Folder, ResourceBroken
from agents.probation.members import MemberBroken, Members
from agents.runtime.source import Finding, RecordBroken
from schemas.records.record import Part, Record
from schemas.vocabulary import Category

P = TypeVar("P", bound=Part)
Found: TypeAlias = "Iterator[Finding | RecordBroken]"
Reader: TypeAlias = Callable[[Folder, str], Found]
"""All of one category about one CRN."""


@dataclass(frozen=True, slots=True)
class Made:
    """What an object became."""

    record: Record = field(repr=False)
    happened_on: date | None = field(default=None, repr=False)


def each(category: Category, resource: str, make: Callable[[Members], Made | None]) -> Reader:
    """A reader of a category whose resource is a list; what `make` makes nothing of is not told."""

    def read(folder: Folder, crn: str) -> Found:
        try:
            held = folder.read(resource).get(crn)
        except ResourceBroken as broken:
            yield file_broken(category, broken)
            return
        if held is not None and not isinstance(held, list):
            yield RecordBroken(category, f"{resource}/{crn}", resource)
            return
        for number, one in enumerate(held or ()):
            if (found := finding(category, f"{resource}/{crn}/{number}", resource, one, make)) is not None:
                yield found

    return read


def only(category: Category, resource: str, make: Callable[[Members], Made | None]) -> Reader:
    """A reader of a category whose resource is one object."""

    def read(folder: Folder, crn: str) -> Found:
        try:
            held = folder.read(resource).get(crn)
        except ResourceBroken as broken:
            yield file_broken(category, broken)
            return
        if held is not None and (found := finding(category, f"{resource}/{crn}", resource, held, make)) is not None:
            yield found

    return read


def finding(
    category: Category, ref: str, resource: str, held: object, make: Callable[[Members], Made | None]
) -> Finding | RecordBroken | None:
    """What was made of an object, or which member of it does not hold."""
    if not isinstance(held, dict):
        return RecordBroken(category, ref, resource)
    try:
        made = make(Members(held))
    except MemberBroken as broken:
        return RecordBroken(category, ref, broken.name)
    return None if made is None else Finding(category, made.record, made.happened_on, local_ref=ref)


def file_broken(category: Category, broken: ResourceBroken) -> RecordBroken:
    """Word that a whole file does not hold."""
    return RecordBroken(category, f"{broken.name}.json", "file")


def build(model: type[P], fields: Mapping[str, object]) -> P:
    """A record or a part of one.

    Raises:
        MemberBroken: a value does not fit its field.
    """
    try:
        return model(**fields)
    except ValidationError as invalid:
        where = invalid.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
        raise MemberBroken(str(where[0]) if where else "whole") from None


def part(model: type[P], fields: Mapping[str, object]) -> P | None:
    """A part of a record, or nothing where nothing of it is held.

    Raises:
        MemberBroken: as `build`.
    """
    return build(model, fields) if any(value is not None for value in fields.values()) else None
