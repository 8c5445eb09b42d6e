"""The next statement of a party: planned, in an emergency, one epoch more; what is forgotten and what never is."""

from __future__ import annotations

import pytest

from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.home import KEY_LIFE_MS, SEALING_EPOCH_MS
from broker.node.restating import (
    OVERLAP_MS,
    PUBLISHED_AHEAD_MS,
    REMEMBERED_MS,
    RotationUnderWay,
    next_sealing_epoch,
    replaced,
)
from schemas.crypto.keys import Identity, PublicKey, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.fields import encode_base64
from schemas.messages.party import KeyStatement, Party, PartyKind, PartyStatement, read_party, state_party
from schemas.vocabulary import AgencyKind
from tests.support.clock import NOON
from tests.support.parties import make_member

MEMBER = make_member("northshire", PartyKind.AGENT, agency_kind=AgencyKind.POLICE)
BEFORE = MEMBER.party.statement


def fresh(purpose: KeyPurpose) -> PublicKey:
    return SigningKey.generate(purpose).public


def of(statement: PartyStatement, purpose: KeyPurpose) -> list[KeyStatement]:
    return [key for key in statement.keys if key.purpose is purpose]


def party(statement: PartyStatement) -> Party:
    return read_party(state_party(statement, MEMBER.root))


def test_a_planned_key_is_stated_before_it_begins_and_the_old_one_ends_a_week_later() -> None:
    after = replaced(BEFORE, fresh(KeyPurpose.ANSWER), now=NOON, emergency=False)
    old, new = of(after, KeyPurpose.ANSWER)
    assert (new.not_before, new.not_after) == (NOON + PUBLISHED_AHEAD_MS, NOON + PUBLISHED_AHEAD_MS + KEY_LIFE_MS)
    assert (old.not_after, old.revoked_at) == (new.not_before + OVERLAP_MS, None)
    assert (after.serial, after.issued_at) == (BEFORE.serial + 1, NOON)
    assert [key for key in after.keys if key.purpose is not KeyPurpose.ANSWER] == [
        key for key in BEFORE.keys if key.purpose is not KeyPurpose.ANSWER
    ]


def test_in_an_emergency_every_key_of_the_purpose_is_revoked_at_once_and_the_new_one_has_begun() -> None:
    planned = replaced(BEFORE, fresh(KeyPurpose.DEED), now=NOON, emergency=False)
    after = replaced(planned, fresh(KeyPurpose.DEED), now=NOON + 1000, emergency=True)
    *old, new = of(after, KeyPurpose.DEED)
    assert [key.revoked_at for key in old] == [NOON + 1001, NOON + 1001]
    assert new.not_before + PERMITTED_SKEW_MS < NOON
    assert new.revoked_at is None


def test_a_second_planned_key_waits_until_the_first_has_begun() -> None:
    once = replaced(BEFORE, fresh(KeyPurpose.LOG), now=NOON, emergency=False)
    with pytest.raises(RotationUnderWay):
        replaced(once, fresh(KeyPurpose.LOG), now=NOON + 1000, emergency=False)
    later = NOON + PUBLISHED_AHEAD_MS + PERMITTED_SKEW_MS
    assert len(of(replaced(once, fresh(KeyPurpose.LOG), now=later, emergency=False), KeyPurpose.LOG)) == 3


def test_where_no_key_is_in_force_a_planned_one_begins_at_once() -> None:
    late = NOON + 2 * KEY_LIFE_MS
    new = of(replaced(BEFORE, fresh(KeyPurpose.DEED), now=late, emergency=False), KeyPurpose.DEED)[-1]
    assert new.not_before < late


def test_the_next_sealing_epoch_begins_where_the_last_one_ends() -> None:
    last = of(BEFORE, KeyPurpose.SEAL)[0]
    after = next_sealing_epoch(BEFORE, Identity.generate(KeyPurpose.SEAL).public, now=NOON)
    new = of(after, KeyPurpose.SEAL)[-1]
    assert (new.not_before, new.not_after, new.epoch) == (last.not_after, last.not_after + SEALING_EPOCH_MS, 2)


def test_after_a_pause_the_next_sealing_epoch_begins_at_once() -> None:
    late = of(BEFORE, KeyPurpose.SEAL)[0].not_after + 3 * SEALING_EPOCH_MS
    after = next_sealing_epoch(BEFORE, Identity.generate(KeyPurpose.SEAL).public, now=late)
    (new,) = of(after, KeyPurpose.SEAL)
    assert new.not_before < late < new.not_after
    assert new.epoch == 2


def test_a_year_of_epochs_stays_within_a_header_and_what_logs_need_stays_stated() -> None:
    statement, now = BEFORE, NOON
    for _ in range(60):
        statement = next_sealing_epoch(statement, Identity.generate(KeyPurpose.SEAL).public, now=now)
        now = of(statement, KeyPurpose.SEAL)[-1].not_after - 3 * 24 * 3_600_000
    assert max(key.epoch for key in of(statement, KeyPurpose.SEAL)) == 61
    assert len(of(statement, KeyPurpose.SEAL)) <= 5
    renewed = replaced(statement, fresh(KeyPurpose.DEED), now=now, emergency=False)
    much_later = replaced(renewed, fresh(KeyPurpose.MESSAGE), now=now + KEY_LIFE_MS + REMEMBERED_MS, emergency=False)
    assert len(of(much_later, KeyPurpose.DEED)) == 2, "deeds of that time are still to be verified"
    assert len(of(much_later, KeyPurpose.MESSAGE)) == 1
    assert encode_base64(party(much_later).root.raw) == BEFORE.root
