"""Reading the schools' CSV files: a header that has the columns, and each row whole or told of.

Refuses to know what a column means.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from agents.runtime.exports.folder import OpenFiles
from agents.runtime.source import SourceAway

SCHOOLS: Final = "schools.csv"
ATTENDANCE: Final = "attendance.csv"
SAFEGUARDING: Final = "safeguarding.csv"
PROTECTED: Final = "protected.csv"
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    SCHOOLS: (
        "LEA",
        "Estab",
        "SchoolName",
        "Phase",
        "Address",
        "Telephone",
        "SafeguardingLead",
        "SafeguardingLeadTelephone",
    ),
    ATTENDANCE: ("UPN", "date", "session", "code"),
    SAFEGUARDING: ("UPN", "date", "category", "entry", "action", "recorded_by", "others"),
    PROTECTED: ("UPN", "label"),
}
"""The columns each file must have, in any order."""
FILE_MAX_BYTES: Final = 512 * 1024 * 1024
"""Files that are read whole; the register is not."""


class TableBroken(Exception):
    """A file could not be read on from a row; the rows after it are lost."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Line:
    """One row by column name, or only its first line number where it has not the header's columns."""

    number: int
    values: Mapping[str, str] | None = field(repr=False)
    first: str = field(default="", repr=False)
    """What stands where the header has `UPN`, if anything does."""


def read_header(name: str, columns: list[str]) -> list[str]:
    """The columns of a file, in its order.

    Raises:
        SourceAway: one is missing or there twice: nothing in the file could be told apart.
    """
    found = [column.strip() for column in columns]
    lacking = [column for column in COLUMNS[name] if found.count(column) != 1]
    if lacking:
        raise SourceAway(f"{name} has not exactly one column {lacking[0]}")
    return found


def read_table(name: str, files: OpenFiles, size_bytes: int) -> Iterator[Line]:
    """Each row of a file that is small enough to be read whole.

    Raises:
        SourceAway: the file is away, too large or without its columns.
        TableBroken: it is not UTF-8, or its quotes do not end.
    """
    if size_bytes > FILE_MAX_BYTES:
        raise SourceAway(f"{name} is too large")
    try:
        text = files.read(name, 0, size_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableBroken(_line_of(error)) from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] | None = None
    number = 1
    try:
        for row in rows:
            if columns is None:
                columns = read_header(name, row)
            elif row:
                yield line_of(columns, number, row)
            number = rows.line_num + 1
    except csv.Error:
        raise TableBroken(number) from None
    if columns is None:
        raise SourceAway(f"{name} is empty, without even its header")


def line_of(columns: list[str], number: int, row: list[str]) -> Line:
    """A row under its header."""
    if len(row) == len(columns):
        return Line(number, dict(zip(columns, row, strict=True)))
    at = columns.index("UPN") if "UPN" in columns else 0
    return Line(number, None, row[at] if at < len(row) else "")


def _line_of(error: UnicodeDecodeError) -> int:
    return bytes(error.object[: error.start]).count(b"\n") + 1
