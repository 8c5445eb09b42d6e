"""Keys of a cluster's servers and of their operator replaced one server after the other, with an agency connected."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from broker.enrolment.claims.operator import Operator, operator_claims
from broker.enrolment.configuration.files import write_servers
from broker.enrolment.configuration.server import BusIdentity
from schemas.crypto import nkey
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from tests.support.admitting import Admitting
from tests.support.hub_bus import PATIENCE_S, HubBus, now_ms


def install(bus: HubBus, identity: BusIdentity, *new_keys: str) -> None:
    """Write every server's files; none has read them."""
    write_servers(bus.folder, bus.nodes, identity, bus.authority, bus.authority.pem, now=now_ms(), new_keys=new_keys)


def _has_reloaded(bus: HubBus, name: str) -> bool:
    return "Reloaded server configuration" in bus.log(name)


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not look():  # noqa: ASYNC110 - servers tell of themselves only when they are asked
            await asyncio.sleep(0.05)


async def test_a_clusters_servers_take_a_server_by_its_new_key_before_and_after_it_has_it(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    agency, side = await cluster_admitting.admitted(), cluster_admitting
    before = (cluster.folder / "hub-3" / "server.key").read_bytes()
    async with cluster.connected(agency.user, cluster.nodes[0]) as client:
        install(cluster, cluster.identity, "hub-3")
        assert (cluster.folder / "hub-3" / "server.key").read_bytes() != before
        for name in ("hub-1", "hub-2", "hub-3"):
            cluster.processes[name].send_signal(signal.SIGHUP)
            await until(partial(_has_reloaded, cluster, name))
        cluster.kill("hub-3")
        await cluster.start("hub-3")
        await until(lambda: side.resolver.servers == cluster.names and not side.resolver.stale)
        assert client.client.is_connected
    install(cluster, cluster.identity)
    pins = [line for line in cluster.configurations[0].read_text().splitlines() if "pinned_certs" in line]
    assert [line.count('"') for line in pins] == [6]


async def test_an_agency_is_let_in_by_some_server_at_every_moment_of_a_signing_keys_rotation(
    cluster: HubBus, cluster_admitting: Admitting
) -> None:
    side, agency = cluster_admitting, await cluster_admitting.admitted()
    coming = SigningKey.generate(KeyPurpose.BUS_OPERATOR_SIGNER)
    system = nkey.read(KeyPurpose.BUS_SYSTEM, cluster.identity.system)
    signers = [cluster.operator_signer.public, coming.public]
    names = Operator(cluster.operator.public, signers[0], system, cluster.system_signer.public, signers[1:])
    install(cluster, replace(cluster.identity, operator=operator_claims(names, cluster.operator, issued_at=now_ms())))
    for number, node in enumerate(cluster.nodes):
        cluster.kill(node.name)
        other = cluster.nodes[(number + 1) % len(cluster.nodes)]
        async with cluster.connected(agency.user, other) as client:
            await cluster.start(node.name)
            await until(lambda: side.resolver.servers == cluster.names and not side.resolver.stale)
            assert client.client.is_connected
    wanted = {nkey.of(key) for key in signers}
    assert {name: set(trusted) for name, (_, trusted) in (await side.resolver.operators()).items()} == dict.fromkeys(
        cluster.names, wanted
    )
