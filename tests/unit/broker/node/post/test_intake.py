"""Whose message it is: tokens that rotate, keys that were revoked, and a party that says itself that its key is new."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from broker.node.post import intake
from broker.node.post.intake import WrongSubject
from broker.node.post.port import Received
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, signed
from schemas.messages.directory import StatementNotListed
from schemas.messages.entry import nonce
from schemas.messages.fields import encode_base64
from schemas.messages.party import (
    Directory,
    KeyNotInForce,
    KeyRevoked,
    KeyStatement,
    KeyUnknown,
    Party,
    PartyFileInvalid,
    PartyKind,
    read_party,
    state_party,
)
from schemas.messages.transport import DirectoryIssue, DirectoryQuery, Hello, Outer, Renewal
from schemas.subjects import subject_for
from schemas.vocabulary import AgencyKind
from tests.support.clock import NOON
from tests.support.parties import DAY_MS, Member, make_member

AGENT = make_member("north", PartyKind.AGENT, agency_kind=AgencyKind.POLICE)
OTHER = make_member("south", PartyKind.AGENT, agency_kind=AgencyKind.POLICE)
ADMISSION = make_member("admission", PartyKind.ADMISSION)
COORDINATOR = make_member("coordinator", PartyKind.COORDINATOR)
DIRECTORY = Directory.of("testhub", [each.party for each in (AGENT, OTHER, ADMISSION, COORDINATOR)])
FIELDS = {
    Hello: {"mirror_size": 0, "last_seq": 0},
    Renewal: {},
    DirectoryIssue: {"version": 1},
    DirectoryQuery: {"version": 0},
}


def fresh(purpose: KeyPurpose, begins: int = NOON) -> tuple[SigningKey, KeyStatement]:
    key = SigningKey.generate(purpose)
    public = encode_base64(key.public.raw)
    return key, KeyStatement(purpose=purpose, public=public, not_before=begins, not_after=begins + DAY_MS)


def restated(member: Member, *more: KeyStatement, revoked: KeyPurpose | None = None, at: int = NOON) -> Party:
    """The member's next statement: with these keys more, and its key of that purpose dead from `at` on."""
    before = member.party.statement
    dead = {"revoked_at": at}
    keys = [key.model_copy(update=dead) if key.purpose is revoked else key for key in before.keys]
    return read_party(
        state_party(before.model_copy(update={"keys": [*keys, *more], "serial": before.serial + 1}), member.root)
    )


def message(
    model: type[Outer],
    sender: Party,
    receiver: Party,
    key: SigningKey,
    parts: Sequence[bytes] = (),
    *,
    sent_at: int = NOON,
) -> bytes:
    header = model.model_validate(
        {
            "hub": "testhub",
            "sender": sender.id,
            "receiver": receiver.id,
            "message_key": key.id,
            "message_id": nonce(),
            "sent_at": sent_at,
            "expires_at": sent_at + DAY_MS,
            "epoch": nonce(),
            "parts": [digest(part) for part in parts],
            **FIELDS[model],
        }
    )
    return signed(header.encode(), [key], parts)


def taken(
    raw: bytes, me: Member, sender: Party, directory: Directory = DIRECTORY, *, now: int = NOON, subject: str = ""
) -> Received:
    subject = subject or subject_for(sender, me.party)
    return intake.check(subject, raw, me=me.party, directory=directory, now=now)


def test_a_message_on_either_token_of_an_agent_is_its_own() -> None:
    _, account = fresh(KeyPurpose.BUS_ACCOUNT)
    rotating = restated(AGENT, account)
    directory = DIRECTORY.with_renewed(rotating)
    raw = message(Hello, rotating, COORDINATOR.party, AGENT.keys[KeyPurpose.MESSAGE])
    assert len(rotating.tokens) == 2
    for token in rotating.tokens:
        assert taken(raw, COORDINATOR, rotating, directory, subject=f"from.{token}.coordinator")


