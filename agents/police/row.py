"""One row of the force's database, read field by field: a value in the contract's words, or `FieldBroken`.

Empty text counts as missing. Refuses to know what a row is of; the codes are `mapping`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar

T = TypeVar("T")

_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]00:00:00(?:\.0+)?)?")
"""A date; a system that keeps midnights for dates is understood."""
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What no text field of the contract may hold, and what case systems keep of other systems' line ends."""


class FieldBroken(Exception):
    """A field of a row does not hold. Carries the column's name and never its value."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


@dataclass(frozen=True, slots=True)
class Row:
    """One row by column name. Its repr shows nothing."""

    values: Mapping[str, Any] = field(repr=False)

    def ref(self, column: str) -> str:
        """A key, as text."""
        return str(self.values[column])

    def date(self, column: str) -> date | None:
        """A day that exists."""
        written = self.text(column)
        if written is None:
            return None
        shape = _DAY.fullmatch(written)
        try:
            return date.fromisoformat(shape[1] if shape else "")
        except ValueError:
            raise FieldBroken(column) from None

    def day(self, column: str) -> str | None:
        """A day that exists, `YYYY-MM-DD`."""
        found = self.date(column)
        return None if found is None else found.isoformat()

    def text(self, column: str) -> str | None:
        """Text as it is written, without hidden characters and outer space."""
        value = self.values[column]
        if value is None:
            return None
        written = str(value).replace("\r\n", "\n")
        return _HIDDEN.sub(" ", written).strip() or None

    def line(self, column: str) -> str | None:
        """Text on one line."""
        written = self.text(column)
        return None if written is None else " ".join(written.split())

    def number(self, column: str) -> int | None:
        """A whole number."""
        value = self.values[column]
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise FieldBroken(column)

    def code(self, column: str, codes: Mapping[str, T]) -> T | None:
        """What a code is called in the contract."""
        written = self.text(column)
        if written is None:
            return None
        try:
            return codes[written]
        except KeyError:
            raise FieldBroken(column) from None
