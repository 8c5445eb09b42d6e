"""What lies between an agency and the cluster: firewalls that forget idle links, and clocks that differ."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from broker.node.clock import PERMITTED_SKEW_MS
from tests.support.clustered import QUICK, ClusteredWorld, Stream, WallClock
from tests.support.firewall import IdleFirewall
from tests.support.relay import HOST

pytestmark = pytest.mark.asyncio(loop_scope="package")
AGENCY = "northshire"
PING_S = QUICK.ping_interval.total_seconds()
QUIET_S = 8 * PING_S
"""Long enough for a firewall to forget a link on which a busy machine's pings come late, were there none."""


@pytest_asyncio.fixture(loop_scope="package")
async def firewalls(world: ClusteredWorld) -> AsyncIterator[list[IdleFirewall]]:
    """One agency behind firewalls, one before each node; how soon they forget is the test's to say."""
    made = [IdleFirewall(node.port, 3600) for node in world.nodes]
    for firewall in made:
        await firewall.start()
    world.addresses[AGENCY] = [f"tls://{HOST}:{firewall.port}" for firewall in made]
    yield made
    await world.stop_party(AGENCY)
    for firewall in made:
        await firewall.stop()


async def behind(world: ClusteredWorld, firewalls: list[IdleFirewall], forgets_after_s: float) -> None:
    """Have the agency dial through firewalls that forget after so long."""
    for firewall in firewalls:
        firewall.forgets_after_s = forgets_after_s
    await again(world, AGENCY)
    await world.connected(AGENCY)


async def test_a_link_is_kept_alive_through_a_firewall_that_forgets_idle_ones(
    world: ClusteredWorld, firewalls: list[IdleFirewall]
) -> None:
    await behind(world, firewalls, QUIET_S - 2 * PING_S)
    enquiry = await world.open_enquiry()
    await asyncio.sleep(QUIET_S)
    await world.opened(await world.ask(enquiry, AGENCY))
    assert sum(firewall.connections for firewall in firewalls) == 1
    assert sum(firewall.forgotten for firewall in firewalls) == 0


async def test_an_agency_behind_a_firewall_that_forgets_sooner_than_that_misses_nothing(
    world: ClusteredWorld, firewalls: list[IdleFirewall]
) -> None:
    await behind(world, firewalls, PING_S / 2)
    async with Stream(world, pause_s=PING_S) as stream:
        await world.until(lambda: sum(firewall.forgotten for firewall in firewalls) >= 2)
        await stream.more(4)
        await stream.all_answered_once()


@pytest.mark.parametrize("ahead_ms", [PERMITTED_SKEW_MS - 5_000, 5_000 - PERMITTED_SKEW_MS], ids=["ahead", "behind"])
async def test_two_minutes_between_two_clocks_stop_nothing(world: ClusteredWorld, ahead_ms: int) -> None:
    true, refused = world.clock, refusals(world)
    for name in (AGENCY, "desk", "coordinator", "admission"):
        clock = world.clocks[name] = WallClock(ahead_ms)
        world.clock = clock if name == "desk" else true  # officers sit at its machine
        await again(world, name)
        await world.connected(name)
        enquiry = await world.open_enquiry()
        for agency in world.agencies:
            await world.opened(await world.ask(enquiry, agency))
        assert all(count <= refused[party] for party, count in refusals(world).items())
        world.clock = true
        del world.clocks[name]
        await again(world, *world.running)
    await world.check()


def refusals(world: ClusteredWorld) -> dict[str, int]:
    """How many messages each party has refused for their dates since it was started."""
    return {name: party.ground.post.dates.refused for name, party in world.running.items()}


async def again(world: ClusteredWorld, *names: str) -> None:
    """Stop and start parties."""
    for name in names:
        await world.stop_party(name)
    for name in names:
        await world.start_party(name)


async def test_a_clock_further_off_is_told_and_once_it_is_set_nothing_was_lost(world: ClusteredWorld) -> None:
    clock = world.clocks[AGENCY] = WallClock(-2 * PERMITTED_SKEW_MS)
    await again(world, AGENCY)
    await world.connected(AGENCY)
    exchange = await world.ask(await world.open_enquiry(), AGENCY)
    dates = world.running[AGENCY].ground.post.dates
    await world.until(lambda: dates.refused > 0)
    assert await world.progress(exchange) != "opened"
    clock.ahead_ms = 0
    await world.opened(exchange)
    await world.check()
