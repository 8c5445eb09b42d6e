"""Which model stands for a category and mode, and what may be asked of it: fields, markers, dates, order, validity.

The one way to the record models. They are imported and built when a category is first asked for, which spares an agent
the records of all other agencies; every question after that is a look-up. Refuses to know what policy does with a field
and how an agency fills it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from pydantic import ValidationError

from schemas.failures import Rejected
from schemas.records.fields import Marker
from schemas.records.marking import Path, marked_paths, wording_paths
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
    fields: frozenset[str]
    marks: Mapping[Marker, frozenset[Path]]


_KINDS: Final[Mapping[str, AgencyKind | None]] = {
    "person": None,
    "agency": None,
    "csc": AgencyKind.SOCIAL_CARE,
    "health": AgencyKind.HEALTH,
    "edu": AgencyKind.EDUCATION,
    "police": AgencyKind.POLICE,
    "probation": AgencyKind.PROBATION,
    "asc": AgencyKind.SOCIAL_CARE,
    "housing": AgencyKind.HOUSING,
    "fire": AgencyKind.FIRE,
    "vol": AgencyKind.VOLUNTARY,
    "idva": AgencyKind.IDVA,
}
"""Who holds the categories of a group, which is the first word of their names."""


def _records(group: str) -> Mapping[Category, type[Record]]:
    match group:
        case "person" | "agency":
            from schemas.records import person

            return person.RECORDS
        case "csc":
            from schemas.records import social_care

            return social_care.RECORDS
        case "health":
            from schemas.records import health

            return health.RECORDS
        case "edu":
            from schemas.records import education

            return education.RECORDS
        case "police":
            from schemas.records import police

            return police.RECORDS
        case "probation":
            from schemas.records import probation

            return probation.RECORDS
        case _:
            from schemas.records import partner

            return partner.RECORDS


@cache
def _form(category: Category, mode: Mode) -> _Form:
    model = Existence if mode is Mode.EXISTENCE else _records(_group(category))[category]
    found = tuple(marked_paths(model))
    marks = {marker: frozenset(path for path, note in found if note is marker) for marker in Marker}
    return _Form(model, frozenset(model.model_fields), marks)


def _group(category: Category) -> str:
    return category.value.partition(".")[0]


def model_of(category: Category, mode: Mode) -> type[Record]:
    """Return the model of a category in a mode; existence is one model for all."""
    return _form(category, mode).model


def fields_of(category: Category, mode: Mode) -> frozenset[str]:
    """Return the top-level field names of a fact, as they are on the wire."""
    return _form(category, mode).fields


def marked(category: Category, mode: Mode, marker: Marker) -> frozenset[str]:
    """Return the top-level fields that carry a marker, themselves or in a part of them."""
    return frozenset(path[0] for path in marked_paths_of(category, mode, marker))


def marked_paths_of(category: Category, mode: Mode, marker: Marker) -> frozenset[Path]:
    """Return the paths, from the top inwards, of the fields that carry a marker; lists are not a step."""
    return _form(category, mode).marks[marker]


@cache
def wording_paths_of(category: Category, mode: Mode) -> frozenset[Path]:
    """Return the paths of the fields that hold text in any words: what a mask may be written over."""
    return frozenset(wording_paths(_form(category, mode).model))


def summary_fields(category: Category) -> tuple[str, ...]:
    """Return the fields of a content fact that are shown in one line, in order."""
    return _form(category, Mode.CONTENT).model.one_line


def kind_of(category: Category) -> AgencyKind | None:
    """Return the kind of agency that holds a category, or None where any agency may."""
    return _KINDS[_group(category)]


def categories_of(kind: AgencyKind) -> tuple[Category, ...]:
    """Return the categories an agency of a kind can be asked for: its own and those any agency may hold."""
    return tuple(category for category in Category if kind_of(category) in (None, kind))


def date_of(category: Category, mode: Mode, fact: Mapping[str, object]) -> date | None:
    """Return the day a valid fact stands at in a chronology; a month counts as its first day, none as None."""
    for name in _form(category, mode).model.dated_by:
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
    form = _form(category, mode)
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
        form.model.model_validate_json(text)
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
