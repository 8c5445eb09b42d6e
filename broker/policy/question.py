"""A request in codes, as the hub's policy sees it: who asks which agency, why, on what footing, on which day.

Made from a request's header, from a case of a pack's expected decisions, or from what is typed at `broker policy
explain`: all three are decided by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from broker.policy.day import day_of
from schemas.messages.request import RequestHeader
from schemas.vocabulary import AgencyKind, ConsentState, LawfulBasis, OfficerRole, Purpose, Rag, Stage


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
    )
