"""The files of an agency's own nats-server, a leaf node of the hub's bus, beside the configuration that the hub prints.

Owns the folder and the server's certificate for its agents: of an authority made for this one certificate, whose
private key is never kept, so nothing else can be signed by what the agent trusts. Written again before the
credentials end; what still holds is kept. Of that configuration (`broker bus leaf`) it knows one line, the operator:
with claims by a key that is not named there the server admits nobody. Refuses to know the form of a certificate
(`broker.node.certificates`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.node.bus.claims import ClaimsInvalid, decode
from broker.node.bus.leaf import LEAF_LIFE, LEAF_SERVER, LEAF_USER, leaf_access
from broker.node.certificates import authority_certificate, ends_at, host_names, issued_certificate
from broker.node.clock import DAY_MS
from broker.node.home import Home, write_whole

CERTIFICATE_LIFE_MS: Final = 397 * DAY_MS
RENEW_AHEAD_MS: Final = 90 * DAY_MS
"""A certificate is made anew three months ahead, before anybody is told that it ends: this is run every day."""
_LOCAL: Final = "local-ca.pem"
_OPERATOR: Final = re.compile(r"^operator: (\S+)$", re.MULTILINE)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class LeafWritten:
    """What was written, and until when the credentials hold (milliseconds UTC)."""

    folder: Path
    account: str
    ends_at: int
    has_new_certificate: bool
    waits_for_configuration: bool = False
    """The hub signs with a key that the configuration does not know: the account's claims of before were kept."""


def write_leaf(home: Home, folder: Path, hosts: Sequence[str], *, now: int) -> LeafWritten:
    """Write what the agency's server needs, and have the agent of this home trust that server.

    Args:
        hosts: names or addresses by which agents reach it.

    Raises:
        LeafNotAllowed: the hub lets the agency have none.
        HostInvalid: one of the hosts is no name.
        AccessIncomplete: the agent is not enrolled.
    """
    access = leaf_access(home, home.keys_to_read(), now=now)
    names = host_names(hosts)
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
    account = folder / "account.conf"
    waits = account.exists() and not _is_signed_for(folder / "leaf.conf", access.claims)
    for name, content in (
        ("client.key", access.key),
        ("client.pem", access.chain),
        ("ca.pem", access.authorities),
        ("leaf.creds", access.credentials.encode("ascii")),
        ("account.conf", account.read_bytes() if waits else f"{access.account}: {access.claims}\n".encode("ascii")),
    ):
        write_whole(folder / name, content)
    # For the doctor and the metrics of the agent, who may not be able to read the server's folder.
    write_whole(home.path / "bus" / LEAF_USER, access.credentials.splitlines()[1].encode("ascii"))
    write_whole(home.path / "bus" / LEAF_SERVER, (folder / "server.pem").read_bytes())
    return LeafWritten(folder, access.account, now + LEAF_LIFE // _MILLISECOND, is_new, waits)


def _is_signed_for(configuration: Path, claims: str) -> bool:
    """Whether the server's configuration has an operator that signs such claims; True where it says nothing of one."""
    try:
        found = _OPERATOR.search(configuration.read_text("utf-8"))
        signers = decode(found[1]).body.get("signing_keys", ()) if found else None
    except (OSError, UnicodeDecodeError, ClaimsInvalid):
        return True
    return signers is None or decode(claims).issuer in signers


def _holds(home: Home, folder: Path, names: Sequence[x509.GeneralName], now: int) -> bool:
    """Whether the server's certificate is for those names, trusted by the agent, and not about to end."""
    try:
        found = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
        trusted = x509.load_pem_x509_certificates((home.path / "bus" / _LOCAL).read_bytes())
        listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return False
    is_trusted = trusted[0].subject == found.issuer
    return is_trusted and list(listed) == list(names) and ends_at(found) - now > RENEW_AHEAD_MS


def _certified(names: Sequence[x509.GeneralName], now: int) -> tuple[bytes, bytes, bytes]:
    """An authority's certificate, a server's certificate of it, and the server's private key; all in PEM."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = authority_certificate("needtoknow-local", authority_key, names, now=now, life_ms=CERTIFICATE_LIFE_MS)
    certificate = issued_certificate(
        "leaf",
        key.public_key(),
        names,
        authority=authority,
        authority_key=authority_key,
        now=now,
        life_ms=CERTIFICATE_LIFE_MS,
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return authority.public_bytes(Encoding.PEM), certificate.public_bytes(Encoding.PEM), private


def _certificates(pem: bytes) -> list[bytes]:
    try:
        return [one.public_bytes(Encoding.PEM) for one in x509.load_pem_x509_certificates(pem)]
    except ValueError:
        return []
