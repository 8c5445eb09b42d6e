"""`broker run` and its own server: told of the bus's keys without anybody, restarted only where it has to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from broker.cli.founding import found_hub
from broker.cli.running import embedded_bus
from broker.client.hub import Hub
from broker.enrolment.claims.keys import BusKeys
from broker.enrolment.configuration.files import Node
from broker.enrolment.tls.authorities import Authorities
from broker.node.bus.claims import decode
from broker.node.bus.embedded import HOST
from broker.node.clock import SystemClock
from schemas.crypto import nkey
from schemas.crypto.purposes import KeyPurpose
from tests.support.hub_bus import PATIENCE_S, now_ms
from tests.support.nats import free_port

SIGNER = KeyPurpose.BUS_OPERATOR_SIGNER


def a_hub(folder: Path) -> Hub:
    hub, node = Hub(folder / "hub"), Node("hub-1", HOST, free_port())
    found_hub(hub, hub_id="gwent", name="Gwent", urls=[node.url], now=now_ms(), embedded=node)
    return hub


@contextmanager
def bus_keys(hub: Hub) -> Iterator[tuple[BusKeys, Authorities]]:
    """Admission's keys, as admission itself has them."""
    with closing(hub.admission.keystore()) as keys:
        yield BusKeys(hub.admission, keys), Authorities(hub.admission, keys)


def signers(folder: Path) -> list[str]:
    """The operator's signing keys that the server is started with."""
    lines = (folder / "nats-server.conf").read_text().splitlines()
    text = next(line.removeprefix("operator: ") for line in lines if line.startswith("operator: "))
    return list(decode(text).body["signing_keys"])


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not look():  # noqa: ASYNC110 - a process and its files: nothing here tells of them
            await asyncio.sleep(0.05)


async def test_the_embedded_server_is_restarted_for_another_operators_key_and_only_reloaded_for_a_certificate(
    tmp_path: Path,
) -> None:
    hub = a_hub(tmp_path)
    folder = hub.path / "bus" / "hub-1"
    async with embedded_bus(hub, SystemClock()) as server:
        assert server is not None
        before = server.pid
        with bus_keys(hub) as (_, authorities):
            authorities.create([HOST], now=now_ms())
            await until(lambda: (folder / "ca.pem").read_bytes() == authorities.trusted())
        await until(lambda: "Reloaded server configuration" in (folder / "nats-server.log").read_text())
        assert server.pid == before
        with bus_keys(hub) as (keys, _):
            keys.add(SIGNER)
            coming = nkey.of(keys.to_come(SIGNER)[0].public)
        await until(lambda: server.pid not in (before, None))
        assert coming in signers(folder)
