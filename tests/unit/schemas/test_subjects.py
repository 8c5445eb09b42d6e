"""Subjects: who may send what to whom, and no name on the bus."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product

import pytest

from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.fields import encode_base64
from schemas.messages.party import Party, PartyKind, read_party, state_party
from schemas.messages.transport import OUTER, Delivery, DirectoryIssue, Outer
from schemas.subjects import (
    HUB_ADMISSION,
    HUB_COORDINATOR,
    HUB_DESK,
    ROUTES,
    listens_on,
    may_send,
    subject_back,
    subject_for,
    subjects_of,
)
from schemas.vectors.entries import outers
from schemas.vectors.parties import ADMISSION, AGENCY, COORDINATOR, DESK, OFFICER, T0, party, signing_key, statement

PARTIES = [party(name) for name in (DESK, COORDINATOR, AGENCY, ADMISSION, OFFICER)]
PAIRS = list(product(PARTIES, PARTIES))


def kinds(sender: Party, receiver: Party) -> tuple[PartyKind, PartyKind]:
    return sender.statement.party_kind, receiver.statement.party_kind


@pytest.mark.parametrize(("sender", "receiver"), [pair for pair in PAIRS if kinds(*pair) in ROUTES])
def test_a_receiver_listens_where_a_sender_speaks(sender: Party, receiver: Party) -> None:
    subject = subject_for(sender, receiver)
    assert any(fnmatchcase(subject, pattern.replace(">", "*")) for pattern in listens_on(receiver))


@pytest.mark.parametrize(("sender", "receiver"), [pair for pair in PAIRS if kinds(*pair) not in ROUTES])
def test_parties_without_a_route_have_no_subject(sender: Party, receiver: Party) -> None:
    with pytest.raises(ValueError, match="do not talk"):
        subject_for(sender, receiver)
    assert not any(may_send(*kinds(sender, receiver), message) for message in outers().values())


def rotating() -> Party:
    """The agency with a second bus account, the newer one."""
    stated = statement(AGENCY)
    account = next(key for key in stated.keys if key.purpose is KeyPurpose.BUS_ACCOUNT)
    fresh = SigningKey.generate(KeyPurpose.BUS_ACCOUNT).public.raw
    newer = account.model_copy(update={"public": encode_base64(fresh), "not_before": T0})
    root = signing_key(AGENCY, KeyPurpose.ROOT)
    return read_party(state_party(stated.model_copy(update={"keys": [*stated.keys, newer], "serial": 2}), root))


def test_an_agent_with_two_accounts_is_reached_in_the_newer_and_heard_in_both() -> None:
    agent, hub = rotating(), party(COORDINATOR)
    new, old = agent.tokens
    assert old == party(AGENCY).token
    assert subject_for(hub, agent) == f"to.{new}.in"
    assert subjects_of(agent, hub) == (f"from.{new}.coordinator", f"from.{old}.coordinator")
    assert listens_on(agent) == (f"to.{new}.>", f"to.{old}.>")


def test_an_answer_goes_back_in_the_account_that_its_message_came_from() -> None:
    agent, hub = rotating(), party(ADMISSION)
    new, old = agent.tokens
    assert subject_back(f"from.{old}.admission", hub, agent) == f"to.{old}.admission"
    assert subject_back(f"from.{new}.admission", hub, agent) == f"to.{new}.admission"
    assert subject_back("from.SOMEBODY.admission", hub, agent) == f"to.{new}.admission"
    assert subject_back(f"to.{old}.admission", agent, hub) == f"from.{old}.admission"
    assert subject_back("hub.admission", hub, party(DESK)) == "hub.desk"


def test_two_routes_share_a_subject_only_where_they_lead_to_one_party_of_the_hub() -> None:
    leads_to: dict[str, set[PartyKind]] = {}
    for (_, receiver), route in ROUTES.items():
        leads_to.setdefault(route.subject, set()).add(receiver)
    assert all(len(receivers) == 1 for receivers in leads_to.values())
    shared = [route.subject for route in ROUTES.values()]
    assert {one for one in shared if shared.count(one) > 1} == {HUB_ADMISSION, HUB_COORDINATOR, HUB_DESK}


def test_no_name_of_a_party_is_in_a_subject() -> None:
    for sender, receiver in PAIRS:
        if kinds(sender, receiver) in ROUTES:
            assert AGENCY not in subject_for(sender, receiver)


def test_every_kind_of_message_has_a_route_and_only_a_coordinator_delivers() -> None:
    sent: set[type[Outer]] = {model for route in ROUTES.values() for model in route.kinds}
    assert sent == set(OUTER.values())
    assert [pair for pair, route in ROUTES.items() if Delivery in route.kinds] == [
        (PartyKind.COORDINATOR, PartyKind.AGENT)
    ]
    assert {sender for (sender, _), route in ROUTES.items() if DirectoryIssue in route.kinds} == {PartyKind.ADMISSION}


def test_an_agent_may_not_submit_and_a_desk_may_not_deliver() -> None:
    assert may_send(PartyKind.DESK, PartyKind.COORDINATOR, outers()["submission"])
    assert not may_send(PartyKind.AGENT, PartyKind.COORDINATOR, outers()["submission"])
    assert not may_send(PartyKind.DESK, PartyKind.AGENT, outers()["delivery"])
