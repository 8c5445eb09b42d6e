"""Health records: where a person is registered, what was missed, who is involved, and what is flagged.

Names are DfE's SUI records where they exist, FHIR R4 elsewhere (DOMAIN section 3.3). Mental health, substance and
sexual health say involvement only; sexual health is withheld by default, which is policy and not said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from schemas.records.fields import (
    Code,
    Count,
    FreeText,
    IsoDate,
    Marker,
    OfficerName,
    OfficerTelephone,
    Several,
    Telephone,
    Text,
    noted,
)
from schemas.records.person import DutyContact, InvolvementStatus
from schemas.records.record import Record
from schemas.vocabulary import Category

_SUI: Final = "DfE SUI HealthDataRecord"
_CPIS: Final = "NHS CP-IS"
_FLAG: Final = "FHIR R4 Flag"
_PRACTICE: Final = "hub practice, DOMAIN section 3.3"


class Registration(Record):
    """The general practice a person is registered with; it tells roughly where they live."""

    dated_by = ("registeredOn",)
    one_line = ("RegisteredGPSurgery", "RegisteredGPName", "GPTelephone")

    RegisteredGPName: Annotated[OfficerName, Marker.WHEREABOUTS] | None = noted("Name of the GP", _SUI)
    RegisteredGPSurgery: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Name of the surgery", _SUI)
    GPAddress: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Address of the surgery, one line", _SUI)
    GPTelephone: Annotated[Telephone, Marker.WHEREABOUTS] | None = noted("Telephone of the surgery", _SUI)
    registeredOn: IsoDate | None = noted("First day of registration", "FHIR R4 EpisodeOfCare.period")


class CpisStatus(StrEnum):
    """What the local authority told CP-IS (England only)."""

    CP_PLAN = "cp_plan"
    UNBORN_CP_PLAN = "unborn_cp_plan"
    LOOKED_AFTER_S20 = "looked_after_s20"
    LOOKED_AFTER_S31 = "looked_after_s31"
    LOOKED_AFTER_S38 = "looked_after_s38"


class Cpis(Record):
    """Child Protection Information Sharing: current or ended within twelve months."""

    dated_by = ("startDate", "endDate")
    one_line = ("status", "localAuthority", "startDate", "endDate")

    status: CpisStatus | None = noted("Plan or legal status", _CPIS)
    startDate: IsoDate | None = noted("First day", _CPIS)
    endDate: IsoDate | None = noted("Last day; missing while current", _CPIS)
    localAuthority: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Responsible local authority", _CPIS)
    localAuthorityTelephone: Annotated[OfficerTelephone, Marker.WHEREABOUTS] | None = noted(
        "Telephone of the authority's duty team", _CPIS
    )
    unscheduledVisits: Annotated[Several[IsoDate], Marker.WHEREABOUTS] | None = noted(
        "Days of the last unscheduled visits, at most 25", _CPIS
    )


class EmergencyAttendance(Record):
    """One attendance at an emergency department."""

    dated_by = ("Date",)
    one_line = ("Date", "Reason", "Department")

    Date: IsoDate | None = noted("Day of the attendance", "DfE SUI EmergencyDepartmentAttendance")
    Reason: FreeText | None = noted("Why, as recorded", "DfE SUI EmergencyDepartmentAttendance")
    Department: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Department attended", "FHIR R4 Encounter")
    Disposal: Annotated[Text, Marker.WHEREABOUTS] | None = noted(
        "Where the patient went from there", "FHIR R4 Encounter.hospitalization"
    )


class CareSetting(StrEnum):
    """Where an appointment was (DfE SUI HealthSetting)."""

    OTHER = "Other"
    HOSPITAL = "Hospital"
    GP = "GP"
    COMMUNITY = "Community"


class WasNotBrought(Record):
    """An appointment a child was not brought to, or an adult did not attend."""

    dated_by = ("Date",)
    one_line = ("Date", "Setting", "Reason")

    Date: IsoDate | None = noted("Day of the appointment", "DfE SUI HealthMissedAppointment")
    Setting: CareSetting | None = noted("Where it was", "DfE SUI HealthMissedAppointment")
    Reason: FreeText | None = noted("Why, as recorded", "DfE SUI HealthMissedAppointment")
    MissedInTwelveMonths: Count | None = noted("Appointments missed in twelve months, number", _PRACTICE)


class TeamInvolvementRecord(Record):
    """That a team is or was involved, and whom to ring; nothing clinical."""

    dated_by = ("start", "end")
    one_line = ("status", "TeamInvolvement", "start", "end")

    status: InvolvementStatus | None = noted("Open or closed", _SUI)
    start: IsoDate | None = noted("First day", "FHIR R4 EpisodeOfCare.period")
    end: IsoDate | None = noted("Last day; missing while open", "FHIR R4 EpisodeOfCare.period")
    TeamInvolvement: Annotated[Several[Text], Marker.WHEREABOUTS] | None = noted("Teams involved", _SUI)
    ContactDetails: Annotated[Several[DutyContact], Marker.OFFICER_CONTACT, Marker.WHEREABOUTS] | None = noted(
        "Contacts", _SUI
    )


class Camhs(TeamInvolvementRecord):
    """Child and adolescent mental health services."""


class AdultMentalHealth(TeamInvolvementRecord):
    """Adult mental health services."""


class Substance(TeamInvolvementRecord):
    """Drug and alcohol services."""


class SexualHealth(TeamInvolvementRecord):
    """Sexual health services."""


class PlanLevel(StrEnum):
    """Level of the healthy child programme."""

    UNIVERSAL = "universal"
    TARGETED = "targeted"
    SPECIALIST = "specialist"


class UniversalRole(StrEnum):
    """Who sees every child."""

    HEALTH_VISITOR = "health_visitor"
    SCHOOL_NURSE = "school_nurse"
    MIDWIFE = "midwife"


class Universal(Record):
    """The health visitor, school nurse or midwife."""

    dated_by = ("lastSeen",)
    one_line = ("role", "name", "lastSeen", "planLevel")

    role: UniversalRole | None = noted("Who it is", _PRACTICE)
    name: Annotated[OfficerName, Marker.WHEREABOUTS] | None = noted("Name of the worker", _PRACTICE)
    telephone: Annotated[OfficerTelephone, Marker.WHEREABOUTS] | None = noted(
        "Telephone of the worker or team", _PRACTICE
    )
    team: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Team", _PRACTICE)
    lastSeen: IsoDate | None = noted("Day the person was last seen", _PRACTICE)
    planLevel: PlanLevel | None = noted("Level of the programme", "Healthy Child Programme")
    concerns: FreeText | None = noted("Concerns, in words", _PRACTICE)


class Maternity(Record):
    """A pregnancy."""

    dated_by = ("bookingDate", "expectedDeliveryDate")
    one_line = ("bookingDate", "expectedDeliveryDate", "lateBooking", "concealed")

    bookingDate: IsoDate | None = noted("Day of the booking appointment", _PRACTICE)
    expectedDeliveryDate: IsoDate | None = noted("Expected day of birth", _PRACTICE)
    gestationAtBookingWeeks: Count | None = noted("Gestation at booking, whole weeks", _PRACTICE)
    lateBooking: bool | None = noted("Booked late", _PRACTICE)
    concealed: bool | None = noted("The pregnancy was concealed", _PRACTICE)
    midwifeTeam: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Team", _PRACTICE)


class FlagStatus(StrEnum):
    """FHIR R4 flag-status."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ENTERED_IN_ERROR = "entered-in-error"


