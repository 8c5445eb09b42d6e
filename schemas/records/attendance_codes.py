"""The marks of a school register: England's list from 2024/25, and Wales's own.

Owns which marks exist and what each counts as. Refuses to know a child's marks.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class AttendanceCode(StrEnum):
    """England, from 19 August 2024 (Working together to improve school attendance; DOMAIN section 3.4)."""

    PRESENT_AM = "/"
    PRESENT_PM = "\\"
    LATE_BEFORE_CLOSE = "L"
    LA_PROVISION = "K"
    VISIT = "V"
    SPORT = "P"
    WORK_EXPERIENCE = "W"
    OTHER_APPROVED = "B"
    DUAL = "D"
    LEAVE_OTHER = "C"
    LEAVE_PERFORMANCE = "C1"
    LEAVE_PART_TIME = "C2"
    MEDICAL_APPOINTMENT = "M"
    TRAVELLING = "T"
    RELIGION = "R"
    ILLNESS = "I"
    INTERVIEW = "J1"
    STUDY_LEAVE = "S"
    SUSPENDED = "E"
    NO_REASON_YET = "N"
    HOLIDAY_NOT_GRANTED = "G"
    UNAUTHORISED = "O"
    LATE_AFTER_CLOSE = "U"
    NOT_REQUIRED = "X"
    TRANSPORT = "Y1"
    DISRUPTION = "Y2"
    PART_CLOSED = "Y3"
    CLOSED_UNEXPECTEDLY = "Y4"
    CRIMINAL_JUSTICE = "Y5"
    PUBLIC_HEALTH = "Y6"
    OTHER_UNAVOIDABLE = "Y7"
    NO_ACCESS = "Q"
    NOT_ON_ROLL = "Z"
    PLANNED_CLOSURE = "#"


class WelshAttendanceCode(StrEnum):
    """Wales, those that England's list has not (Guidance on school attendance codes; DOMAIN section 3.4)."""

    FAMILY_HOLIDAY_AGREED = "H"
    EXTENDED_HOLIDAY_AGREED = "F"
    INTERVIEW = "J"
    CLOSED = "Y"


_A: Final = AttendanceCode

ATTENDED: Final = frozenset(
    {
        _A.PRESENT_AM,
        _A.PRESENT_PM,
        _A.LATE_BEFORE_CLOSE,
        _A.LA_PROVISION,
        _A.VISIT,
        _A.SPORT,
        _A.WORK_EXPERIENCE,
        _A.OTHER_APPROVED,
    }
)
"""Marks that count as attendance."""
UNAUTHORISED: Final = frozenset({_A.NO_REASON_YET, _A.HOLIDAY_NOT_GRANTED, _A.UNAUTHORISED, _A.LATE_AFTER_CLOSE})
"""Marks that count as absence without leave."""
NOT_COUNTED: Final = frozenset(
    {
        _A.DUAL,
        _A.NOT_REQUIRED,
        _A.TRANSPORT,
        _A.DISRUPTION,
        _A.PART_CLOSED,
        _A.CLOSED_UNEXPECTEDLY,
        _A.CRIMINAL_JUSTICE,
        _A.PUBLIC_HEALTH,
        _A.OTHER_UNAVOIDABLE,
        _A.NO_ACCESS,
        _A.NOT_ON_ROLL,
        _A.PLANNED_CLOSURE,
    }
)
"""Marks of sessions that were not possible, or that another school counts."""
AUTHORISED: Final = frozenset(AttendanceCode) - ATTENDED - UNAUTHORISED - NOT_COUNTED
"""Marks that count as absence with leave."""
