"""The traps of nats-py 2.16 that were reproduced, a test each, by their numbers: what each would do to us, it does not.

Two of the fifteen are JetStream's, which we do not use: T6 (a fetch across a restart) and T8 (draining a pull).
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from broker.enrolment.tls.authority import Authority
from broker.node.bus.access import PLAINTEXT
from broker.node.bus.embedded import HOST, EmbeddedServer
from broker.node.bus.listener import QueueLimits
from broker.node.bus.nats import NatsBus
from broker.node.bus.port import BusAway
from schemas.messages.party import PartyKind
from tests.contract.bus.rig import PATIENCE_S, QUICK, Ear, Owner
from tests.integration.bus.conftest import MakeBus
from tests.integration.bus.secured import SecuredHub, now_ms, token
from tests.integration.bus.waiting import connected, hears, until, until_trouble
from tests.support.proxy import FaultProxy


@pytest_asyncio.fixture
async def hub(tmp_path: Path) -> AsyncIterator[SecuredHub]:
    """Two servers, not started yet."""
    made = SecuredHub(tmp_path, nodes=2)
    yield made
    await made.stop()


async def test_t00_a_server_that_pings_before_it_admits_is_not_taken_for_connected(
    proxy: FaultProxy, make_bus: MakeBus
) -> None:
    proxy.greeting_suffix = b"PING\r\n"
    bus, owner, ear = make_bus(proxy.url), Owner(), Ear()
    await bus.subscribe("to.a", ear.receive)
    await bus.start(owner)
    await until_trouble(bus, "the server was too slow to admit us")
    assert owner.told == []
    proxy.greeting_suffix = b""
    await owner.until("connected")
    await hears(bus, ear)


async def test_t01_pongs_that_come_after_the_link_was_given_up_do_not_stop_reception(
    proxy: FaultProxy, make_bus: MakeBus
) -> None:
    bus = make_bus(proxy.url, timings=replace(QUICK, connect_within=timedelta(seconds=1)))
    owner, ear = await connected(bus)
    proxy.black_hole()
    late = Ear()
    await bus.subscribe("late", late.receive)  # its PONG is late by more than it is waited for
    proxy.heal()
    await owner.until("disconnected")
    await owner.until("connected")
    await bus.publish("late", b"")
    assert await late.next() == ("late", b"")
    await hears(bus, ear)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"-ERR 'Maximum Connections Exceeded'\r\n", "the server is full"),
        (b"-ERR 'User Authentication Expired'\r\n", "our JWT was at its end"),
        (b"-ERR 'Authorization Violation'\r\n", "the server does not admit us - our account or key is unknown there"),
        (b"-ERR 'Stale Connection'\r\n", "the link went dead"),
        (b"-ERR 'what nobody expected of alice'\r\n", "the server does not speak NATS as we know it"),
        (b"not a word of NATS\r\n", "the server does not speak NATS as we know it"),
    ],
)
async def test_t02_a_client_that_an_error_closed_for_good_is_rebuilt(
    proxy: FaultProxy, make_bus: MakeBus, said: bytes, reason: str
) -> None:
    bus = make_bus(proxy.url)
    owner, ear = await connected(bus)
    with capture_logs() as lines:
        proxy.say_to_clients(said)
        await owner.until("disconnected")
        await owner.until("connected")
    assert lines[0]["reason"] == reason
    await hears(bus, ear)


async def test_t03_credentials_that_a_cluster_refuses_do_not_make_a_storm_of_attempts(hub: SecuredHub) -> None:
    # nats-py fills its list of servers up from what they tell it, and made 251 attempts in six seconds.
    north = hub.agency("north")
    for folder in hub.folders:
        (folder / "accounts" / f"{token(north)}.jwt").unlink()
    await hub.start()
    bus = hub.bus(north, timings=replace(QUICK, longest_wait_refused=timedelta(minutes=1)))
    await bus.start(Owner())
    await until_trouble(bus, "the server does not admit us - our account or key is unknown there")
    await asyncio.sleep(2)
    refused = sum(server.log_path.read_text().count("authentication error") for server in hub.servers)
    assert 1 <= refused <= 20
    assert not bus._supervision.link


async def test_t04_nothing_of_a_strangers_headers_comes_in_or_goes_back(
    nats_server: EmbeddedServer, make_bus: MakeBus
) -> None:
    bus = make_bus(nats_server.url)
    owner, ear = await connected(bus)
    stranger = await nats.connect(nats_server.url, connect_timeout=60)
    answers = await stranger.subscribe("stranger.inbox")
    await stranger.publish("to.a", b"body", reply="stranger.inbox", headers={"Nats-Msg-Id": "1", "Secret": "alice"})
    assert await ear.next() == ("to.a", b"body")
    await hears(bus, ear)
    await stranger.flush()
    assert answers.pending_msgs == 0
    assert owner.told == ["connected"]
    await stranger.close()


async def test_t05_what_a_slow_listener_loses_is_told_each_time(nats_server: EmbeddedServer) -> None:
    owner, ear = Owner(), Ear()
    ear.may_go.clear()
    limits = QueueLimits(receiving=1, waiting_messages=100)
    bus = NatsBus(nats_server.url, name="slow", access=PLAINTEXT, timings=QUICK, limits=limits)
    await bus.subscribe("to.a", ear.receive)
    await bus.start(owner)
    await owner.until("connected")
    for _ in range(2000):
        await bus.publish("to.a", b"")
    await until(lambda: owner.told.count("dropped to.a") == 1899)
    assert bus.counts.dropped == 1899
    ear.may_go.set()
    for _ in range(101):
        await ear.next()
    await bus.close()


async def test_t07_what_is_published_while_disconnected_raises_and_is_never_sent_later(
    nats_server: EmbeddedServer, make_bus: MakeBus
) -> None:
    bus = make_bus(nats_server.url)
    owner, ear = await connected(bus)
    await nats_server.stop()
    refused = 0
    while "disconnected" not in owner.told or refused < 10:
        try:
            await bus.publish("to.a", b"while away")
        except BusAway:
            refused += 1
        await asyncio.sleep(0)
    await nats_server.start()
    await owner.until("connected")
    await hears(bus, ear)
    assert len(ear.heard) == 1


async def test_t09_connections_that_come_and_go_leave_nothing_behind(hub: SecuredHub) -> None:
    await hub.start()
    bus = hub.bus(PartyKind.DESK)
    owner, _ = await connected(bus, "hub.desk")

    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())

    before = held()
    for turn in range(15):
        if turn % 3:
            await bus.renew()
        else:
            link = bus._supervision.link
            assert link is not None
            await link.dismantle()
            await owner.until("disconnected")
            await owner.until("connected")
        for _ in range(200):
            await bus.publish("hub.coordinator", b"nobody hears this")
    await until(lambda: len(bus._supervision._links) == 1)
    await until(lambda: held() <= before)


async def test_t10_a_subscription_that_is_not_permitted_is_told_and_no_timeout(
    make_bus: MakeBus, tmp_path: Path
) -> None:
    permissions = 'authorization { users: [{user: u, password: p, permissions: {subscribe: {deny: ["to.a"]}}}] }'
    server = EmbeddedServer(tmp_path, settings=[permissions, "no_auth_user: u"])
    await server.start()
    try:
        bus, owner, ear = make_bus(server.url), Owner(), Ear()
        await bus.subscribe("to.a", ear.receive)
        await bus.start(owner)
        await until_trouble(bus, "a subscription is not permitted to us")
        assert owner.told == []
    finally:
        await server.stop()


async def test_t11_a_server_that_is_not_trusted_is_an_error_and_never_a_hang(hub: SecuredHub) -> None:
    north = hub.agency("north")
    (north.path / "bus" / "ca.pem").write_bytes(Authority.create([HOST], now=now_ms()).pem)
    await hub.start()
    bus = hub.bus(north)
    async with asyncio.timeout(PATIENCE_S):
        await bus.start(Owner())
        await until_trouble(bus, "the certificate of the server is not from an authority that we trust")
        await bus.close()


async def test_t12_a_half_open_link_is_noticed_within_a_few_pings(proxy: FaultProxy, make_bus: MakeBus) -> None:
    bus = make_bus(proxy.url, timings=replace(QUICK, pings_unanswered=2))
    owner, ear = await connected(bus)
    link = bus._supervision.link
    assert link is not None
    proxy.black_hole()
    await owner.until("disconnected")
    assert 2 <= link._client._pings_outstanding <= 3
    proxy.heal()
    await owner.until("connected")
    await hears(bus, ear)


async def test_t13_attempts_never_end_and_come_after_waits_of_chance(make_bus: MakeBus) -> None:
    loop = asyncio.get_running_loop()
    knocked_at: list[float] = []

    async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocked_at.append(loop.time())
        writer.close()

    async with await asyncio.start_server(turn_away, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        timings = replace(QUICK, first_wait=timedelta(milliseconds=5), longest_wait=timedelta(milliseconds=20))
        bus = make_bus(f"nats://{HOST}:{port}", timings=timings)
        await bus.start(Owner())
        await until(lambda: len(knocked_at) > 70)  # nats-py gives up after sixty
        await bus.close()
    waits = [later - earlier for earlier, later in itertools.pairwise(knocked_at)]
    assert len({round(wait, 3) for wait in waits}) > 5


async def test_t14_a_server_that_speaks_plaintext_is_sent_a_handshake_and_not_one_word(hub: SecuredHub) -> None:
    said: list[bytes] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.15.1","max_payload":2000000,"headers":true}\r\n')
        said.append(await reader.read(65_536))
        writer.close()

    async with await asyncio.start_server(greet, HOST, 0) as server:
        bus = hub.bus(PartyKind.DESK, f"tls://{HOST}:{server.sockets[0].getsockname()[1]}")
        await bus.start(Owner())
        await until_trouble(bus, "the server does not begin with TLS")
        await until(lambda: bool(said))
        await bus.close()
    assert all(data[:3] == b"\x16\x03\x01" for data in said if data)
    assert b"CONNECT" not in b"".join(said)
