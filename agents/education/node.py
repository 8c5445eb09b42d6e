"""One element of a transfer file, read field by field: a value in the contract's words, or `FieldBroken`.

Empty text counts as missing. Refuses to know what an element is of; the codes are `mapping`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar
from xml.etree.ElementTree import Element

T = TypeVar("T")

_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER: Final = re.compile(r"[0-9]{1,6}")


class FieldBroken(Exception):
    """A field of a record does not hold. Carries the field's name and never its value."""

    def __init__(self, field_name: str) -> None:
        super().__init__(field_name)
        self.field = field_name


def clean_text(written: str | None) -> str | None:
    """Text as it is written, its hidden characters made spaces; empty text is none."""
    return None if written is None else _HIDDEN.sub(" ", written.replace("\r\n", "\n")).strip() or None


def clean_line(written: str | None) -> str | None:
    """Text on one line."""
    text = clean_text(written)
    return None if text is None else " ".join(text.split())


def read_day(name: str, written: str | None) -> date | None:
    """A day that exists.

    Raises:
        FieldBroken: it is none.
    """
    line = clean_line(written)
    if line is None:
        return None
    try:
        return date.fromisoformat(line if _DAY.fullmatch(line) else "")
    except ValueError:
        raise FieldBroken(name) from None


def read_code(name: str, written: str | None, codes: Mapping[str, T]) -> T | None:
    """What a code is called in the contract.

    Raises:
        FieldBroken: nobody mapped it.
    """
    line = clean_line(written)
    if line is None:
        return None
    try:
        return codes[line]
    except KeyError:
        raise FieldBroken(name) from None


@dataclass(frozen=True, slots=True)
class Node:
    """An element. Its repr shows nothing. Paths are element names with `/`; the last one names a broken field."""

    element: Element = field(repr=False)

    def line(self, path: str) -> str | None:
        """Text on one line."""
        return clean_line(self.element.findtext(path))

    def day(self, path: str) -> date | None:
        """A day that exists. Raises `FieldBroken`."""
        return read_day(_name(path), self.element.findtext(path))

    def code(self, path: str, codes: Mapping[str, T]) -> T | None:
        """What a code is called in the contract. Raises `FieldBroken`."""
        return read_code(_name(path), self.element.findtext(path), codes)

    def number(self, path: str) -> int:
        """A whole number. Raises `FieldBroken` where there is none."""
        written = self.line(path)
        if written is None or _NUMBER.fullmatch(written) is None:
            raise FieldBroken(_name(path))
        return int(written)

    def nodes(self, path: str) -> Iterator[Node]:
        """The elements at a path."""
        return (Node(found) for found in self.element.findall(path))


def _name(path: str) -> str:
    return path.rpartition("/")[2]
