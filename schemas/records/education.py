"""Education records: where a child is on roll, how often it is there, its needs, and the school's safeguarding file.

Names are DfE's SUI records and the common transfer file (DOMAIN section 3.4). Whoever knows the school knows where the
child is every weekday: everything that names it is marked as whereabouts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from schemas.records.attendance_codes import AttendanceCode, WelshAttendanceCode
from schemas.records.fields import (
    Count,
    FreeText,
    IsoDate,
    Marker,
    OfficerName,
    OfficerTelephone,
    PercentTenths,
    Several,
    Telephone,
    Text,
    Upn,
    noted,
)
from schemas.records.record import Part, Record
from schemas.vocabulary import Category

_SUI: Final = "DfE SUI EducationDetailsRecord"
_YEAR: Final = "DfE SUI YearlyEducationAttendance"
_CTF: Final = "DfE common transfer file"
_MARKS: Final = "DfE school attendance codes from 2024/25"
_PRACTICE: Final = "hub practice, DOMAIN section 3.4"


class RollStatus(StrEnum):
    """How a child is educated."""

    ON_ROLL = "on_roll"
    LEFT = "left"
    EHE = "ehe"
    """Electively home educated."""
    CME = "cme"
    """Child missing education."""
    NEET = "neet"
    """Not in education, employment or training."""


class Enrolment(Record):
    """Where a child is or was on roll."""

    dated_by = ("EntryDate", "LeavingDate")
    one_line = ("EducationSettingName", "status", "EntryDate", "LeavingDate")

    EducationSettingName: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Name of the setting", _SUI)
    EducationSettingAddress: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Its address, one line", _SUI)
    EducationSettingTelephone: Annotated[Telephone, Marker.WHEREABOUTS] | None = noted("Its telephone", _SUI)
    # Its digits are those of the authority and the school that gave it.
    UPN: Annotated[Upn, Marker.WHEREABOUTS] | None = noted("Unique pupil number", _CTF)
    status: RollStatus | None = noted("On roll, left, or educated otherwise", _PRACTICE)
    EntryDate: IsoDate | None = noted("First day on roll", _CTF)
    LeavingDate: IsoDate | None = noted("Last day on roll", _CTF)
    NCyearActual: Text | None = noted("National curriculum year group", _CTF)
    DesignatedSafeguardingLead: Annotated[OfficerName, Marker.WHEREABOUTS] | None = noted(
        "Name of the safeguarding lead", _PRACTICE
    )
    DesignatedSafeguardingLeadTelephone: Annotated[OfficerTelephone, Marker.WHEREABOUTS] | None = noted(
        "Telephone of the lead", _PRACTICE
    )


class Attendance(Record):
    """A school year's attendance."""

    dated_by = ("AcademicTermYearStart", "AcademicTermYearEnd")
    one_line = (
        "AcademicTermYearStart",
        "AttendancePercentageTenths",
        "UnauthorisedAbsencePercentageTenths",
        "Suspensions",
    )

    AcademicTermYearStart: IsoDate | None = noted("First day of the year or term", _YEAR)
    AcademicTermYearEnd: IsoDate | None = noted("Last day of the year or term, or of what is known", _YEAR)
    AttendancePercentageTenths: PercentTenths | None = noted("Sessions attended, tenths of a per cent", _YEAR)
    UnauthorisedAbsencePercentageTenths: PercentTenths | None = noted(
        "Sessions absent without leave, tenths of a per cent", _YEAR
    )
    # Each school's is published: a figure like a fingerprint.
    SchoolsAverageAttendanceTenths: Annotated[PercentTenths, Marker.WHEREABOUTS] | None = noted(
        "The school's average, tenths of a per cent", _YEAR
    )
    SessionsPossible: Count | None = noted("Sessions possible, number", _CTF)
    SessionsAttended: Count | None = noted("Sessions attended, number", _CTF)
    Suspensions: Count | None = noted("Suspensions, number", _YEAR)
    Exclusions: Count | None = noted("Permanent exclusions, number", _YEAR)
    SchoolMovesNonTransitional: Count | None = noted("Moves of school outside the usual ages, number", _YEAR)


class HalfDay(StrEnum):
    """Half of a school day."""

    AM = "AM"
    PM = "PM"


class SessionMark(Part):
    """The mark of one session."""

    Date: IsoDate | None = noted("Day", _MARKS)
    Session: HalfDay | None = noted("Morning or afternoon", _MARKS)
    Code: AttendanceCode | WelshAttendanceCode | None = noted("Mark: England's list, or Wales's own", _MARKS)


class AttendanceMarks(Record):
    """The marks of one week."""

    dated_by = ("WeekBeginning",)
    one_line = ("WeekBeginning", "Marks")

    WeekBeginning: IsoDate | None = noted("Monday of the week", _MARKS)
    Marks: Several[SessionMark] | None = noted("Its sessions", _MARKS)


class SenProvision(StrEnum):
    """England: SEN provision in school census and CTF. Wales: additional learning needs (ALNET Act 2018)."""

    NONE = "N"
    SUPPORT = "K"
    EHCP = "E"
    ALN = "ALN"
    IDP = "IDP"


class Send(Record):
    """Special educational or additional learning needs."""

    dated_by = ("StartDate", "EndDate")
    one_line = ("SENprovision", "SENtype", "StartDate", "EndDate")

    SENprovision: SenProvision | None = noted("Provision, code", _CTF)
    SENtype: Several[Text] | None = noted("Kinds of need, codes or words", _CTF)
    StartDate: IsoDate | None = noted("First day", _CTF)
    EndDate: IsoDate | None = noted("Last day", _CTF)
    reviewDate: IsoDate | None = noted("Day of the next review of the plan", "SEND code of practice; ALN code")


class SafeguardingEntry(Record):
    """One entry of the school's safeguarding chronology; written by hand and full of others."""

    dated_by = ("date",)
    one_line = ("date", "categories", "summary_text", "action")

    date: IsoDate | None = noted("Day of the entry", _PRACTICE)
    categories: Several[Text] | None = noted("Categories of concern", _PRACTICE)
    summary_text: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("What was recorded", _PRACTICE)
    action: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("What the school did", _PRACTICE)
    others_involved: Annotated[Several[Text], Marker.THIRD_PARTY] | None = noted("Others named", _PRACTICE)
    recorded_by: Annotated[OfficerName, Marker.WHEREABOUTS] | None = noted("Who recorded it", _PRACTICE)


RECORDS: Final[Mapping[Category, type[Record]]] = {
    Category.EDU_ENROLMENT: Enrolment,
    Category.EDU_ATTENDANCE: Attendance,
    Category.EDU_ATTENDANCE_MARKS: AttendanceMarks,
    Category.EDU_SEND: Send,
    Category.EDU_SAFEGUARDING_FILE: SafeguardingEntry,
}
