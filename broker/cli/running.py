"""`broker run`: the bus, the coordinator and the desk of a hub; or one of them."""

from __future__ import annotations

import asyncio
import os
import sys

import click
import structlog

from broker.cli.options import home_option
from broker.cli.output import explained
from broker.cli.supervisor import Child, program, supervise
from broker.client.hub import Hub
from broker.node.bus.embedded import EmbeddedServer
from broker.node.journal import configure_journal

_log = structlog.get_logger()


@click.command()
@home_option
@click.argument("part", required=False, type=click.Choice(["coordinator", "desk"]))
@explained
def run(hub: Hub, part: str | None) -> None:
    """Run the hub: its bus if embedded, the coordinator and the desk, until told to stop; or only one PART."""
    if part is None:
        sys.exit(asyncio.run(run_hub(hub)))
    # In place of this process: whoever stops it stops the program itself.
    os.execv(sys.executable, program(f"broker.{part}", "--home", str(hub.path / part)))  # noqa: S606


async def run_hub(hub: Hub) -> int:
    """Run everything of a hub; gives back the exit status."""
    configure_journal("broker")
    port = hub.settings().bus.embedded_port
    server = EmbeddedServer(hub.path / "bus", port) if port is not None else None
    if server is not None:
        (hub.path / "bus").mkdir(mode=0o700, exist_ok=True)
        await server.start()
    # One user for both is how a small hub starts; two users, two machines or two containers are how it should go on:
    # whoever is that user can read what both hold.
    _log.warning("programs_share_user")
    try:
        return await supervise(
            [
                Child("coordinator", program("broker.coordinator", "--home", str(hub.coordinator.path))),
                Child("desk", program("broker.desk", "--home", str(hub.desk.path))),
            ]
        )
    finally:
        if server is not None:
            await server.stop()
