"""What the desk's tests start from: a request asked and permitted, or a whole desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.desk_world import DeskWorld, Story, tell_story


@pytest.fixture
def story() -> Story:
    """A request that was permitted."""
    return tell_story()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DeskWorld]:
    """A whole desk and its counterparts."""
    world = await DeskWorld.open(tmp_path)
    yield world
    await world.close()
