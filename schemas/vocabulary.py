"""The words scope is decided in: closed lists, the same in code, specification, policy and log.

Every list is closed: a value that is not on it is refused where bytes arrive. The lists come from practice and law as
collected for the field (purposes, stages, RAG, roles, categories); what a word permits is said in policy, never here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Nation(StrEnum):
    """The nations whose hubs this program serves; their law on safeguarding differs."""

    ENGLAND = "england"
    WALES = "wales"


class AgencyKind(StrEnum):
    """What sort of agency answers; a hub may know several of one kind."""

    POLICE = "police"
    HEALTH = "health"
    EDUCATION = "education"
    PROBATION = "probation"
    SOCIAL_CARE = "social_care"
    HOUSING = "housing"
    FIRE = "fire"
    VOLUNTARY = "voluntary"
    IDVA = "idva"


class Purpose(StrEnum):
    """Why a request is made."""

    CHILD_PROTECTION = "child_protection"
    """Children Act 1989 s47: enquiries where significant harm is suspected."""
    CHILD_IN_NEED = "child_in_need"
    """Children Act 1989 s17; in Wales Social Services and Well-being (Wales) Act 2014 Parts 3 and 4."""
    SCREENING = "screening"
    """Deciding whether a contact needs a multi-agency enquiry at all."""
    ADULT_SAFEGUARDING = "adult_safeguarding"
    """Care Act 2014 s42; in Wales SSWBA 2014 s126."""
    PUBLIC_PROTECTION = "public_protection"
    """Criminal Justice Act 2003 s325 (MAPPA)."""


class LawfulBasis(StrEnum):
    """The legal gateway a request names. Dates and nations of each are reference data, not code."""

    UKGDPR_6_1_C = "ukgdpr-6-1-c"
    UKGDPR_6_1_D = "ukgdpr-6-1-d"
    UKGDPR_6_1_E = "ukgdpr-6-1-e"
    UKGDPR_9_2_C = "ukgdpr-9-2-c"
    UKGDPR_9_2_G = "ukgdpr-9-2-g"
    UKGDPR_9_2_H = "ukgdpr-9-2-h"
    UKGDPR_10 = "ukgdpr-10"
    DPA2018_PART_3 = "dpa2018-part-3"
    CA1989_17 = "ca1989-17"
    CA1989_27 = "ca1989-27"
    CA1989_47 = "ca1989-47"
    CA2004_10 = "ca2004-10"
    CA2004_11 = "ca2004-11"
    CA2004_16E = "ca2004-16e"
    CA2004_25 = "ca2004-25"
    CA2004_28 = "ca2004-28"
    CA2004_SHARE = "ca2004-share"
    SSWBA_126 = "sswba-126"
    SSWBA_128 = "sswba-128"
    SSWBA_130 = "sswba-130"
    SSWBA_162 = "sswba-162"
    SSWBA_164 = "sswba-164"
    CARE2014_42 = "care2014-42"
    CARE2014_45 = "care2014-45"
    CDA1998_115 = "cda1998-115"
    CJA2003_325 = "cja2003-325"
    COMMON_LAW_PUBLIC_INTEREST = "common-law-public-interest"


class Stage(StrEnum):
    """Where an enquiry stands."""

    CONTACT = "contact"
    SCREENING = "screening"
    ENQUIRY = "enquiry"
    STRATEGY_DISCUSSION = "strategy_discussion"
    DECIDED = "decided"


class Rag(StrEnum):
    """Risk rating of an enquiry; also its priority and its clock."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    BLUE = "blue"


class ConsentState(StrEnum):
    """Whether the family was told and agreed. Not a UK GDPR basis, but recorded (DOMAIN section 6.3)."""

    GIVEN = "given"
    REFUSED = "refused"
    NOT_SOUGHT = "not_sought"
    UNSAFE_TO_SEEK = "unsafe_to_seek"


