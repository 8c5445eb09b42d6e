"""Probation records, in the field names of the HMPPS External API (DOMAIN section 3.6).

Whether a person is limited access (restriction: only these may see; exclusion: these may not) is part of identity; what
that forbids is policy. The two large risk records have their own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from schemas.records.fields import (
    Code,
    Count,
    Crn,
    Cro,
    Email,
    FreeText,
    IsoDate,
    Marker,
    Moment,
    Noms,
    OfficerEmail,
    OfficerName,
    OfficerTelephone,
    Pence,
    Pnc,
    Several,
    Telephone,
    Text,
    noted,
)
from schemas.records.probation_risk import RiskManagementPlan, Risks
from schemas.records.record import Part, Record
from schemas.vocabulary import Category

_PERSON: Final = "HMPPS External API Person"
_OFFICER: Final = "HMPPS External API PersonResponsibleOfficer"
_OFFENCE: Final = "HMPPS External API Offence"
_DELIUS: Final = "Delius Offence"
_SENTENCE: Final = "HMPPS External API Sentence"
_LICENCE: Final = "HMPPS External API Licence"
_REGISTER: Final = "HMPPS External API DynamicRisk"
_STATUS: Final = "HMPPS External API StatusInformation"
_MAPPA: Final = "HMPPS External API MappaDetail"
_CONTACT: Final = "HMPPS External API ContactEvent"


class Alias(Part):
    """Another name a person is known by."""

    firstName: Text | None = noted("First name", _PERSON)
    lastName: Text | None = noted("Last name", _PERSON)
    middleName: Text | None = noted("Middle names", _PERSON)
    dateOfBirth: IsoDate | None = noted("Date of birth given with it", _PERSON)


class Identifiers(Part):
    """Other identifiers of the person."""

    nomisNumber: Noms | None = noted("Prison number", "HMPPS External API Identifiers")
    croNumber: Cro | None = noted("CRO number", "HMPPS External API Identifiers")
    deliusCrn: Crn | None = noted("Delius case reference number", "HMPPS External API Identifiers")


class ContactDetails(Part):
    """How the person is reached."""

    phoneNumbers: Several[Telephone] | None = noted("Telephone numbers", _PERSON)
    emails: Several[Email] | None = noted("E-mail addresses", _PERSON)


class Identity(Record):
    """The person on probation."""

    dated_by = ()
    one_line = ("firstName", "lastName", "dateOfBirth", "underActiveSupervision", "pncId")

    firstName: Text | None = noted("First name", _PERSON)
    middleName: Text | None = noted("Middle names", _PERSON)
    lastName: Text | None = noted("Last name", _PERSON)
    dateOfBirth: IsoDate | None = noted("Date of birth", _PERSON)
    gender: Text | None = noted("Gender", _PERSON)
    ethnicity: Text | None = noted("Ethnicity", _PERSON)
    aliases: Several[Alias] | None = noted("Other names", _PERSON)
    identifiers: Identifiers | None = noted("Other identifiers", _PERSON)
    pncId: Pnc | None = noted("PNC id", _PERSON)
    hmppsId: Code | None = noted("HMPPS identifier", _PERSON)
    contactDetails: Annotated[ContactDetails, Marker.WHEREABOUTS] | None = noted("How to reach the person", _PERSON)
    currentRestriction: bool | None = noted("Limited access: only listed staff may see", _PERSON)
    restrictionMessage: FreeText | None = noted("What staff are told about the restriction", _PERSON)
    currentExclusion: bool | None = noted("Limited access: listed staff may not see", _PERSON)
    exclusionMessage: FreeText | None = noted("What staff are told about the exclusion", _PERSON)
    underActiveSupervision: bool | None = noted("Supervised now", "HMPPS External API PersonOnProbation")


class OfficerFullName(Part):
    """Name of an officer."""

    forename: OfficerName | None = noted("Forename", _OFFICER)
    surname: OfficerName | None = noted("Surname", _OFFICER)


class Team(Part):
    """A probation team."""

    code: Code | None = noted("Code", _OFFICER)
    description: Text | None = noted("Name", _OFFICER)
    email: OfficerEmail | None = noted("E-mail address", _OFFICER)
    telephoneNumber: OfficerTelephone | None = noted("Telephone", _OFFICER)


class CommunityOffenderManager(Part):
    """The officer in the community."""

    name: OfficerFullName | None = noted("Name", _OFFICER)
    email: OfficerEmail | None = noted("E-mail address", _OFFICER)
    telephoneNumber: OfficerTelephone | None = noted("Telephone", _OFFICER)
    team: Team | None = noted("Team", _OFFICER)


class PrisonOffenderManager(Part):
    """The officer in prison."""

    forename: OfficerName | None = noted("Forename", _OFFICER)
    surname: OfficerName | None = noted("Surname", _OFFICER)
    prisonCode: Code | None = noted("Prison, code", _OFFICER)


class ResponsibleOfficer(Record):
    """Who is responsible for the person."""

    dated_by = ("allocatedOn",)
    one_line = ("communityOffenderManager", "prisonOffenderManager", "allocatedOn")

    communityOffenderManager: Annotated[CommunityOffenderManager, Marker.OFFICER_CONTACT, Marker.WHEREABOUTS] | None = (
        noted("Officer in the community", _OFFICER)
    )
    prisonOffenderManager: Annotated[PrisonOffenderManager, Marker.OFFICER_CONTACT, Marker.WHEREABOUTS] | None = noted(
        "Officer in prison", _OFFICER
    )
    allocatedOn: IsoDate | None = noted("Day of allocation", "Delius Manager")


class Offence(Record):
    """An offence."""

    dated_by = ("startDate", "endDate")
    one_line = ("startDate", "description", "courtName", "schedule15SexualOffence", "schedule15ViolentOffence")

    cjsCode: Code | None = noted("CJS offence code", _OFFENCE)
    hoCode: Code | None = noted("Home Office offence code", _OFFENCE)
    courtDates: Several[IsoDate] | None = noted("Days in court", _OFFENCE)
    courtName: Text | None = noted("Court", _OFFENCE)
    description: Text | None = noted("Description", _OFFENCE)
    startDate: IsoDate | None = noted("First day of the offence", _OFFENCE)
    endDate: IsoDate | None = noted("Last day of the offence", _OFFENCE)
    statuteCode: Code | None = noted("Statute, code", _OFFENCE)
    mainCategory: Text | None = noted("Main category", _DELIUS)
    subCategory: Text | None = noted("Sub-category", _DELIUS)
    schedule15SexualOffence: bool | None = noted("Schedule 15 sexual offence, Criminal Justice Act 2003", _DELIUS)
    schedule15ViolentOffence: bool | None = noted("Schedule 15 violent offence, Criminal Justice Act 2003", _DELIUS)


class LengthUnit(StrEnum):
    """Unit of a sentence's length."""

    HOURS = "Hours"
    DAYS = "Days"
    WEEKS = "Weeks"
    MONTHS = "Months"
    YEARS = "Years"


