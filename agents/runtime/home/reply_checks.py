"""What an agency checks of a reply beside its form: account, certificate, authorities and log are what it asked for.

A reply that passes can be worked with. Whether it is the hub's is what two people compare words for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.node.bus.address import read_address
from broker.node.bus.claims import ClaimsKind, decode
from broker.node.tls_key import is_authority, public_of
from schemas.crypto import nkey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.ledger.verifier_key import ED25519, VerifierKey
from schemas.messages.admission import AdmissionReply
from schemas.messages.enrolment import EnrolmentRequest
from schemas.messages.party import Party

MAX_AUTHORITIES: Final = 3


class AccountWrong(Rejected):
    """The account JWT in the reply is not for the account, the keys or the hub that it should be for."""

    code = "account_wrong"


class CertificateWrong(Rejected):
    """The certificate in the reply is not for this agency's key, or not signed by an authority that came with it."""

    code = "certificate_wrong"


class TrustWrong(Rejected):
    """The trust file in the reply names another log than the coordinator's."""

    code = "trust_wrong"


def check_welcome(reply: AdmissionReply, asked: EnrolmentRequest, tls_key: bytes, *, now: int) -> None:
    """That everything in a reply fits this agency and fits together.

    Raises:
        AccountWrong, CertificateWrong, TrustWrong, ClaimsInvalid, BadBusUrl, PlaintextRefused: it does not.
    """
    for address in reply.header.addresses:
        read_address(address, setting="an address in the reply")
    _check_account(reply, asked.party, now)
    _check_certificate(reply.welcome.certificate, reply.welcome.authorities, tls_key, now)
    _check_trust(reply.welcome.trust, reply.coordinator)


def _check_account(reply: AdmissionReply, me: Party, now: int) -> None:
    try:
        text = reply.welcome.account.decode("ascii")
    except UnicodeDecodeError:
        raise AccountWrong("the account JWT is not text") from None
    claims = decode(text)
    hub, token = reply.admission.token, me.token
    if claims.kind is not ClaimsKind.ACCOUNT or claims.subject != token:
        raise AccountWrong("the account JWT is for another account than this agency's")
    if claims.expires_at is None or claims.expires_at <= now:
        raise AccountWrong("the account JWT is over already")
    imports: list[dict[str, Any]] = [one for one in claims.body.get("imports", []) if isinstance(one, dict)]
    if sorted((one.get("subject"), one.get("account"), one.get("local_subject")) for one in imports) != [
        (f"from.{token}.>", hub, None),
        (f"to.{token}.>", hub, None),
    ]:
        raise AccountWrong("the account JWT leads to another account than the hub's")
    scopes = claims.body.get("signing_keys", [])
    named = {scope.get("key") for scope in scopes if isinstance(scope, dict)}
    mine = {nkey.of(one.key) for one in me.keys if one.key.purpose is KeyPurpose.BUS_SIGNER and one.revoked_at is None}
    if named != mine or len(scopes) != len(named):
        raise AccountWrong("the account JWT lets other keys than this agency's issue users")


def _check_certificate(certificate: bytes, authorities: bytes, tls_key: bytes, now: int) -> None:
    try:
        mine = x509.load_pem_x509_certificates(certificate)
        trusted = x509.load_pem_x509_certificates(authorities)
    except ValueError:
        raise CertificateWrong("not certificates in PEM") from None
    if len(mine) != 1 or is_authority(mine[0]) or len(trusted) > MAX_AUTHORITIES or not all(map(is_authority, trusted)):
        raise CertificateWrong("not one certificate of this agency, and those of authorities")
    if mine[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public_of(tls_key):
        raise CertificateWrong("the certificate is for another key than this agency's")
    at = datetime.fromtimestamp(now / 1000, UTC)
    if not mine[0].not_valid_before_utc <= at < mine[0].not_valid_after_utc:
        raise CertificateWrong("the certificate is not in force now; compare the two clocks")
    if not any(_is_issued_by(mine[0], one) for one in trusted):
        raise CertificateWrong("the certificate is signed by none of the authorities that came with it")


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_trust(trust: bytes, coordinator: Party) -> None:
    origin = coordinator.statement.log
    keys = [one.key.raw for one in coordinator.keys if one.key.purpose is KeyPurpose.LOG]
    known = set() if origin is None else {f"log {VerifierKey.of(origin, ED25519, raw)}" for raw in keys}
    try:
        lines = trust.decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise TrustWrong("the trust file is not text") from None
    logs = {line for line in lines if line.startswith("log ")}
    if not logs or not logs <= known:
        raise TrustWrong("the trust file names another log than the coordinator's own file")
