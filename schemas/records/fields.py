"""The types of field a record is made of: their limits, and the markers policy and minimising find them by.

JSON-safe types only: text, whole numbers, booleans, dates as text, lists and nested parts; a share is whole tenths of a
per cent and money whole pence, with the unit in the field's name. Refuses to know any one category.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, Field, StringConstraints

from schemas.identifiers import IdentifierInvalid, IdentifierKind, canonical_identifier

TEXT_MAX_CHARACTERS: Final = 200
"""A name, a title, one line of an address: longer is free text that was put in the wrong field."""
FREE_TEXT_MAX_CHARACTERS: Final = 4_000
"""Four times the longest summary box found in case systems; more is a document, which is not shared as a fact."""
SEVERAL_MAX: Final = 50
"""Most parts of one list in one fact; a source with more sends more facts."""
COUNT_MAX: Final = 1_000_000
PENCE_MAX: Final = 10**12

# Control characters would break a log or a terminal, and bidirectional overrides make a text read as another.
_HIDDEN: Final = r"\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_LINE: Final = rf"^[^\u0000-\u001f{_HIDDEN}]+$"
_LINES: Final = rf"^[^\u0000-\u0008\u000b-\u001f{_HIDDEN}]+$"


class Marker(StrEnum):
    """What a field holds beside the subject's own record; read by policy and minimising, never by validation."""

    FREE_TEXT = "free_text"
    """Written by hand: may say anything about anyone."""
    THIRD_PARTY = "third_party"
    """About people other than the subject."""
    OFFICER_CONTACT = "officer_contact"
    """Name or contact details of a worker."""
    WHEREABOUTS = "whereabouts"
    """Tells where the subject can be found: by the place, by who works there, or by the area they answer for (DOMAIN
    section 6.4, R22 and R23)."""


T = TypeVar("T")

Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_MAX_CHARACTERS, pattern=_LINE)]
FreeText = Annotated[
    str, StringConstraints(min_length=1, max_length=FREE_TEXT_MAX_CHARACTERS, pattern=_LINES), Marker.FREE_TEXT
]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/][A-Za-z0-9 ./_:()&+-]{0,63}$")]
"""A code or reference of a source system."""
Several = Annotated[tuple[T, ...], Field(max_length=SEVERAL_MAX)]
Count = Annotated[int, Field(ge=0, le=COUNT_MAX)]
PercentTenths = Annotated[int, Field(ge=0, le=1000)]
"""Tenths of a per cent: 934 is 93.4 %."""
Pence = Annotated[int, Field(ge=0, le=PENCE_MAX)]
UkPostcode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,4} ?[A-Z0-9]{0,4}$")]
"""A postcode or its outward half, in capitals."""
Telephone = Annotated[str, StringConstraints(pattern=r"^[0-9+()][0-9+() -]{2,30}( ?x[0-9]{1,6})?$")]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\u0000-\u001f]{1,64}@[A-Za-z0-9.-]{1,189}$")]


def holds_any_wording(note: object) -> bool:
    """Say whether an annotation's note is that of a text, which may be written over with a mask; a code may not."""
    return isinstance(note, StringConstraints) and note.pattern in (_LINE, _LINES)


def _real_date(text: str) -> str:
    date.fromisoformat(text)
    return text


def _real_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


IsoDate = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_real_date)]
"""A day that exists, `YYYY-MM-DD`."""
YearMonth = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Moment = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
    AfterValidator(_real_moment),
]
"""A second in UTC, `YYYY-MM-DDTHH:MM:SSZ`."""


def _canonical(kind: IdentifierKind) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            canonical = canonical_identifier(kind, text)
        except IdentifierInvalid as invalid:
            raise ValueError(invalid.detail) from None
        if canonical != text:
            raise ValueError(f"{kind.value} is not in its canonical form")
        return text

    return check


NhsNumber = Annotated[str, AfterValidator(_canonical(IdentifierKind.NHS_NUMBER))]
Upn = Annotated[str, AfterValidator(_canonical(IdentifierKind.UPN))]
Pnc = Annotated[str, AfterValidator(_canonical(IdentifierKind.PNC))]
Cro = Annotated[str, AfterValidator(_canonical(IdentifierKind.CRO))]
Crn = Annotated[str, AfterValidator(_canonical(IdentifierKind.CRN))]
Noms = Annotated[str, AfterValidator(_canonical(IdentifierKind.NOMS))]

OfficerName = Annotated[Text, Marker.OFFICER_CONTACT]
OfficerTelephone = Annotated[Telephone, Marker.OFFICER_CONTACT]
OfficerEmail = Annotated[Email, Marker.OFFICER_CONTACT]

_SOURCE: Final = re.compile(r"\. Source: [^.]")


def noted(meaning: str, source: str) -> Any:
    """Return an optional field that says what it means, in what unit, and which standard names it.

    Every field may be missing: a source may not hold it and minimising may take it away. Missing is never null.
    """
    return Field(default=None, description=f"{meaning}. Source: {source}.")


def has_source(description: str | None) -> bool:
    """Say whether a field's description was made by `noted`."""
    return description is not None and _SOURCE.search(description) is not None
