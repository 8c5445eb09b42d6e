"""A hub's real bus: nats-servers with TLS in operator mode, their operator, and agencies that come and go.

Everything but the servers' processes is the product's own. Refuses to know programs, homes and messages: what connects
here are bare NATS clients.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from nats.aio.client import Client

from broker.enrolment.claims.accounts import (
    ACCOUNT_LIFE_MS,
    AgencyAccount,
    HubAccount,
    agency_body,
    agency_claims,
    hub_claims,
)
from broker.enrolment.claims.operator import Operator, operator_claims, system_claims
from broker.enrolment.configuration.files import Node, write_servers
from broker.enrolment.configuration.server import BusIdentity
from broker.enrolment.tls.authority import Authority, read_request
from broker.node.bus.access import Lapse
from broker.node.bus.claims import Claims, ClaimsKind, encode, inbox_of, user_claims
from broker.node.bus.embedded import HOST, find_server
from broker.node.tls_key import certificate_request, generate_tls_key, load_tls_key
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import PartyKind
from tests.support.nats import free_port

PATIENCE_S = 60
"""Far longer than anything takes on a busy machine; what has not come by then does not come."""
PING_S = 25
"""As the product's own connections do."""


def now_ms() -> int:
    """The time, in milliseconds UTC: servers and certificates have no other clock than the machine's."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class BusUser:
    """Somebody who connects: the keys of one party, and its TLS."""

    account: str
    signer: SigningKey
    user: SigningKey
    context: ssl.SSLContext
    lapses: tuple[Lapse, ...] = ()
    others: tuple[BusUser, ...] = ()

    @property
    def inbox(self) -> str:
        """The prefix of its inboxes."""
        return inbox_of(self.user.public)

    def user_jwt(self, now: int) -> str:
        """The user's claims."""
        return user_claims(self.user.public, self.account, self.signer, now=now)

    def sign_nonce(self, nonce: bytes) -> bytes:
        """The server's nonce, signed."""
        return self.user.private.sign(nonce)

    def tls(self) -> ssl.SSLContext:
        """The context."""
        return self.context


@dataclass
class BareClient:
    """A bare NATS client, what it was told, and what went wrong."""

    client: Client
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, subject: str) -> None:
        """Hear a subject; the server knows when this returns."""

        async def take(message: Any) -> None:
            self.heard.append((message.subject, message.data))

        await self.client.subscribe(subject, cb=take)
        await self.settle()

    async def settle(self) -> None:
        """Wait until the server has done all that was asked."""
        await self.client.flush(PATIENCE_S)
        await self.client.flush(PATIENCE_S)


@dataclass
class AgencyOnBus:
    """An agency's keys of the bus."""

    account: SigningKey
    user: BusUser
    plan: AgencyAccount
    claims: str

    @property
    def token(self) -> str:
        """Its token."""
        return nkey.of(self.account.public)


