"""Claims that a server would store and not honour, or honour and should not, are refused before it sees them."""

from __future__ import annotations

from typing import Any

import pytest

from broker.enrolment.claims.accounts import (
    AgencyAccount,
    HubAccount,
    agency_body,
    agency_claims,
    expelled_claims,
    hub_body,
    hub_claims,
    suspended_claims,
)
from broker.enrolment.claims.check import ClaimsRefused, Trusted, check_claims
from broker.node.bus.claims import Claims, ClaimsInvalid, ClaimsKind, encode
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import PartyKind

NOW = 1_795_000_000_000
END = NOW + 10**10
OPERATOR = SigningKey.generate(KeyPurpose.BUS_OPERATOR_SIGNER)
ACCOUNT, OTHER, HUB_ACCOUNT = (SigningKey.generate(KeyPurpose.BUS_ACCOUNT).public for _ in range(3))
SIGNER = SigningKey.generate(KeyPurpose.BUS_SIGNER).public
USER = SigningKey.generate(KeyPurpose.BUS_USER).public
HUB = nkey.of(HUB_ACCOUNT)
A, B = nkey.of(ACCOUNT), nkey.of(OTHER)
TRUSTED = Trusted(HUB, [nkey.of(OPERATOR.public)])
PLAN = AgencyAccount(ACCOUNT, [SIGNER])
HUB_PLAN = HubAccount(
    HUB_ACCOUNT,
    {
        kind: [SigningKey.generate(KeyPurpose.BUS_SIGNER).public]
        for kind in (PartyKind.DESK, PartyKind.COORDINATOR, PartyKind.ADMISSION)
    },
)


def signed(body: dict[str, Any], *, subject: str = A, key: SigningKey = OPERATOR, expires_at: int | None = END) -> str:
    claims = Claims(ClaimsKind.ACCOUNT, subject, nkey.of(key.public), NOW, expires_at, body)
    return encode(claims, key)


def changed(**members: Any) -> str:
    return signed({**agency_body(PLAN, HUB), **members})


@pytest.mark.parametrize(
    "text",
    [
        agency_claims(PLAN, HUB, OPERATOR, issued_at=NOW, expires_at=END),
        agency_claims(
            AgencyAccount(ACCOUNT, [SIGNER], may_run_leaf=True, revoked_users=[USER]),
            HUB,
            OPERATOR,
            issued_at=NOW,
            expires_at=END,
        ),
        suspended_claims(PLAN, HUB, OPERATOR, issued_at=NOW, expires_at=END),
        expelled_claims(ACCOUNT, OPERATOR, issued_at=NOW, expires_at=END),
        hub_claims(HUB_PLAN, OPERATOR, issued_at=NOW, expires_at=END),
    ],
    ids=["admitted", "with-a-leaf", "suspended", "expelled", "hub"],
)
def test_what_admission_makes_passes(text: str) -> None:
    assert check_claims(text, TRUSTED, now=NOW)


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ("to.>", "without its token position"),
        ("to.*.>", "without its token position"),
        ("to", "without its token position"),
        (f"to.{B}.>", "another account's token"),
        (f"from.{B}.>", "another account's token"),
    ],
    ids=["to", "to-any", "no-tail", "anothers-to", "anothers-from"],
)
def test_an_import_of_more_than_its_own_token_is_refused(subject: str, why: str) -> None:
    imports = agency_body(PLAN, HUB)["imports"]
    with pytest.raises(ClaimsRefused, match=why):
        check_claims(changed(imports=[{**imports[0], "subject": subject}, imports[1]]), TRUSTED, now=NOW)


def test_an_import_from_another_account_than_the_hubs_is_refused() -> None:
    imports = agency_body(PLAN, HUB)["imports"]
    with pytest.raises(ClaimsRefused, match="imports is not"):
        check_claims(changed(imports=[{**imports[0], "account": B}, imports[1]]), TRUSTED, now=NOW)


def test_a_local_subject_is_refused() -> None:
    imports = agency_body(PLAN, HUB)["imports"]
    with pytest.raises(ClaimsRefused, match="imports is not"):
        check_claims(changed(imports=[{**imports[0], "local_subject": "x.>"}, imports[1]]), TRUSTED, now=NOW)


