"""What a home gives its program to connect with, and what is said when something of it is missing."""

from __future__ import annotations

import shutil
import ssl
from contextlib import closing
from pathlib import Path

import pytest

from broker.enrolment.at_rest.founding import found
from broker.node.bus.access import PLAINTEXT, HomeAccess, read_addresses
from broker.node.bus.access_files import AccessIncomplete
from broker.node.bus.claims import Claims, ClaimsKind, decode, encode
from broker.node.home import Home, PartyPlan
from broker.node.rotation import rotate_at_rest
from broker.node.tls_key import generate_tls_key
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.party import PartyKind
from schemas.vocabulary import AgencyKind

NOW = 1_800_000_000_000
URL = "tls://bus.hub.example:4222"


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> dict[PartyKind, Home]:
    root = tmp_path_factory.mktemp("hub")
    homes = {kind: Home(root / kind) for kind in (PartyKind.ADMISSION, PartyKind.COORDINATOR, PartyKind.DESK)}
    for kind, home in homes.items():
        log = "gwent.hub.example/log" if kind is PartyKind.COORDINATOR else None
        plan = PartyPlan("gwent", kind.value, kind, "Hub", log=log)
        home.create(plan, now=NOW, ig_lead_key=root / "lead.key" if kind is PartyKind.DESK else None)
    others = [homes[PartyKind.COORDINATOR], homes[PartyKind.DESK]]
    found(homes[PartyKind.ADMISSION], others, hosts=["bus.hub.example"], addresses=[URL], now=NOW)
    return homes


@pytest.fixture
def desk(standing: dict[PartyKind, Home]) -> Home:
    return standing[PartyKind.DESK]


def _load(home: Home) -> HomeAccess:
    return HomeAccess.load(home, home.keys_to_read())


def _key(home: Home, purpose: KeyPurpose) -> str:
    [key] = [one.key for one in home.own().keys if one.key.purpose is purpose]
    return nkey.of(key)


def test_the_user_jwt_is_issued_by_the_partys_own_signer_for_its_user_in_the_hubs_account(
    standing: dict[PartyKind, Home], desk: Home
) -> None:
    access = _load(desk)
    claims = decode(access.user_jwt(NOW))
    assert claims.subject == _key(desk, KeyPurpose.BUS_USER)
    assert claims.issuer == _key(desk, KeyPurpose.BUS_SIGNER)
    assert claims.body == {"issuer_account": _key(standing[PartyKind.ADMISSION], KeyPurpose.BUS_ACCOUNT)}
    assert access.account == claims.body["issuer_account"]
    assert access.inbox == f"_INBOX.{claims.subject}"


@pytest.mark.parametrize("emergency", [False, True])
def test_a_signer_that_the_accounts_jwt_does_not_name_is_used_once_all_that_it_names_are_dead(
    emergency: bool, desk: Home, tmp_path: Path
) -> None:
    home = Home(tmp_path / "desk")
    shutil.copytree(desk.path, home.path)
    before = decode(_load(home).user_jwt(NOW)).issuer
    rotate_at_rest(home, KeyPurpose.BUS_SIGNER, emergency=emergency, now=NOW + 1000)
    assert (decode(_load(home).user_jwt(NOW)).issuer != before) is emergency


def _issuers(home: Home) -> list[str]:
    access = _load(home)
    return [decode(one.user_jwt(NOW)).issuer for one in (access, *access.others)]


def _write_account(home: Home, signers: list[str]) -> None:
    path, issuer = home.path / "bus" / "account.jwt", SigningKey.generate(KeyPurpose.BUS_OPERATOR_SIGNER)
    body = {"signing_keys": [{"kind": "user_scope", "key": one} for one in signers]}
    claims = Claims(ClaimsKind.ACCOUNT, _load(home).account, nkey.of(issuer.public), NOW, NOW + 10**9, body)
    path.write_text(encode(claims, issuer))


