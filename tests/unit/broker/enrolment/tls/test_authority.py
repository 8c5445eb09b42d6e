"""The hub's TLS authority: what it signs, what it refuses to sign, and what a TLS library makes of it."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from broker.enrolment.tls.authority import (
    Authority,
    AuthorityMismatch,
    RequestKeyUnsuitable,
    RequestMalformed,
    RequestNotSigned,
    read_request,
)
from broker.node.certificates import HostInvalid
from broker.node.clock import DAY_MS
from broker.node.tls_key import (
    ChainMalformed,
    TlsKeyUnsuitable,
    certificate_request,
    generate_tls_key,
    public_of,
    split_chain,
)
from schemas.messages.party import PartyKind
from tests.support.clock import NOON

HOSTS = ("bus.hub.example", "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create(HOSTS, now=NOON)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def test_a_certificate_of_a_party_names_its_kind_and_a_random_id_and_nothing_that_was_asked_for(
    authority: Authority,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    asked = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bus.hub.example")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("bus.hub.example")]), critical=False)
        .sign(key, SHA256())
    )
    made = authority.issue_client(read_request(asked.public_bytes(Encoding.DER)), PartyKind.AGENT, now=NOON)
    (name,) = made.subject
    assert name.oid == NameOID.COMMON_NAME
    assert isinstance(name.value, str)
    kind, random_id = name.value.split("-")
    assert kind == "agent"
    assert len(bytes.fromhex(random_id)) == 8
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    with pytest.raises(x509.ExtensionNotFound):
        made.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    purposes = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert made.public_key() == key.public_key()


def test_the_authority_signs_for_ten_years_and_a_leaf_holds_a_year_and_never_longer_than_its_authority(
    authority: Authority,
) -> None:
    request = read_request(certificate_request(generate_tls_key()))
    made = authority.issue_client(request, PartyKind.DESK, now=NOON)
    assert (made.not_valid_after_utc - datetime.fromtimestamp(NOON / 1000, UTC)).days == 365
    assert authority.expires_at == NOON + 3650 * DAY_MS
    late = authority.issue_client(request, PartyKind.DESK, now=authority.expires_at - DAY_MS)
    assert late.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_a_server_is_verified_under_its_names_and_under_no_other(authority: Authority) -> None:
    request = read_request(certificate_request(generate_tls_key()))
    made = authority.issue_server(request, ["bus.hub.example", "127.0.0.1"], now=NOON)
    policy = PolicyBuilder().store(Store([authority.certificate])).time(datetime.fromtimestamp(NOON / 1000, UTC))
    policy.build_server_verifier(x509.DNSName("bus.hub.example")).verify(made, [])
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("other.hub.example")).verify(made, [])


@pytest.mark.parametrize("host", ["bank.example", "bus.hub.example.evil.example", "10.0.0.1", "::1"])
def test_the_authority_signs_for_no_host_outside_of_its_constraints(authority: Authority, host: str) -> None:
    request = read_request(certificate_request(generate_tls_key()))
    with pytest.raises(HostInvalid):
        authority.issue_server(request, [host], now=NOON)
    authority.issue_server(request, ["n2.bus.hub.example"], now=NOON)


@pytest.mark.parametrize("hosts", [(), ("Bus.Example",), ("a b",), ("-x.example",), tuple(f"n{i}" for i in range(33))])
def test_names_that_are_none_are_refused(hosts: tuple[str, ...]) -> None:
    with pytest.raises(HostInvalid):
        Authority.create(hosts, now=NOON)


def test_an_authority_is_its_certificate_and_its_key_and_no_other_pair(authority: Authority) -> None:
    again = Authority.load(authority.pem, authority.key_der())
    assert again.pem == authority.pem
    with pytest.raises(AuthorityMismatch):
        Authority.load(authority.pem, generate_tls_key())
    with pytest.raises(AuthorityMismatch):
        Authority.load(authority.pem[:-40], authority.key_der())
    assert authority.key_der().hex()[-64:] not in repr(authority)


class TestRequests:
    """What a certificate request may look like."""

    def test_a_request_holds_a_key_and_the_proof_that_its_sender_has_it(self) -> None:
        key = generate_tls_key()
        assert read_request(certificate_request(key)).spki == public_of(key)

    @pytest.mark.parametrize("length", range(0, 180, 7))
    def test_a_truncated_request_is_refused(self, length: int) -> None:
        with pytest.raises(RequestMalformed):
            read_request(certificate_request(generate_tls_key())[:length])

    def test_every_changed_byte_is_refused(self) -> None:
        whole = certificate_request(generate_tls_key())
        for at in range(len(whole)):
            changed = bytearray(whole)
            changed[at] ^= 1
            with pytest.raises((RequestMalformed, RequestKeyUnsuitable, RequestNotSigned)):
                read_request(bytes(changed))

    def test_something_behind_it_is_refused(self) -> None:
        with pytest.raises(RequestMalformed):
            read_request(certificate_request(generate_tls_key()) + b"\x00")

    def test_a_request_too_long_to_be_one_is_not_even_parsed(self) -> None:
        with pytest.raises(RequestMalformed, match="1024"):
            read_request(b"\x30" * 100_000)

    def test_keys_of_other_kinds_are_refused(self) -> None:
        rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        for request in (
            builder.sign(rsa_key, SHA256()),
            builder.sign(ec.generate_private_key(ec.SECP384R1()), SHA256()),
            builder.sign(Ed25519PrivateKey.generate(), None),
        ):
            with pytest.raises(RequestKeyUnsuitable):
                read_request(request.public_bytes(Encoding.DER))

    def test_a_key_of_another_curve_is_no_tls_key(self) -> None:
        key = ec.generate_private_key(ec.SECP384R1())
        with pytest.raises(TlsKeyUnsuitable):
            certificate_request(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(TlsKeyUnsuitable):
            certificate_request(b"no key")


class TestChains:
    """What admission hands out with a certificate."""

    def test_a_chain_is_split_into_ones_own_and_the_authorities(self, authority: Authority) -> None:
        other = Authority.create(HOSTS, now=NOON)
        request = read_request(certificate_request(generate_tls_key()))
        own = _pem(authority.issue_client(request, PartyKind.AGENT, now=NOON))
        assert split_chain(own + other.pem + authority.pem) == (own, other.pem + authority.pem)

    def test_a_chain_in_another_order_or_without_an_authority_is_refused(self, authority: Authority) -> None:
        request = read_request(certificate_request(generate_tls_key()))
        own = _pem(authority.issue_client(request, PartyKind.AGENT, now=NOON))
        for chain in (
            b"",
            b"no PEM",
            own,
            authority.pem,
            authority.pem + own,
            own + own + authority.pem,
            own + authority.pem * 4,
            own + authority.pem + b" " * 16384,
        ):
            with pytest.raises(ChainMalformed):
                split_chain(chain)


class TestHandshakes:
    """Servers and parties as the operating system's TLS library sees them."""

    def test_a_party_and_a_server_meet_and_each_is_known_by_the_authority(self, tmp_path: Path) -> None:
        now = time.time_ns() // 1_000_000
        authority = Authority.create(HOSTS, now=now)
        server, client = _ends(tmp_path, authority, authority, now)
        assert _handshake(server, client, "localhost") == "TLSv1.3"

    def test_a_party_of_another_authority_is_not_let_in(self, tmp_path: Path) -> None:
        now = time.time_ns() // 1_000_000
        authority, stranger = Authority.create(HOSTS, now=now), Authority.create(HOSTS, now=now)
        server, client = _ends(tmp_path, authority, stranger, now)
        with pytest.raises(ssl.SSLError):
            _handshake(server, client, "localhost")

    def test_while_an_authority_is_changed_parties_of_both_meet(self, tmp_path: Path) -> None:
        now = time.time_ns() // 1_000_000
        old, new = Authority.create(HOSTS, now=now), Authority.create(HOSTS, now=now)
        server, client = _ends(tmp_path, new, old, now, trusted=old.pem + new.pem)
        assert _handshake(server, client, "localhost") == "TLSv1.3"


def _ends(
    folder: Path, of_server: Authority, of_client: Authority, now: int, *, trusted: bytes | None = None
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    ends = []
    for name, issuer in (("server", of_server), ("client", of_client)):
        key = generate_tls_key()
        request = read_request(certificate_request(key))
        made = (
            issuer.issue_server(request, ["localhost"], now=now)
            if name == "server"
            else issuer.issue_client(request, PartyKind.AGENT, now=now)
        )
        path = folder / f"{name}.pem"
        private = load_der_private_key(key, None)
        path.write_bytes(_pem(made) + private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if name == "server" else ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.load_cert_chain(path)
        context.load_verify_locations(cadata=(trusted or of_server.pem).decode())
        ends.append(context)
    return ends[0], ends[1]


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> str | None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = server.wrap_bio(to_server, to_client, server_side=True)
    other = client.wrap_bio(to_client, to_server, server_hostname=host)
    for _ in range(6):
        for end in (other, one):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    one.do_handshake()
    other.do_handshake()
    return one.version()
