"""A hub's bus on real servers, and admission's connection to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest_asyncio

from tests.support.admitting import Admitting
from tests.support.hub_bus import HubBus

MakeBus = Callable[..., HubBus]


@pytest_asyncio.fixture
async def hub_bus(tmp_path: Path) -> AsyncIterator[HubBus]:
    """One running server."""
    bus = HubBus(tmp_path / "bus")
    try:
        await bus.start()
        yield bus
    finally:
        bus.stop()


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[HubBus]:
    """Three running servers."""
    bus = HubBus(tmp_path / "bus", nodes=3)
    try:
        await bus.start()
        yield bus
    finally:
        bus.stop()


@pytest_asyncio.fixture
async def admitting(hub_bus: HubBus) -> AsyncIterator[Admitting]:
    """Admission's side of the one server."""
    async with Admitting.of(hub_bus) as side:
        yield side


@pytest_asyncio.fixture
async def cluster_admitting(cluster: HubBus) -> AsyncIterator[Admitting]:
    """Admission's side of the three."""
    async with Admitting.of(cluster) as side:
        yield side
