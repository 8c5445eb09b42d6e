"""How resources become findings: one resource, one finding, or word that it does not hold.

Refuses to know any category; a category is a resource type and a function that makes its record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final, TypeAlias, TypeVar

from pydantic import ValidationError

from agents.health import mapping
from agents.health.config import HealthConfig
from agents.health.elements import Reference, split_reference
from agents.health.index import Index, Place
from agents.health.resources import Kind, Resource
from agents.runtime.exports.folder import OpenFiles
from agents.runtime.source import Finding, Label, LocalPerson, RecordBroken
from schemas.records.record import Part, Record
from schemas.vocabulary import Category

P = TypeVar("P", bound=Part)
R = TypeVar("R", bound=Resource)
T = TypeVar("T")
Found: TypeAlias = "Iterator[Finding | RecordBroken]"
_MARK: Final = b"\xef\xbb\xbf"
"""A byte order mark, which some systems begin a file with."""


class FieldBroken(Exception):
    """A field of a resource does not hold. Carries the field's name and never its value."""

    def __init__(self, field_name: str) -> None:
        super().__init__(field_name)
        self.field = field_name


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A resource that does not hold."""

    ref: str = field(repr=False)
    field: str


@dataclass(frozen=True, slots=True)
class Made:
    """What a resource became."""

    record: Record = field(repr=False)
    happened_on: date | None = field(default=None, repr=False)
    labels: frozenset[Label] = frozenset()


@dataclass(frozen=True, slots=True)
class Holdings:
    """The export during one look."""

    index: Index
    files: OpenFiles
    config: HealthConfig
    today: date

    def of(self, kind: Kind, model: type[R], key: str) -> Iterator[R | Unreadable]:
        """Every resource of a kind about a patient, or with that id.

        Raises:
            SourceAway: a file is another by now.
        """
        for place in self.index.places(kind, key):
            yield self._read(kind, model, place)

    def led_to(self, reference: Reference | None, kind: Kind, model: type[R]) -> R | None:
        """What a reference leads to; None where it leads elsewhere or to nothing.

        Raises:
            FieldBroken: it leads to a resource that does not hold.
            SourceAway: as `of`.
        """
        led = split_reference(reference.reference or "") if reference is not None else None
        if led is None or led[0] != kind:
            return None
        for one in self.of(kind, model, led[1]):
            if isinstance(one, Unreadable):
                raise FieldBroken(kind)
            return one
        return None

    def _read(self, kind: Kind, model: type[R], place: Place) -> R | Unreadable:
        where = f"{place.file}, line {place.line}"
        if place.is_broken:
            return Unreadable(where, "resource")
        raw = self.files.read(place.file, place.at_bytes, place.length_bytes).removeprefix(_MARK)
        try:
            return model.model_validate_json(raw)
        except ValidationError as invalid:
            return Unreadable(where, _field_of(invalid))


Reader: TypeAlias = Callable[[Holdings, LocalPerson], Found]
"""All of one category about one local person."""


def each(category: Category, found: Iterator[R | Unreadable], make: Callable[[R], Made | None]) -> Found:
    """A finding of each resource that a record is made of; a resource of which there is none to make gives none."""
    for one in found:
        if isinstance(one, Unreadable):
            yield RecordBroken(category, one.ref, one.field)
        else:
            yield from finding(category, one.id, partial(make, one))


def finding(category: Category, ref: str, make: Callable[[], Made | None]) -> Found:
    """What was made, or which field of it does not hold."""
    try:
        made = make()
    except FieldBroken as broken:
        yield RecordBroken(category, ref, broken.field)
        return
    if made is not None:
        yield Finding(category, made.record, made.happened_on, made.labels, ref)


def build(model: type[P], fields: Mapping[str, object]) -> P:
    """A record or a part of one.

    Raises:
        FieldBroken: a value does not fit its field.
    """
    try:
        return model(**fields)
    except ValidationError as invalid:
        raise FieldBroken(_field_of(invalid)) from None


def code(name: str, written: str | None, codes: Mapping[str, T]) -> T | None:
    """What a code is called in the contract.

    Raises:
        FieldBroken: nobody mapped it.
    """
    if written is None:
        return None
    try:
        return codes[written]
    except KeyError:
        raise FieldBroken(name) from None


def labels_of(resource: Resource) -> frozenset[Label]:
    """What protects a record beside what protects the person; a label nobody mapped asks for a person's eyes."""
    found = (mapping.RECORD_LABELS.get(one or "", mapping.UNKNOWN_RECORD_CODE) for one in resource.security)
    return frozenset[Label]().union(*found)


def iso(day: date | None) -> str | None:
    """A day as the contract writes it."""
    return None if day is None else day.isoformat()


def _field_of(invalid: ValidationError) -> str:
    where = invalid.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
    return str(where[0]) if where else "resource"
