"""T18: admission, or somebody with its directory key, publishes a directory in which a key is not its party's, somebody
is new, something is older, or two holders are told two stories. Anybody else publishes one at all.

What is sealed and believed afterwards is sealed to, and signed by, keys that the pinned roots have signed.
"""

from __future__ import annotations

from typing import Any

import pytest

from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Disposition, Rejected
from schemas.messages.directory import (
    DirectoryBackwards,
    DirectoryLies,
    HubDirectory,
    Standing,
    compare,
    line_of,
    own_standing,
    read_directory,
    state_directory,
    take_statement,
)
from schemas.messages.party import Directory, PartyKind
from tests.support.between import HUB, a_hub, an_agency, with_key
from tests.support.clock import NOON
from tests.support.parties import DAY_MS, Member, make_member

PARTIES = a_hub()
NORTH, SOUTH = an_agency("northshire"), an_agency("southshire")
EVERYBODY = (*PARTIES.values(), NORTH, SOUTH)
AT_THE_DESK = Directory.of(HUB, [member.party for member in EVERYBODY])
AT_SOUTH = Directory.of(HUB, [member.party for member in (*PARTIES.values(), SOUTH)])
KEY = PARTIES[PartyKind.ADMISSION].signing(KeyPurpose.DIRECTORY)
SWAPPABLE = [key.purpose for key in NORTH.party.statement.keys]


def published(
    *replaced: Member, at: Directory = AT_THE_DESK, held: HubDirectory | None = None, **changes: Any
) -> HubDirectory:
    """A directory of everybody, with others in the place of some, as a holder reads it."""
    parties = {member.party.id: member.party for member in (*EVERYBODY, *replaced)}
    fields = {"version": 1, "previous": None, "issued_at": NOON, "expires_at": NOON + DAY_MS, "key": KEY, **changes}
    lines = fields.pop("lines", [line_of(party) for party in parties.values()])
    frame, listed = state_directory(fields.pop("hub", HUB), lines, **fields)
    return read_directory(frame, listed, pinned=at, held=held, now=NOON)


@pytest.mark.parametrize("purpose", SWAPPABLE)
def test_a_key_swapped_under_another_root_is_taken_by_nobody(purpose: KeyPurpose) -> None:
    forged = with_key(NORTH, purpose, SigningKey.generate(KeyPurpose.ROOT)).member
    directory = published(forged)
    assert NORTH.party.id in compare(directory, AT_THE_DESK).rerooted  # shown to people, and not asked for
    with pytest.raises(Rejected):
        take_statement(directory, AT_THE_DESK, forged.party.frame)
    with pytest.raises(DirectoryLies):
        own_standing(directory, NORTH.party)


def test_an_agency_whose_key_was_swapped_stops() -> None:
    assert DirectoryLies.disposition is Disposition.HALT


@pytest.mark.parametrize("purpose", SWAPPABLE)
def test_a_key_swapped_under_the_same_number_is_noticed_by_everybody(purpose: KeyPurpose) -> None:
    """Even with the agency's root in the attacker's hands: what was stated once under a number is not stated again."""
    forged = with_key(NORTH, purpose, NORTH.root).member
    directory = published(forged)
    with pytest.raises(DirectoryBackwards):
        compare(directory, AT_THE_DESK)
    with pytest.raises(Rejected):
        take_statement(directory, AT_THE_DESK, forged.party.frame)
    with pytest.raises(DirectoryLies):
        own_standing(directory, NORTH.party)


def test_nobody_is_introduced_by_a_directory() -> None:
    stranger = an_agency("stranger")
    directory = published(stranger)
    compared = compare(directory, AT_THE_DESK)
    assert "stranger" not in (*compared.wanted, *compared.rerooted)
    with pytest.raises(Rejected):
        take_statement(directory, AT_THE_DESK, stranger.party.frame)
    with pytest.raises(Rejected):  # not even an agency that others know: agencies are strangers to each other
        take_statement(published(at=AT_SOUTH), AT_SOUTH, NORTH.party.frame)


def test_the_hubs_own_parties_are_no_more_replaced_than_an_agency() -> None:
    for kind in PARTIES:
        impostor = make_member(kind.value, kind)
        directory = published(impostor, at=AT_SOUTH)
        assert kind.value in compare(directory, AT_SOUTH).rerooted
        with pytest.raises(Rejected):
            take_statement(directory, AT_SOUTH, impostor.party.frame)


@pytest.mark.parametrize(
    "signer", [*EVERYBODY, make_member("admission", PartyKind.ADMISSION)], ids=lambda m: m.party.id
)
def test_nobody_else_publishes_a_directory(signer: Member) -> None:
    """Not the coordinator, not an agency, not another admission; not even under the name of the right key."""
    for key in signer.keys.values():
        if key is not KEY:
            with pytest.raises(Rejected):
                published(key=key)
    with pytest.raises(Rejected):
        published(key=SigningKey.generate(KeyPurpose.DIRECTORY))


OLD_OR_ODD: dict[str, dict[str, Any]] = {
    "of another hub": {"hub": "anotherhub"},
    "past its expiry": {"issued_at": NOON - DAY_MS, "expires_at": NOON - 1},
    "dated ahead": {"issued_at": NOON + DAY_MS, "expires_at": NOON + 2 * DAY_MS},
    "valid for a year": {"expires_at": NOON + 365 * DAY_MS},
    "an older version": {"version": 6},
    "another of the same version": {"version": 7, "expires_at": NOON + DAY_MS + 1},
    "one that does not follow": {"version": 8, "previous": "0" * 64},
    "one that follows on nothing": {"version": 8},
}


@pytest.mark.parametrize("changes", OLD_OR_ODD.values(), ids=list(OLD_OR_ODD))
def test_a_directory_goes_forward_only_and_in_one_story(changes: dict[str, Any]) -> None:
    held = published(version=7)
    with pytest.raises(Rejected):
        published(held=held, **changes)
    assert published(held=held, version=8, previous=held.digest).version == 8


def test_an_agency_that_is_left_out_or_suspended_is_so_for_everybody_and_learns_it() -> None:
    lines = [line_of(member.party) for member in EVERYBODY if member is not NORTH]
    directory = published(lines=lines)
    assert compare(directory, AT_THE_DESK).gone == (NORTH.party.id,)
    assert own_standing(directory, NORTH.party) is None
    suspended = published(lines=[*lines, line_of(NORTH.party, Standing.SUSPENDED)])
    assert own_standing(suspended, NORTH.party) is Standing.SUSPENDED
