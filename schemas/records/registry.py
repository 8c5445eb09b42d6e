"""Which model stands for a category and mode, and what may be asked of it: fields, markers, dates, order, validity.

The one way to the record models. Built once when imported; every question after that is a look-up. Refuses to know what
policy does with a field and how an agency fills it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Final

from pydantic import TypeAdapter, ValidationError

from schemas.failures import Rejected
from schemas.records import education, health, partner, person, police, probation, social_care
from schemas.records.fields import Marker
from schemas.records.marking import Path, marked_paths
from schemas.records.record import Existence, Record
from schemas.vocabulary import AgencyKind, Category, Mode

FACT_MAX_CHARACTERS: Final = 64 * 1024
"""Longest fact as JSON: sixteen free texts of full length; what is longer is a document, not a fact."""
INTEGER_MAX: Final = 2**53 - 1
"""Largest whole number that every JSON reader keeps (RFC 8785 section 3.2.2.3)."""
DEPTH_MAX: Final = 5
"""Deepest nesting of a fact; the deepest model has three."""


class FactInvalid(Rejected):
    """A fact does not fit its category and mode; says which field, where it is one of ours, and never a value."""

    code = "fact_invalid"

    def __init__(self, category: Category, mode: Mode, field: str | None, reason: str) -> None:
        place = category.value if field is None else f"{category.value} field {field}"
        super().__init__(f"{place} ({mode.value}): {reason}")
        self.category = category
        self.mode = mode
        self.field = field


@dataclass(frozen=True, slots=True)
class _Form:
    model: type[Record]
    adapter: TypeAdapter[Record]
    fields: frozenset[str]
    marks: Mapping[Marker, frozenset[Path]]


def _form(model: type[Record]) -> _Form:
    found = tuple(marked_paths(model))
    marks = {marker: frozenset(path for path, note in found if note is marker) for marker in Marker}
    return _Form(model, TypeAdapter(model), frozenset(model.model_fields), marks)


_HELD_BY: Final[tuple[tuple[AgencyKind | None, Mapping[Category, type[Record]]], ...]] = (
    (None, person.RECORDS),
    (AgencyKind.SOCIAL_CARE, social_care.RECORDS),
    (AgencyKind.HEALTH, health.RECORDS),
    (AgencyKind.EDUCATION, education.RECORDS),
    (AgencyKind.POLICE, police.RECORDS),
    (AgencyKind.PROBATION, probation.RECORDS),
    (AgencyKind.SOCIAL_CARE, partner.ADULT_SOCIAL_CARE_RECORDS),
    (AgencyKind.HOUSING, partner.HOUSING_RECORDS),
    (AgencyKind.FIRE, partner.FIRE_RECORDS),
    (AgencyKind.VOLUNTARY, partner.VOLUNTARY_RECORDS),
    (AgencyKind.IDVA, partner.IDVA_RECORDS),
)
_KINDS: Final[Mapping[Category, AgencyKind | None]] = {c: kind for kind, records in _HELD_BY for c in records}
_MODELS: Final[Mapping[Category, type[Record]]] = {c: model for _, records in _HELD_BY for c, model in records.items()}
_EXISTENCE: Final = _form(Existence)
_FORMS: Final[Mapping[tuple[Category, Mode], _Form]] = dict(
    chain.from_iterable(
        (((category, Mode.CONTENT), _form(model)), ((category, Mode.EXISTENCE), _EXISTENCE))
        for category, model in _MODELS.items()
    )
)


def model_of(category: Category, mode: Mode) -> type[Record]:
    """Return the model of a category in a mode; existence is one model for all."""
    return _FORMS[category, mode].model


def fields_of(category: Category, mode: Mode) -> frozenset[str]:
    """Return the top-level field names of a fact, as they are on the wire."""
    return _FORMS[category, mode].fields


def marked(category: Category, mode: Mode, marker: Marker) -> frozenset[str]:
    """Return the top-level fields that carry a marker, themselves or in a part of them."""
    return frozenset(path[0] for path in marked_paths_of(category, mode, marker))


def marked_paths_of(category: Category, mode: Mode, marker: Marker) -> frozenset[Path]:
    """Return the paths, from the top inwards, of the fields that carry a marker; lists are not a step."""
    return _FORMS[category, mode].marks[marker]


def summary_fields(category: Category) -> tuple[str, ...]:
    """Return the fields of a content fact that are shown in one line, in order."""
    return _MODELS[category].one_line


def kind_of(category: Category) -> AgencyKind | None:
    """Return the kind of agency that holds a category, or None where any agency may."""
    return _KINDS[category]


def categories_of(kind: AgencyKind) -> tuple[Category, ...]:
    """Return the categories an agency of a kind can be asked for: its own and those any agency may hold."""
    return tuple(category for category in Category if _KINDS[category] in (None, kind))


def date_of(category: Category, mode: Mode, fact: Mapping[str, object]) -> date | None:
    """Return the day a valid fact stands at in a chronology; a month counts as its first day, none as None."""
    for name in _FORMS[category, mode].model.dated_by:
        value = fact.get(name)
        if isinstance(value, str):
            return date.fromisoformat(value[:10] if len(value) >= len("YYYY-MM-DD") else f"{value}-01")
    return None


def validate_fact(category: Category, mode: Mode, fact: Mapping[str, object]) -> None:
    """Check that a fact is a subset of the model's fields and each value is valid there, as JSON, without coercion.

    Args:
        category: what the fact is about.
        mode: which of its two models it follows.
        fact: a JSON object as `json.loads` makes it: no null, no fraction, lists and objects as such.

    Raises:
        FactInvalid: a field is unknown, a value does not fit, or the whole is too large.
    """
    form = _FORMS[category, mode]
    for name, value in fact.items():
        if name not in form.fields:
            # The unknown name stays unsaid: whoever made it could have put anything there.
            raise FactInvalid(category, mode, None, "has a field that is not of its model")
        if not _is_plain(value, DEPTH_MAX):
            raise FactInvalid(category, mode, name, "is not plain JSON without null and fractions")
    text = json.dumps(dict(fact), ensure_ascii=False)
    if len(text) > FACT_MAX_CHARACTERS:
        raise FactInvalid(category, mode, None, f"is longer than {FACT_MAX_CHARACTERS} characters")
    try:
        form.adapter.validate_json(text)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
        raise FactInvalid(category, mode, str(first["loc"][0]), f"breaks the rule {first['type']}") from None


def _is_plain(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value) if not value.isascii() else True
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -INTEGER_MAX <= value <= INTEGER_MAX
    if depth == 0:
        return False
    if isinstance(value, list):
        return all(_is_plain(element, depth - 1) for element in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and k.isascii() and _is_plain(v, depth - 1) for k, v in value.items())
    return False
