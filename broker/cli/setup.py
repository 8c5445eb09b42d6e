"""`broker init` and `broker pin`: a hub's keys and public files, and whose files it trusts."""

from __future__ import annotations

import hmac
import random
import socket
from pathlib import Path
from typing import Final

import click

from broker.cli.founding import CLOCK_TABLE, EMBEDDED, found_hub
from broker.cli.options import NameParam, home_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import LOOPBACK, Hub
from broker.enrolment.server_files import Node
from broker.node.clock import SystemClock
from broker.node.home import Home, PartyPlan
from schemas.failures import Failure, Rejected
from schemas.messages.party import Party, PartyKind, read_party

_BELOW_EPHEMERAL: Final = range(20_000, 32_000)


class NotConfirmed(Failure):
    """A party that nobody vouched for."""

    code = "not_confirmed"


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
@json_option
@explained
def init(
    hub: Hub, hub_id: str, name: str, bus_host: str, bus_port: int | None, bus_urls: tuple[str, ...], as_json: bool
) -> None:
    """Make a hub: three homes with keys of their own, its authority, and a server of the bus."""
    embedded = None if bus_urls else Node(EMBEDDED, bus_host, port=bus_port or free_port())
    urls = bus_urls if embedded is None else (embedded.url,)
    parties = found_hub(hub, hub_id=hub_id, name=name, urls=urls, now=SystemClock().now(), embedded=embedded)
    lines = [f"{party.id:12} fingerprint {party.fingerprint}" for party in parties]
    lines += [
        f"bus          {', '.join(urls)}" + (" (embedded: broker run starts it)" if embedded else ""),
        "Agencies are admitted by their requests: broker agency admit REQUEST, with the hub running.",
        f"{hub.path / 'ig-lead.key'} belongs to the hub's information-governance lead: have it taken away.",
    ]
    facts = {"bus": list(urls), "parties": {party.id: party.fingerprint for party in parties}}
    show(facts, "\n".join(lines), as_json=as_json)


def create_hub(hub: Hub, *, hub_id: str, name: str, url: str, embedded_port: int | None) -> tuple[Party, Party]:
    """Make both homes and pin them to each other.

    Raises:
        HomeInvalid: there is a hub here already.
    """
    now = SystemClock().now()
    coordinator = hub.coordinator.create(
        PartyPlan(hub_id, "coordinator", PartyKind.COORDINATOR, name, log=f"{hub_id}.hub.example/sharing-log"),
        now=now,
        ig_lead_key=None,
    )
    desk = hub.desk.create(
        PartyPlan(hub_id, "desk", PartyKind.DESK, name), now=now, ig_lead_key=hub.path / "ig-lead.key"
    )
    hub.coordinator.pin(desk.raw)
    hub.desk.pin(coordinator.raw)
    bus = f'[bus]\nurl = "{url}"\n'
    hub.coordinator.config_path.write_text(bus)
    hub.desk.config_path.write_text(bus + CLOCK_TABLE)
    chosen = f"embedded_port = {embedded_port}" if embedded_port else f'url = "{url}"'
    (hub.path / "hub.toml").write_text(f"[bus]\n{chosen}\n")
    public = hub.path / "public"
    public.mkdir(exist_ok=True)
    for party in (coordinator, desk):
        (public / f"{party.id}.party").write_bytes(party.raw)
    return coordinator, desk


@click.command()
@home_option
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--fingerprint", help="What was read to you by telephone; without it you are asked to compare.")
@json_option
@explained
def pin(hub: Hub, files: tuple[Path, ...], fingerprint: str | None, as_json: bool) -> None:
    """Trust an agency's public file, after comparing its fingerprint."""
    if fingerprint is not None and len(files) > 1:
        raise click.UsageError("--fingerprint is one party's: give one file with it")
    pinned = [confirm(path, fingerprint) for path in files]
    for party in pinned:
        if party.statement.party_kind is not PartyKind.AGENT:
            raise NotConfirmed(f"{party.id} is not an agency ({party.statement.party_kind}); see: broker officer add")
    for party in pinned:
        pin_at([hub.coordinator, hub.desk], party)
    hub.tell_both("repin")
    facts = [{"party": party.id, "kind": party.statement.party_kind, "name": party.statement.name} for party in pinned]
    show(facts, "\n".join(f"pinned {party.id} ({party.statement.name})" for party in pinned), as_json=as_json)


def confirm(path: Path, fingerprint: str | None) -> Party:
    """The party of a file, once a person has said that its fingerprint is the right one.

    Raises:
        NotConfirmed: it is not.
    """
    try:
        party = read_party(path.read_bytes())
    except Rejected as failure:
        raise NotConfirmed(f"{path}: {failure.detail}; ask for the file again") from None
    if fingerprint is not None:
        if not hmac.compare_digest(_plain(fingerprint), _plain(party.fingerprint)):
            raise NotConfirmed(f"{path.name} has another fingerprint than the one given; ask for the file again")
        return party
    click.echo(f"{party.id} ({party.statement.party_kind}): {party.statement.name}\n  {party.fingerprint}", err=True)
    if not click.confirm("Is that the fingerprint they read to you?", err=True):
        raise NotConfirmed("nothing was pinned")
    return party


def pin_at(homes: list[Home], party: Party) -> None:
    """Pin a party in several homes; in none if one of them cannot take it.

    Raises:
        PartyFileInvalid: it clashes with a party pinned before.
    """
    for home in homes:
        home.directory().with_party(party)
    for home in homes:
        home.pin(party.raw)


def _plain(fingerprint: str) -> bytes:
    return "".join(fingerprint.lower().split()).encode()


def free_port() -> int:
    """A port below those the kernel gives to outgoing connections: nobody takes it while the hub is down."""
    while True:
        port = random.choice(_BELOW_EPHEMERAL)  # noqa: S311 - any will do
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
