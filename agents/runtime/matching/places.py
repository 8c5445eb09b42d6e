"""How far two addresses agree: house number, words of the street, postcode. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from agents.runtime.matching.levels import Place
from agents.runtime.matching.text import LONGEST_NAME, postcode_key, words_of
from agents.runtime.source import PersonAddress

_INWARD: Final = -3
_GENERIC: Final = frozenset(
    {"street", "st", "road", "rd", "close", "cl", "lane", "ln", "terrace", "ter", "gardens", "gdns", "avenue", "ave"}
    | {"drive", "dr", "court", "ct", "place", "pl", "crescent", "cres", "way", "house", "flat", "the", "apartment"}
)
"""Words of a line that many streets share."""


@dataclass(frozen=True, slots=True)
class FoldedPlace:
    """An address as it is compared; each part is empty where it is not known."""

    number: str = field(repr=False)
    """Everything in the line that has a digit, joined: house and flat."""
    street: frozenset[str] = field(repr=False)
    postcode: str = field(repr=False)

    @property
    def district(self) -> str:
        """The outward half of the postcode."""
        return self.postcode[:_INWARD]

    def __bool__(self) -> bool:
        return bool(self.postcode or (self.number and self.street))


def fold_place(address: PersonAddress) -> FoldedPlace:
    """An address as it is compared; a line too long to be one is none."""
    line = address.line or ""
    number, street = _fold_line(line) if len(line) <= LONGEST_NAME else ("", frozenset[str]())
    return FoldedPlace(number, street, postcode_key(address.postcode))


def compare_places(one: FoldedPlace, other: FoldedPlace) -> Place | None:
    """The level two addresses agree on; None where they have nothing to compare by."""
    lines = bool(one.number and one.street and other.number and other.street)
    if not (one.postcode and other.postcode) and not lines:
        return None
    is_line = lines and one.number == other.number and not one.street.isdisjoint(other.street)
    if one.postcode and one.postcode == other.postcode:
        return Place.SAME if is_line else Place.POSTCODE
    is_near = bool(one.postcode) and one.district == other.district
    if is_line:
        return Place.SAME if is_near else Place.LINE
    return Place.DISTRICT if is_near else Place.OTHER


@lru_cache(maxsize=16384)
def _fold_line(line: str) -> tuple[str, frozenset[str]]:
    words = words_of(line)
    numbers = [word for word in words if any(letter.isdigit() for letter in word)]
    street = frozenset(word for word in words if not any(letter.isdigit() for letter in word))
    return " ".join(numbers), street - _GENERIC or street
