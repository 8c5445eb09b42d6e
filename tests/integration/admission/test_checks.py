"""`broker bus check` on servers that run: what is safe passes, each thing that is not is found by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.enrolment.checks.configured import Finding
from broker.enrolment.checks.probing import probe
from broker.enrolment.checks.running import Wanted, check_running
from broker.enrolment.claims.accounts import expelled_claims
from broker.enrolment.servers.asking import Asking
from broker.enrolment.servers.connection import SystemConnection
from broker.node.bus.address import read_address
from broker.node.clock import SystemClock
from tests.support.admitting import Admitting
from tests.support.hub_bus import PATIENCE_S, HubBus, connect, now_ms
from tests.support.nats import free_port


class _Owner:
    def __init__(self) -> None:
        self.stands = asyncio.Event()

    def connected(self) -> None:
        self.stands.set()

    def disconnected(self) -> None:
        self.stands.clear()

    def failed(self, failure: str) -> None:
        pass


async def found_in(bus: HubBus, wanted: Wanted) -> list[Finding]:
    """What the check finds in the servers that run."""
    user, owner = bus.system_user, _Owner()
    connection = SystemConnection(bus.urls, lambda: user, inbox=user.inbox, clock=SystemClock())
    asking = Asking(connection)
    connection.start(owner)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await owner.stands.wait()
        return await check_running(asking, wanted, now=now_ms())
    finally:
        await connection.close()


async def test_servers_started_from_what_was_written_are_safe(cluster: HubBus, cluster_admitting: Admitting) -> None:
    agencies = [await cluster_admitting.admitted() for _ in range(3)]
    client = await connect(agencies[0].user, cluster.urls[1])
    claims = {agency.token: agency.claims for agency in agencies} | {cluster.identity.hub: cluster.identity.hub_claims}
    assert await found_in(cluster, Wanted(cluster.identity, cluster.names, claims)) == []
    assert await found_in(cluster, Wanted(cluster.identity)) == []
    for url in cluster.urls:
        assert await probe(read_address(url, setting="url")) == []
    await client.client.close()


async def test_a_server_that_is_down_is_found(cluster: HubBus) -> None:
    cluster.kill("hub-3")
    found = await found_in(cluster, Wanted(cluster.identity, cluster.names))
    assert [one.where for one in found] == ["server hub-3"]
    assert [one.said for one in await probe(read_address(cluster.urls[2], setting="url"))] == [
        "nothing answers there; start the server, or correct the address"
    ]


async def test_a_server_that_nobody_configured_is_found(cluster: HubBus) -> None:
    found = await found_in(cluster, Wanted(cluster.identity, ["hub-1", "hub-2"]))
    assert [one.where for one in found] == ["server hub-3"]
    assert "none that was configured" in found[0].said


async def test_an_account_that_a_server_does_not_have_is_found(cluster: HubBus, cluster_admitting: Admitting) -> None:
    agency = await cluster_admitting.admitted()
    missing = cluster.agency()
    claims = {one.token: one.claims for one in (agency, missing)} | {cluster.identity.hub: cluster.identity.hub_claims}
    found = await found_in(cluster, Wanted(cluster.identity, cluster.names, claims))
    assert {one.where for one in found} >= {"server hub-1", "server hub-2", "server hub-3"}
    assert all(missing.token in one.said for one in found if one.where.startswith("server"))


async def test_an_account_that_admission_does_not_know_is_found(hub_bus: HubBus, admitting: Admitting) -> None:
    agency = await admitting.admitted()
    found = await found_in(hub_bus, Wanted(hub_bus.identity, hub_bus.names, {}))
    assert ["does not know" in one.said and agency.token in one.said for one in found] == [True]


async def test_a_server_that_slept_through_an_expulsion_is_found(cluster: HubBus) -> None:
    async with Admitting.of(cluster) as admitting:
        agency = await admitting.admitted()
        for node in cluster.nodes:
            async with cluster.connected(agency.user, node):
                pass
        cluster.kill("hub-3")
    now = now_ms() + 1000
    gone = expelled_claims(agency.plan.account, cluster.operator_signer, issued_at=now, expires_at=now + 10**10)
    wanted = Wanted(
        cluster.identity, cluster.names, {agency.token: gone, cluster.identity.hub: cluster.identity.hub_claims}
    )
    await cluster.start("hub-3")
    async with asyncio.timeout(PATIENCE_S):
        # It takes clients before the other servers hear of it.
        found = await found_in(cluster, wanted)
        while any("does not answer" in one.said for one in found):
            found = await found_in(cluster, wanted)
    assert found
    assert all("older claims" in one.said for one in found)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("handshake_first: true", "handshake_first: false"), "it speaks before TLS"),
        (lambda text: text.replace('min_version: "1.3"', 'min_version: "1.2"', 1), "it takes TLS before 1.3"),
        (lambda text: text.replace("verify: true", "verify: false", 1), "without a certificate"),
    ],
    ids=["not-first", "tls-1.2", "no-certificate"],
)
async def test_what_a_server_lets_a_stranger_do_is_found_from_outside(
    change: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    bus = HubBus(tmp_path / "bus", websocket=True)
    path = bus.configurations[0]
    path.write_text(change(path.read_text()))
    try:
        await bus.start()
        found = await probe(read_address(bus.urls[0], setting="url"))
        assert [said in one.said for one in found] == [True]
        websocket = f"wss://127.0.0.1:{bus.nodes[0].websocket_port}"
        assert await probe(read_address(websocket, setting="url")) == []
    finally:
        bus.stop()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("verify: true", "verify: false", 1), "client certificates are not required"),
        (lambda text: text + 'jetstream { store_dir: "STORE" }\n', "JetStream is enabled"),
        (lambda text: text + 'http: "0.0.0.0:PORT"\n', "monitoring is open"),
    ],
    ids=["no-certificate", "jetstream", "monitoring"],
)
async def test_what_a_server_says_of_itself_is_found(change: Callable[[str], str], said: str, tmp_path: Path) -> None:
    bus = HubBus(tmp_path / "bus")
    path = bus.configurations[0]
    text = change(path.read_text()).replace("STORE", str(tmp_path / "js")).replace("PORT", str(free_port()))
    path.write_text(text)
    try:
        await bus.start()
        found = await found_in(bus, Wanted(bus.identity, bus.names))
        assert [said in one.said for one in found] == [True]
    finally:
        bus.stop()


async def test_another_hubs_servers_are_found(hub_bus: HubBus, tmp_path: Path) -> None:
    other = HubBus(tmp_path / "other")
    found = await found_in(hub_bus, Wanted(other.identity, hub_bus.names))
    assert any("another operator" in one.said for one in found)
    assert any("system account is not the hub's" in one.said for one in found)


async def test_claims_that_the_operator_signed_by_mistake_are_found(hub_bus: HubBus, admitting: Admitting) -> None:
    agency = await admitting.admitted()
    await admitting.resolver.push(agency.token, hub_bus.mistaken_claims(agency.plan))
    found = await found_in(hub_bus, Wanted(hub_bus.identity, hub_bus.names))
    assert ["import without its token position" in one.said for one in found] == [True]
