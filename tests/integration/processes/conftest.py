"""One hub with one agency for each file of tests: real programs, a real NATS server, real stores on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.node.bus.embedded import EmbeddedServer
from tests.support.nats import free_port
from tests.support.processes import Parties


class BusHere:
    """The server that the programs are told of; another may take its place on the same port."""

    def __init__(self, root: Path) -> None:
        self._root, self._port, self._started = root, free_port(), 0
        self.server = EmbeddedServer(root / "bus", self._port)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        asyncio.run(self.server.start())

    def stop(self) -> None:
        asyncio.run(self.server.stop())

    def start_empty(self) -> None:
        """Start a server that has never heard of anybody."""
        self._started += 1
        self.server = EmbeddedServer(self._root / f"bus-{self._started}", self._port)
        self.start()


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusHere]:
    here = BusHere(tmp_path_factory.mktemp("bus"))
    here.start()
    yield here
    here.stop()


@pytest.fixture(scope="module")
def parties(bus: BusHere, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    made = Parties.build(tmp_path_factory.mktemp("parties"), bus.url)
    try:
        made.start()
        yield made
    finally:
        made.stop()