def test_a_dead_signer_is_tried_until_the_accounts_jwt_names_one_that_lives(desk: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "desk")
    shutil.copytree(desk.path, home.path)
    [first] = _issuers(home)
    for at in (1000, 2000):
        rotate_at_rest(home, KeyPurpose.BUS_SIGNER, emergency=True, now=NOW + at)
    third, second, before = _issuers(home)
    assert before == first
    _write_account(home, [second])
    assert _issuers(home) == [third, second, first]
    _write_account(home, [third])
    rotate_at_rest(home, KeyPurpose.MESSAGE, emergency=True, now=NOW + 3000)
    assert _issuers(home) == [third]


def test_dead_signers_stay_while_the_accounts_jwt_cannot_be_read(desk: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "desk")
    shutil.copytree(desk.path, home.path)
    path = home.path / "bus" / "account.jwt"
    kept = path.read_bytes()
    path.write_bytes(b"damaged")
    rotate_at_rest(home, KeyPurpose.BUS_SIGNER, emergency=True, now=NOW + 1000)
    path.write_bytes(kept)
    assert len(_issuers(home)) == 2


def test_every_account_is_tried_by_every_signer(agent: Home) -> None:
    first = agent.own().token
    rotate_at_rest(agent, KeyPurpose.BUS_ACCOUNT, emergency=True, now=NOW + 1000)
    rotate_at_rest(agent, KeyPurpose.BUS_SIGNER, emergency=True, now=NOW + 2000)
    assert _accounts(agent) == [first, first, agent.own().token, agent.own().token]
    issuers = _issuers(agent)
    assert issuers[:2] == issuers[2:]
    assert len(set(issuers)) == 2


@pytest.fixture
def agent(desk: Home, tmp_path: Path) -> Home:
    """An agency's home, with the certificate of somebody else's: nothing is dialled here."""
    home = Home(tmp_path / "agent")
    plan = PartyPlan("gwent", "north", PartyKind.AGENT, "North", AgencyKind.POLICE, log="north.example/log")
    home.create(plan, now=NOW, ig_lead_key=tmp_path / "lead.key")
    shutil.copytree(desk.path / "bus", home.path / "bus")
    with closing(home.keystore()) as keys, closing(desk.keystore()) as others:
        for name in others.names(KeyPurpose.TLS):
            keys.add(KeyPurpose.TLS, name, others.get(KeyPurpose.TLS, name))
    _let_in(home)
    return home


def _let_in(home: Home) -> str:
    """Have admission's newest word be about the account that the home states now."""
    signer, token = SigningKey.generate(KeyPurpose.BUS_OPERATOR_SIGNER), home.own().token
    claims = Claims(ClaimsKind.ACCOUNT, token, nkey.of(signer.public), NOW, NOW + 10**9, {})
    (home.path / "bus" / "account.jwt").write_text(encode(claims, signer))
    return token


def _accounts(home: Home) -> list[str]:
    access = _load(home)
    return [access.account, *(one.account for one in access.others)]


def test_an_agency_is_let_in_by_the_account_of_admissions_word_or_by_those_it_has_stated_since(agent: Home) -> None:
    first = agent.own().token
    assert _accounts(agent) == [first]
    tokens: list[str] = []
    for at, emergency in ((1000, True), (2000, True), (3000, False)):
        rotate_at_rest(agent, KeyPurpose.BUS_ACCOUNT, emergency=emergency, now=NOW + at)
        tokens.insert(0, agent.own().token)
        assert _accounts(agent) == [first, *tokens]


def test_an_account_that_was_left_is_tried_again_only_while_it_is_not_revoked(agent: Home) -> None:
    first = agent.own().token
    rotate_at_rest(agent, KeyPurpose.BUS_ACCOUNT, emergency=False, now=NOW + 1000)
    second = _let_in(agent)
    assert _accounts(agent) == [second, first]
    rotate_at_rest(agent, KeyPurpose.BUS_ACCOUNT, emergency=True, now=NOW + 2000)
    third = _let_in(agent)
    assert _accounts(agent) == [third]