class SentenceLength(Part):
    """How long a sentence is."""

    duration: Count | None = noted("Number of units", _SENTENCE)
    units: LengthUnit | None = noted("Unit", _SENTENCE)


class Sentence(Record):
    """A sentence."""

    dated_by = ("dateOfSentencing",)
    one_line = ("dateOfSentencing", "description", "isActive", "isCustodial", "length")

    dateOfSentencing: IsoDate | None = noted("Day of sentencing", _SENTENCE)
    description: Text | None = noted("Description", _SENTENCE)
    isActive: bool | None = noted("In force now", _SENTENCE)
    isCustodial: bool | None = noted("Custodial", _SENTENCE)
    fineAmountPence: Pence | None = noted("Fine, pence", _SENTENCE)
    length: SentenceLength | None = noted("Length", _SENTENCE)


class LicenceType(StrEnum):
    """Kind of licence."""

    AP = "AP"
    PSS = "PSS"
    AP_PSS = "AP_PSS"


class LicenceCondition(Part):
    """A condition of a licence."""

    type: Text | None = noted("Kind, for example standard or bespoke", _LICENCE)
    code: Code | None = noted("Code", _LICENCE)
    category: Text | None = noted("Category", _LICENCE)
    condition: Annotated[FreeText, Marker.THIRD_PARTY, Marker.WHEREABOUTS] | None = noted(
        "Wording; may name others, and where to live", _LICENCE
    )


