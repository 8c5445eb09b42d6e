"""What no sum may overrule: rules that make a match less sure, never more.

A sum takes fields for independent, and in families they are not: twins share all but the given name, fathers and sons
all but the year, brothers may be called Mohammed Ali and Mohammed Hassan. Each rule is a line of `GUARDS` with the most
it leaves standing. A shared number means one that both sides have; without one a release needs the full name in some
form of it and the very date of birth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from agents.runtime.matching.levels import Birth, Family, Given, Number, Place, Sex
from agents.runtime.matching.scoring import Agreement

_SURE_GIVEN: Final = frozenset({Given.SAME, Given.SPELLING, Given.NICKNAME})
"""Given names that are one name; whatever is only like it may be a twin's."""
_SURE_FAMILY: Final = frozenset({Family.SAME, Family.SPELLING, Family.PART, Family.ALIKE})
_NEAR_PLACE: Final = frozenset({Place.SAME, Place.POSTCODE, Place.LINE})


class Verdict(IntEnum):
    """What may become of one record."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule by its name, when it holds, and the most it leaves standing."""

    name: str
    holds: Callable[[Agreement], bool]
    leaves: Verdict


def _shares_number(one: Agreement) -> bool:
    return one.number in (Number.SAME, Number.UNCHECKED)


def _is_twin(one: Agreement) -> bool:
    return not _shares_number(one) and one.given is Given.OTHER


def _has_little_in_common(one: Agreement) -> bool:
    """Two of given name, family name and date of birth have to agree in some way, or one and the address."""
    if _shares_number(one):
        return False
    given = one.given is not None and one.given is not Given.OTHER
    family = one.family is not None and one.family is not Family.OTHER
    if one.birth is Birth.SAME:
        return not (family or (given and one.place in _NEAR_PLACE) or one.is_turned)
    if one.birth is Birth.OTHER:
        return not (given and family and one.place in _NEAR_PLACE)
    return not (given and family)


def _may_be_a_twin(one: Agreement) -> bool:
    return not _shares_number(one) and one.given not in _SURE_GIVEN


def _is_turned(one: Agreement) -> bool:
    return one.is_turned


def _has_another_family_name(one: Agreement) -> bool:
    return not _shares_number(one) and one.family not in _SURE_FAMILY


def _is_not_of_the_date(one: Agreement) -> bool:
    return not _shares_number(one) and one.birth is not Birth.SAME


def _number_is_contradicted(one: Agreement) -> bool:
    """Somebody else's number under this name or date of birth; who married or was renamed keeps the rest."""
    if not _shares_number(one):
        return False
    if one.birth not in (Birth.SAME, None) or one.given is Given.OTHER:
        return True
    return one.family is Family.OTHER and not (one.given in _SURE_GIVEN and one.birth is Birth.SAME)


def _has_another_number(one: Agreement) -> bool:
    return one.number is Number.OTHER


def _is_of_another_sex(one: Agreement) -> bool:
    return not _shares_number(one) and one.sex is Sex.OTHER


GUARDS: Final = (
    Guard("twin", _is_twin, Verdict.NO),
    Guard("little-in-common", _has_little_in_common, Verdict.NO),
    Guard("may-be-a-twin", _may_be_a_twin, Verdict.MAYBE),
    Guard("names-turned", _is_turned, Verdict.MAYBE),
    Guard("family-name-not-the-same", _has_another_family_name, Verdict.MAYBE),
    Guard("birth-date-not-the-same", _is_not_of_the_date, Verdict.MAYBE),
    Guard("number-contradicted", _number_is_contradicted, Verdict.MAYBE),
    Guard("another-number", _has_another_number, Verdict.MAYBE),
    Guard("another-sex", _is_of_another_sex, Verdict.MAYBE),
)
"""Every rule. All that hold are told in an explanation; the strictest counts."""


@lru_cache(maxsize=4096)
def guards_of(agreement: Agreement) -> tuple[Guard, ...]:
    """The rules that hold for a record."""
    return tuple(guard for guard in GUARDS if guard.holds(agreement))
