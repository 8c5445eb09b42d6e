"""The ways to a server: through a proxy, to the next of a cluster, and from one connection to another without a gap."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from broker.node.bus.access import PLAINTEXT, home_access
from broker.node.bus.address import read_address
from broker.node.bus.dialling import BusTimings
from broker.node.bus.nats import NatsBus
from broker.node.bus.reasons import Reason
from broker.node.bus.transport import WireTransport
from broker.node.bus.wire import lay
from schemas.messages.party import PartyKind
from tests.contract.bus.rig import PATIENCE_S, QUICK, Ear, Owner
from tests.integration.bus.secured import SecuredHub, token
from tests.integration.bus.waiting import connected, until, until_trouble
from tests.support.nats import free_port
from tests.support.proxy import ConnectProxy, FaultProxy
from tests.support.relay import HOST


@pytest_asyncio.fixture
async def hub(tmp_path: Path) -> AsyncIterator[SecuredHub]:
    made = SecuredHub(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[SecuredHub]:
    """Two servers."""
    made = SecuredHub(tmp_path, nodes=2)
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def through() -> AsyncIterator[ConnectProxy]:
    proxy = ConnectProxy()
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.mark.parametrize("scheme", ["tls", "wss"])
async def test_a_party_that_has_a_proxy_alone_connects_through_it_and_the_proxy_learns_nothing_but_the_place(
    hub: SecuredHub, through: ConnectProxy, scheme: str
) -> None:
    url, port = {
        "tls": (hub.urls[0], hub.nodes[0].port),
        "wss": (hub.websocket_url, hub.nodes[0].websocket_port),
    }[scheme]
    bus = hub.bus(PartyKind.DESK, url, proxy=through.url)
    _, ear = await connected(bus, "hub.desk")
    coordinator = hub.bus(PartyKind.COORDINATOR)
    await connected(coordinator, "hub.coordinator")
    await coordinator.publish("hub.desk", b"in secret")
    assert await ear.next() == ("hub.desk", b"in secret")
    assert through.carried.startswith(b"\x16\x03")
    assert not {word for word in (b"CONNECT {", b"eyJ", b"SUB ", b"GET ") if word in through.carried}
    assert through.asked == [f"CONNECT {HOST}:{port} HTTP/1.1".encode()]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy refuses to connect us there"),
        (b"HTTP/1.1 407 Who\r\n\r\n", "the proxy asks for credentials - it has to let us through without"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "the proxy does not reach the server"),
        (b"HTTP/1.1 200 OK\r\n\r\nINFO {}\r\n", "the proxy does not speak HTTP as we know it"),
        (b"INFO {}\r\n\r\n", "the proxy does not speak HTTP as we know it"),
        (b"x" * 20_000, "the proxy does not speak HTTP as we know it"),
    ],
)
async def test_a_proxy_that_does_not_connect_through_is_told_as_such(
    hub: SecuredHub, through: ConnectProxy, answer: bytes, words: str
) -> None:
    through.answer = answer
    bus = hub.bus(PartyKind.DESK, proxy=through.url)
    await bus.start(Owner())
    await until_trouble(bus, words)


async def test_a_proxy_that_is_not_there_is_told_and_never_gone_round(hub: SecuredHub) -> None:
    bus, owner = hub.bus(PartyKind.DESK, proxy=f"http://{HOST}:{free_port()}"), Owner()
    await bus.start(owner)
    await until_trouble(bus, "the proxy is not there")
    assert owner.told == []


async def test_while_a_connection_is_renewed_again_and_again_nothing_is_lost_and_nothing_comes_twice(
    hub: SecuredHub,
) -> None:
    desk, coordinator = (hub.bus(kind) for kind in (PartyKind.DESK, PartyKind.COORDINATOR))
    owner, ear = await connected(desk, "hub.desk")
    await connected(coordinator, "hub.coordinator")
    sent = 0

    async def send() -> None:
        nonlocal sent
        while True:
            await coordinator.publish("hub.desk", b"%d" % (sent // 2))  # each twice: those are not echoes
            sent += 1
            await asyncio.sleep(0)

    sending = asyncio.create_task(send())
    for bus in (desk, coordinator) * 5:
        await bus.renew()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    heard = [int((await ear.next())[1]) for _ in range(sent)]
    assert sorted(heard) == [number // 2 for number in range(sent)]
    await asyncio.sleep(0.1)
    assert len(ear.heard) == sent
    assert owner.told == ["connected"]


async def test_a_message_published_right_before_a_renewal_is_sent(hub: SecuredHub) -> None:
    desk, coordinator = hub.bus(PartyKind.DESK), hub.bus(PartyKind.COORDINATOR)
    _, ear = await connected(desk, "hub.desk")
    await connected(coordinator, "hub.coordinator")
    for number in range(10):
        await coordinator.publish("hub.desk", b"%d" % number)
        await coordinator.renew()
    assert sorted([(await ear.next())[1] for _ in range(10)]) == [b"%d" % number for number in range(10)]


async def test_a_server_that_announces_its_end_is_left_for_another_without_a_gap(cluster: SecuredHub) -> None:
    north = cluster.agency("north")
    for server, folder in zip(cluster.servers, cluster.folders, strict=True):
        configuration = cluster.configuration(folder) + '\nlame_duck_duration: "30s"\nlame_duck_grace_period: "5s"\n'
        server._given = configuration
    await cluster.start()
    agent, coordinator = cluster.bus(north), cluster.bus(PartyKind.COORDINATOR, cluster.urls[1])
    owner, ear = await connected(agent, f"to.{token(north)}.>")
    await connected(coordinator, "hub.coordinator")
    link = agent._supervision.link
    assert link is not None
    if link.address.port != cluster.nodes[0].port:
        # Either may have been the first; the one that goes is the one that the coordinator does not use.
        await agent.renew()
        link = agent._supervision.link
        assert link is not None
    assert link.address.port == cluster.nodes[0].port
    pid = cluster.servers[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGUSR2)
    sent = 0
    while (moved := agent._supervision.link) is link or moved is None:
        await coordinator.publish(f"to.{token(north)}.in", b"%d" % sent)
        sent += 1
        await asyncio.sleep(0.005)
    assert moved.address.port == cluster.nodes[1].port
    heard = [int((await ear.next())[1]) for _ in range(sent)]
    assert sorted(heard) == list(range(sent))
    assert owner.told == ["connected"]
    os.kill(pid, signal.SIGKILL)


async def test_when_a_server_of_a_cluster_dies_the_next_is_used(cluster: SecuredHub) -> None:
    await cluster.start()
    bus = cluster.bus(PartyKind.DESK)
    owner, _ = await connected(bus, "hub.desk")
    for _ in range(2):
        link = bus._supervision.link
        assert link is not None
        [used] = [server for server in cluster.servers if server.port == link.address.port]
        await used.stop()
        await owner.until("disconnected")
        await owner.until("connected")
        await used.start()


async def test_a_link_that_a_firewall_forgets_when_it_is_idle_is_kept_alive(hub: SecuredHub) -> None:
    # A firewall that drops what has said nothing for three seconds: pings of a fifteenth of that keep the link.
    firewall = FaultProxy(hub.nodes[0].port)
    firewall.forgets_after_s = 3.0
    await firewall.start()
    bus = hub.bus(PartyKind.DESK, f"tls://{HOST}:{firewall.port}")
    owner, _ = await connected(bus, "hub.desk")
    await asyncio.sleep(4)
    await bus.publish("hub.coordinator", b"")
    await owner.until("unheard hub.coordinator")
    assert "disconnected" not in owner.told
    await bus.close()
    await firewall.stop()


async def test_the_kernel_asks_after_the_server_as_soon_as_pings_through_a_proxy_would(
    hub: SecuredHub, through: ConnectProxy
) -> None:
    patient, relayed = BusTimings().ping_interval, BusTimings().ping_interval_relayed
    timings = replace(QUICK, ping_interval=patient, ping_interval_relayed=relayed)
    urls = [(None, hub.urls[0], patient), (None, hub.websocket_url, relayed), (through.url, hub.urls[0], relayed)]
    for proxy, url, interval in urls:
        bus = hub.bus(PartyKind.DESK, url, proxy=proxy, timings=timings)
        await connected(bus, "hub.desk")
        link = bus._supervision.link
        assert link is not None
        assert link._client.options["ping_interval"] == interval.total_seconds()
        assert isinstance(link._transport, WireTransport)
        felt = link._transport._wire.writer.transport.get_extra_info("socket")
        idle_s, every_s, times = (
            felt.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        assert felt.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert idle_s + every_s * times <= relayed.total_seconds()
        await bus.close()


async def test_a_dead_link_that_was_closed_twice_can_still_be_cut(hub: SecuredHub) -> None:
    line = FaultProxy(hub.nodes[0].port)
    await line.start()
    home = hub.homes[PartyKind.DESK]
    tls = home_access(home, home.keys_to_read())().tls()
    wire = await lay(read_address(f"tls://{HOST}:{line.port}", setting="bus.urls"), tls=tls, proxy=None)
    transport = WireTransport(wire, is_encrypted=True)
    line.black_hole()
    transport.close()
    transport.close()
    transport.abort()
    async with asyncio.timeout(PATIENCE_S):
        await transport.wait_closed()
    assert transport.taken_bytes == transport.written_bytes
    await line.stop()


async def test_programs_with_one_list_of_servers_begin_with_different_ones() -> None:
    urls = [f"nats://{HOST}:{port}" for port in range(4001, 4009)]
    first = {NatsBus(urls, name="agent", access=PLAINTEXT)._supervision._addresses[0].port for _ in range(200)}
    assert len(first) == len(urls)


async def test_after_an_outage_not_all_come_at_once(hub: SecuredHub) -> None:
    # How long each means to wait, not when it comes: a machine that is busy lets all that were due go at once.
    timings = replace(QUICK, first_wait=timedelta(milliseconds=500), longest_wait=timedelta(seconds=2))
    buses = [hub.bus(PartyKind.COORDINATOR, timings=timings) for _ in range(8)]
    owners, waits = [(await connected(bus, "hub.coordinator"))[0] for bus in buses], list[float]()
    for bus in buses:
        _note_first_wait(bus, waits)
    await hub.servers[0].stop()
    for owner in owners:
        await owner.until("disconnected")
    await hub.servers[0].start()
    for owner in owners:
        await owner.until("connected")
    # Eight draws from half a second lie closer together than this once in a million times.
    assert len(waits) == len(buses)
    assert max(waits) - min(waits) > 0.05


def _note_first_wait(bus: NatsBus, waits: list[float]) -> None:
    """Write down the next wait that a bus draws."""
    supervision = bus._supervision
    draw = supervision._wait_s

    def noted(failed: int, reason: Reason | None) -> float:
        supervision._wait_s = draw  # type: ignore[method-assign]
        waits.append(draw(failed, reason))
        return waits[-1]

    supervision._wait_s = noted  # type: ignore[method-assign]


async def test_a_subscription_made_during_a_renewal_hears_on_the_new_connection(hub: SecuredHub) -> None:
    desk, coordinator = hub.bus(PartyKind.DESK), hub.bus(PartyKind.COORDINATOR)
    await connected(desk, "hub.desk")
    await connected(coordinator, "hub.coordinator")
    ear = Ear()
    await asyncio.gather(desk.renew(), desk.subscribe("from.*.desk", ear.receive), desk.renew())
    await until(lambda: desk._supervision._overlap is None)
    assert len(desk._supervision._links) == 1
    link = desk._supervision.link
    assert link is not None
    assert len(link._client.hear) == 3  # both subjects and the inbox
