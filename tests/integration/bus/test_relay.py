"""The relay that the tests put before a server: a leak of its own would be blamed on whichever test comes next."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.bus.waiting import until
from tests.support.proxy import FaultProxy
from tests.support.relay import HOST

TURNS = 14
"""More than it takes from a client's end to that of the connection onward."""


@pytest.mark.parametrize("turns", range(TURNS))
async def test_stopped_at_any_moment_of_a_connection_s_end_a_relay_leaves_no_connection_open(turns: int) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await reader.read()
        writer.transport.abort()
        ended.set()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        relay = FaultProxy(server.sockets[0].getsockname()[1])
        await relay.start()
        _, client = await asyncio.open_connection(HOST, relay.port)
        await begun.wait()
        client.close()
        for _ in range(turns):
            await asyncio.sleep(0)
        await relay.stop()
        await until(ended.is_set)
