"""`broker run`: the bus, admission, the coordinator and the desk of a hub; or one of them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import click
import structlog

from broker.cli.founding import bus_state, embedded_node, write_embedded
from broker.cli.options import home_option
from broker.cli.output import explained
from broker.cli.supervisor import Child, program, supervise
from broker.client.hub import Hub
from broker.enrolment.configuration.files import Node
from broker.enrolment.configuration.server import needs_restart
from broker.node.bus.embedded import EmbeddedServer
from broker.node.clock import DAY_MS, Clock, SystemClock
from broker.node.journal import configure_journal
from schemas.failures import Failure

_log = structlog.get_logger()

MODULES: Final = {"admission": "broker.enrolment", "coordinator": "broker.coordinator", "desk": "broker.desk"}
"""The parts that may be run alone, and the program of each."""
RENEW_EVERY_MS: Final = DAY_MS
"""How often the embedded server's certificate and configuration are made anew: connections do not notice."""
LOOK_EVERY_MS: Final = 500
"""How often it is looked whether admission rotated a key of the bus, which the server has to be told of."""


@click.command()
@home_option
@click.argument("part", required=False, type=click.Choice(sorted(MODULES)))
@explained
def run(hub: Hub, part: str | None) -> None:
    """Run the hub: its bus if embedded, admission, coordinator and desk, until told to stop; or only one PART."""
    if part is None:
        sys.exit(asyncio.run(run_hub(hub)))
    # In place of this process: whoever stops it stops the program itself.
    os.execv(sys.executable, program(MODULES[part], "--home", str(hub.home(part).path)))  # noqa: S606


async def run_hub(hub: Hub) -> int:
    """Run everything of a hub; gives back the exit status."""
    configure_journal("broker")
    async with embedded_bus(hub, SystemClock()):
        # One user for all is how a small hub starts; users, machines or containers of their own are how it should go
        # on: whoever is that user can read what all of them hold.
        _log.warning("programs_share_user")
        return await supervise(
            [Child(part, program(module, "--home", str(hub.home(part).path))) for part, module in MODULES.items()]
        )


@asynccontextmanager
async def embedded_bus(hub: Hub, clock: Clock) -> AsyncIterator[EmbeddedServer | None]:
    """The embedded server, running; None where the hub's bus is somebody else's.

    Raises:
        ServerMissing, ServerFailed: it did not come up.
    """
    node = embedded_node(hub)
    if node is None:
        yield None
        return
    made_of = bus_state(hub)
    server = _server(hub, node, clock)
    await server.start()
    renewing = asyncio.create_task(_renew_for_ever(hub, node, server, clock, made_of))
    try:
        yield server
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        await server.stop()


def _server(hub: Hub, node: Node, clock: Clock) -> EmbeddedServer:
    written = write_embedded(hub, node, now=clock.now())
    return EmbeddedServer(written.parent, node.port, configuration=written.read_text("utf-8"))


async def _renew_for_ever(
    hub: Hub, node: Node, server: EmbeddedServer, clock: Clock, made_of: frozenset[tuple[str, int]]
) -> None:
    made_at = clock.now()
    while True:
        await clock.sleep_until(clock.now() + LOOK_EVERY_MS)
        found = bus_state(hub)
        if found == made_of and clock.now() < made_at + RENEW_EVERY_MS:
            continue
        try:
            written = await asyncio.to_thread(write_embedded, hub, node, now=clock.now())
            await server.follow(written.read_text("utf-8"), restarts=needs_restart)
        except Failure as failure:
            _log.error("bus_server_not_renewed", code=failure.code)
        made_at, made_of = clock.now(), found
