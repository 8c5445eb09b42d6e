"""Who lives with somebody: one address in any writing is one home, and the house next door is another."""

from __future__ import annotations

import pytest

from agents.runtime.exports.household import household
from agents.runtime.source import LocalPerson, PersonAddress

HOME = PersonAddress("12 Oak Street", "NP20 1AA")


def lives(ref: str, *addresses: PersonAddress) -> LocalPerson:
    return LocalPerson(ref, addresses=addresses)


@pytest.mark.parametrize(
    ("line", "postcode", "is_home"),
    [
        ("12 Oak Street", "NP20 1AA", True),
        ("12, OAK ST", "np201aa", True),
        ("14 Oak Street", "NP20 1AA", False),
        ("12 Oak Street", "NP20 1AB", False),
        ("12 Elm Street", "NP20 1AA", False),
        (None, "NP20 1AA", True),
        ("Oak Cottage", "NP20 1AA", True),
        ("12 Oak Street", None, False),
    ],
)
def test_one_home_is_told_from_another(line: str | None, postcode: str | None, is_home: bool) -> None:
    other = lives("other", PersonAddress(line, postcode))
    assert list(household(lives("one", HOME), [other])) == ([other] if is_home else [])


def test_somebody_who_moved_away_is_still_of_the_household() -> None:
    elsewhere = PersonAddress("1 Far Away", "CF10 1AA")
    assert household(lives("one", elsewhere, HOME), [lives("two", HOME), lives("three", elsewhere)])


def test_nobody_is_of_their_own_household() -> None:
    assert not household(lives("one", HOME), [lives("one", HOME)])
