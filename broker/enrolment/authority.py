"""The hub's own authority for TLS: it signs the certificates of its servers and of the parties that it admitted.

A certificate says that somebody may knock; who it is and what it may do is said by accounts and signatures. So it names
a kind of party and a random id, never an agency or a person, and whatever a request asks for but its key is ignored.
Refuses to know where keys and files lie (`broker.enrolment.authorities`) and who is admitted.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, SignatureAlgorithmOID

from broker.node.clock import PERMITTED_SKEW_MS
from broker.node.tls_key import load_tls_key, private_bytes
from schemas.failures import Failure, Rejected
from schemas.messages.party import PartyKind

DAY_MS: Final = 24 * 3600 * 1000
AUTHORITY_LIFE_MS: Final = 10 * 365 * DAY_MS
"""Ten years: an authority is replaced with an overlap, long before."""
LEAF_LIFE_MS: Final = 365 * DAY_MS
"""A year: renewed a month and more before it ends."""
BACKDATED_MS: Final = 2 * PERMITTED_SKEW_MS
"""In force at once for those whose clocks are behind."""
MAX_REQUEST_BYTES: Final = 1024
"""A request for a P-256 key without names has under 300."""
MAX_HOSTS: Final = 32
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME: Final = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)*{_LABEL}")


class RequestMalformed(Rejected):
    """A certificate request that is not exactly one PKCS#10 request in DER."""

    code = "certificate_request_malformed"


class RequestKeyUnsuitable(Rejected):
    """A certificate request for a key of another kind than P-256."""

    code = "certificate_request_key"


class RequestNotSigned(Rejected):
    """A certificate request that its own key did not sign: whoever sent it does not hold the key."""

    code = "certificate_request_unsigned"


class HostInvalid(Failure):
    """A server's name that is neither a DNS name nor an address, or lies outside of what the authority may sign for."""

    code = "host_invalid"


