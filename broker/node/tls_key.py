"""A party's own key for TLS: made on its premises, asked a certificate for, and never sent anywhere.

Owns the form of key, certificate request and chain. Refuses to know who signs certificates
(`broker.enrolment.tls.authority`) and how a connection uses them (`broker.node.bus.access`).
"""

from __future__ import annotations

import os
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from broker.node.keystore import KeyStore
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected

MAX_CHAIN_BYTES: Final = 16 * 1024
"""A certificate of a party and two of authorities have three kilobytes."""
MAX_CHAIN_CERTIFICATES: Final = 4


class TlsKeyUnsuitable(Rejected):
    """A TLS key that is not P-256 in PKCS#8."""

    code = "tls_key_unsuitable"


class ChainMalformed(Rejected):
    """A certificate chain that is not one party's certificate followed by those of authorities."""

    code = "chain_malformed"


def generate_tls_key() -> bytes:
    """A new P-256 key in PKCS#8 DER, for a key store under the purpose `tls`."""
    return private_bytes(ec.generate_private_key(ec.SECP256R1()))


def ensure_tls_key(keys: KeyStore) -> bytes:
    """The party's TLS key, made if there is none; durable before this returns."""
    names = keys.names(KeyPurpose.TLS)
    if not names:
        names = [os.urandom(8).hex()]
        keys.add(KeyPurpose.TLS, names[0], generate_tls_key())
    return keys.get(KeyPurpose.TLS, names[0])


def private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key in PKCS#8 DER, unencrypted: for a key store, which seals it."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def load_tls_key(key_der: bytes) -> ec.EllipticCurvePrivateKey:
    """The key of those bytes.

    Raises:
        TlsKeyUnsuitable: not a P-256 key in PKCS#8.
    """
    try:
        key = load_der_private_key(key_der, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise TlsKeyUnsuitable("a TLS key is PKCS#8 DER") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise TlsKeyUnsuitable("a TLS key is of the curve P-256")
    return key


def certificate_request(key_der: bytes) -> bytes:
    """A PKCS#10 request in DER for that key (RFC 2986): no name, no extension, only the proof of possession.

    Raises:
        TlsKeyUnsuitable.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(load_tls_key(key_der), SHA256()).public_bytes(Encoding.DER)


def public_of(key_der: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a private key, in DER.

    Raises:
        TlsKeyUnsuitable.
    """
    return load_tls_key(key_der).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def split_chain(chain: bytes) -> tuple[bytes, bytes]:
    """A chain as admission hands it out: the party's own certificate, and the authorities to be trusted, all in PEM.

    Raises:
        ChainMalformed: not that; nothing of it may be used.
    """
    if len(chain) > MAX_CHAIN_BYTES:
        raise ChainMalformed(f"a chain has at most {MAX_CHAIN_BYTES} bytes")
    try:
        found = x509.load_pem_x509_certificates(chain)
    except ValueError:
        raise ChainMalformed("a chain is certificates in PEM") from None
    if not 2 <= len(found) <= MAX_CHAIN_CERTIFICATES:
        raise ChainMalformed("a chain is a certificate and one or more authorities")
    if is_authority(found[0]) or not all(is_authority(one) for one in found[1:]):
        raise ChainMalformed("a chain begins with the party's own certificate; authorities follow")
    own, *authorities = (one.public_bytes(Encoding.PEM) for one in found)
    return own, b"".join(authorities)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether a certificate says that it may sign others (RFC 5280 section 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
