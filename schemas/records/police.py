"""Police records: what a force knows of a person, in the words of DfE's SUI records and of force systems.

Names follow SUI's CrimeDataRecord where it has them, the POLE model (person, object, location, event) elsewhere (DOMAIN
section 3.5). Intelligence exists here only in a sanitised wording; there is no field for the raw text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from schemas.records.fields import (
    Code,
    Count,
    FreeText,
    IsoDate,
    Marker,
    OfficerName,
    Pnc,
    Several,
    Text,
    noted,
)
from schemas.records.record import Part, Record
from schemas.vocabulary import Category

_SUI: Final = "DfE SUI CrimeDataRecord"
_MISSING: Final = "DfE SUI CrimeMissingEpisode"
_RISK: Final = "DfE SUI LinkedCrimeRisk"
_NOTICE: Final = "Devon and Cornwall PPN and VIST guidance"
_POLE: Final = "POLE data standard"
_DA: Final = "DASH checklist; MARAC referral form"
_PNC: Final = "Police National Computer"
_INTEL: Final = "APP intelligence report, 3x5x2"


class Grade(StrEnum):
    """High, medium or low."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class DashGrade(StrEnum):
    """Grade of a DASH assessment."""

    HIGH = "high"
    MEDIUM = "medium"
    STANDARD = "standard"


class Involvement(Record):
    """Which services of the justice system know the person."""

    dated_by = ("lastContactOn",)
    one_line = ("ServicesKnownTo", "PoliceMarkerDetails", "lastContactOn")

    ServicesKnownTo: Several[Text] | None = noted("Services that know the person", _SUI)
    PoliceMarkerDetails: FreeText | None = noted("Warning markers, in words", _SUI)
    lastContactOn: IsoDate | None = noted("Day of the last contact", _POLE)


class Missing(Record):
    """An episode of being missing."""

    dated_by = ("Date",)
    one_line = ("Date", "ReturnedOn", "RiskGrade", "ReturnedHomeInterviewAttended")

    Date: IsoDate | None = noted("Day the person went missing", _MISSING)
    ReturnedOn: IsoDate | None = noted("Day of return", _POLE)
    RiskGrade: Grade | None = noted("Risk grade", "APP missing persons")
    ReturnedHomeInterviewAttended: bool | None = noted("A return home interview was attended", _MISSING)


class ProtectionPower(Record):
    """Use of police protection."""

    dated_by = ("LastPoliceProtectionPowerEvent",)
    one_line = ("LastPoliceProtectionPowerEvent", "endedOn")

    LastPoliceProtectionPowerEvent: IsoDate | None = noted("Day the power was used", "DfE SUI; Children Act 1989 s46")
    endedOn: IsoDate | None = noted("Day it ended, at most 72 hours later", "Children Act 1989 s46(6)")


class ExploitationType(StrEnum):
    """Kinds of exploitation (DfE SUI CrimeRiskType)."""

    SEXUAL_EXPLOITATION = "SexualExploitation"
    CRIMINAL_EXPLOITATION = "CriminalExploitation"
    RADICALISATION = "Radicalisation"
    MODERN_SLAVERY = "ModernSlaveryAndTrafficking"
    GANGS_AND_YOUTH_VIOLENCE = "GangsAndYouthViolence"


class ExploitationRisk(Record):
    """A risk of exploitation linked to the person."""

    dated_by = ("Date",)
    one_line = ("Date", "RiskType", "level")

    Date: IsoDate | None = noted("Day it was recorded", _RISK)
    RiskType: ExploitationType | None = noted("Kind of exploitation", _RISK)
    level: Grade | None = noted("Level of the risk", "force practice, DOMAIN section 3.5")


class NoticeSubject(StrEnum):
    """Whom a vulnerability notice is about."""

    CHILD = "child"
    ADULT = "adult"


class Notice(Record):
    """A vulnerability notice: PPN, VIST, Merlin or SCARF by local name."""

    dated_by = ("date",)
    one_line = ("date", "grade", "about", "domestic_abuse", "summary_text")

    ref: Code | None = noted("Reference of the notice", _NOTICE)
    date: IsoDate | None = noted("Day of the notice", _NOTICE)
    grade: Grade | None = noted("Grade", _NOTICE)
    about: NoticeSubject | None = noted("Child or adult", _NOTICE)
    domestic_abuse: bool | None = noted("The notice is about domestic abuse", _NOTICE)
    summary_text: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("What officers saw", _NOTICE)


class EventRole(StrEnum):
    """What a person was in an event."""

    VICTIM = "victim"
    SUSPECT = "suspect"
    WITNESS = "witness"
    SUBJECT = "subject"


class Incident(Record):
    """An event and the subject's part in it."""

    dated_by = ("date",)
    one_line = ("date", "type", "role", "outcome", "crime_ref")

    crime_ref: Code | None = noted("Crime or incident reference", _POLE)
    date: IsoDate | None = noted("Day of the event", _POLE)
    type: Text | None = noted("Kind of event", _POLE)
    role: EventRole | None = noted("The subject's part", _POLE)
    outcome: Text | None = noted("Outcome", "Home Office outcomes framework")
    location: Annotated[Text, Marker.WHEREABOUTS] | None = noted("Where it happened, one line", _POLE)
    domestic_abuse: bool | None = noted("Flagged as domestic abuse", _POLE)
    children_present: bool | None = noted("Children were present", "Domestic Abuse Act 2021 s3")
    others_involved: Annotated[Several[Text], Marker.THIRD_PARTY] | None = noted("Others and their parts", _POLE)
    summary_text: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("What happened", _POLE)


