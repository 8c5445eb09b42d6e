"""A real server in operator mode with a hub and agencies behind its walls, and raw connections in everybody's place.

The claims, the certificates and the server's configuration are the product's own; what connects is not. Holds every
private key there is, so that a test can be anybody.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.enrolment.claims.accounts import (
    HUB_PARTIES,
    AgencyAccount,
    HubAccount,
    agency_body,
    agency_claims,
    hub_claims,
)
from broker.enrolment.claims.operator import Operator, operator_claims, system_claims
from broker.enrolment.configuration.server import BusIdentity, Server, configuration
from broker.enrolment.configuration.server import TlsFiles as ServerTls
from broker.enrolment.tls.authority import Authority, read_request
from broker.node.bus.embedded import HOST
from broker.node.clock import SystemClock
from broker.node.tls_key import certificate_request, generate_tls_key, load_tls_key
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import PartyKind
from tests.support.hostile_jwt import SCOPED, UNSCOPED, Nkey, forged, user_of
from tests.support.nats import free_port
from tests.support.raw_nats import Credentials, RawNats
from tests.support.server_process import ServerProcess

DAY_MS = 24 * 3600 * 1000
_PEM = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class NotTaken(Exception):
    """The server refuses to store an account's claims."""


@dataclass
class Seat:
    """A party's three bus keys and what admission gave it."""

    account: SigningKey
    signer: SigningKey = field(default_factory=lambda: SigningKey.generate(KeyPurpose.BUS_SIGNER))
    user: SigningKey = field(default_factory=lambda: SigningKey.generate(KeyPurpose.BUS_USER))
    jwt: str = ""
    is_scoped: bool = True

    @property
    def token(self) -> str:
        """The nkey of its account."""
        return nkey.of(self.account.public)

    @property
    def inbox(self) -> str:
        """Where it, and nobody else, may be answered."""
        return f"_INBOX.{nkey.of(self.user.public)}"

    def credentials(self, *, body: Mapping[str, Any] | None = None, **claims: Any) -> Credentials:
        """A user's, as the party issues them to itself; or with any other body."""
        body = body or (SCOPED if self.is_scoped else UNSCOPED)
        return user_of(self.as_attacker("signer"), self.token, body, key=self.as_attacker("user"), **claims)

    def as_attacker(self, which: str) -> Nkey:
        """One of its keys, to sign anything with."""
        key: SigningKey = getattr(self, which)
        return Nkey("user" if which == "user" else "account", key.private)


