"""The stage gates what may be asked: before an enquiry is opened, whether somebody is known, and whom to ring."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from broker.policy.pack import Pack
from broker.policy.packs import load_pack, names
from schemas.vocabulary import Category, ConsentState, Mode, OfficerRole, Purpose, Rag, Stage, SubjectRole
from tests.unit.broker.policy.asking import ask

PACKS = {name: load_pack(name) for name in names()}
BEFORE = (Stage.CONTACT, Stage.SCREENING)
ASKERS = (OfficerRole.DECISION_MAKER, OfficerRole.SOCIAL_WORKER, OfficerRole.POLICE_OFFICER)
INVOLVEMENT = Category.AGENCY_INVOLVEMENT


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
@pytest.mark.parametrize("purpose", [Purpose.SCREENING, Purpose.CHILD_PROTECTION])
@pytest.mark.parametrize("rag", [Rag.RED, Rag.GREEN])
def test_before_an_enquiry_no_content_is_given_but_involvement_with_consent(
    pack: Pack, purpose: Purpose, rag: Rag
) -> None:
    screening: dict[str, Any] = {"stage": Stage.SCREENING, "rag": rag, "purpose": purpose, "pack": pack}
    for category, by, consent in product(Category, ASKERS, ConsentState):
        if ask(category, by=by, consent=consent, **screening).allowed:
            assert (category, consent) == (INVOLVEMENT, ConsentState.GIVEN)


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("mode", list(Mode))
def test_who_has_a_worker_already_is_asked_about_in_an_enquiry_and_not_before(
    pack: Pack, stage: Stage, mode: Mode
) -> None:
    verdict = ask(INVOLVEMENT, mode, stage=stage, allocated=True, pack=pack)
    assert ("R36-allocated" in verdict.rules) is (stage in BEFORE)
    assert verdict.allowed is (stage in (Stage.ENQUIRY, Stage.STRATEGY_DISCUSSION))


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_the_reason_for_a_refusal_by_allocation_says_to_whom_to_turn(pack: Pack) -> None:
    assert "turn to them" in pack.sentence("R36-allocated")


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
@pytest.mark.parametrize("about", [SubjectRole.PARENT_CARER, SubjectRole.ALLEGED_PERPETRATOR, SubjectRole.VICTIM])
def test_before_an_enquiry_nothing_is_asked_about_the_adults(pack: Pack, about: SubjectRole) -> None:
    for category in Category:
        for mode in Mode:
            assert not ask(category, mode, about=about, stage=Stage.SCREENING, pack=pack).allowed
