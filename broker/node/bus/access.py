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
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.node.bus.access_files import AccessIncomplete, read_bus_file, read_certificates, read_claims, read_local
from broker.node.bus.claims import Claims, inbox_of, user_claims
from broker.node.certificates import ends_at
from broker.node.home import Home
from broker.node.keystore import KeyReader
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.party import Party, PartyKind, StatedKey

MAX_NONCE_BYTES: Final = 64
"""nats-server's nonce has 15 to 22 characters. What we sign for a server we know too little of is kept short."""


ADMITTED_ANEW: Final = "agent enrol --replace-root, and at the hub broker agency admit REQUEST --replace"
"""What an agency does that can no longer renew: that goes over the bus, which is no longer there."""


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
        """The same party by further accounts and signing keys: where this is refused, one of these may be let in."""

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
        kind = me.statement.party_kind
        remedy = f"run: {ADMITTED_ANEW if kind is PartyKind.AGENT else f'broker keys renew {kind.value}'}"
        lapses = [Lapse("the client certificate", ends_at(certificate), remedy)]
        lapses.append(Lapse("the newest certificate of the authority", max(map(ends_at, authorities)), remedy))
        known_as = partial(
            cls,
            user=_newest(me, keys, KeyPurpose.BUS_USER),
            tls_key=tls_key_of(keys, certificate),
            chain=chain,
            trusted=trusted + read_local(folder),
        )
        signers = _signers(me, keys, claims)
        names = (claims.subject, *_other_accounts(me, claims.subject))
        first, *others = [(name, signer) for name in names for signer in signers]
        further = [known_as(account=name, signer=signer, lapses=lapses) for name, signer in others]
        if claims.expires_at is not None:
            lapses = [*lapses, Lapse("the JWT of the account", claims.expires_at, remedy)]
        return known_as(account=first[0], signer=first[1], lapses=lapses, others=further)

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
        """The same party by what else servers may know it by; see `_other_accounts` and `_signers`."""
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


def signer_in_use(me: Party, keys: KeyReader, claims: Claims) -> SigningKey:
    """The newest signing key that the account's JWT knows: while one is being rotated, the next is not admitted yet.

    If it knows only keys that are dead, the newest there is: after an emergency the hub may know that one, though its
    word for it was lost.

    Raises:
        AccessIncomplete: there is none.
    """
    return _newest(me, keys, KeyPurpose.BUS_SIGNER, _signers_named(claims))


def names_live_signer(home: Home, me: Party, keys: KeyReader, now: int) -> bool:
    """Whether the account's JWT knows a signing key here that lives; so it is, too, where there is no JWT.

    As long as it does not, servers may let this party in by a dead key or not at all. Blocking, one small file.
    """
    path = home.path / "bus" / "account.jwt"
    if not path.exists():
        return True
    try:
        named = _signers_named(read_claims(read_bus_file(path)))
    except AccessIncomplete:
        return False  # what it says is not known before it is put back
    held = set(keys.names(KeyPurpose.BUS_SIGNER))
    live = [one for one in me.keys if one.revoked_at is None and now < one.not_after]
    return any(one.key.id in held and nkey.of(one.key) in named for one in _of(live, KeyPurpose.BUS_SIGNER))


def _signers(me: Party, keys: KeyReader, claims: Claims) -> list[SigningKey]:
    """The one in use, and then the others that are here, the newest first.

    Servers may know a planned one already, or not yet. And a dead one is here as long as they may know no other
    (`names_live_signer`): it is what admission is told by that it died. Whoever stole it is let in by it until then,
    whether we are or not.
    """
    first, purpose = signer_in_use(me, keys, claims), KeyPurpose.BUS_SIGNER
    held = set(keys.names(purpose)) - {first.id}
    others = [one.key.id for one in _of(me.keys, purpose) if one.key.id in held]
    return [first, *(SigningKey.from_seed(purpose, keys.get(purpose, name)) for name in others)]


def _signers_named(claims: Claims) -> set[object]:
    listed = claims.body.get("signing_keys", ())
    return {each.get("key") if isinstance(each, dict) else each for each in listed}


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
    stated = _of(me.keys, KeyPurpose.BUS_ACCOUNT)
    names = [nkey.of(one.key) for one in stated]
    newer = names.index(known) if known in names else len(names)
    found = zip(names, stated, strict=True)
    return [name for at, (name, one) in enumerate(found) if name != known and (at < newer or one.revoked_at is None)]


def _of(stated: Iterable[StatedKey], purpose: KeyPurpose) -> list[StatedKey]:
    """Those of that purpose, the newest first."""
    return sorted((one for one in stated if one.key.purpose is purpose), key=_age, reverse=True)


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
