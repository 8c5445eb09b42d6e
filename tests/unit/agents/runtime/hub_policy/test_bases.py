"""What a legal basis is called, by the list that came with the version of the hub's policy."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import broker
from agents.runtime.hub_policy.bases import NamedBasis, name_bases
from schemas.messages.policy import POLICY_BASES
from schemas.vocabulary import LawfulBasis, Nation

SHIPPED = (Path(broker.__file__).parent / "policy" / "reference" / POLICY_BASES).read_text()


def test_every_basis_has_a_title_in_a_nation_where_it_is_law() -> None:
    for code in LawfulBasis:
        assert any(name_bases(SHIPPED, nation, [code])[0].title for nation in Nation), code


def test_a_basis_is_told_as_it_is_law_in_the_nation_of_the_version() -> None:
    (found,) = name_bases(SHIPPED, Nation.ENGLAND, [LawfulBasis.CA1989_47])
    assert (found.nation, found.first) == (Nation.ENGLAND, date(1991, 10, 14))
    assert str(found.title).startswith("Children Act 1989")
    assert name_bases(SHIPPED, Nation.ENGLAND, [LawfulBasis.SSWBA_162]) == [NamedBasis(LawfulBasis.SSWBA_162)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no TOML",
        "basis = 3",
        "basis = [3]",
        '[[basis]]\ncode = "ca1989-17"\nnations = ["england"]\ntitle = "x"',
        '[[basis]]\ncode = "ca1989-47"\nnations = "england"\ntitle = "x"',
        '[[basis]]\ncode = ["ca1989-47"]\nnations = ["england"]\ntitle = "x"',
    ],
)
def test_a_list_that_cannot_be_read_costs_the_title_and_nothing_else(text: str) -> None:
    assert name_bases(text, Nation.ENGLAND, [LawfulBasis.CA1989_47]) == [NamedBasis(LawfulBasis.CA1989_47)]


def test_what_is_no_line_of_text_and_no_day_is_left_out() -> None:
    text = """
[[basis]]
code = "ca1989-47"
nations = ["england"]
title = 3
source = "a\\nb"
in_force_from = 1991-10-14T00:00:00
"""
    (found,) = name_bases(text, Nation.ENGLAND, [LawfulBasis.CA1989_47])
    assert (found.title, found.source, found.first) == (None, "a b", None)
