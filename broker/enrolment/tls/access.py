"""What one of the hub's own parties connects to the bus with, as files in its home.

    bus/client.pem, ca.pem     its certificate, and every authority that is trusted
    bus/account.jwt            the claims of the hub's account
    bus/addresses              where to dial, a URL a line

Its private keys it has already. Refuses to know what claims say: they are handed in.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.serialization import Encoding

from broker.enrolment.tls.authorities import Authorities
from broker.enrolment.tls.authority import read_request
from broker.node.home import Home, write_whole
from broker.node.keystore import KeyStore
from broker.node.tls_key import certificate_request, ensure_tls_key


def give_access(
    home: Home, keys: KeyStore, authorities: Authorities, claims: str, addresses: Sequence[str], *, now: int
) -> None:
    """Write what one of the hub's own parties connects with; its private keys it has already."""
    request = read_request(certificate_request(ensure_tls_key(keys)))
    certificate = authorities.issuing().issue_client(request, home.own().statement.party_kind, now=now)
    folder = home.path / "bus"
    folder.mkdir(mode=0o700, exist_ok=True)
    write_whole(folder / "client.pem", certificate.public_bytes(Encoding.PEM))
    write_whole(folder / "ca.pem", authorities.trusted())
    write_whole(folder / "account.jwt", claims.encode("ascii"))
    write_whole(folder / "addresses", "".join(f"{address}\n" for address in addresses).encode("ascii"))
