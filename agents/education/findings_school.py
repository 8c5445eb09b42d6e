"""What schools know of a pupil: enrolment, attendance, marks, special educational needs, and what was written down.

What other files say under a pupil's number is told only where the number is one child's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial

from agents.education import mapping
from agents.education.findings_person import school_history
from agents.education.marks import FIRST_MONTH, Session, Tally, read_sessions, school_year, tally, tenths
from agents.education.node import FieldBroken, Node, clean_line, clean_text, read_day
from agents.education.reading import Found, Holdings, Made, build, finding, iso
from agents.education.tables import ATTENDANCE, SAFEGUARDING
from agents.runtime.source import LocalPerson, RecordBroken
from schemas.identifiers import IdentifierInvalid, parse_upn
from schemas.records import education
from schemas.records.education import RollStatus, SessionMark
from schemas.vocabulary import Category


def read_enrolment(holdings: Holdings, _: LocalPerson) -> Found:
    """The school that the file is of, and those the pupil was at before."""
    pupil = holdings.pupil
    here = school_history(holdings)
    yield from finding(Category.EDU_ENROLMENT, pupil.ref, partial(_enrolment, holdings, here))
    entries = pupil.node.nodes("SchoolHistory/School")
    others = (one for one in entries if not any(one.element is own.element for own in here))
    for number, school in enumerate(others, start=1):
        yield from finding(Category.EDU_ENROLMENT, f"{pupil.ref}, school {number}", partial(_former, holdings, school))


def read_attendance(holdings: Holdings, _: LocalPerson) -> Found:
    """Each school year: of the marks where the register has them, of the transfer file's totals where it has not."""
    category = Category.EDU_ATTENDANCE
    sessions, broken = _sessions(holdings)
    yield from _told(category, broken)
    by_year: dict[int, list[Session]] = defaultdict(list)
    for session in sessions:
        by_year[school_year(session.day)].append(session)
    for year, marked in by_year.items():
        yield from finding(category, f"{holdings.pupil.ref}, {year}", partial(_marked_year, holdings, year, marked))
    for number, totals in enumerate(holdings.pupil.node.nodes("Attendance/YearData"), start=1):
        ref = f"{holdings.pupil.ref}, year {number}"
        yield from finding(category, ref, partial(_year, holdings, totals, by_year.keys()))


def read_marks(holdings: Holdings, _: LocalPerson) -> Found:
    """Each week of the register."""
    category = Category.EDU_ATTENDANCE_MARKS
    sessions, broken = _sessions(holdings)
    yield from _told(category, broken)
    weeks: dict[date, list[Session]] = defaultdict(list)
    for session in sessions:
        weeks[session.day - timedelta(days=session.day.weekday())].append(session)
    for monday, week in weeks.items():
        yield from finding(category, f"{holdings.pupil.ref}, {monday}", partial(_week, monday, week))


def read_send(holdings: Holdings, _: LocalPerson) -> Found:
    """Each entry of the history of needs; the kinds of need stand with the newest."""
    entries = list(holdings.pupil.node.nodes("SENhistory/SEN"))
    needs = list(holdings.pupil.node.nodes("SENhistory/SENneeds/SENneed"))
    newest = max(range(len(entries)), key=lambda at: entries[at].line("StartDate") or "", default=None)
    for at, entry in enumerate(entries):
        theirs = needs if at == newest else []
        ref = f"{holdings.pupil.ref}, SEN {at + 1}"
        yield from finding(Category.EDU_SEND, ref, partial(_send, entry, theirs))


def read_safeguarding(holdings: Holdings, _: LocalPerson) -> Found:
    """Each entry of the safeguarding file."""
    category = Category.EDU_SAFEGUARDING_FILE
    if not holdings.pupil.keys:
        yield RecordBroken(category, holdings.pupil.ref, "UPN")
    for line in holdings.roll.concerns(holdings.pupil.keys):
        yield from finding(category, f"{SAFEGUARDING}, line {line.number}", partial(_entry, line.values))


def _sessions(holdings: Holdings) -> tuple[list[Session], list[tuple[str, str]]]:
    """The pupil's sessions, and reference and field of each row that does not hold."""
    counts = mapping.COUNTS[holdings.config.nation]
    sessions, rows = read_sessions(holdings.roll.runs(holdings.pupil.keys), holdings.files, counts)
    broken = [(f"{ATTENDANCE}, line {row.line}", row.field) for row in rows]
    lost = [(f"{ATTENDANCE}, line {line}", "UPN") for line in holdings.roll.lost_rows()]
    nameless = [] if holdings.pupil.keys else [(holdings.pupil.ref, "UPN")]
    return sessions, [*nameless, *lost, *broken]


def _told(category: Category, broken: Iterable[tuple[str, str]]) -> Found:
    return (RecordBroken(category, ref, field) for ref, field in broken)


def _setting(holdings: Holdings, number: str) -> dict[str, object]:
    row = holdings.roll.school(number)
    return {
        "EducationSettingAddress": clean_line(row.get("Address")),
        "EducationSettingTelephone": clean_line(row.get("Telephone")),
    }


