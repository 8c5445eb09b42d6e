"""FHIR R4 resources as far as they are read, shaped as UK Core's profiles are; not validated against those.

A patient has three models, so that a broken address leaves the name readable. Refuses to know what is told of them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agents.health.elements import (
    Address,
    Coding,
    Concept,
    ContactPoint,
    Day,
    Element,
    HumanName,
    Line,
    PatientIdentifier,
    Period,
    Reference,
    Text,
)


class Meta(Element):
    """Security labels."""

    security: tuple[Coding, ...] = ()


class Resource(Element):
    """What every resource has."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,64}$")]
    meta: Meta = Meta()

    @property
    def security(self) -> tuple[str | None, ...]:
        """Codes of its labels; None for a label without a code."""
        return tuple(label.code for label in self.meta.security)


class PatientLink(Element):
    """Another record of a patient."""

    other: Reference
    type: Line = None


class PatientIdentity(Resource):
    """Who a patient is."""

    identifier: tuple[PatientIdentifier, ...] = ()
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    gender: Line = None
    birth_date: Annotated[Day, Field(alias="birthDate")] = None
    link: tuple[PatientLink, ...] = ()


class PatientHome(Resource):
    """Where a patient lives and lived."""

    address: tuple[Address, ...] = ()


class PatientPractice(Resource):
    """Where a patient is registered."""

    general_practitioner: Annotated[tuple[Reference, ...], Field(alias="generalPractitioner")] = ()


class Practitioner(Resource):
    """A worker."""

    name: tuple[HumanName, ...] = ()


class Organization(Resource):
    """A surgery, a trust, a local authority."""

    name: Line = None
    telecom: tuple[ContactPoint, ...] = ()
    address: tuple[Address, ...] = ()


class CareTeam(Resource):
    """A team."""

    name: Line = None
    telecom: tuple[ContactPoint, ...] = ()


class EpisodeOfCare(Resource):
    """That a service is or was involved."""

    status: Line
    type: tuple[Concept, ...] = ()
    period: Period = Period()
    care_manager: Annotated[Reference | None, Field(alias="careManager")] = None
    team: tuple[Reference, ...] = ()


class Hospitalization(Element):
    """Where a patient went from there."""

    disposition: Annotated[Concept, Field(alias="dischargeDisposition")] = Concept()


class FreeConcept(Element):
    """A CodeableConcept whose text is written by hand."""

    coding: tuple[Coding, ...] = ()
    text: Text = None

    @property
    def words(self) -> str | None:
        """Its text, or the display of its first coding."""
        return self.text or next((one.display for one in self.coding if one.display), None)


class Encounter(Resource):
    """That somebody saw the patient."""

    status: Line
    kind: Annotated[Coding, Field(alias="class")]
    type: tuple[Concept, ...] = ()
    period: Period = Period()
    reason: Annotated[tuple[FreeConcept, ...], Field(alias="reasonCode")] = ()
    hospitalization: Hospitalization = Hospitalization()
    provider: Annotated[Reference | None, Field(alias="serviceProvider")] = None


class Appointment(Resource):
    """An appointment, kept or not."""

    status: Line
    category: Annotated[tuple[Concept, ...], Field(alias="serviceCategory")] = ()
    type: Annotated[tuple[Concept, ...], Field(alias="serviceType")] = ()
    start: Day = None
    comment: Text = None


class Flag(Resource):
    """Something that whoever opens the record must see."""

    status: Line
    category: tuple[Concept, ...] = ()
    code: Concept
    period: Period = Period()
    author: Reference | None = None


class Condition(Resource):
    """A pregnancy; other conditions are not indexed."""

    code: Concept
    verification: Annotated[Concept, Field(alias="verificationStatus")] = Concept()
    recorded: Annotated[Day, Field(alias="recordedDate")] = None
    abatement: Annotated[Day, Field(alias="abatementDateTime")] = None


class Observation(Resource):
    """An expected date of delivery; other observations are not indexed."""

    status: Line
    code: Concept
    value: Annotated[Day, Field(alias="valueDateTime")] = None
    effective: Annotated[Day, Field(alias="effectiveDateTime")] = None


Kind = Literal[
    "Patient",
    "Practitioner",
    "Organization",
    "CareTeam",
    "EpisodeOfCare",
    "Encounter",
    "Appointment",
    "Flag",
    "Condition",
    "Observation",
]
"""The resource types an export has; each needs a file, though it may be an empty one."""
