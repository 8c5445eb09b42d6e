"""A hub's own party whose certificate or claims have ended is given new ones in its home: no bus lets it in.

Needs both homes on this machine, and a user who may read admission's and write the party's. The key stays the party's
own. Refuses to know whether the party runs: one that does takes what is written at its next attempt to connect.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from broker.enrolment.tls.authorities import Authorities
from broker.enrolment.tls.authority import CertificateRequest
from broker.node.bus.access_files import read_bus_file, read_certificates, read_claims
from broker.node.certificates import ends_at
from broker.node.home import Home, write_whole


def renew_ended(admission: Home, party: Home, *, now: int) -> bool:
    """Write the party another certificate for its key, and admission's claims of the hub's account, if its own ended.

    Returns:
        Whether anything of it had ended.

    Raises:
        AccessIncomplete: a file is missing or damaged; the text names it.
        HomeInvalid, and the key store's failures: admission's keys cannot be read here.
    """
    folder = party.path / "bus"
    old = read_certificates(read_bus_file(folder / "client.pem"), "client.pem")[0]
    is_ended = ends_at(old) <= now
    if is_ended:
        authorities = Authorities(admission, admission.keys_to_read())
        made = authorities.issuing().issue_client(_request_of(old), party.own().statement.party_kind, now=now)
        _write(folder / "ca.pem", authorities.trusted())
        _write(folder / "client.pem", made.public_bytes(Encoding.PEM))
    held, newest = folder / "account.jwt", read_bus_file(admission.path / "bus" / "account.jwt")
    ended_at = read_claims(read_bus_file(held)).expires_at
    if ended_at is not None and ended_at <= now and newest != read_bus_file(held):
        _write(held, newest)
        is_ended = True
    return is_ended


def _request_of(certificate: x509.Certificate) -> CertificateRequest:
    public = certificate.public_key()
    assert isinstance(public, EllipticCurvePublicKey)  # every certificate of ours is for one
    return CertificateRequest(public)


def _write(path: Path, raw: bytes) -> None:
    owner = path.parent.stat()
    write_whole(path, raw)
    if (os.geteuid(), os.getegid()) != (owner.st_uid, owner.st_gid):  # a party's own user reads it, whoever wrote it
        os.chown(path, owner.st_uid, owner.st_gid)