class Licence(Record):
    """A licence."""

    dated_by = ("approvedDate", "createdDate", "updatedDate")
    one_line = ("typeCode", "status", "approvedDate", "conditions")

    status: Code | None = noted("Status, for example ACTIVE", _LICENCE)
    typeCode: LicenceType | None = noted("Kind", _LICENCE)
    createdDate: IsoDate | None = noted("Day it was made", _LICENCE)
    approvedDate: IsoDate | None = noted("Day it was approved", _LICENCE)
    updatedDate: IsoDate | None = noted("Day it was last changed", _LICENCE)
    conditions: Several[LicenceCondition] | None = noted("Conditions", _LICENCE)


class RegisterCode(StrEnum):
    """Registers of dynamic risk that may be shared."""

    SUICIDE_SELF_HARM = "ALSH"
    CHILD_CONCERNS = "RCCO"
    CHILD_PROTECTION = "RCPR"
    VULNERABLE_ADULT = "RVAD"
    GANGS = "STRG"
    VISOR = "AVIS"
    WEAPONS = "WEAP"
    ROSH_LOW = "RLRH"
    ROSH_MEDIUM = "RMRH"
    ROSH_HIGH = "RHRH"
    ROSH_VERY_HIGH = "RVRH"


class StatusCode(StrEnum):
    """Registers of status."""

    WARRANT = "WRSM"
    SERIOUS_FURTHER_OFFENCE = "ASFO"


class Register(Record):
    """A registration of dynamic risk."""

    dated_by = ("startDate", "reviewDate")
    one_line = ("code", "description", "startDate", "reviewDate")

    code: RegisterCode | None = noted("Register", _REGISTER)
    description: Text | None = noted("Description", _REGISTER)
    startDate: IsoDate | None = noted("First day", _REGISTER)
    reviewDate: IsoDate | None = noted("Day of review", _REGISTER)
    notes: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("Notes", _REGISTER)


class Status(Record):
    """A registration of status."""

    dated_by = ("startDate", "reviewDate")
    one_line = ("code", "description", "startDate", "reviewDate")

    code: StatusCode | None = noted("Register", _STATUS)
    description: Text | None = noted("Description", _STATUS)
    startDate: IsoDate | None = noted("First day", _STATUS)
    reviewDate: IsoDate | None = noted("Day of review", _STATUS)
    notes: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("Notes", _STATUS)


class Mappa(Record):
    """Multi-agency public protection arrangements."""

    dated_by = ("startDate", "reviewDate")
    one_line = ("level", "category", "startDate", "reviewDate")

    level: Annotated[int, Field(ge=0, le=3)] | None = noted("Level, 0 to 3", _MAPPA)
    levelDescription: Text | None = noted("Level in words", _MAPPA)
    category: Annotated[int, Field(ge=0, le=4)] | None = noted("Category, 0 to 4", _MAPPA)
    categoryDescription: Text | None = noted("Category in words", _MAPPA)
    startDate: IsoDate | None = noted("First day", _MAPPA)
    reviewDate: IsoDate | None = noted("Day of review", _MAPPA)
    notes: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("Notes", _MAPPA)


class ContactEvent(Record):
    """An entry of the contact log."""

    dated_by = ("contactDateTime",)
    one_line = ("contactDateTime", "contactType", "outcome", "description")

    contactDateTime: Moment | None = noted("When, second in UTC", _CONTACT)
    contactType: Text | None = noted("Kind of contact", _CONTACT)
    outcome: Text | None = noted("Outcome", _CONTACT)
    description: FreeText | None = noted("Description", _CONTACT)
    notes: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("Notes", _CONTACT)
    officerName: Annotated[OfficerName, Marker.WHEREABOUTS] | None = noted("Officer", _CONTACT)
    teamName: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Team", _CONTACT)


RECORDS: Final[Mapping[Category, type[Record]]] = {
    Category.PROBATION_IDENTITY: Identity,
    Category.PROBATION_RESPONSIBLE_OFFICER: ResponsibleOfficer,
    Category.PROBATION_OFFENCE: Offence,
    Category.PROBATION_SENTENCE: Sentence,
    Category.PROBATION_LICENCE: Licence,
    Category.PROBATION_REGISTER: Register,
    Category.PROBATION_STATUS: Status,
    Category.PROBATION_ROSH: Risks,
    Category.PROBATION_MAPPA: Mappa,
    Category.PROBATION_RMP: RiskManagementPlan,
    Category.PROBATION_CONTACT: ContactEvent,
}
