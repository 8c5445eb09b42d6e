"""Records of the agencies with no open standard: adult social care, housing, fire, voluntary services and IDVA.

Fields are those hub practice asks for (DOMAIN section 3.7). An IDVA case has no field for where the victim is, and none
may be added: such an address goes to nobody through this broker.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from schemas.records.fields import Code, Count, FreeText, IsoDate, Marker, OfficerName, Pence, Several, Text, noted
from schemas.records.person import InvolvementStatus
from schemas.records.record import Record
from schemas.vocabulary import Category, ConsentState

_PRACTICE: Final = "hub practice, DOMAIN section 3.7"
_SAC: Final = "NHS England Safeguarding Adults Collection; Care Act 2014 s42; SSWBA 2014 s126"
_HOUSING_ACT: Final = "Housing Act 1996 Part 7; Housing (Wales) Act 2014 Part 2"
_CLUTTER: Final = "Clutter Image Rating"


class AdultInvolvement(Record):
    """Involvement of adult social care."""

    dated_by = ("start", "end")
    one_line = ("status", "team", "worker", "start")

    status: InvolvementStatus | None = noted("Open or closed", _PRACTICE)
    start: IsoDate | None = noted("First day", _PRACTICE)
    end: IsoDate | None = noted("Last day; missing while open", _PRACTICE)
    worker: Annotated[OfficerName, Marker.WHEREABOUTS] | None = noted("Worker", _PRACTICE)
    team: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Team", _PRACTICE)
    support: Text | None = noted("Main kind of support", _PRACTICE)


class AdultEnquiry(Record):
    """A safeguarding adults concern and enquiry."""

    dated_by = ("concernDate",)
    one_line = ("concernDate", "typesOfRisk", "sourceOfRisk", "outcome")

    concernDate: IsoDate | None = noted("Day of the concern", _SAC)
    typesOfRisk: Several[Text] | None = noted("Kinds of risk", _SAC)
    sourceOfRisk: Text | None = noted("Source of the risk: service provider, known or unknown person", _SAC)
    location: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Where the risk is", _SAC)
    outcome: Text | None = noted("Whether the risk was removed, reduced or remained", _SAC)
    mspOutcomes: FreeText | None = noted("What the adult wanted, Making Safeguarding Personal", _SAC)
    advocacy: bool | None = noted("An advocate supported the adult", _SAC)


class Tenancy(Record):
    """A tenancy."""

    dated_by = ("start", "end")
    one_line = ("tenure", "start", "end", "arrearsPence", "noticeServedOn")

    tenure: Text | None = noted("Tenure", _PRACTICE)
    start: IsoDate | None = noted("First day", _PRACTICE)
    end: IsoDate | None = noted("Last day; missing while current", _PRACTICE)
    address: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Address, one line", _PRACTICE)
    tenants: Annotated[Several[Text], Marker.THIRD_PARTY, Marker.WHEREABOUTS] | None = noted("Tenants", _PRACTICE)
    occupiers: Annotated[Several[Text], Marker.THIRD_PARTY, Marker.WHEREABOUTS] | None = noted(
        "Other occupiers", _PRACTICE
    )
    arrearsPence: Pence | None = noted("Arrears, pence", _PRACTICE)
    noticeServedOn: IsoDate | None = noted("Day notice was served", _PRACTICE)


class Homelessness(Record):
    """A homelessness application."""

    dated_by = ("appliedOn",)
    one_line = ("appliedOn", "dutyOwed", "endedOn")

    appliedOn: IsoDate | None = noted("Day of the application", _HOUSING_ACT)
    dutyOwed: Text | None = noted("Duty owed", _HOUSING_ACT)
    endedOn: IsoDate | None = noted("Day the duty ended", _HOUSING_ACT)
    reason: Text | None = noted("Reason for homelessness", _HOUSING_ACT)
    accommodation: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Accommodation provided", _HOUSING_ACT)


class AntiSocialBehaviour(Record):
    """A report of anti-social behaviour."""

    dated_by = ("date",)
    one_line = ("date", "type", "outcome")

    date: IsoDate | None = noted("Day of the report", _PRACTICE)
    type: Text | None = noted("Kind of behaviour", _PRACTICE)
    outcome: Text | None = noted("Outcome", _PRACTICE)
    summary_text: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("What was reported", _PRACTICE)


class FireVisit(Record):
    """A safe and well visit."""

    dated_by = ("date",)
    one_line = ("date", "clutterRating", "smokeAlarms", "referralMade")

    date: IsoDate | None = noted("Day of the visit", _PRACTICE)
    clutterRating: Annotated[int, Field(ge=1, le=9)] | None = noted("Hoarding, 1 to 9", _CLUTTER)
    smokeAlarms: Count | None = noted("Working smoke alarms, number", _PRACTICE)
    referralMade: bool | None = noted("A safeguarding referral was made", _PRACTICE)
    findings: FreeText | None = noted("What was found", _PRACTICE)


class Firesetting(Record):
    """A firesetting intervention."""

    dated_by = ("date",)
    one_line = ("date", "status", "reason")

    date: IsoDate | None = noted("Day of the referral", _PRACTICE)
    status: InvolvementStatus | None = noted("Open or closed", _PRACTICE)
    reason: FreeText | None = noted("Why it was made", _PRACTICE)
    sessions: Count | None = noted("Sessions held, number", _PRACTICE)


class VoluntaryInvolvement(Record):
    """Involvement of a voluntary service."""

    dated_by = ("start", "end")
    one_line = ("service", "status", "worker", "start", "end")

    service: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Service", _PRACTICE)
    status: InvolvementStatus | None = noted("Open or closed", _PRACTICE)
    worker: Annotated[OfficerName, Marker.WHEREABOUTS] | None = noted("Worker", _PRACTICE)
    start: IsoDate | None = noted("First day", _PRACTICE)
    end: IsoDate | None = noted("Last day; missing while open", _PRACTICE)
    consent: ConsentState | None = noted("Whether the person agreed to sharing", _PRACTICE)


class SupportStatus(StrEnum):
    """Where an IDVA's support stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CLOSED = "closed"


class IdvaCase(Record):
    """A case of an independent domestic violence advisor. It never says where the victim is."""

    dated_by = ("maracDate", "referredOn")
    one_line = ("referredOn", "dashScore", "maracDate", "safetyPlanExists", "supportStatus")

    referredOn: IsoDate | None = noted("Day of the referral", _PRACTICE)
    dashScore: Annotated[int, Field(ge=0, le=27)] | None = noted(
        "Ticks of the DASH checklist, 0 to 27", "DASH checklist"
    )
    maracDate: IsoDate | None = noted("Day of the MARAC", _PRACTICE)
    safetyPlanExists: bool | None = noted("There is a safety plan", _PRACTICE)
    supportStatus: SupportStatus | None = noted("Where support stands", _PRACTICE)
    reference: Code | None = noted("The service's own reference", _PRACTICE)


RECORDS: Final[Mapping[Category, type[Record]]] = {
    Category.ASC_INVOLVEMENT: AdultInvolvement,
    Category.ASC_S42: AdultEnquiry,
    Category.HOUSING_TENANCY: Tenancy,
    Category.HOUSING_HOMELESSNESS: Homelessness,
    Category.HOUSING_ASB: AntiSocialBehaviour,
    Category.FIRE_VISIT: FireVisit,
    Category.FIRE_FIRESETTING: Firesetting,
    Category.VOL_INVOLVEMENT: VoluntaryInvolvement,
    Category.IDVA_CASE: IdvaCase,
}
