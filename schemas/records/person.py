"""Records any agency may hold: who a person is, where and with whom they live, and that the agency is involved.

Names are those of the PDS search and of DfE's SUI records (DOMAIN section 3.0). Related people and household members
are third parties: they are marked, and only policy says whether they leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from schemas.records.fields import (
    Code,
    Email,
    IsoDate,
    Marker,
    NhsNumber,
    OfficerEmail,
    OfficerName,
    OfficerTelephone,
    Several,
    Telephone,
    Text,
    UkPostcode,
    noted,
)
from schemas.records.record import Part, Record
from schemas.vocabulary import Category

_PDS: Final = "NHS PDS FHIR search"
_SUI: Final = "DfE SUI PersonalDetailsRecord"
_CSC: Final = "DfE SUI ChildrensServicesDetailsRecord"
_CUSTODIAN: Final = "DfE SUI custodian record"
_ADDRESS: Final = "DfE SUI Address"
_HMPPS: Final = "HMPPS External API Address"


class Gender(StrEnum):
    """Administrative gender (FHIR R4 administrative-gender)."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNKNOWN = "unknown"


class Identity(Record):
    """Who the agency thinks the person is."""

    dated_by = ()
    one_line = ("given", "family", "birthdate", "gender", "nhs_number")

    nhs_number: NhsNumber | None = noted("NHS number, ten digits", _PDS)
    given: Text | None = noted("Given names", _PDS)
    family: Text | None = noted("Family name", _PDS)
    former_family: Several[Text] | None = noted("Earlier or other family names", "FHIR R4 HumanName, use old")
    birthdate: IsoDate | None = noted("Date of birth", _PDS)
    expected_birthdate: IsoDate | None = noted("Expected date of birth of an unborn child", "CIN census N00098")
    gender: Gender | None = noted("Administrative gender", _PDS)
    phone: Annotated[Telephone, Marker.WHEREABOUTS] | None = noted("Telephone", _PDS)
    email: Annotated[Email, Marker.WHEREABOUTS] | None = noted("E-mail address", _PDS)
    postcode: Annotated[UkPostcode, Marker.WHEREABOUTS] | None = noted("Postcode of the usual address", _PDS)
    BirthAssignedSex: Text | None = noted("Sex assigned at birth", _SUI)
    Pronouns: Text | None = noted("Pronouns", _SUI)
    Ethnicity: Text | None = noted("Ethnicity, code or words", _SUI)
    FirstLanguage: Text | None = noted("First language", _SUI)
    DesignatedLocalAuthority: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Local authority responsible", _SUI)
    EnglishAsAdditionalLanguage: bool | None = noted("Communication need: English is an additional language", _SUI)
    Braille: bool | None = noted("Communication need: braille", _SUI)
    SignLanguage: bool | None = noted("Communication need: sign language", _SUI)
    Makaton: bool | None = noted("Communication need: Makaton", _SUI)
    Interpreter: bool | None = noted("Communication need: an interpreter", _SUI)


class AddressType(StrEnum):
    """What an address is to the person."""

    HOME = "home"
    TEMPORARY = "temporary"
    PREVIOUS = "previous"
    BUSINESS = "business"
    UNKNOWN = "unknown"


class Address(Record):
    """One address of a person and when it held."""

    dated_by = ("startDate", "endDate")
    one_line = ("Line1", "TownOrCity", "Postcode", "startDate", "endDate")

    Line1: Annotated[Text, Marker.WHEREABOUTS] | None = noted("House and street", _ADDRESS)
    Line2: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Second line", _ADDRESS)
    TownOrCity: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Town or city", _ADDRESS)
    County: Annotated[Text, Marker.WHEREABOUTS] | None = noted("County", _ADDRESS)
    Postcode: Annotated[UkPostcode, Marker.WHEREABOUTS] | None = noted("Postcode", _ADDRESS)
    startDate: IsoDate | None = noted("First day there", _HMPPS)
    endDate: IsoDate | None = noted("Last day there; missing while current or not known", _HMPPS)
    noFixedAddress: bool | None = noted("The person has no fixed address", _HMPPS)
    type: AddressType | None = noted("What the address is to the person", _HMPPS)


class RelatedPerson(Part):
    """A person related to the subject."""

    RelationshipToTheChild: Text | None = noted("Relationship to the subject", "DfE SUI RelatedPerson")
    Name: Text | None = noted("Full name", "DfE SUI RelatedPerson")
    DOB: IsoDate | None = noted("Date of birth", "DfE SUI RelatedPerson")
    Risk: Several[Text] | None = noted("Risks recorded of that person", "DfE SUI RelatedPerson")


class Household(Record):
    """Who else lives at the main address or is related: third-party data throughout."""

    dated_by = ("recordedOn",)
    one_line = ("NamesOfIndividualsResidingAtMainAddress", "recordedOn")

    NamesOfIndividualsResidingAtMainAddress: Annotated[Several[Text], Marker.THIRD_PARTY, Marker.WHEREABOUTS] | None = (
        noted("Full names of the others at the main address", _SUI)
    )
    RelatedPeople: Annotated[Several[RelatedPerson], Marker.THIRD_PARTY] | None = noted("People related", _SUI)
    recordedOn: IsoDate | None = noted("Day the household was last confirmed", "needtoknow")


class InvolvementStatus(StrEnum):
    """Whether an agency works with the person."""

    OPEN = "open"
    CLOSED = "closed"


class DutyContact(Part):
    """A contact of a team or worker."""

    name: OfficerName | None = noted("Name of the worker or desk", _CUSTODIAN)
    description: Text | None = noted("What the contact is for", _CUSTODIAN)
    telephone: OfficerTelephone | None = noted("Telephone", _CUSTODIAN)
    email: OfficerEmail | None = noted("E-mail address", _CUSTODIAN)


class Involvement(Record):
    """That the agency works or worked with the person, and whom to ring."""

    dated_by = ("start", "end")
    one_line = ("status", "TeamInvolvement", "KeyWorker", "start", "end")

    status: InvolvementStatus | None = noted("Open or closed", _CSC)
    start: IsoDate | None = noted("First day of the involvement", _CSC)
    end: IsoDate | None = noted("Last day of the involvement", _CSC)
    KeyWorker: Annotated[OfficerName, Marker.WHEREABOUTS] | None = noted("Name of the key worker", _CSC)
    TeamInvolvement: Annotated[Several[Text], Marker.WHEREABOUTS] | None = noted("Teams involved", _CSC)
    DutyContactDetails: Annotated[Several[DutyContact], Marker.OFFICER_CONTACT, Marker.WHEREABOUTS] | None = noted(
        "Duty contacts", _CSC
    )
    reference: Code | None = noted("The agency's own case reference", "DfE SUI recordLink")


RECORDS: Final[Mapping[Category, type[Record]]] = {
    Category.PERSON_IDENTITY: Identity,
    Category.PERSON_ADDRESS: Address,
    Category.PERSON_HOUSEHOLD: Household,
    Category.AGENCY_INVOLVEMENT: Involvement,
}
