"""Every number of the catalogue is made of something, and shown by tests that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.policy.catalogue import NUMBERS, Home, homes, read_catalogue
from broker.policy.expected import read_expected
from broker.policy.filters import FILTERS
from broker.policy.packs import folder_of, gather, load_pack, names

ROOT = Path(__file__).parents[4]
HOMES = {home.number: home for home in homes([load_pack(name) for name in names()])}
CATALOGUE = read_catalogue()
EXPECTED = {name: read_expected(gather(folder_of(name)).files["expected.toml"]) for name in names()}


def test_the_catalogue_has_every_number_once_with_what_it_says() -> None:
    assert tuple(CATALOGUE.rule) == NUMBERS
    assert all(says.endswith(".") for says in CATALOGUE.rule.values())
    assert set(CATALOGUE.awaited) < set(NUMBERS)


@pytest.mark.parametrize("home", HOMES.values(), ids=HOMES)
def test_every_number_is_made_of_something_or_named_as_awaited(home: Home) -> None:
    assert home.is_made or home.number in CATALOGUE.awaited


@pytest.mark.parametrize("home", HOMES.values(), ids=HOMES)
def test_every_rule_of_a_number_decides_an_expected_case_and_stands_just_outside_another(home: Home) -> None:
    for name, rules in home.packs.items():
        decide = {rule for case in EXPECTED[name] for rule in case.rules}
        outside = {rule for case in EXPECTED[name] for rule in case.not_by}
        # What the program itself filters by is shown in tests of its own, as far as no model agreement can show it.
        assert set(rules) - FILTERS.keys() <= decide & outside


@pytest.mark.parametrize("one", [test for also in CATALOGUE.also for test in also.tests])
def test_what_is_done_outside_the_policies_is_shown_by_a_test_that_is_there(one: str) -> None:
    file, _, name = one.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()


def test_a_rule_is_found_by_its_id_and_by_its_source() -> None:
    assert "R36-allocated" in HOMES["R36"].packs["england"]
    assert "R3-business-support" in HOMES["R15"].packs["wales"]
    assert "R33-no-agreement" in HOMES["R33"].packs["england"]
    assert "R38-no-cpis" in HOMES["R38"].packs["wales"]
    assert "R38-no-cpis" not in HOMES["R38"].packs["england"]
    assert HOMES["R9"].agency
    assert "R3-business-support" not in HOMES["R33"].packs["england"]
