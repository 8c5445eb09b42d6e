"""An agency's own server as a leaf node of the hub's bus."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.enrolment.configuration.leaf import Leaf, leaf_configuration
from broker.enrolment.tls.authority import read_request
from broker.node.bus.embedded import HOST, find_server
from broker.node.bus.leaf import leaf_credentials
from broker.node.tls_key import certificate_request, generate_tls_key, load_tls_key
from schemas.messages.party import PartyKind
from tests.support.admitting import Admitting
from tests.support.hub_bus import PATIENCE_S, AgencyOnBus, BareClient, HubBus, connect, now_ms
from tests.support.nats import free_port


@pytest.fixture
async def leaf_cluster(tmp_path: Path) -> AsyncIterator[HubBus]:
    """Two servers that take leaf nodes."""
    bus = HubBus(tmp_path / "bus", nodes=2, leafnodes=True)
    try:
        await bus.start()
        yield bus
    finally:
        bus.stop()


def _certificate(bus: HubBus, folder: Path, name: str, *, is_server: bool) -> None:
    key = generate_tls_key()
    request = read_request(certificate_request(key))
    now = now_ms()
    made = (
        bus.authority.issue_server(request, [HOST], now=now)
        if is_server
        else bus.authority.issue_client(request, PartyKind.AGENT, now=now)
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    private = load_tls_key(key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.key").write_bytes(private)


@contextmanager
def running_leaf(bus: HubBus, agency: AgencyOnBus, folder: Path) -> Iterator[str]:
    """The agency's server; gives its URL."""
    folder.mkdir()
    _certificate(bus, folder, "server", is_server=True)
    _certificate(bus, folder, "client", is_server=False)
    (folder / "ca.pem").write_bytes(bus.authority.pem)
    (folder / "account.conf").write_text(f"{agency.token}: {agency.claims}\n")
    (folder / "leaf.creds").write_text(leaf_credentials(agency.token, agency.user.signer, now=now_ms()))
    port = free_port()
    remotes = [f"{HOST}:{node.leaf_port}" for node in bus.nodes]
    leaf = Leaf(f"{HOST}:{port}", remotes, agency.token, folder)
    (folder / "leaf.conf").write_text(leaf_configuration(leaf, bus.identity))
    with (folder / "leaf.log").open("wb") as log:
        process = subprocess.Popen([find_server(), "--config", folder / "leaf.conf"], stdout=log, stderr=log)
    try:
        yield f"tls://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait()


async def _connected_to(url: str, agency: AgencyOnBus) -> BareClient:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(OSError):
                return await connect(agency.user, url)
            await asyncio.sleep(0.02)


async def _say_until_heard(speaker: BareClient, subject: str, hearer: BareClient) -> None:
    hearer.heard.clear()
    async with asyncio.timeout(PATIENCE_S):
        while not hearer.heard:  # the server behind its own needs a moment to know the subscription
            await speaker.client.publish(subject, b"x")
            await speaker.settle()
            await asyncio.sleep(0.02)
    assert set(hearer.heard) == {(subject, b"x")}


async def test_an_agent_speaks_to_the_hub_through_its_agencys_own_server(leaf_cluster: HubBus, tmp_path: Path) -> None:
    async with Admitting.of(leaf_cluster) as admitting:
        agency, other = await admitting.admitted(may_run_leaf=True), await admitting.admitted()
        desk_user, node = leaf_cluster.users[PartyKind.DESK], leaf_cluster.nodes[1]
        with running_leaf(leaf_cluster, agency, tmp_path / "leaf") as url:
            async with leaf_cluster.connected(desk_user, node) as desk:
                agent = await _connected_to(url, agency)
                await agent.listen(f"to.{agency.token}.>")
                await desk.listen("from.*.desk")
                await _say_until_heard(agent, f"from.{agency.token}.desk", desk)
                await _say_until_heard(desk, f"to.{agency.token}.desk", agent)
                with pytest.raises(Exception, match="Authorization Violation"):
                    await connect(other.user, url)
                await admitting.suspend(agency)
                agent.heard.clear()
                await desk.client.publish(f"to.{agency.token}.desk", b"after the suspension")
                await desk.settle()
                await agent.settle()
                assert not agent.heard
                await agent.client.close()


async def test_an_agency_whose_claims_allow_no_leaf_node_gets_none(leaf_cluster: HubBus, tmp_path: Path) -> None:
    async with Admitting.of(leaf_cluster) as admitting:
        agency = await admitting.admitted()
        with running_leaf(leaf_cluster, agency, tmp_path / "leaf") as url:
            agent = await _connected_to(url, agency)
            log = tmp_path / "leaf" / "leaf.log"
            async with asyncio.timeout(PATIENCE_S):
                while "authorization violation" not in log.read_text().lower():  # noqa: ASYNC110 - it says so nowhere else
                    await asyncio.sleep(0.05)
            await agent.client.close()
