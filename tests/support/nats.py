"""A real nats-server on a port of its own, to be stopped, started again, or swapped for an empty one."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from broker.node.bus.embedded import HOST, EmbeddedServer

_BELOW_EPHEMERAL = range(20_000, 32_000)


def free_port() -> int:
    """A port nobody listens on, outside the range the kernel gives to outgoing connections.

    Inside that range a client that dials the port of a stopped server now and then connects to itself, and the server
    cannot come back to it.
    """
    while True:
        port = random.choice(_BELOW_EPHEMERAL)
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
