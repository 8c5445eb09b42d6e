"""`broker authority`: the authorities that the hub trusts; they are replaced by `broker bus rotate authority`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from broker.cli.options import home_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import Hub


@click.group()
def authority() -> None:
    """The authority that signs certificates of the bus. It is replaced by broker bus rotate authority."""


@authority.command("list")
@home_option
@json_option
@explained
def list_authorities(hub: Hub, as_json: bool) -> None:
    """The authorities that are trusted, and which one signs."""
    _show(hub.ask_admission("authorities"), as_json=as_json)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    lines = [
        f"{one['name']}  {'signs' if one['signs'] else 'trusted'}  until {_day(one['expires_at'])}"
        for one in found["authorities"]
    ]
    show(found, "\n".join(lines), as_json=as_json)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d")
