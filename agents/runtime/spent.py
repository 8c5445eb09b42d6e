"""When a conviction or caution is spent (Rehabilitation of Offenders Act 1974 s5, as amended from 28 October 2023).

Pure: sentences and a day in, yes or no out. Who was under 18 when convicted has periods half as long; who is not shown
to have been has an adult's. A sentence that cannot be read, has no length or might never be spent is not: what is not
shown to be spent is not. Decides nothing about what may leave: the label does (R25).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from typing import Final


class Kind(Enum):
    """What sort of sentence it is, as far as the periods tell them apart."""

    CAUTION = "caution"
    """Also an absolute discharge: spent at once."""
    FINE = "fine"
    ORDER = "order"
    """Also a conditional discharge: spent when it ends."""
    CUSTODY = "custody"
    """Suspended or not: the length is the sentence's."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One conviction or caution."""

    on: date
    kind: Kind
    length: tuple[int, str] | None = None
    """Number and unit: days, weeks, months or years."""
    is_specified: bool = True
    """Whether the offence may be one of Schedule 18, Sentencing Code: then more than four years are never spent."""
    was_minor: bool = False
    """Whether the person was under 18 on the date of conviction (s5(2), table B, third column)."""


_ADULT_AGE: Final = 18
_FINE_MONTHS: Final = 12
_ORDER_WITHOUT_END_MONTHS: Final = 24
_AFTER_CUSTODY: Final = ((12, 12), (48, 48))
"""Up to so many months of custody: spent so many months after its end."""
_AFTER_LONG_CUSTODY_MONTHS: Final = 84
_DAYS: Final = {"day": 1, "week": 7}
_MONTHS: Final = {"month": 1, "year": 12}
_LENGTH: Final = re.compile(r"\b(\d{1,4})\s*(day|week|month|year)s?\b", re.IGNORECASE)
_WORDS: Final = (
    (re.compile(r"\b(life|public protection|extended)\b", re.IGNORECASE), Kind.UNKNOWN),
    (re.compile(r"\b(imprisonment|prison|custod\w*|detention|suspended sentence)\b", re.IGNORECASE), Kind.CUSTODY),
    (re.compile(r"\b(community order|youth rehabilitation order|conditional discharge)\b", re.IGNORECASE), Kind.ORDER),
    (re.compile(r"\b(absolute discharge|reprimand|final warning)\b", re.IGNORECASE), Kind.CAUTION),
    (re.compile(r"^\s*fined?\b", re.IGNORECASE), Kind.FINE),
)


def spent(sentences: Sequence[Sequence[Sentence]], today: date) -> list[bool]:
    """Which convictions are spent on a day; each is all the sentences that were passed for it.

    A conviction within the period of an earlier one keeps that one from being spent before itself (s6(4)).
    """
    ends = [_end(conviction) for conviction in sentences]
    began = [max((one.on for one in conviction), default=date.max) for conviction in sentences]
    is_conviction = [any(one.kind is not Kind.CAUTION for one in conviction) for conviction in sentences]
    for later in sorted(range(len(ends)), key=lambda at: began[at], reverse=True):
        for earlier, end in enumerate(ends):
            if is_conviction[later] and is_conviction[earlier] and began[earlier] < began[later] and end is not None:
                until = ends[later]
                if began[later] < end:
                    ends[earlier] = None if until is None else max(end, until)
    return [end is not None and end <= today for end in ends]


def was_minor(births: Iterable[date], on: date) -> bool:
    """Whether somebody was under 18 on a day, by every date of birth that is held, and one is.

    Args:
        on: the date of conviction, or a later one, as that of the sentence is.
    """
    held = tuple(births)
    return bool(held) and all(born <= on < _add_months(born, 12 * _ADULT_AGE) for born in held)


def read_disposal(text: str, *, on: date, is_caution: bool, births: Iterable[date] = ()) -> list[Sentence]:
    """The sentences of a disposal in words, such as `Imprisonment, 24 months; fine`.

    Args:
        births: every date of birth that is held of the person.
    """
    if is_caution:
        return [Sentence(on, Kind.CAUTION if "condition" not in text.casefold() else Kind.UNKNOWN)]
    minor = was_minor(births, on)
    read = [_read(part, on) for part in text.split(";") if part.strip()] or [Sentence(on, Kind.UNKNOWN)]
    return [replace(one, was_minor=minor) for one in read]


def kind_of(text: str) -> Kind:
    """What sort of sentence a description is of."""
    return next((kind for words, kind in _WORDS if words.search(text)), Kind.UNKNOWN)


def _read(part: str, on: date) -> Sentence:
    kind = kind_of(part)
    lengths = _LENGTH.findall(part)
    length = (int(lengths[0][0]), lengths[0][1].lower()) if len(lengths) == 1 else None
    return Sentence(on, kind if len(lengths) <= 1 else Kind.UNKNOWN, length)


def _end(conviction: Sequence[Sentence]) -> date | None:
    """The day from which all of it is spent; None for never, or not known."""
    ends = [_end_of(one) for one in conviction]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _end_of(one: Sentence) -> date | None:
    match one.kind:
        case Kind.CAUTION:
            return one.on
        case Kind.FINE:
            return _add_months(one.on, _period(one, _FINE_MONTHS))
        case Kind.ORDER:
            return _over(one) if one.length is not None else _add_months(one.on, _ORDER_WITHOUT_END_MONTHS)
        case Kind.CUSTODY:
            return _after_custody(one)
        case Kind.UNKNOWN:
            return None


def _after_custody(one: Sentence) -> date | None:
    over = _over(one)
    if over is None:
        return None
    for most, after in _AFTER_CUSTODY:
        if over <= _add_months(one.on, most):
            return _add_months(over, _period(one, after))
    return None if one.is_specified else _add_months(over, _period(one, _AFTER_LONG_CUSTODY_MONTHS))


def _period(one: Sentence, months: int) -> int:
    """A period of table B: a minor's is half an adult's."""
    return months // 2 if one.was_minor else months


def _over(one: Sentence) -> date | None:
    if one.length is None or one.length[0] < 1:
        return None
    number, unit = one.length
    unit = unit.rstrip("s").lower()
    if unit in _DAYS:
        return one.on + timedelta(days=number * _DAYS[unit])
    return _add_months(one.on, number * _MONTHS[unit]) if unit in _MONTHS else None


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