def test_claims_of_another_operator_are_refused() -> None:
    other = SigningKey.generate(KeyPurpose.BUS_OPERATOR_SIGNER)
    with pytest.raises(ClaimsRefused, match="not issued by this bus's operator"):
        check_claims(agency_claims(PLAN, HUB, other, issued_at=NOW, expires_at=END), TRUSTED, now=NOW)


@pytest.mark.parametrize("expires_at", [None, NOW, NOW - 1000])
def test_claims_that_are_over_or_never_end_are_refused(expires_at: int | None) -> None:
    with pytest.raises(ClaimsRefused, match="expired, or without an expiry"):
        check_claims(signed(agency_body(PLAN, HUB), expires_at=expires_at), TRUSTED, now=NOW)


def test_a_signing_key_of_another_account_is_refused() -> None:
    trusted = Trusted(HUB, TRUSTED.issuers, {nkey.of(SIGNER): B})
    with pytest.raises(ClaimsRefused, match="another account uses"):
        check_claims(agency_claims(PLAN, HUB, OPERATOR, issued_at=NOW, expires_at=END), trusted, now=NOW)


def test_a_signing_key_of_the_same_account_passes() -> None:
    trusted = Trusted(HUB, TRUSTED.issuers, {nkey.of(SIGNER): A})
    assert check_claims(agency_claims(PLAN, HUB, OPERATOR, issued_at=NOW, expires_at=END), trusted, now=NOW)


@pytest.mark.parametrize(
    "members",
    [
        {"signing_keys": [nkey.of(SIGNER)]},
        {"signing_keys": "x"},
        {"signing_keys": [{"kind": "user_scope", "key": A, "role": "agent", "template": {}}]},
        {"signing_keys": [{"kind": "user_scope", "key": "x", "role": "agent", "template": {}}]},
        {"signing_keys": [{"key": nkey.of(SIGNER), "template": None}]},
        {"exports": [{"subject": ">", "type": "stream"}]},
        {"limits": {"conn": -1}},
        {"limits": []},
        {"imports": "x"},
        {"imports": [1]},
        {"default_permissions": {}},
        {"revocations": {nkey.of(USER): 1}},
        {"revocations": ["x"]},
        {"mappings": {}},
        {"authorization": {"auth_users": [nkey.of(USER)]}},
    ],
    ids=lambda members: next(iter(members)),
)
def test_anything_that_admission_would_not_say_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(ClaimsRefused):
        check_claims(changed(**members), TRUSTED, now=NOW)


@pytest.mark.parametrize("limit", ["conn", "leaf", "subs", "payload", "data", "imports", "exports"])
def test_a_limit_raised_by_one_is_refused(limit: str) -> None:
    limits = agency_body(PLAN, HUB)["limits"]
    with pytest.raises(ClaimsRefused, match="limits is not"):
        check_claims(changed(limits={**limits, limit: limits[limit] + 1}), TRUSTED, now=NOW)


def test_a_template_that_is_wider_is_refused() -> None:
    scope = agency_body(PLAN, HUB)["signing_keys"][0]
    scope["template"]["sub"]["allow"].append(">")
    with pytest.raises(ClaimsRefused, match="signing_keys is not"):
        check_claims(changed(signing_keys=[scope]), TRUSTED, now=NOW)


def test_hub_claims_with_an_export_without_its_token_position_are_refused() -> None:
    body = hub_body(HUB_PLAN)
    del body["exports"][0]["account_token_position"]
    with pytest.raises(ClaimsRefused, match="export without its token position"):
        check_claims(signed(body, subject=HUB), TRUSTED, now=NOW)


def test_hub_claims_with_a_fourth_role_are_refused() -> None:
    body = hub_body(HUB_PLAN)
    body["signing_keys"].append({**body["signing_keys"][0], "role": "auditor"})
    with pytest.raises(ClaimsRefused):
        check_claims(signed(body, subject=HUB), TRUSTED, now=NOW)


def test_an_agency_cannot_be_given_the_hubs_claims() -> None:
    with pytest.raises(ClaimsRefused):
        check_claims(signed(hub_body(HUB_PLAN)), TRUSTED, now=NOW)


def test_what_is_not_claims_is_refused() -> None:
    with pytest.raises(ClaimsInvalid):
        check_claims("x", TRUSTED, now=NOW)