def _enrolment(holdings: Holdings, here: Sequence[Node]) -> Made:
    pupil, row = holdings.pupil, holdings.roll.school(holdings.pupil.school.number)
    entered = [day for one in here if (day := one.day("EntryDate")) is not None]
    left = [day for one in here if (day := one.day("LeavingDate")) is not None]
    status = pupil.node.code("BasicDetails/EnrolStatus", mapping.ROLL_STATUSES)
    has_left = status is RollStatus.LEFT or (status is None and bool(left))
    fields = {
        **_setting(holdings, pupil.school.number),
        "EducationSettingName": clean_line(row.get("SchoolName")) or pupil.school.name,
        "UPN": _upn(pupil.node),
        "status": status or (RollStatus.LEFT if has_left else RollStatus.ON_ROLL),
        "EntryDate": iso(max(entered, default=None)),
        "LeavingDate": iso(max(left, default=None)) if has_left else None,
        "NCyearActual": pupil.node.line("BasicDetails/NCyearActual"),
        "DesignatedSafeguardingLead": clean_line(row.get("SafeguardingLead")),
        "DesignatedSafeguardingLeadTelephone": clean_line(row.get("SafeguardingLeadTelephone")),
    }
    return Made(build(education.Enrolment, fields), max(left, default=None) if has_left else None)


def _former(holdings: Holdings, school: Node) -> Made:
    number = f"{school.line('LEA')}{school.line('Estab')}"
    left = school.day("LeavingDate")
    fields = {
        **_setting(holdings, number),
        "EducationSettingName": school.line("SchoolName") or clean_line(holdings.roll.school(number).get("SchoolName")),
        "UPN": _upn(holdings.pupil.node),
        "status": RollStatus.LEFT,
        "EntryDate": iso(school.day("EntryDate")),
        "LeavingDate": iso(left),
    }
    return Made(build(education.Enrolment, fields), left)


def _upn(pupil: Node) -> str | None:
    written = pupil.line("UPN")
    if written is None:
        return None
    try:
        return parse_upn(written)
    except IdentifierInvalid:
        raise FieldBroken("UPN") from None


def _marked_year(holdings: Holdings, year: int, marked: Sequence[Session]) -> Made:
    last = max(session.day for session in marked)
    found = tally(marked, mapping.COUNTS[holdings.config.nation])
    return _attendance(holdings, year, last, found, holdings.pupil.school.number)


def _year(holdings: Holdings, totals: Node, marked: Container[int]) -> Made | None:
    year = totals.number("Year")
    if year in marked:
        return None
    possible, attended = totals.number("SessionsPossible"), totals.number("SessionsAttended")
    found = Tally(possible, attended, totals.number("SessionsUnauthorised"))
    if found.attended + found.unauthorised > possible:
        raise FieldBroken("SessionsPossible")
    school = f"{totals.line('LEA')}{totals.line('Estab')}"
    return _attendance(holdings, year, date(year, FIRST_MONTH - 1, 31), found, school)


def _attendance(holdings: Holdings, year: int, until: date, found: Tally, school: str) -> Made:
    fields = {
        "AcademicTermYearStart": iso(date(year - 1, FIRST_MONTH, 1)),
        "AcademicTermYearEnd": iso(until),
        "AttendancePercentageTenths": tenths(found.attended, found.possible),
        "UnauthorisedAbsencePercentageTenths": tenths(found.unauthorised, found.possible),
        "SchoolsAverageAttendanceTenths": tenths(*reversed(holdings.roll.year(school, year))),
        "SessionsPossible": found.possible,
        "SessionsAttended": found.attended,
    }
    return Made(build(education.Attendance, fields), until)


def _week(monday: date, week: Iterable[Session]) -> Made:
    marks = tuple(build(SessionMark, {"Date": iso(one.day), "Session": one.half, "Code": one.mark}) for one in week)
    return Made(build(education.AttendanceMarks, {"WeekBeginning": iso(monday), "Marks": marks}), monday)


def _send(entry: Node, needs: Sequence[Node]) -> Made:
    ended = entry.day("EndDate")
    fields = {
        "SENprovision": entry.code("SENprovision", mapping.SEN_PROVISIONS),
        "SENtype": tuple(one for need in needs if (one := need.line("SENtype"))) or None,
        "StartDate": iso(entry.day("StartDate")),
        "EndDate": iso(ended),
    }
    return Made(build(education.Send, fields), ended)


def _entry(values: Mapping[str, str] | None) -> Made:
    if values is None:
        raise FieldBroken("row")
    day = read_day("date", values["date"])
    others = (clean_line(one) for one in values["others"].split(";"))
    categories = (clean_line(one) for one in values["category"].split(";"))
    fields = {
        "date": iso(day),
        "categories": tuple(filter(None, categories)) or None,
        "summary_text": clean_text(values["entry"]),
        "action": clean_text(values["action"]),
        "others_involved": tuple(filter(None, others)) or None,
        "recorded_by": clean_line(values["recorded_by"]),
    }
    return Made(build(education.SafeguardingEntry, fields), day)
