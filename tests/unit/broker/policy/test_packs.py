"""How packs are found by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.node.policy import PolicyInvalid
from broker.policy.packs import load_own_pack, load_pack, names


def test_the_pack_for_england_comes_with_the_program() -> None:
    assert "england" in names()
    assert load_pack("england").rules


@pytest.mark.parametrize("name", ["atlantis", "", "..", "__pycache__"])
def test_a_name_that_is_no_pack_is_refused_and_the_packs_are_named(name: str) -> None:
    with pytest.raises(PolicyInvalid, match="there are england"):
        load_pack(name)


def test_a_pack_of_the_hubs_own_is_held_to_the_same_schema(tmp_path: Path) -> None:
    (tmp_path / "own.cedar").write_text(
        '@id("own") @sentence("x") permit (principal == OfficerRole::"social_worker", action, resource);'
    )
    assert list(load_own_pack(tmp_path).rules) == ["own"]
    (tmp_path / "bad.cedar").write_text(
        '@id("bad") @sentence("x") permit (principal == OfficerRole::"astronaut", action, resource);'
    )
    with pytest.raises(PolicyInvalid, match="astronaut"):
        load_own_pack(tmp_path)
