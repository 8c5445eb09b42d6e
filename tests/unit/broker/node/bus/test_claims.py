"""Claims are signed by whom they name, say what they say once, and are read by nobody who does not check."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from broker.node.bus.claims import Claims, ClaimsInvalid, ClaimsKind, decode, encode, inbox_of, user_claims
from broker.node.bus.leaf import leaf_credentials
from schemas.crypto import nkey
from schemas.crypto.failures import WrongPurpose
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose

NOW = 1_795_000_000_000
OPERATOR = SigningKey.from_seed(KeyPurpose.BUS_OPERATOR_SIGNER, bytes(range(32)))
ACCOUNT = SigningKey.from_seed(KeyPurpose.BUS_ACCOUNT, bytes(range(1, 33)))
SIGNER = SigningKey.from_seed(KeyPurpose.BUS_SIGNER, bytes(range(2, 34)))
USER = SigningKey.from_seed(KeyPurpose.BUS_USER, bytes(range(3, 35)))
TOKEN = nkey.of(ACCOUNT.public)


def account_claims(**body: Any) -> Claims:
    return Claims(ClaimsKind.ACCOUNT, TOKEN, nkey.of(OPERATOR.public), NOW, NOW + 60_000, body)


def resigned(payload: dict[str, Any], header: dict[str, Any] | None = None, key: SigningKey = OPERATOR) -> str:
    """Any payload under a signature that holds."""
    parts = (header or {"typ": "JWT", "alg": "ed25519-nkey"}, payload)
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{text}.{base64.urlsafe_b64encode(key.private.sign(text.encode())).decode().rstrip('=')}"


def payload_of(text: str) -> dict[str, Any]:
    middle = text.split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert isinstance(found, dict)
    return found


def test_claims_that_were_encoded_are_read_back() -> None:
    claims = account_claims(limits={"conn": 4})
    assert decode(encode(claims, OPERATOR)) == claims


def test_the_same_claims_are_the_same_text() -> None:
    claims = account_claims(limits={"conn": 4}, imports=[])
    assert encode(claims, OPERATOR) == encode(account_claims(imports=[], limits={"conn": 4}), OPERATOR)


def test_claims_have_an_id_that_follows_from_what_they_say() -> None:
    one, other = (payload_of(encode(account_claims(limits={"conn": conn}), OPERATOR)) for conn in (0, 4))
    assert one["jti"] != other["jti"]


def test_a_users_claims_bring_no_permissions_and_end_within_a_day() -> None:
    text = user_claims(USER.public, TOKEN, SIGNER, now=NOW)
    told = decode(text)
    assert told.body == {"issuer_account": TOKEN}
    assert (told.subject, told.issuer) == (nkey.of(USER.public), nkey.of(SIGNER.public))
    assert told.expires_at == NOW + 24 * 3600 * 1000


def test_an_inbox_is_named_after_its_user() -> None:
    assert inbox_of(USER.public) == f"_INBOX.{nkey.of(USER.public)}"


@pytest.mark.parametrize("key", [SIGNER, ACCOUNT, USER], ids=lambda key: key.purpose.value)
def test_no_key_but_the_operators_signing_key_issues_an_accounts_claims(key: SigningKey) -> None:
    claims = Claims(ClaimsKind.ACCOUNT, TOKEN, nkey.of(key.public), NOW)
    with pytest.raises(WrongPurpose):
        encode(claims, key)


@pytest.mark.parametrize("key", [OPERATOR, ACCOUNT, USER], ids=lambda key: key.purpose.value)
def test_no_key_but_a_signing_key_issues_a_users_claims(key: SigningKey) -> None:
    with pytest.raises(WrongPurpose):
        user_claims(USER.public, TOKEN, key, now=NOW)


def test_claims_are_not_signed_in_anothers_name() -> None:
    with pytest.raises(WrongPurpose):
        encode(Claims(ClaimsKind.ACCOUNT, TOKEN, TOKEN, NOW), OPERATOR)


def test_claims_with_one_letter_changed_do_not_hold() -> None:
    text = encode(account_claims(limits={"conn": 4}), OPERATOR)
    for at in range(0, len(text), 7):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        with pytest.raises(ClaimsInvalid):
            decode(changed)


def test_claims_signed_by_another_key_than_they_name_do_not_hold() -> None:
    payload = payload_of(encode(account_claims(), OPERATOR))
    other = SigningKey.generate(KeyPurpose.BUS_OPERATOR_SIGNER)
    with pytest.raises(ClaimsInvalid, match="not signed by the issuer"):
        decode(resigned(payload, key=other))


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"typ": "JWT", "alg": "none"}, "not signed with"),
        ({"typ": "JWT", "alg": "ed25519"}, "not signed with"),
        ({"typ": "JWT", "alg": "ed25519-nkey", "kid": "1"}, "not signed with"),
    ],
)
def test_another_algorithm_is_refused(header: dict[str, Any], why: str) -> None:
    with pytest.raises(ClaimsInvalid, match=why):
        decode(resigned(payload_of(encode(account_claims(), OPERATOR)), header))


@pytest.mark.parametrize(
    "change",
    [
        {"iat": "1"},
        {"exp": 1.5},
        {"iss": TOKEN},
        {"iss": "O"},
        {"aud": "x"},
        {"nats": []},
        {"nats": {"type": "cluster", "version": 2}},
        {"nats": {"type": "account", "version": 1}},
        {"nats": {"type": "account"}},
    ],
    ids=str,
)
def test_a_member_that_is_not_as_it_should_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ClaimsInvalid):
        decode(resigned({**payload_of(encode(account_claims(), OPERATOR)), **change}))


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d", "..", "x" * 70_000, "eyJ9.eyJ9." + "A" * 86], ids=len)
def test_what_is_not_three_parts_of_base64url_is_refused(text: str) -> None:
    with pytest.raises(ClaimsInvalid):
        decode(text)


def test_a_member_that_is_there_twice_is_refused() -> None:
    payload = json.dumps(payload_of(encode(account_claims(), OPERATOR)))
    parts = ('{"typ":"JWT","alg":"ed25519-nkey"}', payload[:-1] + ',"sub":"x"}')
    text = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
    text += "." + base64.urlsafe_b64encode(OPERATOR.private.sign(text.encode())).decode().rstrip("=")
    with pytest.raises(ClaimsInvalid, match="twice"):
        decode(text)


def test_leaf_credentials_are_a_user_of_their_own_under_the_agencys_signing_key() -> None:
    one, other = (leaf_credentials(TOKEN, SIGNER, now=NOW) for _ in range(2))
    told = [decode(text.splitlines()[1]) for text in (one, other)]
    assert {claims.issuer for claims in told} == {nkey.of(SIGNER.public)}
    assert len({claims.subject for claims in told}) == 2
    assert one.splitlines()[5].startswith("SU")
    assert len(one.splitlines()[5]) == 58
