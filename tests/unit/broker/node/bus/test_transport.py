"""How much of what has come is read before everybody else has a turn."""

from __future__ import annotations

import asyncio
import itertools
from typing import cast

from broker.node.bus.transport import A_TURN_BYTES, WireTransport
from broker.node.bus.wire import Wire


async def test_whoever_waits_has_a_turn_between_two_reads_of_a_flood() -> None:
    reader, turns = asyncio.StreamReader(), 0
    reader.feed_data(bytes(10 * A_TURN_BYTES))
    reader.feed_eof()
    transport = WireTransport(Wire(reader, cast(asyncio.StreamWriter, None)), is_encrypted=True)

    async def wait_for_turns() -> None:
        nonlocal turns
        while not transport.at_eof():
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(wait_for_turns())
    await asyncio.sleep(0)
    had = []
    while data := await transport.read(1024 * 1024):
        assert len(data) <= A_TURN_BYTES
        had.append(turns)
    await waiting
    assert len(had) == 10
    assert all(later > sooner for sooner, later in itertools.pairwise(had))


async def test_what_the_server_complained_of_is_known_though_the_connection_broke_before_it_was_read() -> None:
    reader = asyncio.StreamReader()
    transport = WireTransport(Wire(reader, cast(asyncio.StreamWriter, None)), is_encrypted=True)
    assert transport.complaint is None
    reader.feed_data(b"INFO {}\r\n-ERR 'maximum connections exceeded'\r\n")
    reader.set_exception(ConnectionResetError())
    assert transport.complaint == "maximum connections exceeded"
