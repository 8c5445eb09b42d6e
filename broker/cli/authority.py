"""`broker authority`: the hub's TLS authority, replaced without cutting anybody off; a client of admission."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from broker.cli.options import home_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import Hub


@click.group()
def authority() -> None:
    """The authority that signs certificates of the bus. It is replaced in three steps: add, use, retire."""


@authority.command("list")
@home_option
@json_option
@explained
def list_authorities(hub: Hub, as_json: bool) -> None:
    """The authorities that are trusted, and which one signs."""
    _show(hub.ask_admission("authorities"), as_json=as_json)


@authority.command()
@home_option
@json_option
@explained
def add(hub: Hub, as_json: bool) -> None:
    """Make the next authority. Everybody who renews trusts it from then on; wait until all have, a week at most."""
    _show(hub.ask_admission("authority-add"), as_json=as_json)


@authority.command()
@home_option
@click.argument("name")
@json_option
@explained
def use(hub: Hub, name: str, as_json: bool) -> None:
    """Have the authority NAME sign from now on; then write the servers' files again (broker bus config)."""
    _show(hub.ask_admission("authority-use", {"name": name}), as_json=as_json)


@authority.command()
@home_option
@click.argument("name")
@json_option
@explained
def retire(hub: Hub, name: str, as_json: bool) -> None:
    """Trust the authority NAME no more, once every server and party has a certificate by the other one."""
    _show(hub.ask_admission("authority-retire", {"name": name}), as_json=as_json)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    lines = [
        f"{one['name']}  {'signs' if one['signs'] else 'trusted'}  until {_day(one['expires_at'])}"
        for one in found["authorities"]
    ]
    show(found, "\n".join(lines), as_json=as_json)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d")
