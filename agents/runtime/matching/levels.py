"""How far two descriptions of a person agree, field by field: the levels that have a weight.

Only words; levels of different fields are different things, whatever they are called. The comparisons that give them
are `names`, `dates` and `places`; `agents.training` says each of them again in SQL, so that Splink can learn what it is
worth.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class FieldLevel(Enum):
    """A level of any field. Looked up by identity, which is what makes a member equal: each is there once."""

    __hash__ = object.__hash__


class Given(FieldLevel):
    """How far given names agree, the nearest first."""

    SAME = "same"
    """The first word, and no middle name that begins otherwise."""
    FIRST = "first"
    """The first word alone: the middle names begin otherwise."""
    SPELLING = "spelling"
    """Two spellings of one name, from another script or language (`Mohammed`, `Muhammad`)."""
    NICKNAME = "nickname"
    """One is short for the other, or both for a third (`Bill`, `William`)."""
    ALIKE = "alike"
    """Jaro-Winkler similarity of the first words at least 0.92."""
    AMONG = "among"
    """A word of one is anywhere among those of the other: known by the middle name."""
    INITIAL = "initial"
    """One is the other's initial, or its first letters, three or more."""
    NEAR = "near"
    """Jaro-Winkler similarity at least 0.85."""
    OTHER = "other"


class Family(FieldLevel):
    """How far family names agree, the nearest first."""

    SAME = "same"
    SPELLING = "spelling"
    PART = "part"
    """A word of one is among the other's (`Smith`, `Smith-Jones`)."""
    ALIKE = "alike"
    NEAR = "near"
    OTHER = "other"


class Birth(FieldLevel):
    """How far dates of birth agree, the nearest first."""

    SAME = "same"
    SWAPPED = "swapped"
    """Day and month in each other's place."""
    DIGIT = "digit"
    """One digit another, or two neighbours swapped."""
    NEAR = "near"
    """Two of day, month and year agree."""
    OTHER = "other"


class Sex(FieldLevel):
    """Whether the sex agrees, where both say female or male."""

    SAME = "same"
    OTHER = "other"


class Place(FieldLevel):
    """How far addresses agree, the nearest first."""

    SAME = "same"
    """House number and a word of the street, in one postcode or one postcode district."""
    POSTCODE = "postcode"
    LINE = "line"
    """House number and a word of the street, in another district or none."""
    DISTRICT = "district"
    OTHER = "other"


class Number(FieldLevel):
    """Whether numbers agree."""

    SAME = "same"
    """One that has a check digit."""
    UNCHECKED = "unchecked"
    """One without: a slip of the pen makes it somebody else's."""
    OTHER = "other"
    """Both have a number of one kind, and no number is shared."""


FIELDS: Final[dict[str, type[FieldLevel]]] = {
    "given": Given,
    "family": Family,
    "birth": Birth,
    "sex": Sex,
    "place": Place,
    "number": Number,
}
"""Every field that is compared, in the order explanations give them."""
