"""Reading the schools' files once into the roll.

A transfer file that cannot be read to its end lost pupils nobody can name, so the roll counts as damaged. A row of a
CSV file that does not say whose it is may be anybody's, and breaks its category for everybody. Refuses to know what is
told of a pupil.
"""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass
from typing import Final

from agents.education import mapping, tables
from agents.education.node import FieldBroken, Node, read_code
from agents.education.pupils import key_of, keys_of, read_person
from agents.education.roll import ANYBODY, Roll, Run
from agents.education.tables import ATTENDANCE, PROTECTED, SAFEGUARDING, SCHOOLS, TableBroken, read_header, read_table
from agents.education.transfer import FILE_MAX_BYTES, TransferBroken, pack, read_pupils
from agents.runtime.exports.folder import OpenFiles, Stamps
from agents.runtime.source import SourceAway

FILE_NAME: Final = re.compile(
    r"ctf/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(?:xml|XML)|(?:schools|attendance|safeguarding|protected)\.csv"
)
_ROW_MAX_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Loader:
    """Makes a roll of a folder."""

    needs_protected: bool

    def learn(self, stamps: Stamps, files: OpenFiles) -> Roll:
        """Read all of it.

        Raises:
            SourceAway: a file is missing or without its columns, or what protects children cannot be read.
        """
        needed = [SCHOOLS, ATTENDANCE, SAFEGUARDING, *([PROTECTED] if self.needs_protected else [])]
        missing = [name for name in needed if name not in stamps]
        transfers = sorted(name for name in stamps if name.startswith("ctf/"))
        if missing or not transfers:
            raise SourceAway(f"there is no {', '.join(missing or ['transfer file'])}")
        roll = Roll()
        for name in transfers:
            _load_transfer(roll, name, files, stamps[name].size_bytes)
        _load_schools(roll, files, stamps[SCHOOLS].size_bytes)
        _load_register(roll, files)
        _load_concerns(roll, files, stamps[SAFEGUARDING].size_bytes)
        if PROTECTED in stamps:
            _load_protected(roll, files, stamps[PROTECTED].size_bytes)
        if not roll.counts["pupils"] and not roll.is_damaged:
            raise SourceAway("the transfer files have not one pupil")
        lost = roll.finish()
        if lost["protection"]:
            raise SourceAway(f"{PROTECTED} names a pupil by what is no UPN: nobody could be called unprotected")
        for table, name in (("run", ATTENDANCE), ("concern", SAFEGUARDING)):
            if lost[table]:
                roll.add_problem(f"{name}: {len(lost[table])} different UPNs do not hold and may be anybody's")
        return roll


def _load_transfer(roll: Roll, name: str, files: OpenFiles, size_bytes: int) -> None:
    roll.counts["transfer files"] += 1
    if size_bytes > FILE_MAX_BYTES:
        roll.is_damaged = True
        roll.add_problem(f"{name} is too large")
        return
    try:
        with os.fdopen(os.dup(files.descriptor(name)), "rb") as file:
            for school, pupil in read_pupils(file):
                person = read_person(school.number, pupil)
                roll.counts["pupils"] += 1
                if not person.identifiers and not any(one.family for one in person.names):
                    roll.is_damaged = True
                    roll.add_problem(f"{name} has a pupil without a UPN that holds and without a surname")
                roll.add_pupil(school, person, keys_of(pupil), pack(pupil))
                _add_years(roll, school.number, pupil)
    except TransferBroken as broken:
        roll.is_damaged = True
        roll.add_problem(f"{name} {broken}")


def _add_years(roll: Roll, school: str, pupil: Node) -> None:
    for data in pupil.nodes("Attendance/YearData"):
        if f"{data.line('LEA')}{data.line('Estab')}" == school:
            try:
                numbers = (data.number(path) for path in ("Year", "SessionsPossible", "SessionsAttended"))
                roll.add_year(school, *numbers)
            except FieldBroken:
                continue  # the pupil's own record says so


def _load_schools(roll: Roll, files: OpenFiles, size_bytes: int) -> None:
    try:
        for line in read_table(SCHOOLS, files, size_bytes):
            if line.values is None:
                roll.add_problem(f"{SCHOOLS}, line {line.number} has not the columns of its header")
                continue
            roll.counts["schools"] += 1
            roll.add_school(f"{line.values['LEA'].strip()}{line.values['Estab'].strip()}", line.values)
    except TableBroken as broken:
        roll.add_problem(f"{SCHOOLS} cannot be read on from {broken}")


def _load_concerns(roll: Roll, files: OpenFiles, size_bytes: int) -> None:
    try:
        for line in read_table(SAFEGUARDING, files, size_bytes):
            roll.counts["concerns"] += 1
            key = key_of(line.first if line.values is None else line.values["UPN"])
            if key:
                roll.add_concern(key, line)
    except TableBroken as broken:
        roll.add_concern(ANYBODY, tables.Line(broken.line, None))
        roll.add_problem(f"{SAFEGUARDING} cannot be read on from {broken}: the rest may be anybody's")


def _load_protected(roll: Roll, files: OpenFiles, size_bytes: int) -> None:
    try:
        for line in read_table(PROTECTED, files, size_bytes):
            values = line.values or {}
            label = read_code("label", values.get("label"), mapping.LABELS)
            if label is None or not values["UPN"].strip():
                raise FieldBroken("label")
            roll.counts["protected"] += 1
            roll.add_protection(key_of(values["UPN"]), label)
    except (TableBroken, FieldBroken) as broken:
        raise SourceAway(f"{PROTECTED} does not hold ({broken}): nobody could be called unprotected") from None


def _load_register(roll: Roll, files: OpenFiles) -> None:
    """Rows of one pupil that follow each other are one run: a register in order of pupils stays small."""
    with os.fdopen(os.dup(files.descriptor(ATTENDANCE)), "rb", buffering=1 << 20) as rows:
        header = rows.readline(_ROW_MAX_BYTES)
        columns = read_header(ATTENDANCE, next(csv.reader([header.decode("utf-8-sig", "replace")]), []))
        at_upn, marks = columns.index("UPN"), 0
        number, at = 2, len(header)
        key, begun = "", Run(2, at, 0)
        for row in iter(lambda: rows.readline(_ROW_MAX_BYTES), b""):
            if not row.endswith(b"\n") and row.count(b",") + 1 < len(columns):
                raise SourceAway(f"{ATTENDANCE} ends in the middle of a line")
            found = _key_in(row, at_upn)
            if found != key:
                _add_run(roll, key, begun, at)
                key, begun = found, Run(number, at, 0)
            number, at, marks = number + 1, at + len(row), marks + bool(found)
        _add_run(roll, key, begun, at)
    roll.counts["marks"] = marks


def _add_run(roll: Roll, key: str, begun: Run, ends_at: int) -> None:
    if key and ends_at > begun.at_bytes:
        roll.add_run(key, Run(begun.line, begun.at_bytes, ends_at - begun.at_bytes))


def _key_in(row: bytes, at_upn: int) -> str:
    cells = row.split(b",", at_upn + 1)
    return key_of(cells[at_upn].strip(b'" \r\n').decode("ascii", "replace")) if at_upn < len(cells) else "?"
