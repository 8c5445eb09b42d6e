"""The identifiers agencies know a person by: text in, one canonical form out, or a refusal.

Owns shape, check digit and canonical form of six identifiers (DOMAIN section 3.1). Refuses to know whether such a
number was ever issued, to whom, and what day it is: the canonical form of a text never changes. An identifier that is
not valid is never used for matching, so every parser refuses rather than guesses. No refusal carries the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from schemas.failures import Rejected

TEXT_MAX_CHARACTERS: Final = 32
"""Longest text looked at; the longest written form of any kind is 13 characters and its spaces."""

POLICE_CHECK_LETTERS: Final = "ZABCDEFGHJKLMNPQRTUVWXY"
"""Check letter of a PNC or CRO number by the remainder of division by 23."""

UPN_LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""Check letter of a UPN by the remainder of division by 23; also the value of a temporary UPN's last letter."""

PNC_FIRST_TWO_DIGIT_YEAR_OF_1900S: Final = 50
"""Two-digit years below it are 20xx. Fixed: a form that follows the calendar would change under a stored value."""


class IdentifierKind(StrEnum):
    """The identifiers that may be matched on."""

    NHS_NUMBER = "nhs_number"
    UPN = "upn"
    PNC = "pnc"
    CRO = "cro"
    CRN = "crn"
    NOMS = "noms"


class Rule(StrEnum):
    """What an identifier can break."""

    SHAPE = "shape"
    """Not the letters and digits of this kind, in their places."""
    CHECK = "check"
    """The check digit or letter does not belong to the rest."""
    PLACEHOLDER = "placeholder"
    """A number that systems fill in where they have none."""
    AMBIGUOUS = "ambiguous"
    """Readable as two different identifiers; written with its slash it would not be."""


class IdentifierInvalid(Rejected):
    """A text is not an identifier of the kind asked for; says which rule it broke and never the text."""

    code = "identifier_invalid"

    def __init__(self, kind: IdentifierKind, rule: Rule) -> None:
        super().__init__(f"{kind.value} breaks the rule {rule.value}")
        self.kind = kind
        self.rule = rule


_NHS_SHAPE = re.compile(r"[0-9]{10}|[0-9]{3} [0-9]{3} [0-9]{4}|[0-9]{3}-[0-9]{3}-[0-9]{4}")
_UPN_SHAPE = re.compile(r"([A-HJ-NP-RT-Z])([0-9]{11})([0-9A-HJ-NP-RT-Z])")
_PNC_WITH_SLASH = re.compile(r"((?:19|20)?[0-9]{2})/([0-9]{1,7})([A-Z])")
_PNC_LONG = re.compile(r"((?:19|20)[0-9]{2})([0-9]{7})([A-Z])")
_PNC_SHORT = re.compile(r"([0-9]{2})([0-9]{1,7})([A-Z])")
_CRO_STANDARD = re.compile(r"([0-9]{1,6})/([0-9]{2})([A-Z])")
_CRO_SF = re.compile(r"SF([0-9]{2})/([0-9]{1,6})([A-Z])")
_CRN_SHAPE = re.compile(r"[A-Z]([0-9]{6})")
_NOMS_SHAPE = re.compile(r"[A-Z]([0-9]{4})[A-Z]{2}")


def parse_nhs_number(text: str) -> str:
    """Return an NHS number as ten digits; single spaces or hyphens in the 3-3-4 places are taken away.

    The check digit is 11 minus the sum weighted 10 to 2 modulo 11; 11 counts as 0 and 10 is never issued. Numbers of
    one repeated digit pass that sum and are placeholders.

    Raises:
        IdentifierInvalid: shape, placeholder or check.

    Source: NHS Data Dictionary, NHS NUMBER; DOMAIN section 3.1.
    """
    kind = IdentifierKind.NHS_NUMBER
    written = _written(kind, text)
    if _NHS_SHAPE.fullmatch(written) is None:
        raise IdentifierInvalid(kind, Rule.SHAPE)
    digits = written.replace(" ", "").replace("-", "")
    if len(set(digits)) == 1:
        raise IdentifierInvalid(kind, Rule.PLACEHOLDER)
    check = -sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    if check != int(digits[9]):
        raise IdentifierInvalid(kind, Rule.CHECK)
    return digits


def parse_upn(text: str) -> str:
    """Return a unique pupil number: check letter and 12 digits, or 11 digits and a letter where it is temporary.

    Raises:
        IdentifierInvalid: shape, placeholder or check.

    Source: DfE UPN guide; school census rule 1510; DOMAIN section 3.1.
    """
    kind = IdentifierKind.UPN
    written = _written(kind, text)
    shape = _UPN_SHAPE.fullmatch(written)
    if shape is None:
        raise IdentifierInvalid(kind, Rule.SHAPE)
    letter, digits, last = shape.groups()
    _refuse_zeros(kind, digits)
    values = [*map(int, digits), int(last) if last.isdigit() else UPN_LETTERS.index(last)]
    weighted = sum(value * weight for value, weight in zip(values, range(2, 14), strict=True))
    if UPN_LETTERS[weighted % 23] != letter:
        raise IdentifierInvalid(kind, Rule.CHECK)
    return written


