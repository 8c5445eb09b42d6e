"""A hub whose bus is secured as it is in use: homes, an operator, an authority, servers in operator mode, agencies."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from broker.enrolment.at_rest.founding import found
from broker.enrolment.claims.accounts import ACCOUNT_LIFE_MS, AgencyAccount, agency_claims, suspended_claims
from broker.enrolment.claims.keys import issuer_of
from broker.enrolment.configuration.files import STORE, Node, write_servers
from broker.enrolment.tls.authority import read_request
from broker.node.bus.access import home_access
from broker.node.bus.embedded import HOST, EmbeddedServer
from broker.node.bus.nats import NatsBus
from broker.node.home import Home, PartyPlan
from broker.node.tls_key import certificate_request, ensure_tls_key
from schemas.crypto import nkey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import Party, PartyKind
from schemas.vocabulary import AgencyKind
from tests.contract.bus.rig import QUICK
from tests.support.nats import free_port

HUB = "gwent"
PLANS = {
    PartyKind.ADMISSION: PartyPlan(HUB, "admission", PartyKind.ADMISSION, "Admission"),
    PartyKind.COORDINATOR: PartyPlan(HUB, "coordinator", PartyKind.COORDINATOR, "Hub", log="gwent.hub.example/log"),
    PartyKind.DESK: PartyPlan(HUB, "desk", PartyKind.DESK, "Desk"),
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class SecuredHub:
    """Its parties' homes and its servers, made and not yet started."""

    def __init__(self, root: Path, *, nodes: int = 1, host: str = HOST) -> None:
        self.root = root
        self.homes = {kind: Home(root / kind) for kind in PLANS}
        for kind, plan in PLANS.items():
            lead = root / f"{kind}-ig-lead.key" if kind is PartyKind.DESK else None
            self.homes[kind].create(plan, now=now_ms(), ig_lead_key=lead)
        self.nodes = [
            Node(f"hub-{number}", host, port=free_port(), route_port=free_port(), websocket_port=free_port())
            for number in range(1, nodes + 1)
        ]
        self._admission = self.homes[PartyKind.ADMISSION]
        hub = [self.homes[PartyKind.COORDINATOR], self.homes[PartyKind.DESK]]
        self.founded = found(self._admission, hub, hosts=[host], addresses=[n.url for n in self.nodes], now=now_ms())
        self.authority = self.founded.authorities.issuing()
        self.folders = [
            path.parent
            for path in write_servers(
                root / "nats",
                self.nodes,
                self.founded.identity,
                self.authority,
                self.founded.authorities.trusted(),
                now=now_ms(),
            )
        ]
        self.servers = [EmbeddedServer(folder, configuration=self.configuration(folder)) for folder in self.folders]
        self._buses: list[NatsBus] = []

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    @property
    def websocket_url(self) -> str:
        return f"wss://{self.nodes[0].host}:{self.nodes[0].websocket_port}"

    def configuration(self, folder: Path) -> str:
        return (folder / "nats-server.conf").read_text()

    def agency(self, name: str) -> Home:
        """An agency that was admitted before the servers start."""
        home = Home(self.root / name)
        plan = PartyPlan(HUB, name, PartyKind.AGENT, name, AgencyKind.POLICE, log=f"{name}.example/log")
        home.create(plan, now=now_ms(), ig_lead_key=self.root / f"{name}-ig-lead.key")
        self.hand_over(home)
        return home

    def hand_over(self, home: Home, *, account_life_ms: int = ACCOUNT_LIFE_MS, certificate_life_ms: int = 0) -> None:
        """Give an agency its account, known to the servers that start later, and its certificate."""
        keys = home.keystore()
        request = read_request(certificate_request(ensure_tls_key(keys)))
        keys.close()
        life = {"life_ms": certificate_life_ms} if certificate_life_ms else {}
        certificate = self.authority.issue_client(request, PartyKind.AGENT, now=now_ms(), **life)
        claims = self.claims(home.own(), life_ms=account_life_ms)
        folder = home.path / "bus"
        folder.mkdir(exist_ok=True)
        (folder / "client.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        (folder / "ca.pem").write_bytes(self.founded.authorities.trusted())
        (folder / "account.jwt").write_text(claims)
        (folder / "addresses").write_text("\n".join(self.urls) + "\n")
        for servers in self.folders:
            (servers / STORE).mkdir(exist_ok=True)
            (servers / STORE / f"{home.own().token}.jwt").write_text(claims)

    def suspend(self, home: Home) -> None:
        """Have the servers that start later let nobody of this agency in."""
        for servers in self.folders:
            (servers / STORE / f"{token(home)}.jwt").write_text(self.claims(home.own(), suspended=True))

    def claims(self, party: Party, *, life_ms: int = ACCOUNT_LIFE_MS, suspended: bool = False) -> str:
        make = suspended_claims if suspended else agency_claims
        stated = {purpose: [k.key for k in party.keys if k.key.purpose is purpose] for purpose in KeyPurpose}
        issuer = issuer_of(self._admission, self._admission.keys_to_read())
        return make(
            AgencyAccount(stated[KeyPurpose.BUS_ACCOUNT][0], stated[KeyPurpose.BUS_SIGNER]),
            self.founded.identity.hub,
            issuer.signer,
            issued_at=now_ms(),
            expires_at=now_ms() + life_ms,
        )

    async def start(self) -> None:
        for server in self.servers:
            await server.start()

    def bus(self, who: Home | PartyKind, *urls: str, **options: Any) -> NatsBus:
        """A bus of a party, not yet started; closed in the end."""
        home = who if isinstance(who, Home) else self.homes[who]
        options = {"access": home_access(home, home.keys_to_read()), "timings": QUICK, "name": "test", **options}
        self._buses.append(NatsBus(urls or self.urls, **options))
        return self._buses[-1]

    async def stop(self) -> None:
        for bus in self._buses:
            await bus.close()
        for server in self.servers:
            await server.stop()


def token(home: Home) -> str:
    """The token of an agency's account, as its subjects have it."""
    [account] = [one.key for one in home.own().keys if one.key.purpose is KeyPurpose.BUS_ACCOUNT]
    return nkey.of(account)
