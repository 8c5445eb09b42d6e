"""A world of its own for each attack, with two agencies so that there is somebody to be attacked; and a real bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.walled import Walls
from tests.support.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub and two police forces, started."""
    world = World(tmp_path, agencies=("northshire", "southshire"))
    await world.start()
    yield world
    await world.stop()


@pytest.fixture(scope="module")
def standing_walls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walls]:
    """A real server with a hub and three agencies; one for all the tests of a file."""
    walls = Walls(tmp_path_factory.mktemp("walls"))
    asyncio.run(walls.start(("north", "south", "east")))
    yield walls
    asyncio.run(walls.stop())


@pytest.fixture
async def walls(standing_walls: Walls) -> AsyncIterator[Walls]:
    """The same; what a test has opened is closed after it."""
    yield standing_walls
    await standing_walls.leave()
