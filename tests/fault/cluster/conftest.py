"""A hub on a cluster of three servers, with two agencies: one for the whole folder, whole again before each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from broker.enrolment.configuration.files import Node
from broker.node.bus.embedded import HOST
from tests.support.clustered import ClusteredWorld
from tests.support.nats import free_port


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClusteredWorld]:
    """Started once: founding a hub and its servers takes longer than most of what is done to them."""
    folder: Path = tmp_path_factory.mktemp("cluster")
    nodes = [Node(f"hub-{number}", HOST, port=free_port(), route_port=free_port()) for number in (1, 2, 3)]
    world = ClusteredWorld(folder, agencies=("northshire", "southshire"), nodes=nodes)
    try:
        await world.start()
        yield world
    finally:
        await world.stop()


@pytest_asyncio.fixture(loop_scope="package")
async def world(cluster: ClusteredWorld) -> ClusteredWorld:
    """Everybody and everything is there, whatever the test before left behind."""
    await cluster.mend()
    return cluster
