"""The footing of a request: which bases and agreements hold on its day, and what is told when none does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from broker.policy.agreements import Agreement
from broker.policy.legal import Span
from broker.policy.question import Question, question_of
from broker.policy.terms import Terms
from schemas.messages.grant import Reason
from schemas.vocabulary import AgencyKind, LawfulBasis, Purpose
from tests.unit.broker.policy.asking import PACK, header

B = LawfulBasis
AGREEMENT = Agreement(
    id="isa-2026",
    title="x",
    version=1,
    agencies=frozenset({"anytown-housing"}),
    kinds=frozenset({AgencyKind.POLICE}),
    purposes=frozenset({Purpose.CHILD_PROTECTION}),
    span=Span(date(2026, 1, 1), date(2026, 12, 31)),
    conditions=frozenset({B.UKGDPR_6_1_E, B.UKGDPR_10}),
    source="x",
)


def question(kind: AgencyKind = AgencyKind.POLICE, *, on: date = date(2026, 11, 2), **changes: Any) -> Question:
    return replace(question_of(header(**changes), kind), on=on)


def footing(asked: Question, *agreements: Agreement) -> Terms | tuple[Reason, ...]:
    return replace(PACK, agreements=agreements or (AGREEMENT,)).terms(asked)


def test_what_the_agreement_states_counts_with_what_the_request_names() -> None:
    terms = footing(question())
    assert isinstance(terms, Terms)
    assert terms.conditions == {B.CA1989_47, B.UKGDPR_6_1_E, B.UKGDPR_10}
    assert terms.agreements == (AGREEMENT,)


@pytest.mark.parametrize("on", [date(2026, 1, 1), date(2026, 12, 31)])
def test_an_agreement_holds_on_its_first_and_on_its_last_day(on: date) -> None:
    assert isinstance(footing(question(on=on)), Terms)


@pytest.mark.parametrize("on", [date(2025, 12, 31), date(2027, 1, 1)])
def test_outside_its_days_an_agreement_is_none_and_the_days_are_told(on: date) -> None:
    assert footing(question(on=on)) == (
        Reason(
            rule="R33-agreement-not-in-force",
            agreement="isa-2026",
            in_force_from="2026-01-01",
            in_force_until="2026-12-31",
        ),
    )


def test_an_agency_that_signed_nothing_is_asked_for_nothing() -> None:
    assert footing(question(AgencyKind.HEALTH)) == (Reason(rule="R33-no-agreement"),)
    assert footing(question(AgencyKind.HOUSING, agency="othertown-housing")) == (Reason(rule="R33-no-agreement"),)


def test_an_agency_may_have_signed_by_its_name_or_as_one_of_its_kind() -> None:
    assert isinstance(footing(question(AgencyKind.HOUSING, agency="anytown-housing")), Terms)
    assert isinstance(footing(question(AgencyKind.POLICE, agency="any-police")), Terms)


def test_a_purpose_that_stands_in_no_agreement_is_refused_and_the_agreement_named() -> None:
    asked = question(purpose=Purpose.CHILD_IN_NEED, lawful_bases=[B.CA1989_17])
    assert footing(asked) == (Reason(rule="R33-purpose-not-agreed", agreement="isa-2026"),)


def test_of_several_agreements_those_that_hold_for_the_purpose_count() -> None:
    ended = replace(AGREEMENT, id="isa-2025", span=Span(date(2025, 1, 1), date(2025, 12, 31)))
    other = replace(AGREEMENT, id="isa-need", purposes=frozenset({Purpose.CHILD_IN_NEED}))
    terms = footing(question(), ended, other, AGREEMENT)
    assert isinstance(terms, Terms)
    assert [one.id for one in terms.agreements] == ["isa-2026"]


def test_a_condition_that_an_agreement_states_counts_only_while_it_is_law() -> None:
    early = replace(AGREEMENT, span=Span(date(2018, 1, 1), date(2018, 12, 31)))
    before, after = (footing(question(on=on), early) for on in (date(2018, 5, 24), date(2018, 5, 25)))
    assert isinstance(before, Terms)
    assert isinstance(after, Terms)
    assert before.conditions == {B.CA1989_47}
    assert after.conditions == {B.CA1989_47, B.UKGDPR_6_1_E, B.UKGDPR_10}


@pytest.mark.parametrize(
    ("basis", "reason"),
    [
        (B.SSWBA_130, Reason(rule="R2-basis-of-another-nation", basis=B.SSWBA_130, in_force_from="2016-04-06")),
        (B.CA2004_SHARE, Reason(rule="R2-basis-not-in-force", basis=B.CA2004_SHARE)),
    ],
)
def test_a_basis_that_is_none_here_and_now_refuses_the_request_with_its_dates(
    basis: LawfulBasis, reason: Reason
) -> None:
    assert footing(question(lawful_bases=sorted([B.CA1989_47, basis]))) == (reason,)


def test_a_basis_is_refused_before_its_first_day_and_holds_on_it() -> None:
    first = date(2015, 4, 1)
    agreed = replace(
        AGREEMENT, purposes=frozenset({Purpose.ADULT_SAFEGUARDING}), span=Span(date(2015, 1, 1), date(2015, 12, 31))
    )
    changes: dict[str, Any] = {"purpose": Purpose.ADULT_SAFEGUARDING, "lawful_bases": [B.CARE2014_42]}
    refused = footing(question(on=date(2015, 3, 31), **changes), agreed)
    assert refused == (Reason(rule="R2-basis-not-in-force", basis=B.CARE2014_42, in_force_from="2015-04-01"),)
    assert isinstance(footing(question(on=first, **changes), agreed), Terms)


def test_the_day_of_a_request_is_the_day_it_was_asked_in_the_united_kingdom() -> None:
    # Half an hour before midnight in Greenwich, in June: the next day.
    assert question_of(header(received_at=0, asked_at=1_782_862_200_000), AgencyKind.POLICE).on == date(2026, 7, 1)
