"""Each test of this folder runs on the bus in memory and on a real nats-server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from broker.node.bus.embedded import EmbeddedServer
from tests.contract.bus.rig import MemoryRig, NatsRig, Rig
from tests.support.nats import free_port


@pytest_asyncio.fixture(params=["memory", "nats"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    if request.param == "memory":
        in_memory = MemoryRig()
        yield in_memory
        await in_memory.close()
        return
    server = EmbeddedServer(tmp_path / "nats", free_port())
    await server.start()
    real = NatsRig(server)
    yield real
    await real.close()
    await server.stop()