class SubjectRole(StrEnum):
    """What a person is in the enquiry."""

    INDEX_CHILD = "index_child"
    OTHER_CHILD = "other_child"
    UNBORN_CHILD = "unborn_child"
    PARENT_CARER = "parent_carer"
    PERSON_WITH_PR = "person_with_pr"
    HOUSEHOLD_MEMBER = "household_member"
    ALLEGED_PERPETRATOR = "alleged_perpetrator"
    INDEX_ADULT = "index_adult"
    VICTIM = "victim"
    REFERRER = "referrer"
    PROFESSIONAL = "professional"
    THIRD_PARTY = "third_party"


class OfficerRole(StrEnum):
    """What a hub officer was admitted as."""

    DECISION_MAKER = "decision_maker"
    """Social-work qualified manager who owns the outcome."""
    SOCIAL_WORKER = "social_worker"
    POLICE_OFFICER = "police_officer"
    HEALTH_NAVIGATOR = "health_navigator"
    EDUCATION_NAVIGATOR = "education_navigator"
    PROBATION_NAVIGATOR = "probation_navigator"
    BUSINESS_SUPPORT = "business_support"
    IG_LEAD = "ig_lead"


MANAGER_ROLES: Final = frozenset({OfficerRole.DECISION_MAKER})
"""Who may break the glass for a colleague who asks (SPEC 5.1): whoever owns the hub's decisions."""


class ReviewRole(StrEnum):
    """What a person who reviews for an agency is there: all that a hub is told of who reviews."""

    DUTY_REVIEWER = "duty_reviewer"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    NAMED_DOCTOR = "named_doctor"
    NAMED_NURSE = "named_nurse"
    INTELLIGENCE_OFFICER = "intelligence_officer"
    CASE_SUPERVISOR = "case_supervisor"
    CALDICOTT_GUARDIAN = "caldicott_guardian"
    IG_LEAD = "ig_lead"


class ReviewAct(StrEnum):
    """What was done at an agency's review desk, as its own log says it."""

    RELEASED = "released"
    REDACTED = "redacted"
    NARROWED = "narrowed"
    DECLINED = "declined"
    CONFIRM_ASKED = "confirm-asked"
    CLEARED = "cleared"
    LAPSED = "lapsed"
    """Nobody did anything in time."""
    CHANGED = "changed"
    """What had been released was not as it was read any more, and waits again."""


class DeclineReason(StrEnum):
    """Why a person at an agency declined what the hub had granted; an answer says it as `declined.` and this word."""

    DETRIMENT = "detriment"
    """Disclosing would be more detrimental to the child than not disclosing (R34; Children Act 2004, as inserted by
    the Children's Wellbeing and Schools Act 2026 s4)."""
    OWN_DUTIES = "own_duties"
    """Incompatible with the agency's own duties (R35; Social Services and Well-being (Wales) Act 2014 s164)."""
    ADVERSE_EFFECT = "adverse_effect"
    """It would otherwise have an adverse effect on the agency's functions (R35; the same section)."""
    NOT_RELEVANT = "not_relevant"
    NOT_PROPORTIONATE = "not_proportionate"
    RISK_OF_HARM = "risk_of_harm"
    INVESTIGATION = "investigation"
    """It would prejudice an investigation or proceedings."""
    LEGAL_BAR = "legal_bar"
    """An order of a court or an Act forbids it."""
    OTHER_ROUTE = "other_route"
    """It is to be asked for in another way, such as of a named person or the originator."""


class Mode(StrEnum):
    """How much is asked of a category: that it exists and whom to ring, or what it says."""

    EXISTENCE = "existence"
    CONTENT = "content"


class Outcome(StrEnum):
    """What became of one (subject, category) in an answer. Before any of them: no answer yet."""

    ANSWERED = "answered"
    NOT_KNOWN = "not_known"
    KNOWN_NOTHING_RELEVANT = "known_nothing_relevant"
    WITHHELD = "withheld"
    POSSIBLE_MATCH = "possible_match"
    COULD_NOT_LOOK = "could_not_look"


