"""A real nats-server, and a proxy that can hurt the way to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from broker.node.bus.access import PLAINTEXT
from broker.node.bus.dialling import BusTimings
from broker.node.bus.embedded import EmbeddedServer
from broker.node.bus.nats import NatsBus
from tests.contract.bus.rig import QUICK
from tests.support.nats import nats_server
from tests.support.proxy import FaultProxy

__all__ = ["make_bus", "nats_server", "proxy"]

MakeBus = Callable[..., NatsBus]


@pytest_asyncio.fixture
async def proxy(nats_server: EmbeddedServer) -> AsyncIterator[FaultProxy]:
    """A proxy in front of the server."""
    between = FaultProxy(nats_server.port)
    await between.start()
    yield between
    await between.stop()


@pytest_asyncio.fixture
async def make_bus() -> AsyncIterator[MakeBus]:
    """Makes buses that are closed when the test ends."""
    made: list[NatsBus] = []

    def make(*urls: str, name: str = "hub", timings: BusTimings = QUICK) -> NatsBus:
        made.append(NatsBus(urls, name=name, access=PLAINTEXT, timings=timings))
        return made[-1]

    yield make
    for bus in made:
        await bus.close()
