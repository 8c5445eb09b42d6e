"""The hub's own authority for TLS: it signs the certificates of its servers and of the parties that it admitted.

A certificate says that somebody may knock; who it is and what it may do is said by accounts and signatures. So it names
a kind of party and a random id, never an agency or a person, and whatever a request asks for but its key is ignored.
Refuses to know the form of a certificate (`broker.node.certificates`), where keys and files lie
(`broker.enrolment.tls.authorities`) and who is admitted.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import SignatureAlgorithmOID

from broker.node.certificates import (
    HostInvalid,
    authority_certificate,
    ends_at,
    host_names,
    issued_certificate,
)
from broker.node.clock import DAY_MS
from broker.node.tls_key import load_tls_key, private_bytes
from schemas.failures import Failure, Rejected
from schemas.messages.party import PartyKind

AUTHORITY_LIFE_MS: Final = 10 * 365 * DAY_MS
"""Ten years: an authority is replaced with an overlap, long before."""
LEAF_LIFE_MS: Final = 365 * DAY_MS
"""A year: renewed a month and more before it ends."""
MAX_REQUEST_BYTES: Final = 1024
"""A request for a P-256 key without names has under 300."""


class RequestMalformed(Rejected):
    """A certificate request that is not exactly one PKCS#10 request in DER."""

    code = "certificate_request_malformed"


class RequestKeyUnsuitable(Rejected):
    """A certificate request for a key of another kind than P-256."""

    code = "certificate_request_key"


class RequestNotSigned(Rejected):
    """A certificate request that its own key did not sign: whoever sent it does not hold the key."""

    code = "certificate_request_unsigned"


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
        names = host_names(hosts)
        return cls(authority_certificate("needtoknow-authority", key, names, now=now, life_ms=life_ms), key)

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
        return ends_at(self.certificate)

    def hosts(self) -> list[str]:
        """The names and addresses of servers that it may sign for."""
        # An address is named as the network that holds nothing else.
        return [str(one.value).partition("/")[0] for one in self._permitted()]

    def issue_client(
        self, request: CertificateRequest, kind: PartyKind, *, now: int, life_ms: int = LEAF_LIFE_MS
    ) -> x509.Certificate:
        """A certificate for a party: it names the kind and sixteen random digits, and nothing of the request."""
        return self._issue(kind.value, request, now=now, life_ms=life_ms)

    def issue_server(
        self, request: CertificateRequest, hosts: Sequence[str], *, now: int, life_ms: int = LEAF_LIFE_MS
    ) -> x509.Certificate:
        """A certificate for a server of the hub, which is also a client of the other servers of its cluster.

        Raises:
            HostInvalid: a name outside of what this authority may sign for.
        """
        names, permitted = host_names(hosts), self._permitted()
        for name, host in zip(names, hosts, strict=True):
            if not any(_is_within(name, subtree) for subtree in permitted):
                raise HostInvalid(f"{host} is none of the names this hub's authority signs for; change the authority")
        return self._issue("server", request, names, now=now, life_ms=life_ms)

    def _issue(
        self,
        kind: str,
        request: CertificateRequest,
        names: Sequence[x509.GeneralName] = (),
        *,
        now: int,
        life_ms: int,
    ) -> x509.Certificate:
        return issued_certificate(
            kind,
            request.key,
            names,
            authority=self.certificate,
            authority_key=self._key,
            now=now,
            life_ms=life_ms,
        )

    def _permitted(self) -> Sequence[x509.GeneralName]:
        constraints = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        return constraints.permitted_subtrees or ()


def expires_at(certificate: bytes) -> int:
    """When the first certificate of a PEM text ends, in milliseconds UTC.

    Raises:
        ValueError: there is none.
    """
    return ends_at(x509.load_pem_x509_certificates(certificate)[0])


def _is_within(name: x509.GeneralName, permitted: x509.GeneralName) -> bool:
    if isinstance(name, x509.IPAddress) and isinstance(permitted, x509.IPAddress):
        network = permitted.value
        return isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network) and name.value in network
    if isinstance(name, x509.DNSName) and isinstance(permitted, x509.DNSName):
        return name.value == permitted.value or name.value.endswith("." + permitted.value)
    return False
