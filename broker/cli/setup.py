"""`broker init` and `broker pin`: a hub's keys and public files, and whose files it trusts."""

from __future__ import annotations

import hmac
import random
import socket
from pathlib import Path
from typing import Final

import click

from broker.cli.options import NameParam, home_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import LOOPBACK, Hub
from broker.node.bus.address import read_plaintext_address
from broker.node.clock import SystemClock
from broker.node.home import Home, PartyPlan
from schemas.failures import Failure, Rejected
from schemas.messages.party import Party, PartyKind, read_party

CLOCK_TABLE: Final = """
# Elapsed time, counted from when the enquiry was received. Working hours and calendars come later.
[deadlines.red]
deadline.elapsed_hours = 4
expiry.elapsed_hours = 24
[deadlines.amber]
deadline.elapsed_hours = 24
expiry.elapsed_hours = 72
[deadlines.green]
deadline.elapsed_hours = 72
expiry.elapsed_hours = 168
[deadlines.blue]
deadline.elapsed_hours = 72
expiry.elapsed_hours = 168
"""


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
@click.option("--bus-url", help="An external server, for example nats://127.0.0.1:4222. Without it one is embedded.")
@json_option
@explained
def init(hub: Hub, hub_id: str, name: str, bus_url: str | None, as_json: bool) -> None:
    """Make a hub: two homes with keys of their own, and the public files to hand to agencies."""
    port = None if bus_url else _free_port()
    url = bus_url or f"nats://{LOOPBACK}:{port}"
    read_plaintext_address(url, setting="--bus-url")
    parties = create_hub(hub, hub_id=hub_id, name=name, url=url, embedded_port=port)
    lines = [f"{party.id:12} fingerprint {party.fingerprint}" for party in parties]
    lines += [
        f"bus          {url}" + (" (embedded: broker run starts it)" if port else ""),
        f"Hand the two files in {hub.path / 'public'} to each agency and read the fingerprints to them by telephone.",
        f"{hub.path / 'ig-lead.key'} belongs to the hub's information-governance lead: have it taken away.",
    ]
    show({"bus": url, "parties": {party.id: party.fingerprint for party in parties}}, "\n".join(lines), as_json=as_json)


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


def _free_port() -> int:
    """A port below those the kernel gives to outgoing connections: nobody takes it while the hub is down."""
    while True:
        port = random.choice(_BELOW_EPHEMERAL)  # noqa: S311 - any will do
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
