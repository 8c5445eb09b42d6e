"""The trust's codes, and what each is called in the contract's words. Tables only: another trust edits these.

A code that is not here is never guessed: it breaks the record it is in, and an unknown label protects. The contents of
`mapping.SERVICES` are a trust's own; the others are HL7's and NHS England's.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from agents.runtime.source import Label
from schemas.records.health import CareSetting, CpisStatus, FlagStatus, PlanLevel, UniversalRole
from schemas.records.person import AddressType, Gender, InvolvementStatus
from schemas.vocabulary import Category

NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
VERIFICATION: Final = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
VERIFIED: Final = "01"
"""UK Core NHS number verification: present and verified. A number with another status is nobody's for matching."""
NO_FIXED_ABODE: Final = "ZZ993VZ"
"""NHS pseudo postcode of people of no fixed abode."""
PREGNANCY: Final = frozenset({"77386006"})
"""SNOMED CT: pregnant."""
EXPECTED_DELIVERY: Final = frozenset({"11778-8", "161714006"})
"""LOINC and SNOMED CT: estimated date of delivery."""
ENTERED_IN_ERROR: Final = "entered-in-error"


class ServiceUse(StrEnum):
    """What a service's involvement is told as, beside `agency.involvement`."""

    CAMHS = "camhs"
    ADULT_MENTAL_HEALTH = "adult_mental_health"
    SUBSTANCE = "substance"
    SEXUAL_HEALTH = "sexual_health"
    FERTILITY = "fertility"
    """Told as nothing at all (R21)."""
    HEALTH_VISITING = "health_visiting"
    SCHOOL_NURSING = "school_nursing"
    MIDWIFERY = "midwifery"
    OTHER = "other"
    """Nothing beside."""


SERVICES: Final[Mapping[str, ServiceUse]] = {
    "camhs": ServiceUse.CAMHS,
    "adult-mental-health": ServiceUse.ADULT_MENTAL_HEALTH,
    "substance": ServiceUse.SUBSTANCE,
    "sexual-health": ServiceUse.SEXUAL_HEALTH,
    "fertility": ServiceUse.FERTILITY,
    "health-visiting": ServiceUse.HEALTH_VISITING,
    "school-nursing": ServiceUse.SCHOOL_NURSING,
    "midwifery": ServiceUse.MIDWIFERY,
}
TEAMS: Final[Mapping[Category, ServiceUse]] = {
    Category.HEALTH_CAMHS: ServiceUse.CAMHS,
    Category.HEALTH_ADULT_MH: ServiceUse.ADULT_MENTAL_HEALTH,
    Category.HEALTH_SUBSTANCE: ServiceUse.SUBSTANCE,
    Category.HEALTH_SEXUAL: ServiceUse.SEXUAL_HEALTH,
}
"""Categories that say the involvement of one service and no more."""
UNIVERSAL_ROLES: Final[Mapping[ServiceUse, UniversalRole]] = {
    ServiceUse.HEALTH_VISITING: UniversalRole.HEALTH_VISITOR,
    ServiceUse.SCHOOL_NURSING: UniversalRole.SCHOOL_NURSE,
    ServiceUse.MIDWIFERY: UniversalRole.MIDWIFE,
}
PLAN_LEVELS: Final[Mapping[str, PlanLevel]] = {level.value: level for level in PlanLevel}
EPISODE_STATUSES: Final[Mapping[str, InvolvementStatus]] = {
    "planned": InvolvementStatus.OPEN,
    "waitlist": InvolvementStatus.OPEN,
    "active": InvolvementStatus.OPEN,
    "onhold": InvolvementStatus.OPEN,
    "finished": InvolvementStatus.CLOSED,
    "cancelled": InvolvementStatus.CLOSED,
}
EMERGENCY: Final = "EMER"
ENCOUNTER_CLASSES: Final = frozenset(
    {EMERGENCY, "AMB", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS", "VR"}
)
"""HL7 v3 ActEncounterCode; one that is not among them may be an attendance at an emergency department."""
ENCOUNTER_STATUSES: Final = frozenset(
    {"planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "unknown", ENTERED_IN_ERROR}
)
DID_NOT_HAPPEN: Final = frozenset({"planned", "cancelled", ENTERED_IN_ERROR})
"""Encounters with these statuses are no contacts with anybody."""
NO_SHOW: Final = "noshow"
CARE_SETTINGS: Final[Mapping[str, CareSetting]] = {setting.value: setting for setting in CareSetting}
CPIS: Final = "cpis"
"""Category of a flag that came from the local authority by CP-IS."""
CPIS_STATUSES: Final[Mapping[str, CpisStatus]] = {
    "cp-plan": CpisStatus.CP_PLAN,
    "unborn-cp-plan": CpisStatus.UNBORN_CP_PLAN,
    "looked-after-s20": CpisStatus.LOOKED_AFTER_S20,
    "looked-after-s31": CpisStatus.LOOKED_AFTER_S31,
    "looked-after-s38": CpisStatus.LOOKED_AFTER_S38,
}
FLAG_STATUSES: Final[Mapping[str, FlagStatus]] = {status.value: status for status in FlagStatus}
GENDERS: Final[Mapping[str, Gender]] = {gender.value: gender for gender in Gender}
ADDRESS_USES: Final[Mapping[str, AddressType]] = {
    "home": AddressType.HOME,
    "temp": AddressType.TEMPORARY,
    "old": AddressType.PREVIOUS,
    "work": AddressType.BUSINESS,
    "billing": AddressType.UNKNOWN,
}

_NONE: Final[frozenset[Label]] = frozenset()
UNKNOWN_PATIENT_CODE: Final = frozenset({Label.SENSITIVE, Label.REFUGE})
UNKNOWN_RECORD_CODE: Final = frozenset({Label.NEEDS_REVIEW})
PATIENT_LABELS: Final[Mapping[str, frozenset[Label]]] = {
    **dict.fromkeys(("U", "L", "M", "N"), _NONE),
    # Restricted demographics: nothing says why, so it is taken for the reason that hides the household's address too.
    "R": frozenset({Label.SENSITIVE, Label.REFUGE}),
    # A sealed record: that of a child before adoption, and whatever else nobody may open.
    "V": frozenset({Label.ADOPTED}),
}
"""HL7 v3 Confidentiality on a Patient."""
RECORD_LABELS: Final[Mapping[str, frozenset[Label]]] = {
    **dict.fromkeys(("U", "L", "M", "N", "R", "ETH", "PSY"), _NONE),
    "V": frozenset({Label.NEEDS_REVIEW}),
    "T": frozenset({Label.NEEDS_REVIEW}),
    "SDV": frozenset({Label.NEEDS_REVIEW}),
    "SEX": frozenset({Label.SEXUAL_HEALTH}),
    "STD": frozenset({Label.SEXUAL_HEALTH}),
    "HIV": frozenset({Label.SEXUAL_HEALTH}),
    "GDIS": frozenset({Label.GENDER_RECOGNITION}),
}
"""HL7 v3 Confidentiality and ActInformationSensitivity on any other record (DOMAIN section 3.3, R7, R19, R20)."""
