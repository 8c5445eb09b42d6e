"""A cluster of three whose nodes die, come back, and come back empty, while requests run."""

from __future__ import annotations

import random
import signal
import time

import pytest

from tests.support.clustered import ClusteredWorld, Stream

pytestmark = pytest.mark.asyncio(loop_scope="package")
SOAK_S = 180


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "restarted"])
async def test_requests_go_on_while_each_node_in_turn_ends_and_comes_back(
    world: ClusteredWorld, number: signal.Signals
) -> None:
    async with Stream(world) as stream:
        await stream.more(2)
        for node in world.nodes:
            world.servers.kill(node.name, number)
            await stream.more(4)
            world.servers.start(node.name)
            await world.resolver.until_current()
        await stream.all_answered_once()


async def test_nothing_is_lost_when_all_three_die_at_once(world: ClusteredWorld) -> None:
    async with Stream(world) as stream:
        await stream.more(4)
        for node in world.nodes:
            world.servers.kill(node.name)
        await world.until(lambda: all(party.ground.post.connected_at is None for party in world.running.values()))
        for node in world.nodes:
            world.servers.start(node.name)
        await stream.more(4)
        await stream.all_answered_once()


async def test_a_node_that_comes_back_empty_is_filled_by_admission_and_carries_everything_alone(
    world: ClusteredWorld,
) -> None:
    first, *others = (node.name for node in world.nodes)
    held = world.servers.accounts(others[0])
    async with Stream(world) as stream:
        await stream.more(2)
        world.servers.kill(first)
        world.servers.empty(first)
        world.servers.start(first)
        await world.until(lambda: world.servers.accounts(first) >= held)
        await world.resolver.until_current()
        for name in others:
            world.servers.kill(name)
        await stream.more(4)
        for name in others:
            world.servers.start(name)
        await stream.all_answered_once()


async def test_a_node_that_comes_back_empty_while_admission_is_away_learns_from_the_others(
    world: ClusteredWorld,
) -> None:
    first, *others = (node.name for node in world.nodes)
    held = world.servers.accounts(others[0])
    assert len(held) >= len(world.agencies)
    await world.resolver.close()
    async with Stream(world) as stream:
        world.servers.kill(first)
        world.servers.empty(first)
        world.servers.start(first)
        await world.until(lambda: world.servers.accounts(first) >= held)
        for name in others:
            world.servers.kill(name)
        await stream.more(2)
        for name in others:
            world.servers.start(name)
        await stream.all_answered_once()
    await world.follow_servers()


@pytest.mark.soak
async def test_requests_go_on_for_minutes_while_nodes_end_come_back_and_come_back_empty(world: ClusteredWorld) -> None:
    chance, ends_at = random.Random(7), time.monotonic() + SOAK_S
    async with Stream(world) as stream:
        while time.monotonic() < ends_at:
            name = chance.choice(world.nodes).name
            world.servers.kill(name, chance.choice([signal.SIGKILL, signal.SIGTERM]))
            if chance.random() < 0.5:
                world.servers.empty(name)
            await stream.more(chance.randrange(8))
            world.servers.start(name)
            await world.resolver.until_current()
        await stream.all_answered_once()
