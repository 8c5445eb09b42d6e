"""Risk of serious harm and the plan to manage it, in the field names of the HMPPS External API.

Levels are codes; everything else is an assessor's own words, marked as free text, often about victims and children.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from schemas.records.fields import Code, FreeText, IsoDate, Marker, noted
from schemas.records.record import Part, Record

_RISKS: Final = "HMPPS External API Risks"
_SUMMARY: Final = "HMPPS External API RiskSummary"
_OTHER: Final = "HMPPS External API OtherRisks"
_PLAN: Final = "HMPPS External API RiskManagementPlan"

HarmText = Annotated[FreeText, Marker.THIRD_PARTY]


class RoshLevel(StrEnum):
    """Level of risk of serious harm."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    VERY_HIGH = "VERY_HIGH"


class Presence(StrEnum):
    """Whether a risk is there."""

    YES = "YES"
    NO = "NO"
    DO_NOT_KNOW = "DK"
    NOT_APPLICABLE = "NA"


class RiskByGroup(Part):
    """Level of risk to each group."""

    children: RoshLevel | None = noted("Risk to children", _SUMMARY)
    public: RoshLevel | None = noted("Risk to the public", _SUMMARY)
    knownAdult: RoshLevel | None = noted("Risk to a known adult", _SUMMARY)
    staff: RoshLevel | None = noted("Risk to staff", _SUMMARY)
    prisoners: RoshLevel | None = noted("Risk to prisoners", _SUMMARY)


class RiskSummary(Part):
    """The assessor's summary."""

    overallRiskLevel: RoshLevel | None = noted("Overall level", _SUMMARY)
    riskInCommunity: RiskByGroup | None = noted("Levels in the community", _SUMMARY)
    riskInCustody: RiskByGroup | None = noted("Levels in custody", _SUMMARY)
    whoIsAtRisk: HarmText | None = noted("Who is at risk", _SUMMARY)
    natureOfRisk: HarmText | None = noted("Nature of the risk", _SUMMARY)
    riskImminence: HarmText | None = noted("When the risk is likely to be greatest", _SUMMARY)
    riskIncreaseFactors: HarmText | None = noted("What would increase it", _SUMMARY)
    riskMitigationFactors: HarmText | None = noted("What would reduce it", _SUMMARY)


class RiskToSelf(Part):
    """Risks to the person themselves."""

    suicide: Presence | None = noted("Suicide", "HMPPS External API RiskToSelf")
    selfHarm: Presence | None = noted("Self-harm", "HMPPS External API RiskToSelf")
    vulnerability: Presence | None = noted("Vulnerability", "HMPPS External API RiskToSelf")


class OtherRisks(Part):
    """Risks around control and trust."""

    escapeOrAbscond: Presence | None = noted("Escape or absconding", _OTHER)
    controlIssuesDisruptiveBehaviour: Presence | None = noted("Control issues or disruptive behaviour", _OTHER)
    breachOfTrust: Presence | None = noted("Breach of trust", _OTHER)
    riskToOtherPrisoners: Presence | None = noted("Risk to other prisoners", _OTHER)


class Risks(Record):
    """Risk of serious harm."""

    dated_by = ("assessedOn",)
    one_line = ("assessedOn", "summary", "riskToSelf", "otherRisks")

    assessedOn: IsoDate | None = noted("Day of the assessment", _RISKS)
    summary: RiskSummary | None = noted("Levels and the assessor's summary", _RISKS)
    riskToSelf: RiskToSelf | None = noted("Risks to the person themselves", _RISKS)
    otherRisks: OtherRisks | None = noted("Other risks", _RISKS)


class RiskManagementPlan(Record):
    """The plan to manage the risk."""

    dated_by = ("dateCompleted", "initiationDate")
    one_line = ("dateCompleted", "assessmentStatus", "assessmentType")

    initiationDate: IsoDate | None = noted("Day it was begun", _PLAN)
    dateCompleted: IsoDate | None = noted("Day it was completed", _PLAN)
    assessmentStatus: Code | None = noted("Status", _PLAN)
    assessmentType: Code | None = noted("Kind of assessment", _PLAN)
    keyInformationCurrentSituation: HarmText | None = noted("Current situation", _PLAN)
    supervision: HarmText | None = noted("Supervision", _PLAN)
    monitoringAndControl: HarmText | None = noted("Monitoring and control", _PLAN)
    interventionsAndTreatment: HarmText | None = noted("Interventions and treatment", _PLAN)
    victimSafetyPlanning: HarmText | None = noted("Safety planning for victims", _PLAN)
    contingencyPlans: HarmText | None = noted("Contingency plans", _PLAN)
