"""T14: an agency sends more, larger, longer or slower than it should: messages, bytes, subscriptions, connections.

It gets itself cut off; a hub and another agency go on meanwhile, and nothing here says how fast: the figures are in
`tests/benchmarks`. (A flood within what a server allows is stopped by the hub: the second half.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import nats.errors
import pytest

from broker.enrolment.claims.accounts import AGENCY_CONNECTIONS, SUBSCRIPTIONS
from broker.node.bus.embedded import SERVER_MAX_PAYLOAD_BYTES
from schemas.messages.party import PartyKind
from tests.support.admitting import Admitting
from tests.support.canary import Canary
from tests.support.guarded import Conversation, Ears, Flooder, GuardedHub, on_bus
from tests.support.hub_bus import HubBus, connect
from tests.support.raw_nats import CRLF, RawNats, Refused
from tests.support.walled import Walls

TOO_LARGE: dict[str, Callable[[str], bytes]] = {
    "a payload over the limit": lambda own: f"PUB from.{own}.coordinator {SERVER_MAX_PAYLOAD_BYTES + 1}\r\n".encode(),
    "a payload of gigabytes": lambda own: f"PUB from.{own}.coordinator 4294967296\r\n".encode(),
    "headers over the limit": lambda own: f"HPUB from.{own}.desk 2000000 2000001\r\n".encode(),
    "a subject without an end": lambda own: f"PUB from.{own}.{'x.' * 4096}".encode(),
    "a subscription without an end": lambda own: f"SUB to.{own}.{'x.' * 4096}".encode(),
    "a CONNECT without an end": lambda own: b'CONNECT {"name":"' + b"x" * 2_000_000,
    "nothing that is a command": lambda own: b"\x00" * 1_000_000,
}


@pytest.mark.parametrize("raw", TOO_LARGE.values(), ids=list(TOO_LARGE))
async def test_what_is_too_large_cuts_off_who_sends_it(walls: Walls, raw: Callable[[str], bytes]) -> None:
    seat = walls.agencies["north"]
    async with Canary(walls, "south") as canary:
        client = await walls.agency("north")
        await client.send(raw(seat.token))
        await client.until_cut()
        await (await walls.agency("north")).close()  # it may come back, and behave
        assert not canary.at_hub()


async def test_the_largest_message_is_not_too_large(walls: Walls) -> None:
    seat = walls.agencies["north"]
    async with Canary(walls, "south") as canary:
        client = await walls.agency("north")
        await client.publish(f"from.{seat.token}.coordinator", bytes(SERVER_MAX_PAYLOAD_BYTES))
        assert await client.barrier()
        await canary.some_rounds(2)
        assert [len(heard.payload) for heard in canary.at_hub()] == [SERVER_MAX_PAYLOAD_BYTES]


async def test_messages_that_are_never_finished_hold_up_nobody(walls: Walls) -> None:
    seat = walls.agencies["north"]
    async with Canary(walls, "south") as canary:
        for _ in range(AGENCY_CONNECTIONS):
            client = await walls.agency("north")
            await client.send(f"PUB from.{seat.token}.coordinator {SERVER_MAX_PAYLOAD_BYTES}\r\nx".encode())
        await canary.some_rounds(50)
        assert not canary.at_hub()


async def test_more_subscriptions_than_an_agency_needs_are_not_granted(walls: Walls) -> None:
    seat = walls.agencies["north"]
    async with Canary(walls, "south") as canary:
        client = await walls.agency("north")
        for number in range(SUBSCRIPTIONS * 50):
            await client.subscribe(f"to.{seat.token}.{number}")
        await canary.some_rounds(20)
        await client.barrier()
        assert "maximum subscriptions exceeded" in {text.lower() for text in client.errors}


async def test_more_connections_than_an_agency_needs_are_not_granted(walls: Walls) -> None:
    async with Canary(walls, "south") as canary:
        for _ in range(AGENCY_CONNECTIONS):
            await walls.agency("north")
        for _ in range(20):
            with pytest.raises(Refused, match=r"(?i)maximum .*connections exceeded"):
                await walls.agency("north")
        await (await walls.agency("east")).close()
        await canary.some_rounds(5)


async def test_who_connects_again_and_again_keeps_nobody_out(walls: Walls) -> None:
    async with Canary(walls, "south") as canary:
        for _ in range(40):
            await (await walls.agency("north")).close()
        await (await walls.agency("east")).close()
        await canary.some_rounds(5)


async def test_who_does_not_take_what_is_sent_to_it_holds_up_nobody(walls: Walls) -> None:
    seat = walls.agencies["north"]
    async with Canary(walls, "south") as canary:
        slow = await walls.agency("north")
        await slow.subscribe(f"to.{seat.token}.>")
        assert await slow.barrier()
        slow.reading.clear()
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
        coordinator = await walls.hub("coordinator")
        payload = bytes(1_000_000)
        for _ in range(320):  # more than the server (256 MB) and both kernels hold for one who does not read
            await coordinator.publish(f"to.{seat.token}.in", payload)
            assert await coordinator.barrier()
        await canary.some_rounds(20)
        assert "Slow Consumer" in walls.server.log()


FLOODS = {"small messages": (128, 40_000), "messages of the largest size": (1_000_000, 20), "empty ones": (0, 40_000)}


@pytest.mark.parametrize(("size", "count"), FLOODS.values(), ids=list(FLOODS))
async def test_a_flood_of_one_agency_is_not_lost_messages_of_anothers(walls: Walls, size: int, count: int) -> None:
    seat, payload = walls.agencies["north"], bytes(size)
    message = f"PUB from.{seat.token}.coordinator {size}\r\n".encode() + payload + CRLF

    async def flood(client: RawNats) -> None:
        for _ in range(count // 20):
            await client.send(message * 20)

    async with Canary(walls, "south") as canary:
        clients = [await walls.agency("north") for _ in range(2)]
        before = canary.rounds
        await asyncio.gather(*(flood(client) for client in clients))
        await canary.some_rounds(5)
        assert canary.rounds > before


async def test_a_flooder_is_suspended_and_the_others_exchanges_all_complete(tmp_path: Path) -> None:
    """The hub's own bus, its guard, admission's claims; the flooders are processes that send as fast as they can."""
    bus = HubBus(tmp_path / "bus")
    flooders: list[Flooder] = []
    try:
        await bus.start()
        async with Admitting.of(bus) as admission:
            hub = GuardedHub(bus, admission)
            north, south = await hub.admit(), await hub.admit()
            ears = Ears(hub)
            async with (
                on_bus(bus, bus.users[PartyKind.COORDINATOR], ears) as coordinator,
                on_bus(bus, south.user, Ears()) as agent,
            ):
                talk = Conversation(coordinator, agent, south.token)
                await talk.begin()
                await coordinator.subscribe("from.*.coordinator", talk.heard)
                await talk.ask(0)
                flooders += [Flooder(tmp_path / f"flooder-{at}", bus, north, size=128) for at in range(2)]
                for flooder in flooders:
                    await flooder.ready()
                for flooder in flooders:
                    flooder.go()
                ended = asyncio.gather(*(flooder.ended() for flooder in flooders))
                asked = 1
                while not ended.done():
                    await talk.ask(asked)
                    asked += 1
                assert await ended == ["cut", "cut"]
                await hub.settle()
                assert set(hub.suspended) == {north.token}
                assert coordinator.counts.flooded > 0
                with pytest.raises(nats.errors.Error):
                    await connect(north.user, bus.urls[0])
                for number in range(asked, asked + 20):
                    await talk.ask(number)
                assert len(talk.seconds) == asked + 20, "not every question was answered"
    finally:
        for flooder in flooders:
            flooder.kill()
        bus.stop()
