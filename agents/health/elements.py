"""FHIR R4 data types as far as they are read: small models, strict about what is used and blind to all else.

Text loses hidden characters and outer space; a date that says less than a day is no date. Refuses to know any resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agents.health import mapping

_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_TIME: Final = r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
_DAY: Final = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})({_TIME})?")
_LESS_THAN_A_DAY: Final = re.compile(r"[0-9]{4}(-[0-9]{2})?")
_ID: Final = "[A-Za-z0-9.-]{1,64}"
_REFERENCE: Final = re.compile(rf"(?:.*/)?([A-Z][A-Za-z]+)/({_ID})(?:/_history/{_ID})?", re.DOTALL)


def clean_text(value: object) -> object:
    """Text as it is written, its hidden characters made spaces; empty text is none."""
    if not isinstance(value, str):
        return value
    return _HIDDEN.sub(" ", value.replace("\r\n", "\n")).strip() or None


def clean_line(value: object) -> object:
    """Text on one line."""
    if isinstance(value, str) and value.isprintable() and "  " not in value:
        return value.strip() or None  # nearly every value of millions: nothing is hidden in it
    text = clean_text(value)
    return " ".join(text.split()) if isinstance(text, str) else text


def read_day(value: object) -> object:
    """The day of a FHIR date or dateTime, as it was written down where it happened.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(value, str) or _LESS_THAN_A_DAY.fullmatch(value):
        return None if isinstance(value, str) else value
    shape = _DAY.fullmatch(value)
    return date.fromisoformat(shape[1] if shape else "")


def split_reference(reference: str) -> tuple[str, str] | None:
    """Kind and id of what a reference leads to, relative or absolute; None where it is neither."""
    shape = _REFERENCE.fullmatch(reference)
    return None if shape is None else (shape[1], shape[2])


Line = Annotated[str | None, BeforeValidator(clean_line)]
Text = Annotated[str | None, BeforeValidator(clean_text)]
Day = Annotated[date | None, BeforeValidator(read_day)]


class Element(BaseModel):
    """Part of a resource. Its repr and its errors show no value."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ()


class Coding(Element):
    """A code of a code system."""

    system: Line = None
    code: Line = None
    display: Line = None


class Concept(Element):
    """A CodeableConcept."""

    coding: tuple[Coding, ...] = ()
    text: Line = None

    @property
    def codes(self) -> tuple[str, ...]:
        """Its codes, of whatever system."""
        return tuple(one.code for one in self.coding if one.code)

    @property
    def words(self) -> str | None:
        """Its text, or the display of its first coding."""
        return self.text or next((one.display for one in self.coding if one.display), None)


class Period(Element):
    """When something began and ended."""

    start: Day = None
    end: Day = None


class Reference(Element):
    """What leads to another resource."""

    reference: Line = None
    display: Line = None


class ContactPoint(Element):
    """A telephone number or an address for e-mail."""

    system: Line = None
    value: Line = None


class HumanName(Element):
    """A name."""

    use: Line = None
    family: Line = None
    given: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()

    @property
    def given_names(self) -> str:
        """All given names."""
        return " ".join(" ".join(self.given).split())


class Address(Element):
    """An address and when it held."""

    use: Line = None
    line: tuple[str, ...] = ()
    city: Line = None
    district: Line = None
    postal_code: Annotated[Line, Field(alias="postalCode")] = None
    period: Period = Period()


class Extension(Element):
    """An extension, as far as the status of an NHS number needs it."""

    url: Line = None
    concept: Annotated[Concept, Field(alias="valueCodeableConcept")] = Concept()


class PatientIdentifier(Element):
    """A number of a patient."""

    system: Line = None
    value: Line = None
    extension: tuple[Extension, ...] = ()

    @property
    def is_verified_nhs_number(self) -> bool:
        """An NHS number whose status, where one is given, is that it was verified."""
        statuses = [one.concept.codes for one in self.extension if one.url == mapping.VERIFICATION]
        return self.system == mapping.NHS_NUMBER and all(mapping.VERIFIED in codes for codes in statuses)