class AuthorityMismatch(Failure):
    """A certificate of an authority that belongs to another key."""

    code = "authority_mismatch"


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """A public key whose owner proved that it holds the private half. Made by `read_request`."""

    key: ec.EllipticCurvePublicKey

    @property
    def spki(self) -> bytes:
        """The key as SubjectPublicKeyInfo in DER: what two requests for one key have in common."""
        return self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_request(der: bytes) -> CertificateRequest:
    """The key of a PKCS#10 request (RFC 2986). Its name and whatever it asks for are ignored.

    Raises:
        RequestMalformed, RequestKeyUnsuitable, RequestNotSigned.
    """
    if len(der) > MAX_REQUEST_BYTES:
        raise RequestMalformed(f"a certificate request has at most {MAX_REQUEST_BYTES} bytes")
    try:
        found = x509.load_der_x509_csr(der)
        key = found.public_key()
        # One byte string, one request: nothing before or behind it, and no second way of writing it. (The library lets
        # the count of unused bits before the signature be anything.)
        is_exact = found.public_bytes(Encoding.DER) == der and der.endswith(b"\x00" + found.signature)
        algorithm = found.signature_algorithm_oid
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise RequestMalformed("not a certificate request in DER") from None
    if not is_exact:
        raise RequestMalformed("a certificate request with something beside it")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RequestKeyUnsuitable("a certificate is for a key of the curve P-256")
    if algorithm != SignatureAlgorithmOID.ECDSA_WITH_SHA256:
        raise RequestNotSigned("a certificate request is signed with ECDSA and SHA-256")
    try:
        key.verify(found.signature, found.tbs_certrequest_bytes, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise RequestNotSigned("the certificate request is not signed by its own key") from None
    return CertificateRequest(key)


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority: its certificate, and the private key that signs. The key never shows in a representation."""

    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def create(cls, hosts: Sequence[str], *, now: int, life_ms: int = AUTHORITY_LIFE_MS) -> Authority:
        """A new authority that may sign for servers of those names alone, and for parties, which have none.

        Args:
            hosts: DNS names (those below them included) and addresses of the hub's servers.
            now: milliseconds UTC.

        Raises:
            HostInvalid: one of them is no name, or there are none or too many.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"needtoknow-authority-{os.urandom(8).hex()}")
        builder = (
            _builder(name, name, key.public_key(), now, life_ms)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(_purposes(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH), critical=False)
            .add_extension(x509.NameConstraints(_permitted(hosts), None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(builder.sign(key, SHA256()), key)

    @classmethod
    def load(cls, certificate: bytes, key_der: bytes) -> Authority:
        """The authority of a certificate in PEM and its key in PKCS#8 DER.

        Raises:
            AuthorityMismatch: they do not belong together, or the certificate is damaged.
            TlsKeyUnsuitable.
        """
        key = load_tls_key(key_der)
        try:
            found = x509.load_pem_x509_certificate(certificate)
        except ValueError:
            raise AuthorityMismatch("the authority's certificate is damaged; restore the file") from None
        if found.public_key() != key.public_key():
            raise AuthorityMismatch("the authority's certificate and its private key do not belong together")
        return cls(found, key)

    @property
    def pem(self) -> bytes:
        """The certificate, as parties keep it."""
        return self.certificate.public_bytes(Encoding.PEM)

    def key_der(self) -> bytes:
        """The private key in PKCS#8 DER, for a key store only."""
        return private_bytes(self._key)

    @property
    def expires_at(self) -> int:
        """When its certificate ends, in milliseconds UTC."""
        return _millis(self.certificate.not_valid_after_utc)

    def hosts(self) -> list[str]:
        """The names and addresses of servers that it may sign for."""
        constraints = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        # An address is named as the network that holds nothing else (`_permitted`).
        return [str(one.value).partition("/")[0] for one in constraints.permitted_subtrees or ()]

    def issue_client(
        self, request: CertificateRequest, kind: PartyKind, *, now: int, life_ms: int = LEAF_LIFE_MS
    ) -> x509.Certificate:
        """A certificate for a party: it names the kind and sixteen random digits, and nothing of the request."""
        subject = _name(f"{kind.value}-{os.urandom(8).hex()}")
        builder = self._leaf(subject, request.key, now, life_ms)
        return builder.add_extension(_purposes(ExtendedKeyUsageOID.CLIENT_AUTH), critical=False).sign(
            self._key, SHA256()
        )

    def issue_server(
        self, request: CertificateRequest, hosts: Sequence[str], *, now: int, life_ms: int = LEAF_LIFE_MS
    ) -> x509.Certificate:
        """A certificate for a server of the hub, which is also a client of the other servers of its cluster.

        Raises:
            HostInvalid: a name outside of what this authority may sign for.
        """
        constraints = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        names = [_host(host) for host in _counted(hosts)]
        for name, host in zip(names, hosts, strict=True):
            if not any(_is_within(name, permitted) for permitted in constraints.permitted_subtrees or ()):
                raise HostInvalid(f"{host} is none of the names this hub's authority signs for; change the authority")
        builder = self._leaf(_name(f"server-{os.urandom(8).hex()}"), request.key, now, life_ms)
        both = _purposes(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
        return (
            builder.add_extension(both, critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, SHA256())
        )

    def _leaf(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, now: int, life_ms: int
    ) -> x509.CertificateBuilder:
        # No certificate outlives the authority: it would end in the middle of a chain that nobody looks at.
        life_ms = min(life_ms, self.expires_at - now)
        issuer_key = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return (
            _builder(self.certificate.subject, subject, key, now, life_ms)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False)
        )


def check_hosts(hosts: Sequence[str]) -> None:
    """That an authority can be made for servers of those names.

    Raises:
        HostInvalid: one of them is no name, or there are none or too many.
    """
    _permitted(hosts)


def expires_at(certificate: bytes) -> int:
    """When the first certificate of a PEM text ends, in milliseconds UTC.

    Raises:
        ValueError: there is none.
    """
    return _millis(x509.load_pem_x509_certificates(certificate)[0].not_valid_after_utc)


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey, now: int, life_ms: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_instant(now - BACKDATED_MS))
        .not_valid_after(_instant(now + life_ms))
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _purposes(*purposes: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage(purposes)


def _counted(hosts: Sequence[str]) -> Sequence[str]:
    if not 1 <= len(hosts) <= MAX_HOSTS:
        raise HostInvalid(f"a server has between one and {MAX_HOSTS} names")
    return hosts


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if _DNS_NAME.fullmatch(host) is None:
            raise HostInvalid(f"{host} is neither a DNS name in small letters nor an address") from None
        return x509.DNSName(host)


def _permitted(hosts: Sequence[str]) -> list[x509.GeneralName]:
    permitted: list[x509.GeneralName] = []
    for host in _counted(hosts):
        name = _host(host)
        if isinstance(name, x509.IPAddress):
            permitted.append(x509.IPAddress(ipaddress.ip_network(host)))
        else:
            permitted.append(name)
    return permitted


def _is_within(name: x509.GeneralName, permitted: x509.GeneralName) -> bool:
    if isinstance(name, x509.IPAddress) and isinstance(permitted, x509.IPAddress):
        network = permitted.value
        return isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network) and name.value in network
    if isinstance(name, x509.DNSName) and isinstance(permitted, x509.DNSName):
        return name.value == permitted.value or name.value.endswith("." + permitted.value)
    return False


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC)


def _millis(at: datetime) -> int:
    return int(at.timestamp()) * 1000
