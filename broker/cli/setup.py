"""`broker init`: a hub's homes and keys, its authority, and a server of its bus."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Final

import click

from broker.cli.founding import EMBEDDED, found_hub
from broker.cli.options import NameParam, home_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import LOOPBACK, Hub
from broker.enrolment.configuration.files import Node
from broker.node.clock import SystemClock

_BELOW_EPHEMERAL: Final = range(20_000, 32_000)


@click.command()
@home_option
@click.option(
    "--hub-id", required=True, type=NameParam(), help="The hub's short name, for example gwent: a-z, 0-9 and hyphens."
)
@click.option("--name", required=True, help="The hub's name as agencies know it.")
@click.option(
    "--bus-host", default=LOOPBACK, show_default=True, help="The host by which agencies reach the embedded server."
)
@click.option("--bus-port", type=int, help="Its port; without it one that is free.")
@click.option(
    "--bus-url",
    "bus_urls",
    multiple=True,
    help="Servers of your own instead, for example tls://bus.hub.example:4222; then see: broker bus config.",
)
@click.option(
    "--wrapping",
    help="What private keys are sealed under from the first on: as keys.wrapping of config.toml (deploy/systemd);"
    " {party} in it is coordinator, desk or admission. Without it, a file beside them.",
)
@json_option
@explained
def init(
    hub: Hub,
    hub_id: str,
    name: str,
    bus_host: str,
    bus_port: int | None,
    bus_urls: tuple[str, ...],
    wrapping: str | None,
    as_json: bool,
) -> None:
    """Make a hub: three homes with keys of their own, its authority, and a server of the bus."""
    embedded = None if bus_urls else Node(EMBEDDED, bus_host, port=bus_port or free_port())
    urls = bus_urls if embedded is None else (embedded.url,)
    now = SystemClock().now()
    parties = found_hub(hub, hub_id=hub_id, name=name, urls=urls, now=now, embedded=embedded, wrapping=wrapping)
    lines = [f"{party.id:12} fingerprint {party.fingerprint}" for party in parties]
    lines += [
        f"bus          {', '.join(urls)}" + (" (embedded: broker run starts it)" if embedded else ""),
        "Agencies are admitted by their requests: broker agency admit REQUEST, with the hub running.",
        f"{hub.path / 'ig-lead.key'} belongs to the hub's information-governance lead: have it taken away.",
    ]
    facts = {"bus": list(urls), "parties": {party.id: party.fingerprint for party in parties}}
    show(facts, "\n".join(lines), as_json=as_json)


def free_port() -> int:
    """A port below those the kernel gives to outgoing connections: nobody takes it while the hub is down."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many of them, no two the same."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_BELOW_EPHEMERAL)  # noqa: S311 - any will do
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            found += [port] if port not in found else []
    return found
