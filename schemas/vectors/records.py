"""Vectors of record facts: a category, a mode, a fact, and whether it fits."""

from __future__ import annotations

from typing import Final

from schemas.vectors.formats import Case
from schemas.vocabulary import Category, Mode

_SOUND: Final[list[tuple[Category, dict[str, object]]]] = [
    (Category.POLICE_MISSING, {"Date": "2026-10-03", "RiskGrade": "high", "ReturnedHomeInterviewAttended": False}),
    (Category.POLICE_INVOLVEMENT, {"ServicesKnownTo": ["Youth justice"], "lastContactOn": "2026-01-31"}),
    (Category.HEALTH_WAS_NOT_BROUGHT, {"Date": "2026-09-01", "MissedInTwelveMonths": 3}),
    (Category.HEALTH_REGISTRATION, {"RegisteredGPSurgery": "Example Surgery", "GPTelephone": "01632 960123"}),
    (Category.EDU_ENROLMENT, {"UPN": "H801200001001", "EntryDate": "2025-09-02", "NCyearActual": "3"}),
    (Category.EDU_ATTENDANCE, {"AttendancePercentageTenths": 934, "Suspensions": 0}),
    (Category.PROBATION_IDENTITY, {"firstName": "Test", "middleName": "Vector"}),
]
_EXISTS: Final[dict[str, object]] = {"held": True, "open": True, "latest_on": "2026-10"}


def record_vectors() -> list[Case]:
    """Facts as they stand in an answer, and what validating them must end in."""
    missing, involvement, marks = Category.POLICE_MISSING, Category.POLICE_INVOLVEMENT, Category.EDU_ATTENDANCE_MARKS
    mark = {"Date": "2026-09-07", "Session": "AM"}
    broken: list[tuple[str, Category, Mode, dict[str, object]]] = [
        ("an unknown field", missing, Mode.CONTENT, {"Where": "x"}),
        ("a field of another category", missing, Mode.CONTENT, {"NCyearActual": "3"}),
        ("content where existence was asked", missing, Mode.EXISTENCE, {"RiskGrade": "high"}),
        ("existence where content was asked", missing, Mode.CONTENT, {"held": True}),
        ("a word not on the list", missing, Mode.CONTENT, {"RiskGrade": "severe"}),
        ("a day that is none", missing, Mode.CONTENT, {"Date": "2026-02-29"}),
        ("a day written another way", missing, Mode.CONTENT, {"Date": "03/10/2026"}),
        ("a number as text", Category.EDU_ATTENDANCE, Mode.CONTENT, {"Suspensions": "0"}),
        ("a truth as number", missing, Mode.CONTENT, {"ReturnedHomeInterviewAttended": 1}),
        ("a number below zero", Category.EDU_ATTENDANCE, Mode.CONTENT, {"Suspensions": -1}),
        ("more than all", Category.EDU_ATTENDANCE, Mode.CONTENT, {"AttendancePercentageTenths": 1001}),
        ("an identifier with a wrong check letter", Category.EDU_ENROLMENT, Mode.CONTENT, {"UPN": "A801200001001"}),
        ("an empty text", Category.EDU_ENROLMENT, Mode.CONTENT, {"NCyearActual": ""}),
        ("a text too long", Category.EDU_ENROLMENT, Mode.CONTENT, {"NCyearActual": "x" * 201}),
        ("a text that turns itself round", involvement, Mode.CONTENT, {"ServicesKnownTo": ["a \u202e b"]}),
        ("a text for a list", involvement, Mode.CONTENT, {"ServicesKnownTo": "Youth justice"}),
        ("an unknown field in a part", marks, Mode.CONTENT, {"Marks": [{**mark, "Room": "4"}]}),
    ]
    return [
        *(_case(f"{category} content", category, Mode.CONTENT, fact, "ok") for category, fact in _SOUND),
        *(_case(f"{category} existence", category, Mode.EXISTENCE, _EXISTS, "ok") for category in Category),
        *(_case(name, category, mode, fact, "fact_invalid") for name, category, mode, fact in broken),
    ]


def _case(name: str, category: Category, mode: Mode, fact: dict[str, object], expect: str) -> Case:
    return {"name": name, "category": category.value, "mode": mode.value, "fact": fact, "expect": expect}