class Flag(Record):
    """A flag on the health record."""

    dated_by = ("start", "end")
    one_line = ("code", "category", "status", "start", "end")

    status: FlagStatus | None = noted("Status", _FLAG)
    category: Code | None = noted("Category, code", _FLAG)
    code: Text | None = noted("What is flagged, code or words", _FLAG)
    start: IsoDate | None = noted("First day", "FHIR R4 Flag.period")
    end: IsoDate | None = noted("Last day", "FHIR R4 Flag.period")
    author: Annotated[OfficerName, Marker.WHEREABOUTS] | None = noted("Who flagged", _FLAG)


RECORDS: Final[Mapping[Category, type[Record]]] = {
    Category.HEALTH_REGISTRATION: Registration,
    Category.HEALTH_CPIS: Cpis,
    Category.HEALTH_ED_ATTENDANCE: EmergencyAttendance,
    Category.HEALTH_WAS_NOT_BROUGHT: WasNotBrought,
    Category.HEALTH_CAMHS: Camhs,
    Category.HEALTH_ADULT_MH: AdultMentalHealth,
    Category.HEALTH_SUBSTANCE: Substance,
    Category.HEALTH_UNIVERSAL: Universal,
    Category.HEALTH_MATERNITY: Maternity,
    Category.HEALTH_SEXUAL: SexualHealth,
    Category.HEALTH_FLAG: Flag,
}
