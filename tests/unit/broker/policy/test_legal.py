"""The legal bases: all that there are, dated, and refused with a reason where the list does not hold."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import resources

import pytest

from broker.node.policy import PolicyInvalid
from broker.policy.legal import BASES_FILE, BasisKind, read_bases
from schemas.vocabulary import LawfulBasis, Nation

RAW = (resources.files("broker.policy") / "reference" / BASES_FILE).read_bytes()
BASES = read_bases(RAW, {})
ROW = """[[basis]]
code = "ca1989-47"
title = "x"
kind = "duty"
nations = ["england"]
in_force_from = 1991-10-14
source = "x"
"""
B, E, W = LawfulBasis, Nation.ENGLAND, Nation.WALES


def test_every_basis_a_request_can_name_has_its_title_its_nations_and_a_source() -> None:
    assert set(BASES) == set(LawfulBasis)
    for basis in BASES.values():
        assert basis.title
        assert basis.spans
        assert all(basis.sources)


@pytest.mark.parametrize(
    "code", [B.CA2004_25, B.CA2004_28, *(code for code in LawfulBasis if code.startswith("sswba"))]
)
def test_welsh_law_is_a_basis_in_wales_alone(code: LawfulBasis) -> None:
    today = date(2026, 11, 2)
    assert BASES[code].holds(W, today)
    assert not BASES[code].holds(E, today)


@pytest.mark.parametrize("code", [B.CA2004_10, B.CA2004_11, B.CA2004_16E, B.CARE2014_42, B.CARE2014_45, B.CA1989_17])
def test_english_law_is_a_basis_in_england_alone(code: LawfulBasis) -> None:
    today = date(2026, 11, 2)
    assert BASES[code].holds(E, today)
    assert not BASES[code].holds(W, today)


def test_what_wales_replaced_held_there_until_the_day_before() -> None:
    replaced = date(2016, 4, 6)
    assert BASES[B.CA1989_17].holds(W, replaced - timedelta(days=1))
    assert not BASES[B.CA1989_17].holds(W, replaced)
    assert BASES[B.SSWBA_164].holds(W, replaced)
    assert not BASES[B.SSWBA_164].holds(W, replaced - timedelta(days=1))


def test_the_duty_to_share_is_in_force_nowhere_until_a_hub_names_its_day() -> None:
    assert not any(BASES[B.CA2004_SHARE].holds(nation, date(2099, 1, 1)) for nation in Nation)


def test_conditions_of_data_protection_law_are_told_from_powers_and_duties() -> None:
    kinds = {code: BASES[code].kind for code in LawfulBasis}
    assert {code for code in LawfulBasis if code.startswith("ukgdpr-6")} == {
        code for code, kind in kinds.items() if kind is BasisKind.ARTICLE_6
    }
    assert {code for code in LawfulBasis if code.startswith("ukgdpr-9")} == {
        code for code, kind in kinds.items() if kind is BasisKind.ARTICLE_9
    }
    assert kinds[B.UKGDPR_10] is BasisKind.ARTICLE_10
    assert kinds[B.DPA2018_PART_3] is BasisKind.LAW_ENFORCEMENT


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ROW, "is missing"),
        (ROW + ROW, "line 8: ca1989-47 stands twice for one nation"),
        (ROW.replace('"duty"', '"wish"'), "line 4: basis.0.kind"),
        (ROW.replace("ca1989-47", "ca1066-1"), "line 2: basis.0.code"),
        (ROW.replace('"england"', '"atlantis"'), "line 5: basis.0.nations.0"),
        (ROW.replace("in_force_from = 1991-10-14\n", ""), "line 1: ca1989-47 needs in_force_from"),
        (ROW + 'commencement = "deployment"\n', "line 1: ca1989-47 needs in_force_from"),
        (ROW + "in_force_until = 1990-01-01\n", "line 1: ca1989-47 ends before it begins"),
        (ROW + "in_force_form = 1990-01-01\n", "line 1: basis.0.in_force_form is not a key|line 8: basis.0"),
        (ROW.replace("1991-10-14", '"a Monday"'), "line 6: basis.0.in_force_from"),
        ("", "basis is missing"),
    ],
)
def test_a_list_that_does_not_hold_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(PolicyInvalid, match=says):
        read_bases(text.encode(), {})
