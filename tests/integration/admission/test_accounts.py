"""What the servers let each kind of user do, and what an agency's own claims cannot change about it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from broker.enrolment.claims.accounts import ACCOUNT_LIFE_MS, HUB_PARTIES, agency_claims
from broker.node.bus.claims import Claims, ClaimsKind, encode
from broker.node.bus.embedded import HOST
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import PartyKind
from tests.support.admitting import Admitting
from tests.support.hub_bus import PATIENCE_S, AgencyOnBus, BareClient, BusUser, HubBus, connect, now_ms

REFUSED = "permissions violation"


@dataclass(frozen=True)
class Claiming(BusUser):
    """A user who claims something of its own in its claims."""

    body: Mapping[str, Any] | None = None

    def user_jwt(self, now: int) -> str:
        """Claims with that in them."""
        return encode(
            Claims(
                ClaimsKind.USER,
                nkey.of(self.user.public),
                nkey.of(self.signer.public),
                now,
                now + 60_000,
                {"issuer_account": self.account, **(self.body or {})},
            ),
            self.signer,
        )


def claiming(agency: AgencyOnBus, **body: Any) -> Claiming:
    user = agency.user
    return Claiming(user.account, user.signer, user.user, user.context, body=body)


async def _is_refused(client: BareClient, *, subscribe: str = "", publish: str = "") -> bool:
    client.troubles.clear()
    if subscribe:
        await client.client.subscribe(subscribe)
    if publish:
        await client.client.publish(publish, b"x")
    await client.settle()
    return any(REFUSED in trouble for trouble in client.troubles)


async def test_a_message_goes_from_an_agency_to_the_desk_and_back_and_to_nobody_else(
    hub_bus: HubBus, admitting: Admitting
) -> None:
    agency, other = await admitting.admitted(), await admitting.admitted()
    async with (
        hub_bus.connected(agency.user) as at_agency,
        hub_bus.connected(other.user) as at_other,
        hub_bus.connected(hub_bus.users[PartyKind.DESK]) as desk,
        hub_bus.connected(hub_bus.users[PartyKind.COORDINATOR]) as coordinator,
    ):
        await at_agency.listen(f"to.{agency.token}.>")
        await at_other.listen(f"to.{other.token}.>")
        await desk.listen("from.*.desk")
        await coordinator.listen("from.*.coordinator")
        await at_agency.client.publish(f"from.{agency.token}.desk", b"an answer")
        await desk.client.publish(f"to.{agency.token}.desk", b"taken")
        for client in (at_agency, desk, at_other, coordinator):
            await client.settle()
        assert desk.heard == [(f"from.{agency.token}.desk", b"an answer")]
        assert at_agency.heard == [(f"to.{agency.token}.desk", b"taken")]
        assert not at_other.heard
        assert not coordinator.heard


@pytest.mark.parametrize("kind", HUB_PARTIES)
async def test_a_party_of_the_hub_may_use_its_own_routes_only(kind: PartyKind, hub_bus: HubBus) -> None:
    others = [other for other in HUB_PARTIES if other is not kind]
    token = nkey.of(SigningKey.generate(KeyPurpose.BUS_ACCOUNT).public)
    async with hub_bus.connected(hub_bus.users[kind]) as client:
        assert not await _is_refused(client, subscribe=f"hub.{kind}")
        assert not await _is_refused(client, subscribe=f"from.*.{kind}")
        tail = "in" if kind is PartyKind.COORDINATOR else kind
        assert not await _is_refused(client, publish=f"to.{token}.{tail}")
        for other in others:
            assert not await _is_refused(client, publish=f"hub.{other}")
            assert await _is_refused(client, subscribe=f"hub.{other}")
            assert await _is_refused(client, subscribe=f"from.*.{other}")
            assert await _is_refused(client, subscribe=f"{hub_bus.users[other].inbox}.*")
        for subject in (">", "_INBOX.>", "to.>", "from.>", "$SYS.>", "$JS.>"):
            assert await _is_refused(client, subscribe=subject), subject
        for subject in (f"to.{token}.elsewhere", f"from.{token}.desk", f"hub.{kind}", "$SYS.REQ.SERVER.PING"):
            assert await _is_refused(client, publish=subject), subject


async def test_an_agency_may_hear_its_own_token_and_speak_on_its_three_routes_only(
    hub_bus: HubBus, admitting: Admitting
) -> None:
    agency, other = await admitting.admitted(), await admitting.admitted()
    async with hub_bus.connected(agency.user) as client:
        assert not await _is_refused(client, subscribe=f"to.{agency.token}.>")
        assert not await _is_refused(client, subscribe=f"{agency.user.inbox}.*")
        for tail in HUB_PARTIES:
            assert not await _is_refused(client, publish=f"from.{agency.token}.{tail}")
        for subject in (">", "to.>", "to.*.>", f"to.{other.token}.>", "_INBOX.>", f"{other.user.inbox}.*", "$SYS.>"):
            assert await _is_refused(client, subscribe=subject), subject
        for subject in (
            f"from.{agency.token}.elsewhere",
            f"from.{agency.token}.*",
            f"from.{other.token}.desk",
            f"to.{agency.token}.in",
            "hub.desk",
            f"$SYS.REQ.ACCOUNT.{agency.token}.CONNZ",
        ):
            assert await _is_refused(client, publish=subject), subject


async def test_whoever_nobody_hears_learns_it_in_its_own_inbox(hub_bus: HubBus, admitting: Admitting) -> None:
    agency = await admitting.admitted()
    async with (
        hub_bus.connected(agency.user) as client,
        hub_bus.connected(hub_bus.users[PartyKind.DESK]) as desk,
    ):
        for speaker, user, subject in (
            (client, agency.user, f"from.{agency.token}.coordinator"),
            (desk, hub_bus.users[PartyKind.DESK], f"to.{agency.token}.desk"),
        ):
            await speaker.listen(f"{user.inbox}.*")
            await speaker.client.publish(subject, b"anybody there?", reply=f"{user.inbox}.unheard")
            await speaker.settle()
            assert speaker.heard == [(f"{user.inbox}.unheard", b"")]


@pytest.mark.parametrize(
    "body",
    [
        {"pub": {"allow": [">"]}},
        {"sub": {"allow": [">"]}},
        {"subs": -1, "data": -1, "payload": -1},
        {"bearer_token": True},
        {"allowed_connection_types": ["LEAFNODE"]},
    ],
    ids=["publish", "subscribe", "limits", "bearer", "leafnode"],
)
async def test_an_agency_that_claims_permissions_of_its_own_is_not_let_in(
    body: dict[str, Any], hub_bus: HubBus, admitting: Admitting
) -> None:
    agency = await admitting.admitted()
    with pytest.raises(Exception, match="Authorization Violation"):
        await connect(claiming(agency, **body), hub_bus.urls[0])
    async with hub_bus.connected(claiming(agency)) as client:
        assert client.client.is_connected


async def test_a_signing_key_that_the_operator_did_not_name_issues_no_users(
    hub_bus: HubBus, admitting: Admitting
) -> None:
    agency = await admitting.admitted()
    stranger = replace(agency.user, signer=SigningKey.generate(KeyPurpose.BUS_SIGNER))
    with pytest.raises(Exception, match="Authorization Violation"):
        await connect(stranger, hub_bus.urls[0])


async def test_an_account_key_issues_no_users(hub_bus: HubBus, admitting: Admitting) -> None:
    agency = await admitting.admitted()
    account = SigningKey.from_seed(KeyPurpose.BUS_SIGNER, agency.account.seed())
    with pytest.raises(Exception, match="Authorization Violation"):
        await connect(replace(agency.user, signer=account), hub_bus.urls[0])


async def test_claims_by_the_operators_next_signing_key_hold_during_its_rotation(
    hub_bus: HubBus, admitting: Admitting
) -> None:
    agency = hub_bus.agency()
    now = now_ms()
    claims = agency_claims(
        agency.plan, hub_bus.identity.hub, hub_bus.next_signer, issued_at=now, expires_at=now + ACCOUNT_LIFE_MS
    )
    assert (await admitting.resolver.push(agency.token, claims)).is_everywhere
    async with hub_bus.connected(agency.user) as client:
        assert client.client.is_connected


async def test_a_user_of_one_account_is_not_let_in_under_another(hub_bus: HubBus, admitting: Admitting) -> None:
    agency, other = await admitting.admitted(), await admitting.admitted()
    with pytest.raises(Exception, match="Authorization Violation"):
        await connect(replace(agency.user, account=other.token), hub_bus.urls[0])
    with pytest.raises(Exception, match="Authorization Violation"):
        await connect(replace(agency.user, account=hub_bus.identity.hub), hub_bus.urls[0])


async def test_a_fifth_connection_of_an_agency_is_refused(hub_bus: HubBus, admitting: Admitting) -> None:
    agency = await admitting.admitted()
    clients = [await connect(agency.user, hub_bus.urls[0]) for _ in range(4)]
    with pytest.raises(Exception, match=r"(?i)maximum account active connections exceeded|empty response"):
        await connect(agency.user, hub_bus.urls[0])
    for client in clients:
        await client.client.close()


async def test_a_revoked_user_is_cut_off_and_its_successor_let_in(hub_bus: HubBus, admitting: Admitting) -> None:
    agency = await admitting.admitted()
    successor = replace(agency.user, user=SigningKey.generate(KeyPurpose.BUS_USER))
    client = await connect(agency.user, hub_bus.urls[0])
    plan = replace(agency.plan, revoked_users=[agency.user.user.public])
    assert (await admitting.resolver.push(agency.token, hub_bus.claims_for(plan, later_ms=1000))).is_everywhere
    async with asyncio.timeout(PATIENCE_S):
        await client.closed.wait()
    with pytest.raises(Exception, match=r"(?i)authentication revoked|authorization violation"):
        await connect(agency.user, hub_bus.urls[0])
    async with hub_bus.connected(successor) as again:
        assert again.client.is_connected


async def test_a_signing_key_taken_out_of_the_account_ends_what_it_issued(
    hub_bus: HubBus, admitting: Admitting
) -> None:
    agency = await admitting.admitted()
    client = await connect(agency.user, hub_bus.urls[0])
    successor = SigningKey.generate(KeyPurpose.BUS_SIGNER)
    plan = replace(agency.plan, signers=[successor.public])
    await admitting.resolver.push(agency.token, hub_bus.claims_for(plan, later_ms=1000))
    async with asyncio.timeout(PATIENCE_S):
        await client.closed.wait()
    async with hub_bus.connected(replace(agency.user, signer=successor)) as again:
        assert again.client.is_connected


async def test_claims_that_expire_end_the_connection(hub_bus: HubBus, admitting: Admitting) -> None:
    agency = hub_bus.agency(life_ms=5000)
    await admitting.admit(agency)
    client = await connect(agency.user, hub_bus.urls[0])
    async with asyncio.timeout(PATIENCE_S):
        await client.closed.wait()
    with pytest.raises(Exception, match=r"(?i)authorization violation|authentication expired"):
        await connect(agency.user, hub_bus.urls[0])


def _as_a_server(port: int, context: ssl.SSLContext) -> bytes:
    """What a server's port for other servers says to whoever comes with that certificate."""
    with (
        socket.create_connection((HOST, port), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as link,
        suppress(OSError),
    ):
        link.sendall(b'INFO {"server_id":"N","server_name":"x","cluster":"hub","proto":1}\r\nPING\r\n')
        return link.recv(65536)
    return b""


async def test_an_agencys_certificate_does_not_make_it_a_server_of_the_cluster(cluster: HubBus) -> None:
    agency, port = cluster.agency(), cluster.nodes[0].route_port
    assert await asyncio.to_thread(_as_a_server, port, agency.user.tls()) == b""
    assert "not pinned" in cluster.log("hub-1")
    # The port does speak to whoever has a server's certificate.
    assert (await asyncio.to_thread(_as_a_server, port, cluster.server_context("hub-2"))).startswith(b"INFO ")
