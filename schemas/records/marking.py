"""Where a record's markers are: the paths of its fields that hold free text, third parties, officers or whereabouts;
and where its wordings are.

Reads the annotations once, when the registry is built. Refuses to know what is done about a marker.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias, get_args, get_origin, get_type_hints

from schemas.records.fields import Marker, holds_any_wording
from schemas.records.record import Part

Path: TypeAlias = tuple[str, ...]
"""Field names from the record inwards; a list is not a step of its own."""


def marked_paths(model: type[Part], outer: Path = ()) -> Iterator[tuple[Path, Marker]]:
    """Yield each marker of a model with the path of the field it stands on, nested parts included."""
    for path, note in _notes(model, outer):
        if isinstance(note, Marker):
            yield path, note


def wording_paths(model: type[Part]) -> Iterator[Path]:
    """Yield the path of each field of a model that holds a text in any words, nested parts included."""
    for path, note in _notes(model, ()):
        if holds_any_wording(note):
            yield path


def _notes(model: type[Part], outer: Path) -> Iterator[tuple[Path, object]]:
    hints = get_type_hints(model, include_extras=True)
    for name in model.model_fields:
        yield from _notes_of(hints[name], (*outer, name))


def _notes_of(annotation: Any, path: Path) -> Iterator[tuple[Path, object]]:
    if get_origin(annotation) is Annotated:
        for note in annotation.__metadata__:
            yield path, note
        yield from _notes_of(annotation.__origin__, path)
    elif isinstance(annotation, type) and issubclass(annotation, Part):
        yield from _notes(annotation, path)
    else:
        for argument in get_args(annotation):
            yield from _notes_of(argument, path)
