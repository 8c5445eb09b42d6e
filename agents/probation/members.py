"""One JSON object of an export, read member by member: a value in the contract's words, or `MemberBroken`.

Missing, null and empty text are the same: not held. Members that nobody reads are no error, for an API grows. Refuses
to know what an object is of; the codes are `mapping`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

T = TypeVar("T")

_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9:.]{5,16}(?:Z|[+-][0-9]{2}:[0-9]{2})?)?")
"""A date, or the date of a local time."""
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What no text field of the contract may hold, and what case systems keep of other systems' line ends."""


class MemberBroken(Exception):
    """A member does not hold. Carries its name and never its value."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Members:
    """One JSON object. Its repr shows nothing."""

    values: Mapping[str, Any] = field(repr=False)

    def text(self, name: str) -> str | None:
        """Text as it is written, without hidden characters and outer space."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise MemberBroken(name)
        return _HIDDEN.sub(" ", value.replace("\r\n", "\n")).strip() or None

    def line(self, name: str) -> str | None:
        """Text on one line."""
        written = self.text(name)
        return None if written is None else " ".join(written.split())

    def date(self, name: str) -> date | None:
        """A day that exists; of a time, its day."""
        written = self.text(name)
        return None if written is None else _date(written, name)

    def day(self, name: str) -> str | None:
        """A day that exists, `YYYY-MM-DD`."""
        found = self.date(name)
        return None if found is None else found.isoformat()

    def days(self, name: str) -> tuple[str, ...] | None:
        """Several days."""
        return tuple(_date(one, name).isoformat() for one in self._several(name, str)) or None

    def moment(self, name: str) -> datetime | None:
        """A second in UTC. A time without an offset does not hold: it could be either side of a change of clocks."""
        written = self.text(name)
        if written is None:
            return None
        try:
            found = datetime.fromisoformat(written)
        except ValueError:
            raise MemberBroken(name) from None
        if found.tzinfo is None:
            raise MemberBroken(name)
        return found.astimezone(UTC).replace(microsecond=0)

    def flag(self, name: str) -> bool | None:
        """Yes or no."""
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise MemberBroken(name)

    def number(self, name: str) -> int | None:
        """A whole number."""
        value = self.values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise MemberBroken(name)

    def pence(self, name: str) -> int | None:
        """An amount of pounds, as pence."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise MemberBroken(name)
        pence = Decimal(value) * 100
        if not pence.is_finite() or pence != int(pence):
            raise MemberBroken(name)
        return int(pence)

    def code(self, name: str, codes: Mapping[str, T]) -> T | None:
        """What a code is called in the contract."""
        written = self.text(name)
        if written is None:
            return None
        try:
            return codes[written]
        except KeyError:
            raise MemberBroken(name) from None

    def inner(self, name: str) -> Members | None:
        """An object within."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise MemberBroken(name)
        return Members(value)

    def objects(self, name: str) -> Sequence[Members]:
        """The objects of a list within."""
        return [Members(one) for one in self._several(name, dict)]

    def texts(self, name: str) -> Sequence[str]:
        """The texts of a list within."""
        return self._several(name, str)

    def _several(self, name: str, kind: type[T]) -> Sequence[T]:
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, kind) for one in value):
            raise MemberBroken(name)
        return value


def _date(written: str, name: str) -> date:
    shape = _DAY.fullmatch(written)
    try:
        return date.fromisoformat(shape[1] if shape else "")
    except ValueError:
        raise MemberBroken(name) from None
