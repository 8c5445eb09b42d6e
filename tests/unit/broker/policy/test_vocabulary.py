"""The Cedar schema says exactly what the vocabulary says."""

from __future__ import annotations

import re
from pathlib import Path

import broker.policy
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


def test_the_holders_of_a_category_are_those_of_the_registry() -> None:
    shared = context_of(header(), AgencyKind.POLICE)
    for category in Category:
        holders = about(shared, SubjectRole.INDEX_CHILD, category)["holders"]
        assert isinstance(holders, frozenset)
        kind = kind_of(category)
        assert {uid.id for uid in holders} == ({each.value for each in AgencyKind} if kind is None else {kind.value})
