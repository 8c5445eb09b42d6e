"""What a party shows the bus's server, and by what it knows the server: keys, JWT, certificates.

`HomeAccess` is made out of a party's home. Every credential in it is public or short-lived but the private keys, which
stay in the key store; the user JWT is issued here, by the party itself, for each connection. `PLAINTEXT` stands for no
credentials at all; nothing but a caller that names it gets a connection without TLS. Refuses to know how to dial.

In `<home>/bus/`: `ca.pem` (the hub's authorities), `client.pem` (our certificate and what leads to one of them),
`account.jwt` (the account it belongs to; public), `addresses` (where the servers are, a URL a line). Where an agency
runs a server of its own (`broker.node.bus.leaf`), `local-ca.pem` is that server's authority, trusted beside the hub's.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.node.bus.claims import Claims, decode, inbox_of, user_claims
from broker.node.certificates import ends_at
from broker.node.home import Home
from broker.node.keystore import KeyReader
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure, Rejected
from schemas.messages.party import Party, PartyKind, StatedKey

MAX_FILE_BYTES: Final = 256 * 1024
"""Of each file in `<home>/bus/`: hundreds of certificates."""
MAX_NONCE_BYTES: Final = 64
"""nats-server's nonce has 15 to 22 characters. What we sign for a server we know too little of is kept short."""


_REMEDIES: Final = {True: "run: agent enrol, as at the first time", False: "run: broker doctor"}
"""For an agent and for a party of the hub. What renews by itself does so over the bus, which is no longer there."""


class AccessIncomplete(Failure):
    """A file or key that a connection needs is missing, or does not hold; the text names it and what to do."""

    code = "bus_access_incomplete"


@dataclass(frozen=True, slots=True)
class Lapse:
    """A credential that ends by itself."""

    what: str
    """In words for a log line."""
    at: int
    """Its last instant, in milliseconds UTC."""
    remedy: str
    """What a person does once it has ended."""


class Access(Protocol):
    """What one connection shows and trusts; made anew for each, so that the next one uses what was rotated."""

    @property
    def account(self) -> str:
        """The nkey of the account that the connection belongs to."""

    @property
    def inbox(self) -> str:
        """The prefix of the subjects on which the server answers this user, and below which nobody else may listen."""

    @property
    def lapses(self) -> tuple[Lapse, ...]:
        """What ends by itself, soonest first: to be told beforehand, and to explain a refusal afterwards."""

    @property
    def others(self) -> Sequence[Access]:
        """The same party in further accounts: where this one is refused, it may be let in by one of these."""

    def user_jwt(self, now: int) -> str:
        """A JWT for this connection, by which the account vouches for the user's key."""

    def sign_nonce(self, nonce: bytes) -> bytes:
        """The raw signature, by the user's key, of what the server sent as its nonce.

        Raises:
            Rejected: too long for a nonce.
        """

    def tls(self) -> ssl.SSLContext:
        """TLS 1.3 with our certificate, trusting the hub's authorities alone."""


class Plaintext:
    """No TLS and no credentials: for tests, and only to this machine."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "PLAINTEXT"


PLAINTEXT: Final = Plaintext()

MakeAccess = Callable[[], Access]


class HomeAccess:
    """The access that a home holds; its files were read and checked when it was made."""

    __slots__ = ("_account", "_chain", "_lapses", "_others", "_signer", "_tls_key", "_trusted", "_user")

    def __init__(
        self,
        *,
        account: str,
        signer: SigningKey,
        user: SigningKey,
        tls_key: EllipticCurvePrivateKey,
        chain: bytes,
        trusted: bytes,
        lapses: Iterable[Lapse],
        others: Sequence[HomeAccess] = (),
    ) -> None:
        self._account = account
        self._signer = signer
        self._user = user
        self._tls_key = tls_key
        self._chain = chain
        self._trusted = trusted
        self._lapses = tuple(sorted(lapses, key=lambda lapse: lapse.at))
        self._others = tuple(others)

    def __repr__(self) -> str:
        return f"<access to the bus account {self.account}>"

    @classmethod
    def load(cls, home: Home, keys: KeyReader) -> HomeAccess:
        """Read a home's files and keys. Blocking, some milliseconds.

        Raises:
            AccessIncomplete: something is missing or damaged; the text names it.
            HomeInvalid, and the key store's failures.
        """
        folder = home.path / "bus"
        claims = read_claims(read_bus_file(folder / "account.jwt"))
        chain = read_bus_file(folder / "client.pem")
        certificate = read_certificates(chain, "client.pem")[0]
        trusted = read_bus_file(folder / "ca.pem")
        authorities = read_certificates(trusted, "ca.pem")
        me = home.own()
        remedy = _REMEDIES[me.statement.party_kind is PartyKind.AGENT]
        lapses = [Lapse("the client certificate", ends_at(certificate), remedy)]
        lapses.append(Lapse("the newest certificate of the authority", max(map(ends_at, authorities)), remedy))
        of_account = partial(
            cls,
            signer=signer_in_use(me, keys, claims),
            user=_newest(me, keys, KeyPurpose.BUS_USER),
            tls_key=tls_key_of(keys, certificate),
            chain=chain,
            trusted=trusted + _local(folder),
        )
        others = [of_account(account=name, lapses=lapses) for name in _other_accounts(me, claims.subject)]
        if claims.expires_at is not None:
            lapses = [*lapses, Lapse("the JWT of the account", claims.expires_at, remedy)]
        return of_account(account=claims.subject, lapses=lapses, others=others)

    @property
    def account(self) -> str:
        """The nkey of the account."""
        return self._account

    @property
    def inbox(self) -> str:
        """The prefix of this user's inboxes."""
        return inbox_of(self._user.public)

    @property
    def lapses(self) -> tuple[Lapse, ...]:
        """What ends by itself, soonest first."""
        return self._lapses

    @property
    def others(self) -> Sequence[HomeAccess]:
        """The same party in further accounts that its statement names; see `_other_accounts`."""
        return self._others

    def user_jwt(self, now: int) -> str:
        """A JWT for this connection; what it may do follows from the account's template for its signer."""
        return user_claims(self._user.public, self._account, self._signer, now=now)

    def sign_nonce(self, nonce: bytes) -> bytes:
        """The raw Ed25519 signature of the server's nonce.

        Raises:
            Rejected: too long for a nonce.
        """
        if len(nonce) > MAX_NONCE_BYTES:
            raise Rejected(f"a nonce of more than {MAX_NONCE_BYTES} bytes")
        return self._user.private.sign(nonce)

    def tls(self) -> ssl.SSLContext:
        """TLS 1.3 with our certificate, trusting the hub's authorities, and that of a server of our own."""
        return tls_context(self._trusted, self._chain, self._tls_key)


