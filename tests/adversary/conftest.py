"""A world of its own for each attack, with two agencies so that there is somebody to be attacked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub and two police forces, started."""
    world = World(tmp_path, agencies=("northshire", "southshire"))
    await world.start()
    yield world
    await world.stop()
