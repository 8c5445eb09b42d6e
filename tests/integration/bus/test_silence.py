"""A server that falls silent without a word is found by asking it, and left; one that lives is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from broker.node.bus.embedded import HOST, EmbeddedServer
from broker.node.bus.nats import NatsBus
from broker.node.bus.port import MAX_PAYLOAD_BYTES, BusAway
from tests.contract.bus.rig import QUICK, Ear
from tests.integration.bus.conftest import MakeBus
from tests.integration.bus.waiting import connected, hears, until
from tests.support.nats import free_port
from tests.support.proxy import FaultProxy

ALERT = replace(
    QUICK,
    ping_interval=timedelta(minutes=5),
    suspect_after=timedelta(milliseconds=50),
    life_within=timedelta(milliseconds=500),
)
"""Regular pings find nothing while a test lasts. A link of which a test asks nothing is not given up either."""
JUST = replace(ALERT, life_within=timedelta(seconds=2))
"""For links that live: a machine may be busy for two seconds."""
WITH_PINGS = replace(ALERT, ping_interval=timedelta(milliseconds=400), life_within=timedelta(seconds=1))
"""A link is not given up for the number of its regular pings."""


@pytest_asyncio.fixture
async def other(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """A second server."""
    server = EmbeddedServer(tmp_path / "other", free_port())
    await server.start()
    yield server
    await server.stop()


def server_of(bus: NatsBus) -> int:
    """The port that it is connected to."""
    link = bus._supervision.link
    assert link is not None
    return link.address.port


def doubt_of(bus: NatsBus) -> asyncio.Task[None] | None:
    """What waits for a sign of life, if it was ever asked for one."""
    link = bus._supervision.link
    assert link is not None
    assert link._client.pulse is not None
    return link._client.pulse._doubt


async def on(bus: NatsBus, port: int) -> None:
    """Have it use that one of its servers."""
    while server_of(bus) != port:
        await bus.renew(elsewhere=True)
    await until(lambda: bus._supervision._overlap is None)


async def test_a_suspected_server_that_gives_no_sign_of_life_is_left_for_the_next(
    proxy: FaultProxy, other: EmbeddedServer, make_bus: MakeBus
) -> None:
    bus = make_bus(proxy.url, other.url, timings=ALERT)
    owner, ear = await connected(bus)
    await on(bus, proxy.port)
    proxy.black_hole()
    await bus.publish("to.a", b"into the hole")
    await asyncio.sleep(2 * ALERT.suspect_after.total_seconds())
    bus.suspect()
    await owner.until("disconnected")
    await owner.until("connected")
    assert server_of(bus) == other.port
    await hears(bus, ear)


async def test_a_sign_of_life_that_comes_after_the_link_was_given_up_does_no_harm(
    proxy: FaultProxy, make_bus: MakeBus
) -> None:
    bus = make_bus(proxy.url, timings=ALERT)
    owner, ear = await connected(bus)
    proxy.black_hole()
    await bus.publish("to.b", b"nobody listens")
    await asyncio.sleep(2 * ALERT.suspect_after.total_seconds())
    bus.suspect()
    await owner.until("disconnected")
    proxy.heal()  # what was asked is answered now
    await owner.until("connected")
    await hears(bus, ear)
    assert owner.told == ["connected", "disconnected", "connected"]


async def test_suspicion_costs_a_link_nothing_on_which_something_was_received(
    proxy: FaultProxy, make_bus: MakeBus
) -> None:
    bus = make_bus(proxy.url, timings=ALERT)
    owner, ear = await connected(bus)
    await hears(bus, ear)
    await asyncio.sleep(2 * ALERT.suspect_after.total_seconds())
    for _ in range(3):
        bus.suspect()
    assert doubt_of(bus) is None
    assert owner.told == ["connected"]


async def test_a_suspected_server_that_lives_is_kept(proxy: FaultProxy, make_bus: MakeBus) -> None:
    sender = make_bus(proxy.url, timings=JUST)
    owner, _ = await connected(sender, "to.sender")
    _, ear = await connected(make_bus(proxy.url))
    for turn in range(3):
        await sender.publish("to.a", b"%d" % turn)  # heard by the other, of which the sender is told nothing
        assert await ear.next() == ("to.a", b"%d" % turn)
        await asyncio.sleep(2 * ALERT.suspect_after.total_seconds())
        sender.suspect()
    doubt = doubt_of(sender)
    assert doubt is not None
    await until(doubt.done)
    assert owner.told == ["connected"]


async def test_a_slow_line_that_still_takes_a_large_message_is_not_given_up(
    nats_server: EmbeddedServer, make_bus: MakeBus
) -> None:
    line = FaultProxy(nats_server.port)
    line.holds_bytes = 64 * 1024
    await line.start()
    try:
        bus = make_bus(line.url, timings=replace(ALERT, life_within=timedelta(seconds=1)))
        owner, _ = await connected(bus)
        _, ear = await connected(make_bus(nats_server.url, timings=ALERT), "to.b")
        line.latency_s = 0.06
        for _ in range(3):
            await bus.publish("to.b", bytes(MAX_PAYLOAD_BYTES))
        await asyncio.sleep(2 * ALERT.suspect_after.total_seconds())
        bus.suspect()
        for _ in range(3):
            await ear.next()
        assert owner.told == ["connected"]
    finally:
        await line.stop()


async def test_an_idle_link_is_given_up_soon_after_a_regular_ping_goes_unanswered(
    proxy: FaultProxy, make_bus: MakeBus
) -> None:
    bus = make_bus(proxy.url, timings=WITH_PINGS)
    owner, ear = await connected(bus)
    proxy.black_hole()
    await owner.until("disconnected")
    proxy.heal()
    await owner.until("connected")
    await hears(bus, ear)


async def test_an_idle_link_costs_no_more_than_its_regular_pings(proxy: FaultProxy, make_bus: MakeBus) -> None:
    bus = make_bus(proxy.url, timings=replace(WITH_PINGS, life_within=JUST.life_within))
    owner, _ = await connected(bus)
    link = bus._supervision.link
    assert link is not None
    carried, pongs = proxy.carried_bytes, link._client._pongs_received
    await until(lambda: link._client._pongs_received >= pongs + 4)
    answered = link._client._pongs_received - pongs
    # One more may be on its way, and the server sends one of its own, two seconds after a client came.
    assert proxy.carried_bytes - carried <= (answered + 2) * len(b"PING\r\nPONG\r\n")
    assert owner.told == ["connected"]


async def test_going_elsewhere_is_a_renewal_on_another_server_that_is_told(
    nats_server: EmbeddedServer, other: EmbeddedServer, make_bus: MakeBus
) -> None:
    bus = make_bus(nats_server.url, f"nats://{HOST}:{other.port}", timings=ALERT)
    owner, ear = await connected(bus)
    for _ in range(4):
        before = server_of(bus)
        await bus.renew(elsewhere=True)
        assert server_of(bus) != before
        await owner.until("connected")
        await hears(bus, ear)
    assert owner.told == ["connected"] * 5
    # A renewal of the usual kind is noticed by nobody, wherever it ends.
    await bus.renew()
    await hears(bus, ear)
    assert owner.told == ["connected"] * 5


async def test_somebody_with_one_server_goes_nowhere(nats_server: EmbeddedServer, make_bus: MakeBus) -> None:
    bus = make_bus(nats_server.url, timings=ALERT)
    owner, ear = await connected(bus)
    link = bus._supervision.link
    await bus.renew(elsewhere=True)
    assert bus._supervision.link is link
    await hears(bus, ear)
    assert owner.told == ["connected"]


async def test_when_no_other_server_is_to_be_had_the_one_that_there_is_stays(
    nats_server: EmbeddedServer, make_bus: MakeBus
) -> None:
    bus = make_bus(nats_server.url, f"nats://{HOST}:{free_port()}", timings=ALERT)
    owner, ear = await connected(bus)
    link, late = bus._supervision.link, Ear()
    for _ in range(2):
        with pytest.raises(BusAway):
            await bus.renew(elsewhere=True)
    assert bus._supervision.link is link
    await bus.subscribe("late", late.receive)
    await hears(bus, ear)
    assert owner.told == ["connected"]
