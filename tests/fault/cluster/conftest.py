"""A hub on a cluster of three servers, with two agencies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.enrolment.server_files import Node
from broker.node.bus.embedded import HOST
from tests.support.clustered import ClusteredWorld
from tests.support.nats import free_port


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ClusteredWorld]:
    """Started, and nothing asked yet."""
    nodes = [Node(f"hub-{number}", HOST, port=free_port(), route_port=free_port()) for number in (1, 2, 3)]
    world = ClusteredWorld(tmp_path, agencies=("northshire", "southshire"), nodes=nodes)
    try:
        await world.start()
        yield world
    finally:
        await world.stop()
