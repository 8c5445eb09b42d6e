"""`broker bus`: the servers of the bus: what they are started with, and whether those that run are safe."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from broker.cli.bus_rotation import rotate
from broker.cli.options import NameParam, home_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import Hub
from broker.enrolment.at_rest.founding import identity_of
from broker.enrolment.checks.configured import Finding, check_configuration
from broker.enrolment.checks.probing import probe
from broker.enrolment.checks.running import Wanted, check_running
from broker.enrolment.configuration.files import Node, write_servers
from broker.enrolment.configuration.leaf import Leaf, leaf_configuration
from broker.enrolment.configuration.names import note_servers, noted_servers
from broker.enrolment.configuration.server import CLIENT_PORT, LEAF_PORT, ROUTE_PORT, WEBSOCKET_PORT
from broker.enrolment.servers.access import SystemAccess
from broker.enrolment.servers.asking import Asking
from broker.enrolment.servers.connection import SystemConnection
from broker.enrolment.tls.authorities import Authorities
from broker.node.bus.access import Access, read_addresses
from broker.node.bus.address import ServerAddress, read_address
from broker.node.bus.port import BusAway
from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient, CommandFailed, NotRunning
from schemas.failures import Failure, Rejected
from schemas.messages.party import read_party

_PORT: Final = re.compile(r":[0-9]+$")
ADMITTED_WITHIN: Final = timedelta(seconds=8)
"""For a connection to the system account: two servers that do not answer, and one that does."""


class LeafRefused(Failure):
    """An agency that may not connect a server of its own."""

    code = "leaf_refused"


class NodeParam(click.ParamType[Node]):
    """A server of the bus: its name, and the host and port by which it is reached."""

    name = "NAME=HOST[:PORT]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Node:
        """The server, if it is one."""
        name, _, at = str(value).partition("=")
        if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name) is None:
            self.fail("write NAME=HOST[:PORT], the name in a-z, 0-9 and hyphens", param, ctx)
        try:
            address = read_address(f"tls://{at}", setting=f"the address of {name}")
        except Rejected as failure:
            self.fail(failure.detail, param, ctx)
        return Node(name, address.host, port=address.port)


@click.group()
def bus() -> None:
    """The servers of the bus: what they are started with, and whether those that run are safe."""


bus.add_command(rotate)


@bus.command()
@home_option
@click.option(
    "--node",
    "nodes",
    multiple=True,
    required=True,
    type=NodeParam(),
    help=f"A server, as parties reach it (port {CLIENT_PORT} if none is given). Three of them make a cluster.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Write one folder a server below this one. Private keys that are there are kept.",
)
@click.option("--new-key", "new_keys", multiple=True, metavar="NAME", help="Give that server another private key.")
@click.option("--installed-in", type=click.Path(path_type=Path), help="Where the folders will lie on the servers.")
@click.option("--listen", help="The address that each server binds, for example 0.0.0.0.")
@click.option("--route-port", default=ROUTE_PORT, show_default=True, help="For the servers among themselves.")
@click.option("--websocket-port", type=int, help=f"Also take WebSockets there, for example {WEBSOCKET_PORT}.")
@click.option("--leaf-port", type=int, help=f"Also take agencies' own servers there, for example {LEAF_PORT}.")
@json_option
@explained
def config(
    hub: Hub,
    nodes: tuple[Node, ...],
    out: Path,
    new_keys: tuple[str, ...],
    installed_in: Path | None,
    listen: str | None,
    route_port: int,
    websocket_port: int | None,
    leaf_port: int | None,
    as_json: bool,
) -> None:
    """Write what nats-server is started with: one server, or the servers of a cluster."""
    planned = [
        replace(node, listens_on=listen, route_port=route_port, websocket_port=websocket_port, leaf_port=leaf_port)
        for node in nodes
    ]
    now = SystemClock().now()
    keys = hub.admission.keys_to_read()
    authorities = Authorities(hub.admission, keys)
    identity = identity_of(hub.admission, [hub.coordinator, hub.desk], keys, now=now)
    written = write_servers(
        out,
        planned,
        identity,
        authorities.issuing(),
        authorities.trusted(),
        now=now,
        installed_in=installed_in,
        new_keys=new_keys,
    )
    note_servers(hub.admission, [node.name for node in planned])
    lines = [f"{node.name:12} nats-server --config {path}" for node, path in zip(planned, written, strict=True)]
    lines.append("Each folder holds its server's private key: give it to that server's user alone.")
    show({"configurations": [str(path) for path in written]}, "\n".join(lines), as_json=as_json)


@bus.command()
@home_option
@click.option(
    "--remote",
    "remotes",
    multiple=True,
    required=True,
    metavar="HOST[:PORT]",
    help=f"A server of the hub, as the agency reaches its leaf node port ({LEAF_PORT} if none is given).",
)
@click.option("--listen", default=f"127.0.0.1:{CLIENT_PORT}", show_default=True, help="For the agency's own agents.")
@click.option(
    "--installed-in",
    default=Path("/etc/needtoknow-leaf"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="The directory at the agency that will hold the server's files.",
)
@click.argument("agency", type=NameParam())
@explained
def leaf(hub: Hub, remotes: tuple[str, ...], listen: str, installed_in: Path, agency: str) -> None:
    """Print the configuration of the server of an AGENCY, as a leaf node; the agency writes the rest: agent leaf."""
    keys = hub.admission.keys_to_read()
    identity = identity_of(hub.admission, [hub.coordinator, hub.desk], keys, now=SystemClock().now())
    found = {one["agency"]: one for one in hub.ask_admission("agencies")["agencies"]}
    if agency not in found or "file" not in found[agency]:
        raise click.UsageError(f"no agency {agency} is admitted; see: broker agency list")
    if not found[agency]["may_run_leaf"]:
        raise LeafRefused(f"{agency} may run no leaf node; to let it: broker agency leaf {agency} on")
    account = read_party(found[agency]["file"].encode("ascii")).token
    for remote in remotes:
        read_address(f"tls://{remote}", setting="--remote")
    at = [remote if _PORT.search(remote) else f"{remote}:{LEAF_PORT}" for remote in remotes]
    click.echo(leaf_configuration(Leaf(listen, at, account, installed_in), identity), nl=False)


@bus.command()
@home_option
@click.option(
    "--config",
    "paths",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Look at this configuration file as well; each finding names its line.",
)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@json_option
@explained
def check(hub: Hub, paths: tuple[Path, ...], urls: tuple[str, ...], as_json: bool) -> None:
    """Refuse servers that are not safe. Exit status 1 if any is not; without URL those that admission dials."""
    now = SystemClock().now()
    keys = hub.admission.keys_to_read()
    identity = identity_of(hub.admission, [hub.coordinator, hub.desk], keys, now=now)
    found = [finding for path in paths for finding in check_configuration(path, identity, now=now)]
    addresses = [read_address(url, setting="URL") for url in urls or read_addresses(hub.admission)]
    wanted = Wanted(identity, noted_servers(hub.admission), _decided(hub))
    if wanted.claims is None:
        said = "not running, so the servers are compared with each other only; start it: broker run admission"
        found.append(Finding("admission", said, is_grave=False))
    found += asyncio.run(_look(addresses, SystemAccess.load(hub.admission, keys), wanted, now))
    lines = [f"{'FAIL' if one.is_grave else 'warn'}  {one.where}  {one.said}" for one in found]
    facts = [{"where": one.where, "said": one.said, "grave": one.is_grave} for one in found]
    show(facts, "\n".join(lines) or "the servers are safe", as_json=as_json)
    sys.exit(1 if any(one.is_grave for one in found) else 0)


def _decided(hub: Hub) -> dict[str, str] | None:
    """What the running admission has every server hold; None while it does not run."""
    try:
        told = CommandClient(hub.admission.socket_path).ask("bus-claims")
    except (NotRunning, CommandFailed):
        return None
    return {str(account): str(claims) for account, claims in told.items()}


async def _look(addresses: Sequence[ServerAddress], access: Access, wanted: Wanted, now: int) -> list[Finding]:
    probed = await asyncio.gather(*(probe(address) for address in addresses))
    found = [finding for findings in probed for finding in findings]
    urls = [address.url for address in addresses if not address.is_websocket]
    if not urls:
        return [*found, Finding("bus", "none of the addresses is tls://; give one, to ask the servers themselves")]
    connection = SystemConnection(urls, lambda: access, inbox=access.inbox, clock=SystemClock())
    asking, admitted = Asking(connection), _Admitted()
    connection.start(admitted)
    try:
        async with asyncio.timeout(ADMITTED_WITHIN.total_seconds()):
            await admitted.stands.wait()
        return found + await check_running(asking, wanted, now=now)
    except TimeoutError:
        why = f" ({admitted.failure})" if admitted.failure else ""
        return [*found, Finding("bus", f"no server lets the system account in{why}; is it another hub's?")]
    except BusAway:
        return [*found, Finding("bus", "the connection was lost while the servers were asked; try again")]
    finally:
        await connection.close()


class _Admitted:
    """Notes that the system connection stands."""

    def __init__(self) -> None:
        self.stands = asyncio.Event()
        self.failure = ""

    def connected(self) -> None:
        self.stands.set()

    def disconnected(self) -> None:
        self.stands.clear()

    def failed(self, failure: str) -> None:
        self.failure = failure
