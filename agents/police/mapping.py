"""The force's codes, and what each is called in the contract's words. Tables only: another force edits these.

A code that is not here breaks the record it is in: a code nobody mapped is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemas.identifiers import IdentifierKind
from schemas.records.person import AddressType, Gender
from schemas.records.police import (
    Assessment,
    DashGrade,
    Evaluation,
    EventRole,
    ExploitationType,
    Grade,
    Handling,
    NoticeSubject,
    OrderKind,
)

SAFE: Final = "safe"
"""`person_address.address_type` of an address that must not be told."""

YES_NO: Final[Mapping[str, bool]] = {"Y": True, "N": False}
GENDERS: Final[Mapping[str, Gender]] = {"F": Gender.FEMALE, "M": Gender.MALE, "U": Gender.UNKNOWN}
GRADES: Final[Mapping[str, Grade]] = {"High": Grade.HIGH, "Medium": Grade.MEDIUM, "Low": Grade.LOW}
DASH_GRADES: Final[Mapping[str, DashGrade]] = {
    "High": DashGrade.HIGH,
    "Medium": DashGrade.MEDIUM,
    "Standard": DashGrade.STANDARD,
}
NOTICE_SUBJECTS: Final[Mapping[str, NoticeSubject]] = {"child": NoticeSubject.CHILD, "adult": NoticeSubject.ADULT}
EXPLOITATION_TYPES: Final[Mapping[str, ExploitationType]] = {
    "CSE": ExploitationType.SEXUAL_EXPLOITATION,
    "CCE": ExploitationType.CRIMINAL_EXPLOITATION,
    "RAD": ExploitationType.RADICALISATION,
    "MSHT": ExploitationType.MODERN_SLAVERY,
    "GANG": ExploitationType.GANGS_AND_YOUTH_VIOLENCE,
}
ROLES: Final[Mapping[str, EventRole]] = {role.value: role for role in EventRole}
ORDERS: Final[Mapping[str, OrderKind]] = {order.value: order for order in OrderKind}
EVALUATIONS: Final[Mapping[str, Evaluation]] = {one.value: one for one in Evaluation}
ASSESSMENTS: Final[Mapping[str, Assessment]] = {one.value: one for one in Assessment}
HANDLING: Final[Mapping[str, Handling]] = {one.value: one for one in Handling}
ADDRESS_TYPES: Final[Mapping[str, AddressType]] = {
    "home": AddressType.HOME,
    "previous": AddressType.PREVIOUS,
    SAFE: AddressType.HOME,
}
IDENTIFIERS: Final[Mapping[str, IdentifierKind]] = {
    "PNC": IdentifierKind.PNC,
    "CRO": IdentifierKind.CRO,
    "CRN": IdentifierKind.CRN,
    "NHS": IdentifierKind.NHS_NUMBER,
}
SERVICES: Final[Mapping[str, str]] = {"CRN": "Probation"}
"""Services that know a person because of a number that the force holds; the police themselves always do."""
POLICE: Final = "Police"