class HubBus:
    """The operator, the servers, and the hub's own three users."""

    def __init__(self, folder: Path, *, nodes: int = 1, websocket: bool = False, leafnodes: bool = False) -> None:
        self.folder = folder
        self.authority = Authority.create([HOST], now=now_ms())
        make = SigningKey.generate
        self.operator = make(KeyPurpose.BUS_OPERATOR)
        self.operator_signer = make(KeyPurpose.BUS_OPERATOR_SIGNER)
        self.next_signer = make(KeyPurpose.BUS_OPERATOR_SIGNER)
        """Named by the operator beside the other, as during a rotation."""
        system, self.system_signer = make(KeyPurpose.BUS_SYSTEM), make(KeyPurpose.BUS_SYSTEM_SIGNER)
        self.hub = make(KeyPurpose.BUS_ACCOUNT)
        self.signers = {
            kind: make(KeyPurpose.BUS_SIGNER) for kind in (PartyKind.DESK, PartyKind.COORDINATOR, PartyKind.ADMISSION)
        }
        keys = Operator(
            self.operator.public,
            self.operator_signer.public,
            system.public,
            self.system_signer.public,
            [self.next_signer.public],
        )
        account = HubAccount(self.hub.public, {kind: [key.public] for kind, key in self.signers.items()})
        now = now_ms()
        self.identity = BusIdentity(
            operator=operator_claims(keys, self.operator, issued_at=now),
            system=nkey.of(system.public),
            system_claims=system_claims(keys, self.operator_signer, issued_at=now),
            hub=nkey.of(self.hub.public),
            hub_claims=hub_claims(account, self.operator_signer, issued_at=now, expires_at=now + ACCOUNT_LIFE_MS),
        )
        self.nodes = [
            Node(
                f"hub-{number}",
                HOST,
                port=free_port(),
                route_port=free_port(),
                websocket_port=free_port() if websocket else None,
                leaf_port=free_port() if leafnodes else None,
            )
            for number in range(1, nodes + 1)
        ]
        self.configurations = write_servers(
            folder, self.nodes, self.identity, self.authority, self.authority.pem, now=now
        )
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.system_user = BusUser(
            self.identity.system,
            self.system_signer,
            make(KeyPurpose.BUS_SYSTEM_USER),
            self.context(PartyKind.ADMISSION),
        )
        self.users = {
            kind: BusUser(self.identity.hub, signer, make(KeyPurpose.BUS_USER), self.context(kind))
            for kind, signer in self.signers.items()
        }

    @property
    def names(self) -> frozenset[str]:
        """The servers' names."""
        return frozenset(node.name for node in self.nodes)

    @property
    def urls(self) -> list[str]:
        """Where the servers are."""
        return [node.url for node in self.nodes]

    def context(self, kind: PartyKind) -> ssl.SSLContext:
        """TLS with a certificate of the hub's authority."""
        return client_context(self.authority, kind)

    def server_context(self, name: str) -> ssl.SSLContext:
        """TLS with a server's own certificate."""
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        context.load_cert_chain(self.folder / name / "server.pem", self.folder / name / "server.key")
        return context

    def agency(self, *, may_run_leaf: bool = False, life_ms: int = ACCOUNT_LIFE_MS) -> AgencyOnBus:
        """An agency with keys of its own, and the claims that the operator signs for it."""
        account, signer = SigningKey.generate(KeyPurpose.BUS_ACCOUNT), SigningKey.generate(KeyPurpose.BUS_SIGNER)
        user = BusUser(
            nkey.of(account.public), signer, SigningKey.generate(KeyPurpose.BUS_USER), self.context(PartyKind.AGENT)
        )
        plan = AgencyAccount(account.public, [signer.public], may_run_leaf=may_run_leaf)
        return AgencyOnBus(account, user, plan, self.claims_for(plan, life_ms=life_ms))

    def claims_for(self, plan: AgencyAccount, *, later_ms: int = 0, life_ms: int = ACCOUNT_LIFE_MS) -> str:
        """The claims of an agency's account."""
        now = now_ms() + later_ms
        return agency_claims(plan, self.identity.hub, self.operator_signer, issued_at=now, expires_at=now + life_ms)

    def mistaken_claims(self, plan: AgencyAccount, subject: str = "to.*.>") -> str:
        """Claims that import every agency's subjects, signed all the same."""
        now = now_ms() + 1000
        body = agency_body(plan, self.identity.hub)
        body["imports"][0]["subject"] = subject
        issuer = nkey.of(self.operator_signer.public)
        claims = Claims(ClaimsKind.ACCOUNT, nkey.of(plan.account), issuer, now, now + ACCOUNT_LIFE_MS, body)
        return encode(claims, self.operator_signer)

    async def start(self, *names: str) -> None:
        """Start servers (all of them, if none is named), and wait until they answer."""
        for node, path in zip(self.nodes, self.configurations, strict=True):
            if names and node.name not in names:
                continue
            self.processes[node.name] = _spawn(path)
        async with asyncio.timeout(PATIENCE_S):
            for node in self.nodes:
                if not names or node.name in names:
                    await self._answering(node)

    def kill(self, name: str) -> None:
        """End a server without a word."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def empty(self, name: str) -> None:
        """Take away what a server that does not run has stored."""
        shutil.rmtree(self.folder / name / "accounts", ignore_errors=True)

    def stop(self) -> None:
        """End every server."""
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes.values():
            process.wait()
        self.processes.clear()

    def log(self, name: str) -> str:
        """What a server said."""
        return (self.folder / name / "nats-server.log").read_text()

    @asynccontextmanager
    async def connected(self, who: BusUser, node: Node | None = None) -> AsyncIterator[BareClient]:
        """A bare client of that user, connected to one server."""
        bare = await connect(who, (node or self.nodes[0]).url)
        try:
            yield bare
        finally:
            with suppress(Exception):
                await bare.client.close()
            _cut(bare.client)

    async def _answering(self, node: Node) -> None:
        while True:
            if self.processes[node.name].poll() is not None:
                raise AssertionError(self.log(node.name))
            with suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, node.port)
                writer.transport.abort()
                return
            await asyncio.sleep(0.01)


def _spawn(configuration: Path) -> subprocess.Popen[bytes]:
    with open(configuration.with_name("nats-server.log"), "ab") as log:
        return subprocess.Popen(
            [find_server(), "--config", configuration],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "GOGC": "50"},  # as deploy/nats/README.md starts it
        )


async def connect(who: BusUser, url: str) -> BareClient:
    """A bare client; raises what nats-py raises."""
    bare = BareClient(Client())

    async def trouble(error: Exception) -> None:
        bare.troubles.append(str(error).lower())

    async def closed() -> None:
        _cut(bare.client)
        bare.closed.set()

    try:
        await _dial(bare.client, who, url, trouble, closed)
    except BaseException:
        _cut(bare.client)
        raise
    return bare


def _cut(client: Client) -> None:
    """Close what nats-py leaves open when the server ends a connection, or none comes about."""
    for name in ("_io_writer", "_bare_io_writer"):
        writer = getattr(client._transport, name, None)
        if writer is not None:
            # Python 3.11.2, which is Debian 12's, cannot cut TLS that was closed twice; it is closed then.
            with suppress(AttributeError):
                writer.transport.abort()


async def _dial(
    client: Client,
    who: BusUser,
    url: str,
    trouble: Callable[[Exception], Awaitable[None]],
    closed: Callable[[], Awaitable[None]],
) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await client.connect(
            url,
            user_jwt_cb=lambda: bytearray(who.user_jwt(now_ms()).encode()),
            signature_cb=lambda nonce: base64.b64encode(who.sign_nonce(nonce.encode())),
            tls=who.tls(),
            tls_handshake_first=True,
            inbox_prefix=inbox_of(who.user.public).encode(),
            allow_reconnect=False,
            max_reconnect_attempts=1,
            connect_timeout=PATIENCE_S,
            ping_interval=PING_S,
            error_cb=trouble,
            closed_cb=closed,
        )
        await client.flush(PATIENCE_S)


def client_context(authority: Authority, kind: PartyKind) -> ssl.SSLContext:
    """TLS 1.3 with a fresh certificate of that authority."""
    key = generate_tls_key()
    certificate = authority.issue_client(read_request(certificate_request(key)), kind, now=now_ms())
    context = ssl.create_default_context(cadata=authority.pem.decode())
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    private = load_tls_key(key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(Encoding.PEM) + private)
        file.flush()
        context.load_cert_chain(file.name)
    return context
