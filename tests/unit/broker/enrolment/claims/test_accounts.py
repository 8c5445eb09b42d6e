"""What each account may do is said in its claims, and follows from the table of subjects alone."""

from __future__ import annotations

import pytest

from broker.enrolment.claims.accounts import EXPORTS, HUB_PARTIES, AgencyAccount, agency_body, expelled_body, template
from broker.enrolment.claims.operator import SYSTEM_ASKS
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import PartyKind
from schemas.subjects import ROUTES, TOKEN

ACCOUNT = SigningKey.generate(KeyPurpose.BUS_ACCOUNT).public
SIGNERS = [SigningKey.generate(KeyPurpose.BUS_SIGNER).public for _ in range(2)]
HUB = nkey.of(SigningKey.generate(KeyPurpose.BUS_ACCOUNT).public)
A = nkey.of(ACCOUNT)


def test_both_exports_have_their_token_position() -> None:
    assert [(export["subject"], export["account_token_position"]) for export in EXPORTS] == [
        ("to.*.>", 2),
        ("from.*.>", 2),
    ]


def test_an_agency_imports_its_own_token_under_its_own_subjects() -> None:
    body = agency_body(AgencyAccount(ACCOUNT, SIGNERS), HUB)
    assert [each["subject"] for each in body["imports"]] == [f"to.{A}.>", f"from.{A}.>"]
    assert all(each["account"] == HUB and "local_subject" not in each for each in body["imports"])


def test_an_agency_has_no_jetstream_no_exports_no_bearers_and_four_connections() -> None:
    limits = agency_body(AgencyAccount(ACCOUNT, SIGNERS), HUB)["limits"]
    assert not [name for name in limits if "storage" in name or "stream" in name or "consumer" in name]
    assert (limits["conn"], limits["leaf"], limits["imports"], limits["exports"]) == (4, 0, 2, 0)
    assert limits["disallow_bearer"]


def test_every_signing_key_is_scoped() -> None:
    body = agency_body(AgencyAccount(ACCOUNT, SIGNERS), HUB)
    assert [scope["kind"] for scope in body["signing_keys"]] == ["user_scope", "user_scope"]
    assert [scope["key"] for scope in body["signing_keys"]] == [nkey.of(key) for key in SIGNERS]


@pytest.mark.parametrize("kind", [*HUB_PARTIES, PartyKind.AGENT])
def test_a_party_may_publish_exactly_where_it_has_a_route(kind: PartyKind) -> None:
    token = A if kind is PartyKind.AGENT else "*"
    allowed = template(kind, token)["pub"]["allow"]
    routes = {route.subject.replace(TOKEN, token) for (sender, _), route in ROUTES.items() if sender is kind}
    assert set(allowed) == routes
    assert not [subject for subject in allowed if ">" in subject]


def test_an_agent_may_hear_its_own_token_and_inbox_only() -> None:
    assert template(PartyKind.AGENT, A)["sub"]["allow"] == [f"to.{A}.>", "_INBOX.{{subject()}}.>"]


@pytest.mark.parametrize("kind", HUB_PARTIES)
def test_a_party_of_the_hub_may_hear_its_own_two_subjects_and_inbox_only(kind: PartyKind) -> None:
    heard = template(kind, "*")["sub"]["allow"]
    assert sorted(heard) == sorted([f"hub.{kind}", f"from.*.{kind}", "_INBOX.{{subject()}}.>"])


def test_a_leaf_node_is_allowed_where_it_is_asked_for_only() -> None:
    without, with_one = (agency_body(AgencyAccount(ACCOUNT, SIGNERS, may_run_leaf=may), HUB) for may in (False, True))
    assert "LEAFNODE" not in str(without)
    assert without["limits"]["leaf"] == 0
    assert with_one["limits"]["leaf"] == 1
    assert "LEAFNODE" in with_one["signing_keys"][0]["template"]["allowed_connection_types"]


def test_a_revoked_user_is_revoked_beyond_any_claims_it_could_be_issued() -> None:
    user = SigningKey.generate(KeyPurpose.BUS_USER).public
    body = agency_body(AgencyAccount(ACCOUNT, SIGNERS, revoked_users=[user]), HUB)
    assert body["revocations"][nkey.of(user)] > 4_000_000_000


def test_of_an_expelled_account_nothing_is_left() -> None:
    body = expelled_body()
    assert list(body) == ["limits"]
    assert body["limits"]["conn"] == body["limits"]["leaf"] == body["limits"]["imports"] == 0


def test_the_system_user_may_not_write_claims_of_one_server_past_the_others() -> None:
    assert not [subject for subject in SYSTEM_ASKS if subject.endswith("CLAIMS.*") or "KICK" in subject]
    assert ">" not in SYSTEM_ASKS
