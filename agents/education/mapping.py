"""The schools' codes, and what each is called in the contract's words. Tables only: another authority edits these.

A code that is not here breaks the record it is in: a code nobody mapped is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from agents.education.config import Nation
from agents.runtime.source import Label
from schemas.records.attendance_codes import (
    ATTENDED,
    AUTHORISED,
    NOT_COUNTED,
    UNAUTHORISED,
    AttendanceCode,
    WelshAttendanceCode,
)
from schemas.records.education import HalfDay, RollStatus, SenProvision
from schemas.records.person import Gender


class Counts(Enum):
    """What a session counts as."""

    ATTENDED = auto()
    AUTHORISED = auto()
    UNAUTHORISED = auto()
    NOT = auto()


Mark = AttendanceCode | WelshAttendanceCode

_ENGLAND: Final[Mapping[Mark, Counts]] = {
    **dict.fromkeys(ATTENDED, Counts.ATTENDED),
    **dict.fromkeys(AUTHORISED, Counts.AUTHORISED),
    **dict.fromkeys(UNAUTHORISED, Counts.UNAUTHORISED),
    **dict.fromkeys(NOT_COUNTED, Counts.NOT),
}
_WALES: Final[Mapping[Mark, Counts]] = {
    **_ENGLAND,
    WelshAttendanceCode.INTERVIEW: Counts.ATTENDED,
    WelshAttendanceCode.FAMILY_HOLIDAY_AGREED: Counts.AUTHORISED,
    WelshAttendanceCode.EXTENDED_HOLIDAY_AGREED: Counts.AUTHORISED,
    WelshAttendanceCode.CLOSED: Counts.NOT,
}
COUNTS: Final[Mapping[Nation, Mapping[Mark, Counts]]] = {Nation.ENGLAND: _ENGLAND, Nation.WALES: _WALES}
"""What each mark counts as (England from 2024/25, DOMAIN section 3.4; Wales's own codes beside it)."""
ELSEWHERE: Final = AttendanceCode.DUAL
"""Another school counts the session, and may have marked it too."""
SESSIONS: Final[Mapping[str, HalfDay]] = {half.value: half for half in HalfDay}
GENDERS: Final[Mapping[str, Gender]] = {"F": Gender.FEMALE, "M": Gender.MALE}
ROLL_STATUSES: Final[Mapping[str, RollStatus]] = {
    "C": RollStatus.ON_ROLL,
    "M": RollStatus.ON_ROLL,
    "S": RollStatus.ON_ROLL,
    "G": RollStatus.ON_ROLL,
    "F": RollStatus.ON_ROLL,
    "O": RollStatus.ON_ROLL,
    "P": RollStatus.LEFT,
    "EHE": RollStatus.EHE,
    "CME": RollStatus.CME,
    "NEET": RollStatus.NEET,
}
"""Enrolment status: current, main and subsidiary of two, guest, FE college, other provider, previous; and the
authority's own register."""
ON_A_ROLL: Final = frozenset({RollStatus.ON_ROLL, RollStatus.EHE, RollStatus.CME, RollStatus.NEET})
"""Statuses under which somebody still answers for the child."""
SEN_PROVISIONS: Final[Mapping[str, SenProvision]] = {provision.value: provision for provision in SenProvision}
RELATIONSHIPS: Final[Mapping[str, str]] = {
    "PAM": "Mother",
    "PAF": "Father",
    "STP": "Step-parent",
    "FOM": "Foster mother",
    "FOF": "Foster father",
    "CAR": "Carer",
    "REL": "Other relative",
    "FAM": "Other family member",
    "CHM": "Childminder",
    "SWR": "Social worker",
    "OTC": "Other contact",
    "OTH": "Other",
}
"""Relationship of a contact to the pupil (common basic data set)."""
LABELS: Final[Mapping[str, Label]] = {
    label.value: label for label in (Label.REFUGE, Label.ADOPTED, Label.SENSITIVE, Label.LIMITED_ACCESS)
}
"""What `protected.csv` may say of a child."""
