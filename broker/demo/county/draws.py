"""Everything drawn by lot, from one seed: choices, dates, and identifiers that are valid and belong to nobody.

NHS numbers are of the range 999 that is kept for tests; telephones of the ranges Ofcom keeps for drama; e-mail under
`.example` (RFC 2606); postcodes of area ZZ, which does not exist. Refuses to know what is drawn for whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Final, TypeVar

from schemas.identifiers import POLICE_CHECK_LETTERS, UPN_LETTERS

T = TypeVar("T")

LA_NUMBER: Final = "990"
"""Number of the county's local authority in UPNs and school files; no authority has it."""
NHS_SERIALS: Final = 1_000_000
_NHS_STRIDE: Final = 611_953
"""Coprime with the serials: walking by it meets each once, in no visible order."""
_DRAMA_RANGES: Final = (
    "01632 960{:03d}",
    "0113 496 0{:03d}",
    "0114 496 0{:03d}",
    "0115 496 0{:03d}",
    "0116 496 0{:03d}",
    "0117 496 0{:03d}",
    "0118 496 0{:03d}",
    "0121 496 0{:03d}",
    "0151 496 0{:03d}",
    "0161 496 0{:03d}",
    "0191 498 0{:03d}",
    "020 7946 0{:03d}",
    "029 2018 0{:03d}",
)
"""Ofcom, telephone numbers for use in TV and radio drama programmes: a thousand each."""


class Draws:
    """A stream of draws named by what it is for; the same seed and name give the same stream."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._random = Random(f"{seed}/{purpose}")  # noqa: S311 - repeatable on purpose, and guards nothing

    def chance(self, percent: float) -> bool:
        """Return True in so many of a hundred draws."""
        return self._random.random() * 100 < percent

    def one(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[self._random.randrange(len(choices))]

    def some(self, choices: Sequence[T], count: int) -> list[T]:
        """Return `count` different ones of the choices."""
        return self._random.sample(choices, count)

    def number(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return self._random.randint(low, high)

    def day(self, first: date, last: date) -> date:
        """Return a day from `first` to `last`, both included; `first` where the span is empty."""
        return first + timedelta(days=self._random.randint(0, max(0, (last - first).days)))

    def digits(self, count: int) -> str:
        """Return that many digits, not all of them zero."""
        return f"{self._random.randint(1, 10**count - 1):0{count}d}"


def nhs_numbers(draws: Draws) -> Iterator[str]:
    """Yield different valid NHS numbers of the test range 999, about 909,000 of them."""
    serial = draws.number(0, NHS_SERIALS - 1)
    for _ in range(NHS_SERIALS):
        serial = (serial + _NHS_STRIDE) % NHS_SERIALS
        nine = f"999{serial:06d}"
        check = -sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True)) % 11
        if check < 10 and len(set(nine)) > 1:
            yield f"{nine}{check}"


def upns(la_number: str = LA_NUMBER) -> Iterator[str]:
    """Yield different valid UPNs of one local authority, a million of them."""
    for serial in range(1, 1_000_000):
        digits = f"{la_number}{2000 + serial // 1000:04d}20{serial % 1000:03d}"
        weighted = sum(int(digit) * weight for digit, weight in zip(digits, range(2, 14), strict=True))
        yield UPN_LETTERS[weighted % 23] + digits


def telephones() -> Iterator[str]:
    """Yield drama telephone numbers, each range in turn, and again from the start when all are used."""
    while True:
        for last in range(1000):
            for drama_range in _DRAMA_RANGES:
                yield drama_range.format(last)


def mobiles() -> Iterator[str]:
    """Yield drama mobile numbers, and again from the start when all thousand are used."""
    while True:
        for last in range(1000):
            yield f"07700 900{last:03d}"


def pnc(draws: Draws, year: int) -> str:
    """Return a valid PNC id of a year."""
    serial = draws.digits(7)
    return f"{year}/{serial}{POLICE_CHECK_LETTERS[int(f'{year % 100:02d}{serial}') % 23]}"


def cro(draws: Draws, year: int) -> str:
    """Return a valid CRO number of a year."""
    serial = draws.digits(6)
    return f"{serial}/{year % 100:02d}{POLICE_CHECK_LETTERS[int(f'{year % 100:02d}{serial}') % 23]}"


def email(given: str, family: str, number: int) -> str:
    """Return an address under `.example`."""
    return f"{given}.{family}{number}@mail.example".lower()
