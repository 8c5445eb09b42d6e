"""A request in codes, as the hub's policy sees it: who asks which agency, why, on what footing, on which day.

Made from a request's header, from a case of a pack's expected decisions, or from what is typed at `broker policy
explain`: all three are decided by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict

from broker.policy.day import day_of
from schemas.messages.request import CategoryAsked, RequestHeader
from schemas.vocabulary import (
    AgencyKind,
    ConsentState,
    LawfulBasis,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
    SubjectRole,
)


@dataclass(frozen=True, slots=True)
class Question:
    """What all that is asked in one request has in common."""

    by: OfficerRole
    purpose: Purpose
    bases: frozenset[LawfulBasis]
    stage: Stage
    rag: Rag
    consent: ConsentState
    allocated: bool
    agency: str
    kind: AgencyKind
    """Of the agency that is asked, from its own signed statement."""
    on: date
    """The day in the United Kingdom on which it is asked."""
    break_glass: bool = False
    """Whether a manager broke the glass for it."""
    glass_lasts_ms: int = 0
    """For how long, from when it is asked."""


def question_of(header: RequestHeader, kind: AgencyKind) -> Question:
    """The question that a request's header is."""
    return Question(
        by=header.officer_role,
        purpose=header.purpose,
        bases=frozenset(header.lawful_bases),
        stage=header.stage,
        rag=header.rag,
        consent=header.consent,
        allocated=header.allocated,
        agency=header.agency,
        kind=kind,
        on=day_of(header.asked_at),
        break_glass=header.break_glass is not None,
        glass_lasts_ms=0 if header.break_glass is None else header.break_glass.until - header.asked_at,
    )


class Asked(BaseModel):
    """A request as it is kept to be explained: its question, and what it asks for about which roles."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    by: OfficerRole
    purpose: Purpose
    bases: list[LawfulBasis]
    stage: Stage
    rag: Rag
    consent: ConsentState
    allocated: bool
    agency: str
    kind: AgencyKind
    on: date
    break_glass: bool = False
    glass_lasts_ms: int = 0
    roles: list[SubjectRole]
    categories: list[CategoryAsked]

    def encode(self) -> bytes:
        """Its JSON."""
        return self.model_dump_json().encode()

    @property
    def question(self) -> Question:
        """What all that it asks for has in common."""
        members = {name: getattr(self, name) for name in Question.__slots__}
        return Question(**{**members, "bases": frozenset(self.bases)})


def asked_in(header: RequestHeader, kind: AgencyKind) -> Asked:
    """What a request's header asks for."""
    question = question_of(header, kind)
    members = {name: getattr(question, name) for name in Question.__slots__}
    roles = sorted({subject.role for subject in header.subjects})
    return Asked(**{**members, "bases": sorted(question.bases)}, roles=roles, categories=header.categories)