class AgencyRule(StrEnum):
    """By which rule an agency released or withheld: those that every agent ships with, and one word for all others.

    Closed, since it leaves the agency and is kept: a free word here could carry whatever somebody wrote in it. The name
    of a rule of the agency's own stands in its own log.
    """

    PERMIT_EXISTENCE = "permit-existence"
    PERMIT_ENQUIRY_CONTENT = "permit-enquiry-content"
    PERMIT_STRATEGY_CONTENT = "permit-strategy-content"
    FORBID_BYSTANDER_CONTENT = "forbid-bystander-content"
    FORBID_LIMITED_ACCESS_RISK = "forbid-limited-access-risk"
    FORBID_INTELLIGENCE_UNREAD = "forbid-intelligence-unread"
    FORBID_MARKED_FOR_REVIEW = "forbid-marked-for-review"
    FORBID_UNLISTED_OFFICER = "forbid-unlisted-officer"
    FORBID_SPENT_CONVICTIONS = "forbid-spent-convictions"
    REVIEW_CATEGORY = "review-category"
    """The agency has all of the category read by a person first."""
    REVIEW_DESK = "review-desk"
    """A person of the agency withheld it."""
    NO_PERMIT = "no-permit"
    POLICY_ERROR = "policy-error"
    OWN_RULE = "own-rule"


class AgencyReason(StrEnum):
    """Why an agency withheld, could not look or gave a part, as far as the asker may know."""

    NO_RULE = "no-rule"
    """No rule of the agency's permits it."""
    BY_RULE = "by-rule"
    """A rule of the agency's own forbids it, and gives no reason of this list."""
    POLICY_ERROR = "policy-error"
    EXISTENCE_ONLY = "existence-only"
    NEEDS_REVIEW = "needs-review"
    NOT_A_SUBJECT = "not-a-subject"
    LIMITED_ACCESS = "limited-access"
    NOT_PROPORTIONATE = "not-proportionate"
    DETRIMENT = "detriment"
    """Telling would do the child more harm than good (Children's Wellbeing and Schools Act 2026 s4(3))."""
    SOURCE_AWAY = "source-away"
    SOURCE_ERROR = "source-error"
    RECORD_BROKEN = "record-broken"
    NOT_OFFERED = "not-offered"
    SEALING_KEY_GONE = "sealing-key-gone"
    """Asked again it is sealed to a key that lives."""
    TOO_LARGE = "too-large"
    TOO_MANY_TRIES = "too-many-tries"
    LIFELONG_ANONYMITY = "lifelong-anonymity"
    """Beside *answered*: whoever reads it must not make known whom it is about."""
    PART_WITHHELD = "part-withheld"
    """Beside *answered*: some records of the category were withheld, visibly, by their own rule."""
    NOT_REVIEWED = "not-reviewed"
    """A person of the agency had to read it first, and none had when there was no time left."""
    NARROWED = "narrowed"
    """A person of the agency left it out: not needed for what was asked."""
    DECLINED_DETRIMENT = "declined.detriment"
    """This and the next: a person of the agency declined, for a `DeclineReason`."""
    DECLINED_OWN_DUTIES = "declined.own_duties"
    DECLINED_ADVERSE_EFFECT = "declined.adverse_effect"
    DECLINED_NOT_RELEVANT = "declined.not_relevant"
    DECLINED_NOT_PROPORTIONATE = "declined.not_proportionate"
    DECLINED_RISK_OF_HARM = "declined.risk_of_harm"
    DECLINED_INVESTIGATION = "declined.investigation"
    DECLINED_LEGAL_BAR = "declined.legal_bar"
    DECLINED_OTHER_ROUTE = "declined.other_route"
    PART_WITHHELD_LIFELONG_ANONYMITY = "part-withheld.lifelong-anonymity"


class Evidence(StrEnum):
    """What kind of evidence would settle who is meant; never what is held."""

    IDENTIFIER = "identifier"
    FULL_NAME = "full_name"
    BIRTH_DATE = "birth_date"
    ADDRESS = "address"
    MOTHER = "mother"
    EXPECTED_DATE = "expected_date"


