"""What the demonstration asks: enquiries about people of the synthetic county, and what each request is there to show.

Words only; who runs it and when is `stage`. People are named by their case keys in the county.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.vocabulary import ConsentState, LawfulBasis, Purpose, Rag, Stage, SubjectRole

_S47: Final = (LawfulBasis.CA1989_47, LawfulBasis.UKGDPR_6_1_E, LawfulBasis.UKGDPR_9_2_G)


@dataclass(frozen=True, slots=True)
class AskedOf:
    """One request: to whom, for what, within how many seconds, and what it shows."""

    key: str
    agency: str
    categories: tuple[str, ...]
    shows: str
    deadline_s: int = 120
    expiry_s: int = 300
    is_withdrawn: bool = False
    missed: str = ""
    """What becomes of it before the agency's agent is started at last."""


@dataclass(frozen=True, slots=True)
class Told:
    """One enquiry: about whom, why, and its requests."""

    key: str
    title: str
    subjects: tuple[tuple[str, SubjectRole], ...]
    reason: str
    requests: tuple[AskedOf, ...]
    stage: Stage = Stage.ENQUIRY
    rag: Rag = Rag.AMBER
    purpose: Purpose = Purpose.CHILD_PROTECTION
    bases: tuple[LawfulBasis, ...] = _S47
    consent: ConsentState = ConsentState.UNSAFE_TO_SEEK


FAMILY: Final = Told(
    "family",
    "A child, her mother, her baby brother and her stepfather",
    (
        ("family", SubjectRole.INDEX_CHILD),
        ("family_baby", SubjectRole.OTHER_CHILD),
        ("family_mother", SubjectRole.PARENT_CARER),
        ("family_stepfather", SubjectRole.PARENT_CARER),
    ),
    "The child told a teaching assistant that her stepfather hurts her mother, and that she is afraid to go home.",
    (
        AskedOf(
            "family-police",
            "police",
            ("police.incident", "police.da", "police.notice", "police.missing"),
            "content released",
        ),
        AskedOf(
            "family-health",
            "health",
            ("health.ed_attendance", "health.was_not_brought", "health.cpis", "health.universal", "health.adult_mh"),
            "content released, not known",
        ),
        AskedOf(
            "family-education",
            "education",
            ("edu.enrolment", "edu.attendance", "edu.safeguarding_file"),
            "offline when asked: overdue, then late, accepted, marked",
            deadline_s=5,
            missed="overdue",
        ),
        AskedOf(
            "family-probation",
            "probation",
            ("probation.sentence", "probation.licence", "probation.register", "probation.rosh", "probation.mappa"),
            "content released, not known",
        ),
    ),
)
OTHERS: Final = (
    Told(
        "limited_access",
        "A child whose parent's probation record has limited access",
        (("lao_child", SubjectRole.INDEX_CHILD), ("lao_parent", SubjectRole.PARENT_CARER)),
        "A neighbour reports that the child is often alone at night.",
        (
            AskedOf(
                "limited-probation",
                "probation",
                ("probation.sentence", "probation.licence", "probation.rosh"),
                "withheld with reason",
            ),
            AskedOf(
                "limited-education",
                "education",
                ("edu.enrolment",),
                "withdrawn by the officer",
                is_withdrawn=True,
            ),
        ),
    ),
    Told(
        "refuge",
        "A child whose mother is in a refuge",
        (("refuge_child", SubjectRole.INDEX_CHILD), ("refuge_resident", SubjectRole.PARENT_CARER)),
        "The child's father has asked the school where the child lives now.",
        (
            AskedOf(
                "refuge-health",
                "health",
                ("health.registration", "person.address"),
                "known, but nothing relevant may leave",
            ),
            AskedOf(
                "refuge-education",
                "education",
                ("edu.enrolment",),
                "never answered: expired",
                deadline_s=5,
                expiry_s=8,
                missed="expired",
            ),
        ),
    ),
    Told(
        "birth_date",
        "A child whose birth date the hub and the agencies have differently",
        (("transposed_birth_date", SubjectRole.INDEX_CHILD),),
        "The family's general practitioner is worried about the child's weight.",
        (AskedOf("birth-date-health", "health", ("health.ed_attendance", "health.universal"), "possible match"),),
    ),
    Told(
        "screening",
        "A green contact that is still being screened",
        (("sibling_a", SubjectRole.INDEX_CHILD),),
        "A shopkeeper saw the child out of school.",
        (
            AskedOf(
                "screening-police",
                "police",
                ("police.incident",),
                "refused by the coordinator, with the rule",
            ),
        ),
        stage=Stage.SCREENING,
        rag=Rag.GREEN,
        purpose=Purpose.SCREENING,
        bases=(LawfulBasis.CA2004_11, LawfulBasis.UKGDPR_6_1_E),
        consent=ConsentState.NOT_SOUGHT,
    ),
)
SYSTEM_DOWN: Final = Told(
    "system_down",
    "A child whose father is asked about while probation's system is down",
    (("sibling_b", SubjectRole.INDEX_CHILD), ("siblings_father", SubjectRole.PARENT_CARER)),
    "The child came to school with an injury that nobody could explain.",
    (
        AskedOf(
            "down-probation",
            "probation",
            ("probation.sentence", "probation.register"),
            "could not look: the agency's system is down",
            deadline_s=6,
        ),
    ),
)
