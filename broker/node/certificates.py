"""Certificates of TLS as they are made here: by the hub's authority, and by an agency for a server of its own.

Owns their form: an authority may sign for named servers alone, and nobody's name but a server's is in any of them; a
subject is a kind and a random id. Refuses to know who signs for whom (`broker.enrolment.tls.authority`), where keys
lie, and how a connection uses them (`broker.node.bus.access`).
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker.node.clock import PERMITTED_SKEW_MS
from schemas.failures import Failure

BACKDATED_MS: Final = 2 * PERMITTED_SKEW_MS
"""In force at once for those whose clocks are behind."""
MAX_HOSTS: Final = 32
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME: Final = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)*{_LABEL}")


class HostInvalid(Failure):
    """A server's name that is neither a DNS name nor an address, or lies outside of what the authority may sign for."""

    code = "host_invalid"


def host_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    """The names of one server, as certificates have them.

    Raises:
        HostInvalid: one of them is no name, or there are none or too many.
    """
    if not 1 <= len(hosts) <= MAX_HOSTS:
        raise HostInvalid(f"a server has between one and {MAX_HOSTS} names")
    return [_host(host) for host in hosts]


def authority_certificate(
    kind: str, key: ec.EllipticCurvePrivateKey, names: Sequence[x509.GeneralName], *, now: int, life_ms: int
) -> x509.Certificate:
    """An authority's own certificate: it may sign for servers of those names, and for parties, which have none."""
    subject = _subject(kind)
    return (
        _builder(subject, subject, key.public_key(), now, life_ms)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(_purposes(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH), critical=False)
        .add_extension(x509.NameConstraints([_subtree(name) for name in names], None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def issued_certificate(
    kind: str,
    key: ec.EllipticCurvePublicKey,
    names: Sequence[x509.GeneralName] = (),
    *,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    now: int,
    life_ms: int,
) -> x509.Certificate:
    """A certificate that an authority issues: of a server if there are names, else of a client alone.

    A server is a client too: of the other servers of its cluster.
    """
    # No certificate outlives the authority: it would end in the middle of a chain that nobody looks at.
    life_ms = min(life_ms, ends_at(authority) - now)
    authority_id = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(authority.subject, _subject(kind), key, now, life_ms)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_id), critical=False)
    )
    if names:
        both = _purposes(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
        builder = builder.add_extension(both, critical=False).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
    else:
        builder = builder.add_extension(_purposes(ExtendedKeyUsageOID.CLIENT_AUTH), critical=False)
    return builder.sign(authority_key, SHA256())


def ends_at(certificate: x509.Certificate) -> int:
    """When a certificate ends, in milliseconds UTC."""
    return int(certificate.not_valid_after_utc.timestamp()) * 1000


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


def _subject(kind: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{kind}-{os.urandom(8).hex()}")])


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


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if _DNS_NAME.fullmatch(host) is None:
            raise HostInvalid(f"{host} is neither a DNS name in small letters nor an address") from None
        return x509.DNSName(host)


def _subtree(name: x509.GeneralName) -> x509.GeneralName:
    """An address as the network that holds nothing else, which is how constraints name it (RFC 5280 4.2.1.10)."""
    return x509.IPAddress(ipaddress.ip_network(name.value)) if isinstance(name, x509.IPAddress) else name


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC)