class OrderKind(StrEnum):
    """Protective notices and orders."""

    DVPN = "DVPN"
    DVPO = "DVPO"
    DAPN = "DAPN"
    DAPO = "DAPO"
    NON_MOLESTATION = "non_molestation"
    RESTRAINING = "restraining"


class DomesticAbuse(Record):
    """A domestic abuse assessment and what followed."""

    dated_by = ("date", "marac_on")
    one_line = ("date", "dash_grade", "dash_score", "marac_on", "orders")

    date: IsoDate | None = noted("Day of the assessment", _DA)
    dash_score: Annotated[Count, Field(le=27)] | None = noted("Ticks of the DASH checklist, 0 to 27", _DA)
    dash_grade: DashGrade | None = noted("DASH grade", _DA)
    role: EventRole | None = noted("The subject's part", _DA)
    marac_on: IsoDate | None = noted("Day of the MARAC that heard it", _DA)
    orders: Several[OrderKind] | None = noted("Notices and orders made", "Crime and Security Act 2010; DAA 2021")
    operation_encompass: bool | None = noted(
        "The school was told", "Operation Encompass; Victims and Prisoners Act 2024"
    )
    children: Annotated[Several[Text], Marker.THIRD_PARTY] | None = noted("Children of the household", _DA)
    safe_contact: Annotated[FreeText, Marker.WHEREABOUTS] | None = noted("How to reach the victim safely", _DA)


class Conviction(Part):
    """A conviction or caution."""

    date: IsoDate | None = noted("Day of conviction or caution", _PNC)
    offence: Text | None = noted("Offence", _PNC)
    disposal: Text | None = noted("Disposal", _PNC)
    caution: bool | None = noted("It is a caution", _PNC)


class CustodyPnc(Record):
    """Custody and the Police National Computer."""

    dated_by = ("arrestedOn",)
    one_line = ("pncId", "arrestedOn", "bail_conditions", "warning_signals")

    pncId: Pnc | None = noted("PNC id", _PNC)
    arrestedOn: IsoDate | None = noted("Day of the latest arrest", "PACE custody record")
    custody_outcome: Text | None = noted("Charged, bailed, released", "PACE custody record")
    convictions: Several[Conviction] | None = noted("Convictions and cautions", _PNC)
    bail_conditions: Annotated[Several[FreeText], Marker.WHEREABOUTS] | None = noted(
        "Conditions of bail", "PACE custody record"
    )
    warning_signals: Several[Text] | None = noted("Warning signals, for example weapons or self-harm", _PNC)


class Evaluation(StrEnum):
    """Source evaluation of 3x5x2."""

    RELIABLE = "1"
    UNTESTED = "2"
    NOT_RELIABLE = "3"


class Assessment(StrEnum):
    """Information assessment of 3x5x2."""

    KNOWN_DIRECTLY = "A"
    KNOWN_INDIRECTLY = "B"
    KNOWN_INDIRECTLY_NOT_CORROBORATED = "C"
    NOT_KNOWN = "D"
    SUSPECTED_FALSE = "E"


class Handling(StrEnum):
    """Handling code of 3x5x2."""

    LAWFUL_SHARING = "P"
    WITH_CONDITIONS = "C"


class Intelligence(Record):
    """Intelligence in the wording that was made for release."""

    dated_by = ("date",)
    one_line = ("date", "sanitised_text", "source_evaluation", "information_assessment", "handling_code")

    date: IsoDate | None = noted("Day of the report", _INTEL)
    source_evaluation: Evaluation | None = noted("Source evaluation, 1 to 3", _INTEL)
    information_assessment: Assessment | None = noted("Information assessment, A to E", _INTEL)
    handling_code: Handling | None = noted("Handling code, P or C", _INTEL)
    handling_conditions: FreeText | None = noted("Conditions that bind the reader", _INTEL)
    sanitised_text: Annotated[FreeText, Marker.THIRD_PARTY] | None = noted("The sanitised wording", _INTEL)
    sanitised_by: OfficerName | None = noted("Officer who sanitised it", _INTEL)


RECORDS: Final[Mapping[Category, type[Record]]] = {
    Category.POLICE_INVOLVEMENT: Involvement,
    Category.POLICE_MISSING: Missing,
    Category.POLICE_PROTECTION: ProtectionPower,
    Category.POLICE_EXPLOITATION_RISK: ExploitationRisk,
    Category.POLICE_NOTICE: Notice,
    Category.POLICE_INCIDENT: Incident,
    Category.POLICE_DA: DomesticAbuse,
    Category.POLICE_CUSTODY_PNC: CustodyPnc,
    Category.POLICE_INTELLIGENCE: Intelligence,
}
