"""Who reviews: named people, each with a passphrase that is kept as Argon2id makes it, and a door that shuts."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.runtime.review.reviewers import (
    FILE,
    LOCKED_MS,
    MOST_WRONG,
    Door,
    ReviewerInvalid,
    SignInRefused,
    add_reviewer,
    load_reviewers,
    remove_reviewer,
)
from broker.node.home import Home
from broker.node.toml_table import SettingsInvalid
from schemas.vocabulary import ReviewRole
from tests.support.clock import HandClock

GOOD = "copper lantern drift"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    add_reviewer(Home(tmp_path), "ann", "Ann Lloyd", ReviewRole.NAMED_NURSE, GOOD)
    return Home(tmp_path)


async def test_a_reviewer_is_let_in_by_name_and_passphrase_alone(home: Home) -> None:
    door = Door(home, HandClock())
    who = await door.sign_in("ann", GOOD)
    assert (who.id, who.name, who.role) == ("ann", "Ann Lloyd", ReviewRole.NAMED_NURSE)
    for reviewer, passphrase in (("ann", "another passphrase"), ("ben", GOOD)):
        with pytest.raises(SignInRefused) as refused:
            await door.sign_in(reviewer, passphrase)
        assert refused.value.detail == "no reviewer has that name and that passphrase"


async def test_five_wrong_passphrases_shut_the_name_for_a_quarter_of_an_hour(home: Home) -> None:
    clock = HandClock()
    door = Door(home, clock)
    for _ in range(MOST_WRONG):
        with pytest.raises(SignInRefused):
            await door.sign_in("ann", "wrong")
    with pytest.raises(SignInRefused, match="quarter of an hour"):
        await door.sign_in("ann", GOOD)
    clock.turn(LOCKED_MS)
    assert (await door.sign_in("ann", GOOD)).id == "ann"


def test_the_file_is_the_owners_alone_and_holds_no_passphrase(home: Home) -> None:
    file = home.path / FILE
    assert file.stat().st_mode & 0o077 == 0
    assert GOOD not in file.read_text()
    assert GOOD not in repr(load_reviewers(home))


def test_a_short_passphrase_makes_no_reviewer(home: Home) -> None:
    with pytest.raises(ReviewerInvalid):
        add_reviewer(home, "ben", "Ben", ReviewRole.DUTY_REVIEWER, "short")
    assert set(load_reviewers(home)) == {"ann"}


def test_a_name_that_is_none_makes_no_reviewer(home: Home) -> None:
    with pytest.raises(SettingsInvalid):
        add_reviewer(home, "../ben", "Ben", ReviewRole.DUTY_REVIEWER, GOOD)
    assert set(load_reviewers(home)) == {"ann"}


async def test_who_was_taken_away_is_not_let_in(home: Home) -> None:
    door = Door(home, HandClock())
    remove_reviewer(home, "ann")
    assert door.still("ann") is None
    with pytest.raises(SignInRefused):
        await door.sign_in("ann", GOOD)
    with pytest.raises(ReviewerInvalid):
        remove_reviewer(home, "ann")
