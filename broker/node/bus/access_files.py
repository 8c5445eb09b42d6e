"""The files of `<home>/bus/`, read with care: each is there, of a sane size, and of its kind, or it is named.

Refuses to know what they are for (`broker.node.bus.access`) and who writes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509

from broker.node.bus.claims import Claims, decode
from schemas.crypto import nkey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure, Rejected

MAX_FILE_BYTES: Final = 256 * 1024
"""Of each file in `<home>/bus/`: hundreds of certificates."""


class AccessIncomplete(Failure):
    """A file or key that a connection needs is missing, or does not hold; the text names it and what to do."""

    code = "bus_access_incomplete"


def read_bus_file(path: Path) -> bytes:
    """A file of `<home>/bus/`.

    Raises:
        AccessIncomplete: it is missing, empty, too large, or not ours to read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise AccessIncomplete(f"bus/{path.name} is missing; it comes with the hub's reply to an enrolment") from None
    except OSError:
        raise AccessIncomplete(f"bus/{path.name} cannot be read; it must belong to this program's user") from None
    if not content.strip() or len(content) > MAX_FILE_BYTES:
        raise AccessIncomplete(f"bus/{path.name} is empty or too large; take it from the hub's reply again")
    return content


def read_local(folder: Path) -> bytes:
    """The authority of the agency's own server, or nothing where there is none.

    Raises:
        AccessIncomplete: it is no certificate.
    """
    path = folder / "local-ca.pem"
    if not path.exists():
        return b""
    local = read_bus_file(path)
    try:
        x509.load_pem_x509_certificates(local)
    except ValueError:
        raise AccessIncomplete("bus/local-ca.pem holds no certificate; run agent leaf again, or remove it") from None
    return b"\n" + local


def read_certificates(pem: bytes, name: str) -> list[x509.Certificate]:
    """The certificates of a file of that name, at least one.

    Raises:
        AccessIncomplete: there is none.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise AccessIncomplete(f"bus/{name} holds no certificate; take it from the hub's reply again") from None


def read_claims(token: bytes) -> Claims:
    """The claims of our account, as `account.jwt` has them.

    Raises:
        AccessIncomplete: they are no account's.
    """
    # By whom they are signed is for the server to judge: here they only say which account is ours.
    try:
        claims = decode(token.decode("ascii", "replace").strip())
        nkey.read(KeyPurpose.BUS_ACCOUNT, claims.subject)
    except Rejected:
        raise AccessIncomplete("bus/account.jwt is no account's JWT; take it from the hub's reply again") from None
    return claims
