"""`broker keys ...`: which keys the hub's own parties state and how long they last; replacing one, or a certificate.

Thin: prints what `broker.node.key_listing` says. Works beside a running program, and on a home at rest.
"""

from __future__ import annotations

from pathlib import Path

import click

from broker.cli.options import home_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import Hub
from broker.enrolment.at_rest.certificates import renew_ended
from broker.enrolment.at_rest.roots import replace_root
from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient
from broker.node.key_listing import line_of, list_keys, rotate_key, said_of
from broker.node.rewrapping import rewrap_home
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import STATED, PartyKind

_PARTIES = (PartyKind.COORDINATOR, PartyKind.DESK, PartyKind.ADMISSION)
_PURPOSES = sorted({KeyPurpose.TLS, *(purpose for kind in _PARTIES for purpose in STATED[kind])})
party_argument = click.argument("party", type=click.Choice([kind.value for kind in _PARTIES]))


@click.group()
def keys() -> None:
    """Keys of the hub's own parties: list them, replace one, renew a certificate."""


@keys.command("list")
@home_option
@party_argument
@json_option
@explained
def list_(hub: Hub, party: str, as_json: bool) -> None:
    """Every key and certificate of a party, and when it ends."""
    found = list_keys(hub.home(party), SystemClock().now())
    show(found, "\n".join(map(line_of, found)), as_json=as_json)


@keys.command()
@home_option
@party_argument
@click.argument("purpose", type=click.Choice([one.value for one in _PURPOSES]))
@click.option("--emergency", is_flag=True, help="The old key is dead at once: lost, stolen or suspected to be.")
@click.option("--ig-lead-key", type=click.Path(path_type=Path), help="Where the IG lead's new private key goes.")
@json_option
@explained
def rotate(hub: Hub, party: str, purpose: str, emergency: bool, ig_lead_key: Path | None, as_json: bool) -> None:
    """Replace a key; everybody else learns of it by the directory."""
    now = SystemClock().now()
    rotated = rotate_key(hub.home(party), KeyPurpose(purpose), emergency=emergency, lead_key=ig_lead_key, now=now)
    show(dict(rotated), said_of(rotated, emergency=emergency), as_json=as_json)


@keys.command()
@home_option
@party_argument
@explained
def renew(hub: Hub, party: str) -> None:
    """Ask admission for a fresh certificate; the party must be running. One that has ended is made anew on the spot."""
    if renew_ended(hub.admission, hub.home(party), now=SystemClock().now()):
        click.echo(f"it had ended, and is made anew: {party} connects within a minute if it runs")
        return
    CommandClient(hub.home(party).socket_path).ask("renew")
    click.echo(f"asked; broker keys list {party} shows what came")


@keys.command()
@home_option
@party_argument
@explained
def rewrap(hub: Hub, party: str) -> None:
    """Seal a party's private keys as keys.wrapping of its config.toml says; it must be stopped."""
    click.echo(rewrap_home(hub.home(party).path).said)


@keys.command("new-root")
@home_option
@party_argument
@explained
def new_root(hub: Hub, party: str) -> None:
    """Replace the root of a party; the hub must be stopped. Afterwards every agency repeats the ceremony."""
    others = [hub.home(kind.value) for kind in _PARTIES if kind.value != party]
    made = replace_root(hub.home(party), others, now=SystemClock().now())
    click.echo(f"{made.id} has the new root {made.fingerprint}")
    click.echo("start the hub, and have each agency repeat the ceremony: agent enrol --replace-root, then")
    click.echo("broker agency admit REQUEST --replace; until then an agency goes on with the root it knows")
