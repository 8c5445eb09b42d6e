"""What a person is thought capable of: registers, status, risk of serious harm, MAPPA and the plan to manage it.

An assessor's own words go into fields marked as free text; what of them leaves is policy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from agents.probation import mapping
from agents.probation.members import Members
from agents.probation.reading import Made, Reader, build, each, only, part
from schemas.records import probation, probation_risk
from schemas.vocabulary import Category

_GROUPS: Final = ("children", "public", "knownAdult", "staff", "prisoners")
_SUMMARIES: Final = ("whoIsAtRisk", "natureOfRisk", "riskImminence", "riskIncreaseFactors", "riskMitigationFactors")
_TO_SELF: Final = ("suicide", "selfHarm", "vulnerability")
_OTHERS: Final = ("escapeOrAbscond", "controlIssuesDisruptiveBehaviour", "breachOfTrust", "riskToOtherPrisoners")
_PLANS: Final = (
    "keyInformationCurrentSituation",
    "supervision",
    "monitoringAndControl",
    "interventionsAndTreatment",
    "victimSafetyPlanning",
    "contingencyPlans",
)


def _registration(held: Members) -> dict[str, object]:
    return {
        "description": held.line("description"),
        "startDate": held.day("startDate"),
        "reviewDate": held.day("reviewDate"),
        "notes": held.text("notes"),
    }


def _register(held: Members, untold: Collection[str]) -> Made | None:
    if held.line("code") in untold:
        return None
    fields = {"code": held.code("code", mapping.REGISTERS), **_registration(held)}
    return Made(build(probation.Register, fields), held.date("startDate"))


def _status(held: Members, untold: Collection[str]) -> Made | None:
    if held.line("code") in untold:
        return None
    fields = {"code": held.code("code", mapping.STATUSES), **_registration(held)}
    return Made(build(probation.Status, fields), held.date("startDate"))


def _mappa(held: Members) -> Made:
    fields = {
        "level": held.number("level"),
        "levelDescription": held.line("levelDescription"),
        "category": held.number("category"),
        "categoryDescription": held.line("categoryDescription"),
        "startDate": held.day("startDate"),
        "reviewDate": held.day("reviewDate"),
        "notes": held.text("notes"),
    }
    return Made(build(probation.Mappa, fields), held.date("startDate"))


def _rosh(held: Members) -> Made:
    summary, to_self, others = (held.inner(name) for name in ("summary", "riskToSelf", "otherRisks"))
    fields = {
        "assessedOn": held.day("assessedOn"),
        "summary": None if summary is None else _summary(summary),
        "riskToSelf": None if to_self is None else _to_self(to_self),
        "otherRisks": None if others is None else _other_risks(others),
    }
    return Made(build(probation_risk.Risks, fields), held.date("assessedOn"))


def _summary(held: Members) -> probation_risk.RiskSummary | None:
    fields = {
        "overallRiskLevel": held.code("overallRiskLevel", mapping.LEVELS),
        "riskInCommunity": _by_group(held.inner("riskInCommunity")),
        "riskInCustody": _by_group(held.inner("riskInCustody")),
        **{name: held.text(name) for name in _SUMMARIES},
    }
    return part(probation_risk.RiskSummary, fields)


def _by_group(held: Members | None) -> probation_risk.RiskByGroup | None:
    if held is None:
        return None
    return part(probation_risk.RiskByGroup, {name: held.code(name, mapping.LEVELS) for name in _GROUPS})


def _to_self(held: Members) -> probation_risk.RiskToSelf | None:
    assessed = {name: held.inner(name) for name in _TO_SELF}
    risks = {
        name: None if one is None else one.code("risk", mapping.PRESENCES) or one.code("current", mapping.PRESENCES)
        for name, one in assessed.items()
    }
    return part(probation_risk.RiskToSelf, risks)


def _other_risks(held: Members) -> probation_risk.OtherRisks | None:
    return part(probation_risk.OtherRisks, {name: held.code(name, mapping.PRESENCES) for name in _OTHERS})


def _plan(held: Members) -> Made:
    fields = {
        "initiationDate": held.day("initiationDate"),
        "dateCompleted": held.day("dateCompleted"),
        "assessmentStatus": held.line("assessmentStatus"),
        "assessmentType": held.line("assessmentType"),
        **{name: held.text(name) for name in _PLANS},
    }
    return Made(build(probation_risk.RiskManagementPlan, fields), held.date("dateCompleted"))


def readers(untold: Collection[str]) -> Mapping[Category, Reader]:
    """The readers, for a region that does not tell those registers."""
    return {
        Category.PROBATION_REGISTER: each(
            Category.PROBATION_REGISTER, "dynamic-risks", lambda held: _register(held, untold)
        ),
        Category.PROBATION_STATUS: each(
            Category.PROBATION_STATUS, "status-information", lambda held: _status(held, untold)
        ),
        Category.PROBATION_ROSH: only(Category.PROBATION_ROSH, "risks", _rosh),
        Category.PROBATION_MAPPA: only(Category.PROBATION_MAPPA, "mappadetail", _mappa),
        Category.PROBATION_RMP: only(Category.PROBATION_RMP, "risk-management-plan", _plan),
    }
