"""A pupil's marks out of the register, and what they come to: whole sessions and tenths of a per cent, never fractions.

Refuses to know whose they are.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from agents.education import mapping
from agents.education.mapping import Counts, Mark
from agents.education.node import FieldBroken, read_code, read_day
from agents.education.roll import Run
from agents.education.tables import ATTENDANCE, line_of, read_header
from agents.runtime.exports.folder import OpenFiles
from schemas.records.education import HalfDay

HEADER_MAX_BYTES: Final = 4096
FIRST_MONTH: Final = 9
"""A school year begins in September and is named by the year it ends in."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session's mark."""

    day: date = field(repr=False)
    half: HalfDay = field(repr=False)
    mark: Mark = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrokenMark:
    """A row of the register that does not hold."""

    line: int
    field: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Sessions of a school year, in numbers."""

    possible: int
    attended: int
    unauthorised: int


def read_sessions(
    runs: Iterable[Run], files: OpenFiles, counts: Mapping[Mark, Counts]
) -> tuple[list[Session], list[BrokenMark]]:
    """The sessions of those rows, each once and in order, and the rows that do not hold.

    Raises:
        SourceAway: the register is another by now.
    """
    head = files.read(ATTENDANCE, 0, HEADER_MAX_BYTES).decode("utf-8-sig", "replace")
    columns = read_header(ATTENDANCE, next(csv.reader([head.partition("\n")[0].rstrip("\r")]), []))
    marks: dict[tuple[date, HalfDay], Mark] = {}
    broken: list[BrokenMark] = []
    for run in runs:
        text = files.read(ATTENDANCE, run.at_bytes, run.length_bytes).decode("utf-8", "replace")
        for number, row in enumerate(text.split("\n"), start=run.line):
            if row.strip():
                try:
                    _take_in(marks, _session(columns, number, row, counts))
                except FieldBroken as failed:
                    broken.append(BrokenMark(number, failed.field))
    order = list(HalfDay)
    found = sorted(marks.items(), key=lambda one: (one[0][0], order.index(one[0][1])))
    return [Session(day, half, mark) for (day, half), mark in found], broken


def tally(sessions: Iterable[Session], counts: Mapping[Mark, Counts]) -> Tally:
    """What sessions come to."""
    kinds = [counts[session.mark] for session in sessions]
    return Tally(
        possible=len(kinds) - kinds.count(Counts.NOT),
        attended=kinds.count(Counts.ATTENDED),
        unauthorised=kinds.count(Counts.UNAUTHORISED),
    )


def tenths(part: int, whole: int) -> int | None:
    """A share in whole tenths of a per cent, halves up; none of nothing."""
    return None if whole == 0 else (part * 2000 + whole) // (2 * whole)


def school_year(day: date) -> int:
    """The year that a day's school year ends in."""
    return day.year + 1 if day.month >= FIRST_MONTH else day.year


def _session(columns: list[str], number: int, row: str, counts: Mapping[Mark, Counts]) -> Session:
    values = line_of(columns, number, next(csv.reader([row.rstrip("\r")]), [])).values
    if values is None:
        raise FieldBroken("columns")
    day = read_day("date", values["date"])
    half = read_code("session", values["session"], mapping.SESSIONS)
    mark = read_code("code", values["code"], {one.value: one for one in counts})
    if day is None or half is None or mark is None:
        raise FieldBroken("date" if day is None else "session" if half is None else "code")
    return Session(day, half, mark)


def _take_in(marks: dict[tuple[date, HalfDay], Mark], session: Session) -> None:
    """A child on two rolls has two marks of a session: the one that counts it stands."""
    before = marks.get((session.day, session.half))
    if before is None or before is mapping.ELSEWHERE:
        marks[session.day, session.half] = session.mark
    elif session.mark not in (before, mapping.ELSEWHERE):
        raise FieldBroken("session")
