"""The ring: which key is in use when several are held, and none when none is in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.home import KEY_LIFE_MS, Home, PartyPlan
from broker.node.ring import KeyEnded, Ring
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.fields import encode_base64
from schemas.messages.party import KeyStatement, PartyKind, state_party
from tests.support.clock import NOON, HandClock

HOUR = 3_600_000
PLAN = PartyPlan("testhub", "coordinator", PartyKind.COORDINATOR, "The hub", log="testhub.example/log")


class Keyring:
    """A coordinator's home whose message key a test adds to."""

    def __init__(self, folder: Path) -> None:
        self.home, self.clock = Home(folder / "home"), HandClock()
        self.home.create(PLAN, now=NOON, ig_lead_key=None)
        self.keys = self.home.keystore()
        self.ring = Ring(self.home, self.keys, self.clock)

    def state(self, key: SigningKey, **changes: int) -> None:
        """A further message key, in force from now for an hour."""
        self.keys.add(key.purpose, key.id, key.seed())
        now, before = self.clock.now(), self.home.own().statement
        stated = {"not_before": now, "not_after": now + HOUR, **changes}
        fresh = KeyStatement.model_validate(
            {"purpose": key.purpose, "public": encode_base64(key.public.raw), "epoch": 0, **stated}
        )
        after = before.model_copy(update={"keys": [*before.keys, fresh], "serial": before.serial + 1})
        root = SigningKey.from_seed(KeyPurpose.ROOT, self.keys.get("root", self.keys.names("root")[0]))
        (self.home.path / "own.party").write_bytes(state_party(after, root))
        self.ring.reload()


@pytest.fixture
def held(tmp_path: Path) -> Keyring:
    """A ring with one key a purpose."""
    return Keyring(tmp_path)


def test_a_key_that_a_clock_behind_ours_takes_for_future_is_not_used_yet(held: Keyring) -> None:
    first, second = held.ring.signing(KeyPurpose.MESSAGE), SigningKey.generate(KeyPurpose.MESSAGE)
    held.state(second)
    assert held.ring.signing(KeyPurpose.MESSAGE).id == first.id
    held.clock.turn(PERMITTED_SKEW_MS)
    assert held.ring.signing(KeyPurpose.MESSAGE).id == second.id
    assert [key.id for key in held.ring.live(KeyPurpose.MESSAGE)] == [second.id, first.id]


def test_a_key_whose_time_is_over_is_not_used_and_another_takes_its_place(held: Keyring) -> None:
    first, second = held.ring.signing(KeyPurpose.MESSAGE), SigningKey.generate(KeyPurpose.MESSAGE)
    held.state(second)
    held.clock.turn(HOUR)
    assert held.ring.signing(KeyPurpose.MESSAGE).id == first.id
    assert held.ring.held(KeyPurpose.MESSAGE, second.id) is not None


def test_a_revoked_key_is_gone_at_once_whatever_its_dates_say(held: Keyring) -> None:
    second = SigningKey.generate(KeyPurpose.MESSAGE)
    held.state(second, revoked_at=held.clock.now() + 30 * HOUR)
    held.clock.turn(PERMITTED_SKEW_MS)
    assert held.ring.signing(KeyPurpose.MESSAGE).id != second.id
    assert held.ring.held(KeyPurpose.MESSAGE, second.id) is None


def test_without_a_key_in_force_nothing_is_signed_and_it_is_said_what_to_run(held: Keyring) -> None:
    held.clock.turn(KEY_LIFE_MS)
    with pytest.raises(KeyEnded, match="broker keys rotate coordinator grant"):
        held.ring.signing(KeyPurpose.GRANT)
    assert held.ring.live(KeyPurpose.LOG) == []


def test_a_key_that_was_destroyed_is_not_held(held: Keyring) -> None:
    key = held.ring.signing(KeyPurpose.DEED)
    held.keys.destroy(KeyPurpose.DEED, key.id)
    assert held.ring.signing(KeyPurpose.DEED) == key, "what was read stays until it is read again"
    held.ring.reload()
    with pytest.raises(KeyEnded):
        held.ring.signing(KeyPurpose.DEED)
