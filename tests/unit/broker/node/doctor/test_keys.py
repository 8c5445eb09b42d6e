"""The doctor on keys: what is missing is named, and the epochs are told as they stand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.node.clock import DAY_MS
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.keys import EPOCH_GRACE_MS, check_epochs, check_own_keys
from broker.node.home import KEPT, Home
from broker.node.rewrapping import rewrap
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import Party, PartyKind, StatedKey
from tests.support.clock import NOON


def with_epochs(home: Home, *epochs: tuple[int, int, int]) -> Party:
    """The party with sealing keys of these epochs: number, first and last day; all of them held."""
    own, keys = home.own(), home.keystore()
    for name in keys.names(KeyPurpose.SEAL):
        keys.destroy(KeyPurpose.SEAL, name)
    stated = []
    for epoch, start, end in epochs:
        identity = Identity.generate(KeyPurpose.SEAL)
        keys.add(KeyPurpose.SEAL, identity.id, identity.seed())
        stated.append(StatedKey(identity.public, NOON + start * DAY_MS, NOON + end * DAY_MS, epoch))
    keys.close()
    others = tuple(one for one in own.keys if one.key.purpose is not KeyPurpose.SEAL)
    return replace(own, keys=(*others, *stated))


def test_keys_beside_their_wrapping_key_are_worth_a_word_and_elsewhere_are_well(home: Home) -> None:
    found = check_own_keys(home)
    assert isinstance(found, Warned)
    assert "keys rewrap" in found.said
    elsewhere = f"file:{home.path.parent}/elsewhere.key"
    rewrap(home.path / "keys", None, elsewhere)
    assert check_own_keys(home) == f"northshire: {len(home.keys_to_read().held())} keys, sealed under {elsewhere}"


@pytest.mark.parametrize("purpose", [*KEPT[PartyKind.AGENT], KeyPurpose.ROOT, KeyPurpose.TLS])
def test_a_missing_private_key_is_named_and_that_a_start_makes_none(home: Home, purpose: KeyPurpose) -> None:
    keys = home.keystore()
    for name in keys.names(purpose):
        keys.destroy(purpose, name)
    keys.close()
    with pytest.raises(NotWell, match=f"private {purpose} key of northshire"):
        check_own_keys(home)
    assert home.keys_to_read().names(purpose) == []


def test_the_doctor_reads_beside_the_program_that_owns_the_keys(home: Home) -> None:
    keys = home.keystore()
    check_own_keys(home)
    check_epochs(home.own(), NOON, held=home.keys_to_read())
    keys.close()


def test_current_next_and_ended_epochs_are_told_with_their_times(home: Home) -> None:
    party = with_epochs(home, (1, -10, -3), (2, -9, -2), (3, -2, 5), (4, 5, 12))
    said = check_epochs(party, NOON, held=home.keys_to_read())
    assert isinstance(said, str)
    assert said.startswith("northshire: epoch 3 until 2")
    assert "next 4 from" in said
    assert "epoch 1 to be destroyed as soon as nothing sealed to it is open" in said
    assert "epoch 2 to be destroyed from" in said
    assert EPOCH_GRACE_MS == 3 * DAY_MS


def test_a_hub_is_told_nothing_about_destruction_which_is_the_agencys(home: Home) -> None:
    said = str(check_epochs(with_epochs(home, (1, -10, -3), (2, -3, 4)), NOON))
    assert said.startswith("northshire: epoch 2 until 2")
    assert "destroyed" not in said


def test_a_next_epoch_that_is_not_there_three_days_before_is_worth_a_word(home: Home) -> None:
    party = with_epochs(home, (1, -5, 2))
    for found in (check_epochs(party, NOON), check_epochs(party, NOON, held=home.keys_to_read())):
        assert isinstance(found, Warned)
        assert "next epoch's key is not there yet" in found.said
    assert isinstance(check_epochs(with_epochs(home, (1, -3, 4)), NOON), str)


def test_no_epoch_in_force_is_a_failure_and_one_whose_key_is_lost_counts_as_none(home: Home) -> None:
    with pytest.raises(NotWell, match="nothing can be asked of it"):
        check_epochs(with_epochs(home, (1, -8, -1)), NOON)
    party = with_epochs(home, (1, -3, 4))
    keys = home.keystore()
    for name in keys.names(KeyPurpose.SEAL):
        keys.destroy(KeyPurpose.SEAL, name)
    keys.close()
    with pytest.raises(NotWell, match="start the agent"):
        check_epochs(party, NOON, held=home.keys_to_read())
    dead = replace(party, keys=tuple(replace(one, revoked_at=NOON - 1) for one in party.keys))
    with pytest.raises(NotWell):
        check_epochs(dead, NOON)
