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


@click.group(invoke_without_command=True)
@home_option
@click.pass_context
@explained
def run(context: click.Context, hub: Hub) -> None:
    """Run the hub: its bus if embedded, the coordinator and the desk, until told to stop."""
    context.obj = hub
    if context.invoked_subcommand is None:
        sys.exit(asyncio.run(run_hub(hub)))


@run.command()
@click.pass_obj
def desk(hub: Hub) -> None:
    """Run the desk alone, in this process."""
    os.execv(sys.executable, [sys.executable, *program("broker.desk", "--home", str(hub.desk.path))[1:]])  # noqa: S606


@run.command()
@click.pass_obj
def coordinator(hub: Hub) -> None:
    """Run the coordinator alone, in this process."""
    os.execv(sys.executable, [sys.executable, *program("broker.coordinator", "--home", str(hub.coordinator.path))[1:]])  # noqa: S606


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