def test_an_account_without_a_word_of_admission_has_no_jwt_that_could_end(agent: Home) -> None:
    rotate_at_rest(agent, KeyPurpose.BUS_ACCOUNT, emergency=True, now=NOW + 1000)
    [other] = _load(agent).others
    assert "the JWT of the account" not in [lapse.what for lapse in other.lapses]
    assert decode(other.user_jwt(NOW)).body == {"issuer_account": other.account}


def test_a_party_of_the_hub_has_no_account_but_the_hubs(desk: Home) -> None:
    assert list(_load(desk).others) == []


def test_a_nonce_is_signed_and_nothing_longer_is(desk: Home) -> None:
    access = _load(desk)
    assert len(access.sign_nonce(b"x" * 64)) == 64
    with pytest.raises(Rejected):
        access.sign_nonce(b"x" * 65)


def test_tls_is_1_3_and_trusts_the_hubs_authority_alone(desk: Home) -> None:
    context = _load(desk).tls()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


def test_what_ends_is_listed_soonest_first(desk: Home) -> None:
    ends = _load(desk).lapses
    assert [lapse.what for lapse in ends] == [
        "the client certificate",
        "the JWT of the account",
        "the newest certificate of the authority",
    ]
    assert [lapse.at for lapse in ends] == sorted(lapse.at for lapse in ends)
    assert ends[0].at > NOW


def test_nothing_secret_is_in_a_representation(desk: Home) -> None:
    access = _load(desk)
    keys = desk.keys_to_read()
    text = repr(access) + repr(PLAINTEXT)
    for purpose in (KeyPurpose.BUS_SIGNER, KeyPurpose.BUS_USER, KeyPurpose.TLS):
        for name in keys.names(purpose):
            assert keys.get(purpose, name).hex() not in text
    assert text == f"<access to the bus account {access.account}>PLAINTEXT"


@pytest.mark.parametrize("name", ["account.jwt", "client.pem", "ca.pem"])
@pytest.mark.parametrize("content", [None, b"", b"\n", b"hunter2", b"\xff" * 300_000])
def test_a_file_that_is_missing_or_damaged_is_named_and_its_content_is_not(
    desk: Home, name: str, content: bytes | None
) -> None:
    path = desk.path / "bus" / name
    kept = path.read_bytes()
    try:
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(AccessIncomplete, match=f"bus/{name} ") as failure:
            _load(desk)
        assert "hunter2" not in str(failure.value)
        assert ";" in failure.value.detail  # and what to do
    finally:
        path.write_bytes(kept)


def test_a_certificate_of_another_key_than_ours_is_told(standing: dict[PartyKind, Home], desk: Home) -> None:
    path = desk.path / "bus" / "client.pem"
    kept = path.read_bytes()
    try:
        path.write_bytes((standing[PartyKind.COORDINATOR].path / "bus" / "client.pem").read_bytes())
        with pytest.raises(AccessIncomplete, match=r"bus/client\.pem is not of a TLS key in the key store"):
            _load(desk)
    finally:
        path.write_bytes(kept)


def test_the_tls_key_that_the_certificate_is_of_is_used_while_there_are_two(desk: Home) -> None:
    keys = desk.keystore()
    for name in ("0", "z"):
        keys.add(KeyPurpose.TLS, name, generate_tls_key())
    keys.close()
    _load(desk).tls()


def test_the_addresses_are_those_that_the_hub_handed_over(desk: Home) -> None:
    assert read_addresses(desk) == [URL]
    path = desk.path / "bus" / "addresses"
    path.write_text(f"# where\n\n {URL}\nwss://bus.hub.example\n")
    assert read_addresses(desk) == [URL, "wss://bus.hub.example"]
    path.write_text("# nowhere\n")
    with pytest.raises(AccessIncomplete, match="names no server"):
        read_addresses(desk)
    path.write_text(URL + "\n")
