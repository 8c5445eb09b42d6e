"""A world of its own for each story."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub and one police force, started."""
    world = World(tmp_path)
    await world.start()
    yield world
    await world.stop()