def test_a_message_on_the_token_of_a_revoked_account_or_of_another_agent_is_nobodys() -> None:
    _, account = fresh(KeyPurpose.BUS_ACCOUNT)
    rotated = restated(AGENT, account, revoked=KeyPurpose.BUS_ACCOUNT)
    directory = DIRECTORY.with_renewed(rotated)
    raw = message(Hello, rotated, COORDINATOR.party, AGENT.keys[KeyPurpose.MESSAGE])
    for token in (AGENT.party.token, OTHER.party.token):
        with pytest.raises(WrongSubject):
            taken(raw, COORDINATOR, rotated, directory, subject=f"from.{token}.coordinator")


@pytest.mark.parametrize("sent_at", [NOON - DAY_MS // 2, NOON - 1, NOON])
def test_what_comes_in_under_a_revoked_key_is_refused_whatever_date_a_thief_writes(sent_at: int) -> None:
    directory = DIRECTORY.with_renewed(restated(AGENT, fresh(KeyPurpose.MESSAGE)[1], revoked=KeyPurpose.MESSAGE))
    raw = message(Hello, AGENT.party, COORDINATOR.party, AGENT.keys[KeyPurpose.MESSAGE], sent_at=sent_at)
    with pytest.raises(KeyRevoked):
        taken(raw, COORDINATOR, AGENT.party, directory)
    assert taken(raw, COORDINATOR, AGENT.party)


def test_a_renewal_may_be_signed_with_the_key_that_it_brings() -> None:
    key, stated = fresh(KeyPurpose.MESSAGE)
    renewed = restated(AGENT, stated, revoked=KeyPurpose.MESSAGE)
    received = taken(message(Renewal, renewed, ADMISSION.party, key, [renewed.frame, b""]), ADMISSION, AGENT.party)
    assert received.sender == AGENT.party


def test_a_directory_may_be_signed_with_the_key_of_admissions_own_newer_statement() -> None:
    key, stated = fresh(KeyPurpose.MESSAGE)
    renewed = restated(ADMISSION, stated, revoked=KeyPurpose.MESSAGE)
    parts = [b"frame", b"lines", b"receipt", renewed.frame]
    assert taken(message(DirectoryIssue, renewed, AGENT.party, key, parts), AGENT, ADMISSION.party)
    for wrong in (parts[:3], [*parts[:3], COORDINATOR.party.frame, renewed.frame]):
        with pytest.raises((KeyUnknown, StatementNotListed)):
            taken(message(DirectoryIssue, renewed, AGENT.party, key, wrong), AGENT, ADMISSION.party)


def test_no_other_message_brings_its_key() -> None:
    key, stated = fresh(KeyPurpose.MESSAGE)
    renewed = restated(AGENT, stated)
    with pytest.raises(KeyUnknown):
        taken(message(DirectoryQuery, renewed, ADMISSION.party, key, [renewed.frame]), ADMISSION, AGENT.party)


def test_a_key_that_a_message_brings_is_the_senders_and_its_pinned_root_says_so() -> None:
    key, stated = fresh(KeyPurpose.MESSAGE)
    root = SigningKey.generate(KeyPurpose.ROOT)
    usurped = restated(AGENT, stated).statement.model_copy(update={"root": encode_base64(root.public.raw)})
    for frame, failure in [
        (restated(OTHER, stated).frame, StatementNotListed),
        (read_party(state_party(usurped, root)).frame, PartyFileInvalid),
        (AGENT.party.frame, PartyFileInvalid),
        (b"no frame", PartyFileInvalid),
    ]:
        with pytest.raises(failure):
            taken(message(Renewal, AGENT.party, ADMISSION.party, key, [frame, b""]), ADMISSION, AGENT.party)


def test_a_key_that_a_message_brings_has_to_be_in_force() -> None:
    key, stated = fresh(KeyPurpose.MESSAGE, NOON + 1)
    renewed = restated(AGENT, stated)
    with pytest.raises(KeyNotInForce):
        taken(message(Renewal, renewed, ADMISSION.party, key, [renewed.frame, b""]), ADMISSION, AGENT.party)
    dead = stated.model_copy(update={"not_before": NOON - DAY_MS, "revoked_at": NOON})
    renewed = restated(AGENT, dead)
    raw = message(Renewal, renewed, ADMISSION.party, key, [renewed.frame, b""], sent_at=NOON - 1)
    with pytest.raises(KeyRevoked):
        taken(raw, ADMISSION, AGENT.party)
