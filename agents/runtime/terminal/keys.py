"""`agent keys ...`: which keys this agency states and how long they last; replacing one, planned or in an emergency.

Thin: prints what `broker.node.key_listing` says. Imports what it needs when it is called.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from agents.runtime.terminal.explained import explained, home_option, json_option, json_text
from broker.node.home import Home
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import STATED, PartyKind

_PURPOSES = sorted({*STATED[PartyKind.AGENT], KeyPurpose.TLS})


def keys_group() -> click.Group:
    """The group, to be added to an agent's commands."""
    group = click.Group("keys", help="This agency's keys: listed, replaced, renewed, sealed anew.")
    for command in (_list(), _rotate(), _renew(), _rewrap()):
        group.add_command(command)
    return group


def _list() -> click.Command:
    @click.command("list")
    @home_option
    @json_option
    @explained
    def list_(home: Path, as_json: bool) -> None:
        """Every key and certificate, and when it ends."""
        from broker.node.key_listing import line_of, list_keys

        found = list_keys(Home(home), _now())
        if as_json:
            click.echo(json_text(found))
            return
        for one in found:
            click.echo(line_of(one))

    return list_


def _rotate() -> click.Command:
    @click.command("rotate")
    @home_option
    @click.argument("purpose", type=click.Choice([one.value for one in _PURPOSES]))
    @click.option("--emergency", is_flag=True, help="The old key is dead at once: lost, stolen or suspected to be.")
    @click.option("--ig-lead-key", type=click.Path(path_type=Path), help="Where the IG lead's new private key goes.")
    @json_option
    @explained
    def rotate(home: Path, purpose: str, emergency: bool, ig_lead_key: Path | None, as_json: bool) -> None:
        """Replace a key; the hub and everybody else learn of it by themselves."""
        from broker.node.key_listing import rotate_key, said_of

        rotated = rotate_key(Home(home), KeyPurpose(purpose), emergency=emergency, lead_key=ig_lead_key, now=_now())
        click.echo(json.dumps(dict(rotated), sort_keys=True) if as_json else said_of(rotated, emergency=emergency))

    return rotate


def _renew() -> click.Command:
    @click.command("renew")
    @home_option
    @explained
    def renew(home: Path) -> None:
        """Ask the hub for a fresh certificate and account JWT; the agent must be running."""
        from broker.node.command_client import CommandClient

        CommandClient(Home(home).socket_path).ask("renew")
        click.echo("asked; agent keys list shows what came")

    return renew


def _rewrap() -> click.Command:
    @click.command("rewrap")
    @home_option
    @explained
    def rewrap(home: Path) -> None:
        """Seal the private keys as keys.wrapping of config.toml says; the agent must be stopped."""
        from broker.node.rewrapping import rewrap_home

        click.echo(rewrap_home(home).said)

    return rewrap


def _now() -> int:
    return time.time_ns() // 1_000_000
