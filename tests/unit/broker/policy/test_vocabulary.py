"""The Cedar schema says exactly what the vocabulary says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import broker.policy
from broker.policy.legal import BasisKind
from broker.policy.question import question_of
from broker.policy.vocabulary import ENTITY_TYPES, about, context_of, schema_text
from schemas.records.registry import kind_of
from schemas.vocabulary import AgencyKind, Category, Mode, SubjectRole
from tests.unit.broker.policy.asking import header

FOLDER = Path(broker.policy.__file__).parent


def test_the_schema_file_is_the_one_written_from_the_vocabulary() -> None:
    assert (FOLDER / "hub.cedarschema").read_text() == schema_text()


def test_every_closed_list_is_an_enumerated_type_with_the_same_words() -> None:
    text = schema_text()
    for name, words in ENTITY_TYPES.items():
        found = re.search(rf"entity {name} enum \[(.*?)\]", text, re.DOTALL)
        assert found is not None
        assert re.findall(r'"([^"]+)"', found[1]) == [word.value for word in words]
    assert f"action {Mode.EXISTENCE}, {Mode.CONTENT} appliesTo" in text


@pytest.mark.parametrize("agency", list(AgencyKind))
def test_an_agency_holds_what_the_registry_says_that_its_kind_holds(agency: AgencyKind) -> None:
    shared = context_of(question_of(header(), agency), ())
    for category in Category:
        held = about(shared, SubjectRole.INDEX_CHILD, category)["held"]
        assert held is (kind_of(category) in (None, agency))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (BasisKind.ARTICLE_6, "article_6"),
        (BasisKind.ARTICLE_9, "article_9"),
        (BasisKind.ARTICLE_10, "article_10"),
        (BasisKind.LAW_ENFORCEMENT, "law_enforcement"),
    ],
)
def test_a_condition_that_is_stated_is_told_to_the_rules_and_no_other(kind: BasisKind, name: str) -> None:
    shared = context_of(question_of(header(), AgencyKind.POLICE), {kind})
    assert [each for each in ("article_6", "article_9", "article_10", "law_enforcement") if shared[each]] == [name]
