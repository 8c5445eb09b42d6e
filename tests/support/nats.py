"""A real nats-server on a port of its own, to be stopped, started again, or swapped for an empty one."""

from __future__ import annotations

import itertools
import os
import random
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest_asyncio

from broker.node.bus.embedded import HOST, EmbeddedServer

_BELOW_EPHEMERAL: Final = range(10_000, 20_000)
"""What `broker init` draws from lies above."""
_WORKERS: Final = 8
"""So many processes of pytest-xdist have ports that no other of them draws."""


def _ports_of_this_process() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    mine = _BELOW_EPHEMERAL[worker % _WORKERS :: _WORKERS]
    return itertools.cycle(random.sample(mine, len(mine)))


_ports: Final = _ports_of_this_process()


def free_port() -> int:
    """A port nobody listens on, outside the range the kernel gives to outgoing connections.

    Inside that range a client that dials the port of a stopped server now and then connects to itself, and the server
    cannot come back to it. None is given twice before a thousand others were: a test draws several before it uses the
    first, and one on which nothing is to listen stays so.
    """
    while True:
        port = next(_ports)
        with socket.socket() as trial:
            try:
                trial.bind((HOST, port))
            except OSError:
                continue
            return port


@pytest_asyncio.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """A running server; `stop` and `start` bring it back on the same port."""
    server = EmbeddedServer(tmp_path / "nats", free_port())
    await server.start()
    yield server
    await server.stop()


async def swap_for_empty(server: EmbeddedServer, directory: Path, *settings: str) -> EmbeddedServer:
    """Replace a server by a new one on the same port, which has never heard of anybody. The caller stops it."""
    await server.stop()
    successor = EmbeddedServer(directory, server.port, settings=settings)
    await successor.start()
    return successor