def parse_pnc(text: str) -> str:
    """Return a PNC id as `YYYY/NNNNNNNX`; a two-digit year, an unpadded serial and a missing slash are understood.

    Without its slash a text that starts 19 or 20 and is not of full length could be a two- or a four-digit year:
    refused as ambiguous, since a wrong reading would be another person.

    Raises:
        IdentifierInvalid: shape, ambiguous, placeholder or check.

    Source: hmpps-person-record PNCIdentifier (years 00 to 49 are 20xx here, whatever the date); DOMAIN section 3.1.
    """
    kind = IdentifierKind.PNC
    written = _written(kind, text)
    shape = _PNC_WITH_SLASH.fullmatch(written) or _PNC_LONG.fullmatch(written)
    if shape is None:
        shape = _PNC_SHORT.fullmatch(written)
        if shape is None:
            raise IdentifierInvalid(kind, Rule.SHAPE)
        # Four digits of year and at least one of serial before the letter: only then is there a second reading.
        if shape[1] in {"19", "20"} and len(written) > 5:
            raise IdentifierInvalid(kind, Rule.AMBIGUOUS)
    year, serial, letter = shape[1], shape[2].zfill(7), shape[3]
    _refuse_zeros(kind, serial)
    _check_police_letter(kind, year[-2:] + serial, letter)
    if len(year) == 2:
        year = ("20" if int(year) < PNC_FIRST_TWO_DIGIT_YEAR_OF_1900S else "19") + year
    return f"{year}/{serial}{letter}"


def parse_cro(text: str) -> str:
    """Return a CRO number as `NNNNNN/YYX`, or as `SFYY/N..X`, whose serial of up to five digits has no leading zero.

    Raises:
        IdentifierInvalid: shape, placeholder or check.

    Source: hmpps-person-record CROIdentifier and its list of valid numbers; DOMAIN section 3.1.
    """
    kind = IdentifierKind.CRO
    written = _written(kind, text)
    if (standard := _CRO_STANDARD.fullmatch(written)) is not None:
        serial, year, letter = standard[1].zfill(6), standard[2], standard[3]
        canonical = f"{serial}/{year}{letter}"
    elif (sf := _CRO_SF.fullmatch(written)) is not None:
        # The letter of a short serial is that of five digits, though it is written without its zeros.
        year, serial, letter = sf[1], sf[2].zfill(5), sf[3]
        canonical = f"SF{year}/{serial if len(serial) > 5 else serial.lstrip('0')}{letter}"
    else:
        raise IdentifierInvalid(kind, Rule.SHAPE)
    _refuse_zeros(kind, serial)
    _check_police_letter(kind, year + serial, letter)
    return canonical


def parse_crn(text: str) -> str:
    """Return a probation case reference number: a letter and six digits. It has no check digit.

    Raises:
        IdentifierInvalid: shape or placeholder.

    Source: hmpps-integration-api CrnSupplier; DOMAIN section 3.1.
    """
    return _unchecked(IdentifierKind.CRN, _CRN_SHAPE, text)


def parse_noms(text: str) -> str:
    """Return a prison (NOMS) number: a letter, four digits and two letters. It has no check digit.

    Raises:
        IdentifierInvalid: shape or placeholder.

    Source: hmpps-integration-api GetPersonService; DOMAIN section 3.1.
    """
    return _unchecked(IdentifierKind.NOMS, _NOMS_SHAPE, text)


_PARSERS: Final[Mapping[IdentifierKind, Callable[[str], str]]] = {
    IdentifierKind.NHS_NUMBER: parse_nhs_number,
    IdentifierKind.UPN: parse_upn,
    IdentifierKind.PNC: parse_pnc,
    IdentifierKind.CRO: parse_cro,
    IdentifierKind.CRN: parse_crn,
    IdentifierKind.NOMS: parse_noms,
}


def canonical_identifier(kind: IdentifierKind, text: str) -> str:
    """Return the canonical form of `text` as an identifier of `kind`.

    Raises:
        IdentifierInvalid: the text breaks a rule of that kind.
    """
    return _PARSERS[kind](text)


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier that is canonical and whose check digit holds; nothing else can be built. Its repr hides the value.

    Raises:
        IdentifierInvalid: the value is not valid, or not in its canonical form.
    """

    kind: IdentifierKind
    value: str = field(repr=False)

    def __post_init__(self) -> None:
        if canonical_identifier(self.kind, self.value) != self.value:
            raise IdentifierInvalid(self.kind, Rule.SHAPE)


def parse_identifier(kind: IdentifierKind, text: str) -> Identifier:
    """Return the identifier that `text` says in any of the written forms of `kind`.

    Raises:
        IdentifierInvalid: the text breaks a rule of that kind.
    """
    return Identifier(kind, canonical_identifier(kind, text))


def _written(kind: IdentifierKind, text: str) -> str:
    """Strip outer spaces and fold letters, for ASCII alone: no other script has digits or letters here."""
    if len(text) > TEXT_MAX_CHARACTERS or not text.isascii():
        raise IdentifierInvalid(kind, Rule.SHAPE)
    return text.strip(" ").upper()


def _refuse_zeros(kind: IdentifierKind, digits: str) -> None:
    if not digits.strip("0"):
        raise IdentifierInvalid(kind, Rule.PLACEHOLDER)


def _check_police_letter(kind: IdentifierKind, digits: str, letter: str) -> None:
    if POLICE_CHECK_LETTERS[int(digits) % 23] != letter:
        raise IdentifierInvalid(kind, Rule.CHECK)


def _unchecked(kind: IdentifierKind, shape: re.Pattern[str], text: str) -> str:
    written = _written(kind, text)
    match = shape.fullmatch(written)
    if match is None:
        raise IdentifierInvalid(kind, Rule.SHAPE)
    _refuse_zeros(kind, match[1])
    return written
