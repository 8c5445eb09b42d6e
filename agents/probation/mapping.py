"""Probation's codes, and what each is called in the contract's words. Tables only: another export edits these.

A code that is not here breaks the record it is in: a code nobody mapped is never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemas.identifiers import IdentifierKind
from schemas.records.person import AddressType, Gender
from schemas.records.probation import LengthUnit, LicenceType, RegisterCode, StatusCode
from schemas.records.probation_risk import Presence, RoshLevel

GENDERS: Final[Mapping[str, Gender]] = {
    "Male": Gender.MALE,
    "Female": Gender.FEMALE,
    "Transgender": Gender.OTHER,
    "Non-Binary": Gender.OTHER,
    "Other": Gender.OTHER,
    "Not Known / Not Recorded": Gender.UNKNOWN,
    "Not Specified (Indeterminate)": Gender.UNKNOWN,
    "Prefer not to say": Gender.UNKNOWN,
}
ADDRESS_TYPES: Final[Mapping[str, AddressType]] = {
    "HOME": AddressType.HOME,
    "MAIN": AddressType.HOME,
    "TEMPORARY": AddressType.TEMPORARY,
    "PREVIOUS": AddressType.PREVIOUS,
    "BUS": AddressType.BUSINESS,
}
"""Delius keeps some forty kinds of accommodation; what is not one of these is an address of unknown type."""
LENGTH_UNITS: Final[Mapping[str, LengthUnit]] = {unit.value: unit for unit in LengthUnit}
LICENCE_TYPES: Final[Mapping[str, LicenceType]] = {kind.value: kind for kind in LicenceType}
REGISTERS: Final[Mapping[str, RegisterCode]] = {code.value: code for code in RegisterCode}
STATUSES: Final[Mapping[str, StatusCode]] = {code.value: code for code in StatusCode}
LEVELS: Final[Mapping[str, RoshLevel]] = {level.value: level for level in RoshLevel}
PRESENCES: Final[Mapping[str, Presence]] = {presence.value: presence for presence in Presence}
IDENTIFIERS: Final[Mapping[str, IdentifierKind]] = {
    "nomisNumber": IdentifierKind.NOMS,
    "croNumber": IdentifierKind.CRO,
    "deliusCrn": IdentifierKind.CRN,
}
"""Members of `identifiers`; the PNC id stands beside them."""
