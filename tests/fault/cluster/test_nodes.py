"""A cluster of three whose nodes die, come back, and come back empty, while requests run."""

from __future__ import annotations

from tests.support.clustered import ClusteredWorld, Stream


async def test_requests_go_on_while_each_node_in_turn_is_killed_and_comes_back(world: ClusteredWorld) -> None:
    async with Stream(world) as stream:
        await stream.more(4)
        for node in world.nodes:
            world.servers.kill(node.name)
            await stream.more(4)
            world.servers.start(node.name)
            await world.resolver.until_current()
        await stream.drain()
    await all_answered_once(world, stream)


async def all_answered_once(world: ClusteredWorld, stream: Stream) -> None:
    """Every request of the stream has one conclusion in a log that holds, and every answer was opened."""
    standing = await world.check()
    assert {standing[exchange] for exchange, _ in stream.asked} == {"answered"}
    assert set(stream.opened) == {exchange for exchange, _ in stream.asked}
