"""Everything in a home that ends by itself: keys, certificates and JWTs, each with its last instant and its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from broker.node.bus.access import ADMITTED_ANEW
from broker.node.bus.claims import decode
from broker.node.bus.leaf import LEAF_SERVER, LEAF_USER
from broker.node.certificates import ends_at
from broker.node.home import Home
from broker.node.ring import command_for
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.party import Party, PartyKind


@dataclass(frozen=True, slots=True)
class Expiry:
    """One thing that ends. `ends_at` is in milliseconds UTC; `remedy` is a command, `label` one word for a metric.

    `once_ended` is what to run instead when it has ended: what renews over the bus cannot once the bus refuses it.
    """

    label: str
    what: str
    ends_at: int
    remedy: str
    once_ended: str | None = None


def expiries(home: Home) -> list[Expiry]:
    """What of a home ends by itself. Sealing keys are not among them: they end every week, and are epochs.

    Raises: HomeInvalid.
    """
    own = home.own()
    return [*_keys(own), *_on_the_bus(home, own)]


def _keys(own: Party) -> Iterator[Expiry]:
    kind = own.statement.party_kind
    live = [one for one in own.keys if one.revoked_at is None and one.key.purpose is not KeyPurpose.SEAL]
    for purpose in sorted({one.key.purpose for one in live}):
        last = max(one.not_after for one in live if one.key.purpose is purpose)
        yield Expiry(purpose.value, f"the {purpose.value} key", last, command_for(kind, purpose))


def _on_the_bus(home: Home, own: Party) -> Iterator[Expiry]:
    folder = home.path / "bus"
    kind = own.statement.party_kind
    renew = "agent keys renew" if kind is PartyKind.AGENT else f"broker keys renew {kind.value}"
    ended = ADMITTED_ANEW if kind is PartyKind.AGENT else None
    if own_chain := _certificates(folder / "client.pem"):
        yield Expiry("client-certificate", "the client certificate", ends_at(own_chain[0]), renew, ended)
    if authorities := _certificates(folder / "ca.pem"):
        yield Expiry(
            "authority-certificate",
            "the hub's TLS authority",
            max(map(ends_at, authorities)),
            "broker bus rotate authority (at the hub)",
        )
    try:
        claims = decode((folder / "account.jwt").read_text("ascii").strip())
    except (OSError, Rejected, UnicodeDecodeError):
        return
    if claims.expires_at is not None:
        yield Expiry("account-jwt", "the JWT of the bus account", claims.expires_at, renew, ended)
    if claims.body.get("limits", {}).get("leaf"):
        yield from _of_the_own_server(folder)


def _of_the_own_server(folder: Path) -> Iterator[Expiry]:
    """What the agency's own server was given, as long as the hub lets it have one."""
    renew = "agent leaf, as its daily timer does, then reload that server"
    try:
        user = decode((folder / LEAF_USER).read_text("ascii").strip())
    except (OSError, Rejected, UnicodeDecodeError):
        return
    if user.expires_at is not None:
        yield Expiry("leaf-credentials", "the credentials of the agency's own server", user.expires_at, renew)
    if server := _certificates(folder / LEAF_SERVER):
        yield Expiry("leaf-certificate", "the certificate of the agency's own server", ends_at(server[0]), renew)


def _certificates(path: Path) -> list[x509.Certificate]:
    """None where there is no whole file: that is another check's finding."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return []
