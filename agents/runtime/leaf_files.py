"""The files of an agency's own nats-server, a leaf node of the hub's bus, beside the configuration that the hub prints.

Owns the folder and the server's certificate for its agents: of an authority made for this one certificate, whose
private key is never kept, so nothing else can be signed by what the agent trusts. Written again before the credentials
end; what still holds is kept. Refuses to know that configuration (`broker bus leaf`).
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker.node.bus.leaf import LEAF_LIFE, leaf_access
from broker.node.home import Home, write_whole
from schemas.failures import Failure

_DAY_MS: Final = 24 * 3600 * 1000
CERTIFICATE_LIFE_MS: Final = 397 * _DAY_MS
RENEW_AHEAD_MS: Final = 60 * _DAY_MS
"""A certificate is made anew two months ahead: this is run every day or week."""
_BACKDATED_MS: Final = 10 * 60 * 1000
_LOCAL: Final = "local-ca.pem"
_MILLISECOND: Final = timedelta(milliseconds=1)
_DNS_NAME: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,30}"


class HostUnusable(Failure):
    """A host that no certificate can be made for."""

    code = "host_unusable"


@dataclass(frozen=True, slots=True)
class LeafWritten:
    """What was written, and until when the credentials hold (milliseconds UTC)."""

    folder: Path
    account: str
    ends_at: int
    has_new_certificate: bool


def write_leaf(home: Home, folder: Path, hosts: Sequence[str], *, now: int) -> LeafWritten:
    """Write what the agency's server needs, and have the agent of this home trust that server.

    Args:
        hosts: names or addresses by which agents reach it.

    Raises:
        LeafNotAllowed: the hub lets the agency have none.
        HostUnusable: one of the hosts is no name.
        AccessIncomplete: the agent is not enrolled.
    """
    access = leaf_access(home, home.keys_to_read(), now=now)
    names = [_name_of(host) for host in hosts]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not _holds(home, folder, names, now)
    if is_new:
        authority, certificate, key = _certified(names, now)
        trusted = home.path / "bus" / _LOCAL
        before = trusted.read_bytes() if trusted.exists() else b""
        # The agent trusts the next one before the server shows it, and the one of before until the server does.
        write_whole(trusted, authority + b"".join(_certificates(before)[:1]))
        write_whole(folder / "server.key", key)
        write_whole(folder / "server.pem", certificate)
    for name, content in (
        ("client.key", access.key),
        ("client.pem", access.chain),
        ("ca.pem", access.authorities),
        ("leaf.creds", access.credentials.encode("ascii")),
        ("account.conf", f"{access.account}: {access.claims}\n".encode("ascii")),
    ):
        write_whole(folder / name, content)
    return LeafWritten(folder, access.account, now + LEAF_LIFE // _MILLISECOND, is_new)


def _holds(home: Home, folder: Path, names: Sequence[x509.GeneralName], now: int) -> bool:
    """Whether the server's certificate is for those names, trusted by the agent, and not about to end."""
    try:
        found = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
        trusted = x509.load_pem_x509_certificates((home.path / "bus" / _LOCAL).read_bytes())
        listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return False
    ends_at = int(found.not_valid_after_utc.timestamp() * 1000)
    is_trusted = trusted[0].subject == found.issuer
    return is_trusted and list(listed) == list(names) and ends_at - now > RENEW_AHEAD_MS


def _certified(names: Sequence[x509.GeneralName], now: int) -> tuple[bytes, bytes, bytes]:
    """An authority's certificate, a server's certificate of it, and the server's private key; all in PEM."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = _subject("needtoknow-local"), _subject("leaf")
    authority_id = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = (
        _builder(issuer, issuer, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.NameConstraints(_only(names), None), critical=True)
        .add_extension(authority_id, critical=False)
        .sign(authority_key, SHA256())
    )
    certificate = (
        _builder(issuer, subject, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_id), critical=False)
        .sign(authority_key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return authority.public_bytes(Encoding.PEM), certificate.public_bytes(Encoding.PEM), private


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey, now: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp((now - _BACKDATED_MS) // 1000, UTC))
        .not_valid_after(datetime.fromtimestamp((now + CERTIFICATE_LIFE_MS) // 1000, UTC))
    )


def _subject(kind: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{kind}-{os.urandom(8).hex()}")])


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _only(names: Sequence[x509.GeneralName]) -> list[x509.GeneralName]:
    return [
        x509.IPAddress(ipaddress.ip_network(one.value)) if isinstance(one, x509.IPAddress) else one for one in names
    ]


def _name_of(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if re.fullmatch(_DNS_NAME, host) is None:
            raise HostUnusable(f"{host} is neither a DNS name in small letters nor an address") from None
        return x509.DNSName(host)


def _certificates(pem: bytes) -> list[bytes]:
    try:
        return [one.public_bytes(Encoding.PEM) for one in x509.load_pem_x509_certificates(pem)]
    except ValueError:
        return []
