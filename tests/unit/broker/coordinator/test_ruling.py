"""A ruling says what its reasons' rules say; the longest there can be is one that a desk reads."""

from __future__ import annotations

from broker.coordinator.decide import MAX_REASONS, Refuse
from broker.coordinator.ruling import MAX_SENTENCES, SENTENCE_CHARACTERS, _sentences
from broker.node.policy import NO_PERMIT
from broker.policy.packs import ENGLAND, load_pack
from schemas.messages.grant import MAX_RULING_BYTES, Reason, Ruling
from schemas.messages.model import read
from schemas.vocabulary import Category, LawfulBasis, Mode, SubjectRole

PACK = load_pack(ENGLAND)


def test_each_rule_among_the_reasons_is_said_once_in_its_own_words() -> None:
    reasons = (
        Reason(rule="R16-intelligence-content", category=Category.POLICE_INTELLIGENCE, mode=Mode.CONTENT),
        Reason(rule="R16-intelligence-content", category=Category.POLICE_INTELLIGENCE, mode=Mode.EXISTENCE),
        Reason(rule=NO_PERMIT, category=Category.POLICE_MISSING, mode=Mode.CONTENT),
    )
    said = _sentences(PACK, Refuse(("R16-intelligence-content", NO_PERMIT), reasons))
    assert said == {rule: PACK.sentence(rule) for rule in ("R16-intelligence-content", NO_PERMIT)}
    assert all(said.values())


def test_every_sentence_of_the_packs_that_ship_fits_a_ruling_whole() -> None:
    assert all(len(rule.sentence) <= SENTENCE_CHARACTERS for rule in PACK.cedar.rules.values())


def test_a_rule_that_is_none_of_the_packs_is_not_said() -> None:
    assert _sentences(PACK, Refuse(("another",), (Reason(rule="another"),))) == {}


def test_the_longest_ruling_can_be_read() -> None:
    reason = Reason(
        rule="R" * 64,
        category=max(Category, key=len),
        mode=Mode.EXISTENCE,
        role=max(SubjectRole, key=len),
        basis=max(LawfulBasis, key=len),
        agreement="A" * 64,
        in_force_from="2026-01-01",
        in_force_until="2026-12-31",
    )
    ruling = Ruling(
        hub="h" * 63,
        agency="a" * 63,
        exchange="0" * 32,
        request_digest="0" * 64,
        policy_digest="0" * 64,
        permitted=False,
        reasons=[reason] * MAX_REASONS,
        sentences={f"R{number}": "W" * SENTENCE_CHARACTERS for number in range(MAX_SENTENCES)},
    )
    assert read(Ruling, ruling.encode(), limit_bytes=MAX_RULING_BYTES) == ruling