class TlsFiles:
    """Certificates of one authority, as files that OpenSSL reads."""

    def __init__(self, folder: Path, hosts: Sequence[str] = (HOST,)) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self.authority = Authority.create(hosts, now=SystemClock().now())
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self.authority.pem)

    def server(self) -> tuple[Path, Path]:
        """A server's chain and key."""
        key = generate_tls_key()
        found = self.authority.issue_server(read_request(certificate_request(key)), (HOST,), now=SystemClock().now())
        return self._write("server", found.public_bytes(Encoding.PEM), key)

    def client(self, *, now: int | None = None, life_ms: int = DAY_MS) -> tuple[Path, Path]:
        """A party's chain and key."""
        key, now = generate_tls_key(), SystemClock().now() if now is None else now
        request = read_request(certificate_request(key))
        found = self.authority.issue_client(request, PartyKind.AGENT, now=now, life_ms=life_ms)
        return self._write("client", found.public_bytes(Encoding.PEM), key)

    def context(self, *, chain: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """What a client of this authority's servers dials with, showing that certificate or none."""
        context = ssl.create_default_context(cafile=self.ca)
        if chain is not None:
            context.load_cert_chain(*chain)
        return context

    def _write(self, name: str, chain: bytes, key: bytes) -> tuple[Path, Path]:
        secret = load_tls_key(key).private_bytes(*_PEM)
        paths = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        for path, content in zip(paths, (chain, secret), strict=True):
            path.write_bytes(content)
        return paths


@dataclass
class Walls:
    """The server, its authority, and everybody's seats."""

    folder: Path
    hub_seats: dict[str, Seat] = field(default_factory=dict)
    agencies: dict[str, Seat] = field(default_factory=dict)
    entered: list[RawNats] = field(default_factory=list)

    def __post_init__(self) -> None:
        make = SigningKey.generate
        self.operator, self.operator_signer = make(KeyPurpose.BUS_OPERATOR), make(KeyPurpose.BUS_OPERATOR_SIGNER)
        self.system, self.system_signer = make(KeyPurpose.BUS_SYSTEM), make(KeyPurpose.BUS_SYSTEM_SIGNER)
        self.hub_account = make(KeyPurpose.BUS_ACCOUNT)
        self.tls = TlsFiles(self.folder / "tls")
        self._chain = self.tls.client()
        self._issued = SystemClock().now()

    @property
    def port(self) -> int:
        """Where the server listens."""
        return self.server.port

    @property
    def signing(self) -> Nkey:
        """The operator's signing key, for what the operator signs by mistake."""
        return Nkey("operator", self.operator_signer.private)

    async def start(self, names: Sequence[str] = ("north", "south")) -> None:
        """Start the server and admit those agencies."""
        for kind in HUB_PARTIES:
            self.hub_seats[kind.value] = Seat(self.hub_account)
        keys = Operator(
            self.operator.public, self.operator_signer.public, self.system.public, self.system_signer.public
        )
        now = self._issued
        hub = HubAccount(
            self.hub_account.public, {kind: [self.hub_seats[kind.value].signer.public] for kind in HUB_PARTIES}
        )
        hub_jwt = hub_claims(hub, self.operator_signer, issued_at=now, expires_at=now + DAY_MS)
        system_jwt = system_claims(keys, self.operator_signer, issued_at=now)
        operator_jwt = operator_claims(keys, self.operator, issued_at=now)
        cert, key = self.tls.server()
        identity = BusIdentity(
            operator_jwt, nkey.of(self.system.public), system_jwt, nkey.of(self.hub_account.public), hub_jwt
        )
        files = ServerTls(certificate=cert, key=key, authority=self.tls.ca)
        port = free_port()
        node = Server("hub-1", f"{HOST}:{port}", files, self.folder / "accounts")
        self.server = ServerProcess(self.folder / "nats", port, configuration(node, identity))
        await self.server.start()
        for name in names:
            await self.admit(name)
        await self.leave()

    async def admit(self, name: str) -> Seat:
        """Admit an agency as admission does."""
        seat = Seat(SigningKey.generate(KeyPurpose.BUS_ACCOUNT))
        now = SystemClock().now()
        agency = AgencyAccount(seat.account.public, [seat.signer.public])
        seat.jwt = agency_claims(agency, self.hub_token, self.operator_signer, issued_at=now, expires_at=now + DAY_MS)
        assert (await self.push(seat.jwt))["data"]["code"] == 200
        self.agencies[name] = seat
        return seat

    async def admit_by_mistake(
        self, *, scoped: bool = True, change: Callable[[dict[str, Any]], None] = lambda body: None
    ) -> Seat:
        """Have the operator sign, and the server take, an agency's claims with something in them that must not be.

        Raises:
            NotTaken: the server does not even store them.
        """
        seat = Seat(SigningKey.generate(KeyPurpose.BUS_ACCOUNT), is_scoped=scoped)
        body = agency_body(AgencyAccount(seat.account.public, [seat.signer.public]), self.hub_token)
        if not scoped:
            body["signing_keys"] = [nkey.of(seat.signer.public)]
        change(body)
        seat.jwt = forged(self.signing, seat.token, "account", body)
        if "data" not in await self.push(seat.jwt):
            raise NotTaken
        return seat

    @property
    def hub_token(self) -> str:
        """The nkey of the hub's account."""
        return nkey.of(self.hub_account.public)

    @property
    def system_token(self) -> str:
        """The nkey of the system account."""
        return nkey.of(self.system.public)

    async def push(self, jwt: str) -> dict[str, Any]:
        """Give the server an account's claims, as admission does, and its answer."""
        user = Seat(self.system, self.system_signer)
        admission = await self.enter(user.credentials())
        await admission.subscribe(f"{user.inbox}.>")
        await admission.publish("$SYS.REQ.CLAIMS.UPDATE", jwt.encode(), reply=f"{user.inbox}.1")
        answer: dict[str, Any] = json.loads((await admission.until_heard(1))[0].payload)
        await admission.close()
        return answer

    async def enter(self, credentials: Credentials | None, **fields: Any) -> RawNats:
        """A connection with an admitted party's certificate."""
        client = await self.dial()
        return await client.enter(credentials, **fields)

    async def dial(self) -> RawNats:
        """The same, before anything is said on it."""
        client = await RawNats.dial(HOST, self.port, self.tls.context(chain=self._chain))
        self.entered.append(client)
        return client

    async def hub(self, role: str) -> RawNats:
        """A connection of the hub's desk, coordinator or admission."""
        return await self.enter(self.hub_seats[role].credentials())

    async def agency(self, name: str) -> RawNats:
        """A connection of an agency's."""
        return await self.enter(self.agencies[name].credentials())

    async def leave(self) -> None:
        """Close every connection that was made."""
        while self.entered:
            await self.entered.pop().close()

    async def stop(self) -> None:
        """Stop the server."""
        await self.server.stop()
