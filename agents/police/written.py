"""How what is asked may be written in a force's columns: family names, identifiers, postcodes, dates of birth.

Pure. Every form is a value to be bound, so that a plain index finds it; the comparing that no index can do is
`agents.runtime.matching.text`. Refuses to know any table.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from agents.runtime.matching.candidates import family_keys, name_letters
from agents.runtime.matching.names import fold_name
from agents.runtime.matching.text import postcode_key, words_of
from agents.runtime.source import PersonAddress, PersonName
from schemas.identifiers import Identifier, IdentifierKind

_ASCII_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
"""SQLite, and PostgreSQL in the C locale, fold these letters only."""
_OUTWARD: Final = slice(None, -3)
_INWARD: Final = slice(-3, None)


def family_forms(names: Iterable[PersonName]) -> frozenset[str]:
    """Family names in small letters, in the spellings that are the same name: joined, spaced, hyphened, O'.

    Other spellings of one name, in another alphabet's letters for one, and each part of a double name count too.
    """
    names = tuple(names)
    forms: set[str] = set()
    for name in names:
        words = words_of(name.family)
        if not words:
            continue
        plain = " ".join(name.family.split())
        forms |= {plain.lower(), plain.translate(_ASCII_LOWER)}
        forms |= {"".join(words), " ".join(words), "-".join(words)}
        if words[0].startswith("o") and len(words[0]) > 3:
            forms.add("o'" + "".join(words)[1:])
    forms.update(family_keys(fold_name(name) for name in names))
    return frozenset(forms | {form.replace("’", "'") for form in forms})


def given_letters(names: Iterable[PersonName]) -> frozenset[str]:
    """First letters, small, that a given name may begin with which is the same: nicknames and other spellings too."""
    names = tuple(names)
    letters = set(name_letters(fold_name(name) for name in names)[1])
    for name in names:
        letters |= {word[0] for word in words_of(name.given)[:1]}
        letters |= {name.given.strip()[:1].lower()}
    return frozenset(letters - {""})


def identifier_forms(identifier: Identifier) -> frozenset[str]:
    """The canonical form first of all, and the ways systems shorten it."""
    value = identifier.value
    if identifier.kind is IdentifierKind.PNC:
        year, serial, letter = value[:4], value[5:12], value[12:]
        short = serial.lstrip("0") + letter
        return frozenset(
            {value, f"{year}{serial}{letter}", f"{year}/{short}", f"{year[2:]}/{value[5:]}"} | {f"{year[2:]}/{short}"}
        )
    if identifier.kind is IdentifierKind.CRO:
        return frozenset({value, value.lstrip("0")})
    if identifier.kind is IdentifierKind.NHS_NUMBER:
        parts = value[:3], value[3:6], value[6:]
        return frozenset({value, " ".join(parts), "-".join(parts)})
    return frozenset({value})


def postcode_forms(addresses: Iterable[PersonAddress]) -> frozenset[str]:
    """Whole postcodes in capitals, with and without their space."""
    keys = {postcode_key(address.postcode) for address in addresses} - {""}
    return frozenset(keys | {f"{key[_OUTWARD]} {key[_INWARD]}" for key in keys})


def day_of(written: str | None) -> date | None:
    """A written date; nothing where it is none: it could be any."""
    try:
        return date.fromisoformat((written or "")[:10])
    except ValueError:
        return None
