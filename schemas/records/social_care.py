"""Children's social care records, in the words of the children in need census and of DfE's case-system pilot.

Field names are those of the CIN census tables (DOMAIN section 3.2); adoption and placements follow the DfE CSC API data
flow. Adoption is sealed by default: that is policy, not said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import StringConstraints

from schemas.records.fields import Code, Count, IsoDate, Marker, Several, Text, Upn, noted
from schemas.records.record import Record
from schemas.vocabulary import Category

_CIN: Final = "CIN census CINdetails"
_ASSESSMENTS: Final = "CIN census Assessments"
_S47: Final = "CIN census Section47"
_PLANS: Final = "CIN census CINplanDates"
_CPP: Final = "CIN census ChildProtectionPlans"
_CHILD: Final = "CIN census ChildIdentifiers"
_TRAITS: Final = "CIN census ChildCharacteristics"
_API: Final = "DfE CSC API data flow"
_SUI: Final = "DfE SUI ChildrensServicesReferral"

ReferralSourceCode = Annotated[str, StringConstraints(pattern=r"^(1[A-D]|2[AB]|3[A-F]|4|5[A-D]|[67890]|10)$")]
"""CIN census referral source, for example 6 police, 4 housing, 9 anonymous, 10 unknown."""
PrimaryNeed = Annotated[str, StringConstraints(pattern=r"^N[0-9]$")]
"""CIN census primary need at assessment, N0 to N9; N1 is abuse or neglect."""
ClosureReason = Annotated[str, StringConstraints(pattern=r"^RC([0-9]|1[0-9])$")]
"""CIN census reason for closure."""
AssessmentFactor = Annotated[str, StringConstraints(pattern=r"^(1?[0-9]|2[0-9])[A-F]?$")]
"""CIN census factor identified at assessment, for example 3A to 3C domestic violence, 16A missing."""


class AbuseCategory(StrEnum):
    """Category of abuse of a child protection plan (CIN census)."""

    NEGLECT = "NEG"
    PHYSICAL = "PHY"
    SEXUAL = "SAB"
    EMOTIONAL = "EMO"
    MULTIPLE = "MUL"


class UpnUnknown(StrEnum):
    """Why there is no UPN (CIN census)."""

    UN1 = "UN1"
    UN2 = "UN2"
    UN3 = "UN3"
    UN4 = "UN4"
    UN5 = "UN5"


class SexCode(StrEnum):
    """Sex as the CIN census codes it."""

    MALE = "M"
    FEMALE = "F"
    UNKNOWN = "U"


class Referral(Record):
    """A request for services, and how it ended."""

    dated_by = ("CINreferralDate",)
    one_line = ("CINreferralDate", "ReferralSource", "PrimaryNeedCode", "ReferralNFA", "CINclosureDate")

    CINreferralDate: IsoDate | None = noted("Day of the referral", _CIN)
    ReferralSource: ReferralSourceCode | None = noted("Who referred, code", _CIN)
    PrimaryNeedCode: PrimaryNeed | None = noted("Main need, code", _CIN)
    ReferralNFA: bool | None = noted("The referral ended in no further action", _CIN)
    CINclosureDate: IsoDate | None = noted("Day the case closed", _CIN)
    ReasonForClosure: ClosureReason | None = noted("Why the case closed, code", _CIN)


class Assessment(Record):
    """An assessment and the factors found."""

    dated_by = ("AssessmentActualStartDate",)
    one_line = ("AssessmentActualStartDate", "AssessmentAuthorisationDate", "AssessmentFactors")

    AssessmentActualStartDate: IsoDate | None = noted("Day it began", _ASSESSMENTS)
    AssessmentInternalReviewDate: IsoDate | None = noted("Day of the internal review point", _ASSESSMENTS)
    AssessmentAuthorisationDate: IsoDate | None = noted("Day it was authorised", _ASSESSMENTS)
    AssessmentFactors: Several[AssessmentFactor] | None = noted("Factors found, codes", _ASSESSMENTS)


class Section47(Record):
    """A section 47 enquiry."""

    dated_by = ("S47ActualStartDate",)
    one_line = ("S47ActualStartDate", "DateOfInitialCPC", "ICPCnotRequired")

    S47ActualStartDate: IsoDate | None = noted("Day it began", _S47)
    InitialCPCtarget: IsoDate | None = noted("Day the initial conference was due", _S47)
    DateOfInitialCPC: IsoDate | None = noted("Day of the initial conference", _S47)
    ICPCnotRequired: bool | None = noted("No initial conference was needed", _S47)


class InNeedPlan(Record):
    """A child in need plan."""

    dated_by = ("CINPlanStartDate",)
    one_line = ("CINPlanStartDate", "CINPlanEndDate")

    CINPlanStartDate: IsoDate | None = noted("First day", _PLANS)
    CINPlanEndDate: IsoDate | None = noted("Last day; missing while open", _PLANS)


class ProtectionPlan(Record):
    """A child protection plan."""

    dated_by = ("CPPstartDate",)
    one_line = ("CPPstartDate", "CPPendDate", "LatestCategoryOfAbuse", "NumberOfPreviousCPP")

    CPPstartDate: IsoDate | None = noted("First day", _CPP)
    CPPendDate: IsoDate | None = noted("Last day; missing while open", _CPP)
    InitialCategoryOfAbuse: AbuseCategory | None = noted("Category when made", _CPP)
    LatestCategoryOfAbuse: AbuseCategory | None = noted("Category now", _CPP)
    NumberOfPreviousCPP: Count | None = noted("Plans before this one, number", _CPP)
    CPPreviewDate: Several[IsoDate] | None = noted("Days of the reviews", "CIN census Reviews")


class Child(Record):
    """The child as the authority knows it."""

    dated_by = ()
    one_line = ("LAchildID", "UPN", "PersonBirthDate", "ExpectedPersonBirthDate", "Sex")

    LAchildID: Code | None = noted("The authority's own number", _CHILD)
    UPN: Annotated[Upn, Marker.WHEREABOUTS] | None = noted("Unique pupil number", _CHILD)
    FormerUPN: Annotated[Upn, Marker.WHEREABOUTS] | None = noted("Former unique pupil number", _CHILD)
    UPNunknown: UpnUnknown | None = noted("Why there is no UPN, code", _CHILD)
    PersonBirthDate: IsoDate | None = noted("Date of birth", _CHILD)
    ExpectedPersonBirthDate: IsoDate | None = noted("Expected date of birth of an unborn child", _CHILD)
    Sex: SexCode | None = noted("Sex, code", _CHILD)
    Ethnicity: Code | None = noted("Ethnicity, code", _TRAITS)
    Disability: Several[Code] | None = noted("Disabilities, codes", "CIN census Disabilities")


class LookedAfter(Record):
    """A placement of a looked-after child."""

    dated_by = ("start_date", "end_date")
    one_line = ("placement_type", "start_date", "start_reason", "end_date", "end_reason")

    start_date: IsoDate | None = noted("First day of the placement", _API)
    end_date: IsoDate | None = noted("Last day of the placement", _API)
    placement_type: Annotated[Code, Marker.WHEREABOUTS] | None = noted("Kind of placement, code", _API)
    start_reason: Code | None = noted("Why it began, code", _API)
    end_reason: Code | None = noted("Why it ended, code", _API)
    change_reason: Code | None = noted("Why it changed, code", _API)
    uasc_flag: bool | None = noted("Unaccompanied asylum-seeking child", _API)


class Adoption(Record):
    """The course of an adoption."""

    dated_by = ("placed_date", "matched_date", "initial_decision_date")
    one_line = ("initial_decision_date", "matched_date", "placed_date")

    initial_decision_date: IsoDate | None = noted("Day the decision was made", _API)
    matched_date: IsoDate | None = noted("Day of the match", _API)
    placed_date: IsoDate | None = noted("Day of placement", _API)


class HelpType(StrEnum):
    """What a referral was for (DfE SUI)."""

    EARLY_HELP = "Early Help"
    SOCIAL_CARE = "Social Care"


class EarlyHelp(Record):
    """Early help."""

    dated_by = ("date",)
    one_line = ("date", "type", "outcome")

    date: IsoDate | None = noted("Day of the referral", _SUI)
    type: HelpType | None = noted("What it was for", _SUI)
    outcome: Text | None = noted("How it ended, in a few words", "hub practice")


RECORDS: Final[Mapping[Category, type[Record]]] = {
    Category.CSC_REFERRAL: Referral,
    Category.CSC_ASSESSMENT: Assessment,
    Category.CSC_S47: Section47,
    Category.CSC_CIN_PLAN: InNeedPlan,
    Category.CSC_CP_PLAN: ProtectionPlan,
    Category.CSC_CHILD: Child,
    Category.CSC_LOOKED_AFTER: LookedAfter,
    Category.CSC_ADOPTION: Adoption,
    Category.CSC_EARLY_HELP: EarlyHelp,
}
