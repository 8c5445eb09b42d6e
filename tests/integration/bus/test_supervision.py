"""Each trap of nats-py that can end a connection, or leave a dead one standing, is survived."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg
from structlog.testing import capture_logs

from broker.node.bus.embedded import EmbeddedServer
from broker.node.bus.nats import NatsBus
from broker.node.bus.port import MAX_PAYLOAD_BYTES, BusAway
from tests.contract.bus.rig import PATIENCE_S, QUICK, WATCHFUL, Ear, Owner
from tests.integration.bus.conftest import MakeBus
from tests.integration.bus.waiting import connected, hears, until_trouble
from tests.support.nats import free_port, swap_for_empty
from tests.support.proxy import FaultProxy


async def _publish_for_ever(bus: NatsBus) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await bus.publish("to.a", bytes(MAX_PAYLOAD_BYTES))


async def test_a_server_that_stops_is_reported_and_one_that_returns_is_used(
    nats_server: EmbeddedServer, make_bus: MakeBus
) -> None:
    bus = make_bus(nats_server.url)
    owner, ear = await connected(bus)
    await nats_server.stop()
    await owner.until("disconnected")
    await until_trouble(bus, "nothing listens on that port")
    await nats_server.start()
    await owner.until("connected")
    await hears(bus, ear)
    assert bus.trouble is None


async def test_a_server_killed_outright_is_noticed_and_replaced(nats_server: EmbeddedServer, make_bus: MakeBus) -> None:
    bus = make_bus(nats_server.url)
    owner, ear = await connected(bus)
    assert nats_server.pid is not None
    os.kill(nats_server.pid, signal.SIGKILL)
    await owner.until("disconnected")
    await nats_server.stop()
    await nats_server.start()
    await owner.until("connected")
    await hears(bus, ear)


async def test_a_server_swapped_for_an_empty_one_is_taught_every_subscription(
    nats_server: EmbeddedServer, make_bus: MakeBus, tmp_path: Path
) -> None:
    bus = make_bus(nats_server.url)
    owner, ear = await connected(bus)
    successor = await swap_for_empty(nats_server, tmp_path / "successor")
    try:
        await owner.until("disconnected")
        await owner.until("connected")
        await hears(bus, ear)
    finally:
        await successor.stop()


async def test_a_bus_started_before_its_server_says_so_once_and_connects_when_it_comes(
    make_bus: MakeBus, tmp_path: Path
) -> None:
    server = EmbeddedServer(tmp_path, free_port())
    bus, owner, ear = make_bus(server.url), Owner(), Ear()
    await bus.subscribe("to.a", ear.receive)
    with capture_logs() as lines:
        await bus.start(owner)
        await until_trouble(bus, "nothing listens on that port")
        await asyncio.sleep(0.3)  # several attempts
    assert [line["event"] for line in lines] == ["bus_away"]
    with pytest.raises(BusAway):
        await bus.publish("to.a", b"")
    assert owner.told == []
    await server.start()
    try:
        await owner.until("connected")
        await hears(bus, ear)
    finally:
        await server.stop()


async def test_of_several_servers_the_one_that_answers_is_used(nats_server: EmbeddedServer, make_bus: MakeBus) -> None:
    bus = make_bus(f"nats://127.0.0.1:{free_port()}", nats_server.url)
    _, ear = await connected(bus)
    await hears(bus, ear)


async def test_a_cut_connection_is_made_again(proxy: FaultProxy, make_bus: MakeBus) -> None:
    bus = make_bus(proxy.url)
    owner, ear = await connected(bus)
    await proxy.cut()
    await owner.until("disconnected")
    await owner.until("connected")
    await hears(bus, ear)


async def test_a_half_open_link_with_a_backlog_raises_to_publishers_and_is_still_noticed(
    proxy: FaultProxy, make_bus: MakeBus
) -> None:
    # With bytes unwritten, nats-py waits in its own closing for the dead link to take them, and never calls back.
    bus = make_bus(proxy.url, timings=replace(WATCHFUL, ping_interval=timedelta(milliseconds=400)))
    owner, ear = await connected(bus)
    proxy.black_hole()
    with pytest.raises(BusAway):
        await _publish_for_ever(bus)
    await owner.until("disconnected")
    proxy.heal()
    await owner.until("connected")
    await bus.publish("to.a", b"after")
    async with asyncio.timeout(PATIENCE_S):
        while (await ear.next()) != ("to.a", b"after"):
            pass


async def test_a_frozen_server_is_noticed_and_used_again_when_it_thaws(
    nats_server: EmbeddedServer, make_bus: MakeBus
) -> None:
    bus = make_bus(nats_server.url, timings=replace(WATCHFUL, connect_within=timedelta(seconds=1)))
    owner, ear = await connected(bus)
    assert nats_server.pid is not None
    os.kill(nats_server.pid, signal.SIGSTOP)
    await owner.until("disconnected")
    await until_trouble(bus, "the server did not answer in time")
    os.kill(nats_server.pid, signal.SIGCONT)
    await owner.until("connected")
    await hears(bus, ear)


async def test_a_slow_link_is_used_not_given_up(proxy: FaultProxy, make_bus: MakeBus) -> None:
    proxy.latency_s = 0.05
    bus = make_bus(proxy.url, timings=replace(WATCHFUL, life_within=timedelta(seconds=3), pings_unanswered=15))
    owner, ear = await connected(bus)
    await hears(bus, ear)
    await asyncio.sleep(4 * WATCHFUL.ping_interval.total_seconds())
    assert owner.told == ["connected"]


async def test_a_read_loop_that_died_while_the_client_says_connected_is_noticed(
    proxy: FaultProxy, make_bus: MakeBus
) -> None:
    bus = make_bus(proxy.url, timings=replace(QUICK, ping_interval=timedelta(minutes=1)))
    owner, ear = await connected(bus)
    proxy.say_to_clients(b"-ERR \r\n")  # nats-py 2.16 trips over an error without words
    await owner.until("disconnected")
    await owner.until("connected")
    await hears(bus, ear)


async def test_a_server_that_says_why_and_is_gone_before_it_is_asked_anything_has_been_heard(make_bus: MakeBus) -> None:
    # As a busy machine sees it: all that the server says is there at once, and what is written next breaks.
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","max_payload":2097152,"proto":1}\r\n')
        writer.write(b"-ERR 'maximum connections exceeded'\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        bus = make_bus(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await bus.start(Owner())
        await until_trouble(bus, "the server is full")
        await bus.close()


async def test_a_full_server_is_tried_until_it_has_room(make_bus: MakeBus, tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, settings=["max_connections: 1"])
    await server.start()
    try:
        first = make_bus(server.url, name="first")
        await connected(first)
        second, owner, ear = make_bus(server.url, name="second"), Owner(), Ear()
        await second.subscribe("to.a", ear.receive)
        await second.start(owner)
        await until_trouble(second, "the server is full")
        await first.close()
        await owner.until("connected")
        await hears(second, ear)
    finally:
        await server.stop()


async def test_a_server_that_refuses_us_is_tried_until_it_admits_us(
    nats_server: EmbeddedServer, make_bus: MakeBus, tmp_path: Path
) -> None:
    strict = await swap_for_empty(nats_server, tmp_path / "strict", "authorization { token: another }")
    bus, owner, ear = make_bus(strict.url), Owner(), Ear()
    try:
        await bus.subscribe("to.a", ear.receive)
        await bus.start(owner)
        await until_trouble(bus, "the server does not admit us - our account or key is unknown there")
        assert owner.told == []
    finally:
        await strict.stop()
    await nats_server.start()
    await owner.until("connected")
    await hears(bus, ear)


async def test_a_listeners_answer_to_our_reply_inbox_is_not_taken_for_unheard(
    nats_server: EmbeddedServer, make_bus: MakeBus
) -> None:
    bus = make_bus(nats_server.url)
    owner, _ = await connected(bus)
    meddler = await nats.connect(nats_server.url, connect_timeout=60)

    async def answer(message: Msg) -> None:
        await meddler.publish(message.reply, b"503")
        await meddler.publish(message.reply, b"", headers={"Status": "200"})

    await meddler.subscribe("to.b", cb=answer)
    await meddler.flush()
    await bus.publish("to.b", b"")
    await meddler.flush()
    await bus.publish("to.c", b"")
    await owner.until("unheard to.c")
    assert owner.told == ["connected", "unheard to.c"]
    await meddler.close()


async def test_a_server_whose_limit_is_under_a_message_is_refused(make_bus: MakeBus, tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, settings=["max_payload: 1000"])
    await server.start()
    try:
        bus = make_bus(server.url)
        await bus.start(Owner())
        await until_trouble(bus, "the server takes smaller messages than ours")
    finally:
        await server.stop()


async def test_a_publisher_that_never_waits_does_not_lose_messages_to_itself(
    nats_server: EmbeddedServer, make_bus: MakeBus
) -> None:
    bus = make_bus(nats_server.url)
    owner, ear = await connected(bus)
    for _ in range(4000):
        await bus.publish("to.a", bytes(16_384))
    for _ in range(4000):
        await ear.next()
    assert owner.told == ["connected"]


async def test_closing_at_the_very_moment_the_connection_ends_does_not_hang(
    proxy: FaultProxy, make_bus: MakeBus
) -> None:
    for turns in range(20):
        bus = make_bus(proxy.url)
        await connected(bus)
        await proxy.cut()
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            await bus.close()


async def test_closing_while_the_server_is_gone_or_the_link_is_dead_does_not_hang(
    proxy: FaultProxy, make_bus: MakeBus
) -> None:
    bus = make_bus(proxy.url)
    await connected(bus)
    proxy.black_hole()
    for _ in range(30):
        await bus.publish("to.a", bytes(MAX_PAYLOAD_BYTES // 4))
    async with asyncio.timeout(PATIENCE_S):
        await bus.close()