def tls_context(trusted: bytes, chain: bytes, key: EllipticCurvePrivateKey) -> ssl.SSLContext:
    """TLS 1.3 with that certificate (PEM) and its key, trusting those authorities (PEM) alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies, and checks the host name
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=trusted.decode("ascii"))
    _load_chain(context, chain, key)
    return context


def home_access(home: Home, keys: KeyReader) -> MakeAccess:
    """What makes the access of a home for each connection."""
    return lambda: HomeAccess.load(home, keys)


def read_addresses(home: Home) -> list[str]:
    """The URLs that the hub handed over; unchecked.

    Raises:
        AccessIncomplete: there are none.
    """
    lines = [
        line.strip() for line in read_bus_file(home.path / "bus" / "addresses").decode("ascii", "replace").splitlines()
    ]
    urls = [line for line in lines if line and not line.startswith("#")]
    if not urls:
        raise AccessIncomplete("bus/addresses names no server; ask the hub for its addresses")
    return urls


def _load_chain(context: ssl.SSLContext, chain: bytes, key: EllipticCurvePrivateKey) -> None:
    # OpenSSL takes a certificate and its key from files only. The file is encrypted under a password that never leaves
    # this function, so that nothing readable is left behind even if the process dies before it is removed. (A memory
    # file would do on Linux alone, and would hold the key in the clear for whoever may read /proc.)
    password = secrets.token_urlsafe(32)
    encrypted = key.private_bytes(
        Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode("ascii")),
    )
    with tempfile.NamedTemporaryFile(prefix="needtoknow-") as file:  # for its owner only
        file.write(chain + b"\n" + encrypted)
        file.flush()
        context.load_cert_chain(file.name, password=password)


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


def _local(folder: Path) -> bytes:
    """The authority of the agency's own server, where there is one."""
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


def signer_in_use(me: Party, keys: KeyReader, claims: Claims) -> SigningKey:
    """The newest signing key that the account's JWT knows: while one is being rotated, the next is not admitted yet.

    If it knows only keys that are dead, the newest there is: after an emergency the hub may know that one, though its
    word for it was lost.

    Raises:
        AccessIncomplete: there is none.
    """
    listed = claims.body.get("signing_keys", ())
    known = {each.get("key") if isinstance(each, dict) else each for each in listed}
    return _newest(me, keys, KeyPurpose.BUS_SIGNER, known)


def _newest(me: Party, keys: KeyReader, purpose: KeyPurpose, preferred: Collection[object] = ()) -> SigningKey:
    held = set(keys.names(purpose))
    stated = [one for one in me.keys if one.key.purpose is purpose and one.key.id in held and one.revoked_at is None]
    if not stated:
        raise AccessIncomplete(f"there is no {purpose} key in the key store; restore the key store")
    known = [one for one in stated if nkey.of(one.key) in preferred]
    newest = max(known or stated, key=_age)
    return SigningKey.from_seed(purpose, keys.get(purpose, newest.key.id))


def _other_accounts(me: Party, known: str) -> list[str]:
    """The accounts of an agent by which servers may know it, beside the one that the hub's last reply was for.

    Newer ones, revoked or not: admission may have let one of them in and closed the one before, and its word for that
    was lost. And those that are not revoked: a server may not have heard yet of the one that admission let in.
    """
    if me.statement.party_kind is not PartyKind.AGENT:
        return []
    stated = sorted((one for one in me.keys if one.key.purpose is KeyPurpose.BUS_ACCOUNT), key=_age, reverse=True)
    names = [nkey.of(one.key) for one in stated]
    newer = names.index(known) if known in names else len(names)
    found = zip(names, stated, strict=True)
    return [name for at, (name, one) in enumerate(found) if name != known and (at < newer or one.revoked_at is None)]


def _age(one: StatedKey) -> tuple[int, int]:
    return one.not_before, one.epoch


def tls_key_of(keys: KeyReader, certificate: x509.Certificate) -> EllipticCurvePrivateKey:
    """The private key that the certificate is of: while one is being rotated there are two.

    Raises:
        AccessIncomplete: it is not in the key store.
    """
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    wanted = certificate.public_key().public_bytes(*form)
    for name in keys.names(KeyPurpose.TLS):
        key = serialization.load_der_private_key(keys.get(KeyPurpose.TLS, name), password=None)
        if isinstance(key, EllipticCurvePrivateKey) and key.public_key().public_bytes(*form) == wanted:
            return key
    raise AccessIncomplete("bus/client.pem is not of a TLS key in the key store; send a renewal to get one that is")
