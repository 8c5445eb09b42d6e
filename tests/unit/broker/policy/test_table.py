"""The page on the packs is the one written from them."""

from __future__ import annotations

from pathlib import Path

import broker.policy
from broker.policy.packs import load_pack, names
from broker.policy.table import page


def test_the_page_on_the_packs_is_current() -> None:
    written = (Path(broker.policy.__file__).parent / "README.md").read_text()
    assert written == page(), "python -m broker.policy.table > broker/policy/README.md"


def test_every_rule_of_every_pack_has_a_source_and_a_sentence_that_ends() -> None:
    for name in names():
        for rule in load_pack(name).cedar.rules.values():
            assert rule.annotations.get("source"), rule.id
            assert rule.sentence.endswith("."), rule.id
            assert not set("_{}") & set(rule.sentence), f"{rule.id}: words for people, not code"
