"""The terms of a request: the legal bases it names and the sharing agreements it falls under, on its day.

They are looked at before any rule: what is asked on no footing is refused as a whole. Pure; the data are the pack's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from broker.policy.agreements import Agreement
from broker.policy.filters import (
    AGREEMENT_NOT_IN_FORCE,
    GLASS_NOT_AGREED,
    GLASS_TOO_LONG,
    NO_AGREEMENT,
    NOT_IN_FORCE,
    OTHER_NATION,
    PURPOSE_NOT_AGREED,
)
from broker.policy.legal import LegalBasis, Span
from broker.policy.question import Question
from schemas.messages.glass import GlassTerms
from schemas.messages.grant import Reason
from schemas.vocabulary import LawfulBasis, Nation


@dataclass(frozen=True, slots=True)
class Terms:
    """A request's footing."""

    agreements: tuple[Agreement, ...]
    """Those in force on the day that the agency has signed and that name the purpose."""
    conditions: frozenset[LawfulBasis]
    """The bases the request names, and the conditions in force that those agreements state."""


def terms_of(
    question: Question,
    *,
    nation: Nation,
    bases: Mapping[LawfulBasis, LegalBasis],
    agreements: Iterable[Agreement],
    glass: GlassTerms | None,
) -> Terms | tuple[Reason, ...]:
    """The footing of a request, or why it has none; a reason tells the dates it rests on."""
    wrong = [_basis_refused(bases[code], nation, question.on) for code in sorted(question.bases)]
    if reasons := tuple(reason for reason in wrong if reason is not None):
        return reasons
    signed = [one for one in agreements if one.is_signed_by(question.agency, question.kind)]
    if not signed:
        return (Reason(rule=NO_AGREEMENT),)
    current = [one for one in signed if one.span.holds_on(question.on)]
    if not current:
        return tuple(_agreement_refused(one) for one in signed)
    fitting = tuple(one for one in current if question.purpose in one.purposes)
    if not fitting:
        return tuple(Reason(rule=PURPOSE_NOT_AGREED, agreement=one.id) for one in current)
    if question.break_glass and (glass is None or question.glass_lasts_ms > glass.at_most_ms):
        return (Reason(rule=GLASS_NOT_AGREED if glass is None else GLASS_TOO_LONG),)
    stated = (code for one in fitting for code in one.conditions if bases[code].holds(nation, question.on))
    return Terms(fitting, question.bases.union(stated))


def _basis_refused(basis: LegalBasis, nation: Nation, on: date) -> Reason | None:
    if basis.holds(nation, on):
        return None
    is_known_here = nation in basis.spans
    span = basis.spans[nation] if is_known_here else next(iter(basis.spans.values()))
    first, last = _dates(span)
    rule = NOT_IN_FORCE if is_known_here else OTHER_NATION
    return Reason(rule=rule, basis=basis.code, in_force_from=first, in_force_until=last)


def _agreement_refused(agreement: Agreement) -> Reason:
    first, last = _dates(agreement.span)
    return Reason(rule=AGREEMENT_NOT_IN_FORCE, agreement=agreement.id, in_force_from=first, in_force_until=last)


def _dates(span: Span | None) -> tuple[str | None, str | None]:
    if span is None:
        return None, None
    return span.first.isoformat(), None if span.last is None else span.last.isoformat()