class Conclusion(StrEnum):
    """How an exchange ended; exactly one."""

    REFUSED = "refused"
    ANSWERED = "answered"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ReviewFinding(StrEnum):
    """What the review of a broken glass came to."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"


class Decision(StrEnum):
    """What a hub decided when an enquiry ended (DOMAIN section 4.2)."""

    NO_FURTHER_ACTION = "no_further_action"
    ADVICE_INFORMATION = "advice_information"
    EARLY_HELP = "early_help"
    OTHER_AGENCY = "other_agency"
    S17_ASSESSMENT = "s17_assessment"
    STRATEGY_DISCUSSION = "strategy_discussion"
    S47 = "s47"
    ALREADY_OPEN = "already_open"
    S46_POLICE_PROTECTION = "s46_police_protection"
    ADULT_S42 = "adult_s42"
    WALES_S126 = "wales_s126"
    STEP_DOWN = "step_down"


class Category(StrEnum):
    """A kind of record. The fields of each are in `schemas.records`; every one exists in both modes."""

    PERSON_IDENTITY = "person.identity"
    PERSON_ADDRESS = "person.address"
    PERSON_HOUSEHOLD = "person.household"
    AGENCY_INVOLVEMENT = "agency.involvement"

    CSC_REFERRAL = "csc.referral"
    CSC_ASSESSMENT = "csc.assessment"
    CSC_S47 = "csc.s47"
    CSC_CIN_PLAN = "csc.cin_plan"
    CSC_CP_PLAN = "csc.cp_plan"
    CSC_CHILD = "csc.child"
    CSC_LOOKED_AFTER = "csc.looked_after"
    CSC_ADOPTION = "csc.adoption"
    CSC_EARLY_HELP = "csc.early_help"

    HEALTH_REGISTRATION = "health.registration"
    HEALTH_CPIS = "health.cpis"
    HEALTH_ED_ATTENDANCE = "health.ed_attendance"
    HEALTH_WAS_NOT_BROUGHT = "health.was_not_brought"
    HEALTH_CAMHS = "health.camhs"
    HEALTH_ADULT_MH = "health.adult_mh"
    HEALTH_SUBSTANCE = "health.substance"
    HEALTH_UNIVERSAL = "health.universal"
    HEALTH_MATERNITY = "health.maternity"
    HEALTH_SEXUAL = "health.sexual"
    HEALTH_FLAG = "health.flag"

    EDU_ENROLMENT = "edu.enrolment"
    EDU_ATTENDANCE = "edu.attendance"
    EDU_ATTENDANCE_MARKS = "edu.attendance_marks"
    EDU_SEND = "edu.send"
    EDU_SAFEGUARDING_FILE = "edu.safeguarding_file"

    POLICE_INVOLVEMENT = "police.involvement"
    POLICE_MISSING = "police.missing"
    POLICE_PROTECTION = "police.protection"
    POLICE_EXPLOITATION_RISK = "police.exploitation_risk"
    POLICE_NOTICE = "police.notice"
    POLICE_INCIDENT = "police.incident"
    POLICE_DA = "police.da"
    POLICE_CUSTODY_PNC = "police.custody_pnc"
    POLICE_INTELLIGENCE = "police.intelligence"

    PROBATION_IDENTITY = "probation.identity"
    PROBATION_RESPONSIBLE_OFFICER = "probation.responsible_officer"
    PROBATION_OFFENCE = "probation.offence"
    PROBATION_SENTENCE = "probation.sentence"
    PROBATION_LICENCE = "probation.licence"
    PROBATION_REGISTER = "probation.register"
    PROBATION_STATUS = "probation.status"
    PROBATION_ROSH = "probation.rosh"
    PROBATION_MAPPA = "probation.mappa"
    PROBATION_RMP = "probation.rmp"
    PROBATION_CONTACT = "probation.contact"

    ASC_INVOLVEMENT = "asc.involvement"
    ASC_S42 = "asc.s42"
    HOUSING_TENANCY = "housing.tenancy"
    HOUSING_HOMELESSNESS = "housing.homelessness"
    HOUSING_ASB = "housing.asb"
    FIRE_VISIT = "fire.visit"
    FIRE_FIRESETTING = "fire.firesetting"
    VOL_INVOLVEMENT = "vol.involvement"
    IDVA_CASE = "idva.case"
