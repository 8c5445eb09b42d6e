"""`agent alerts ...`: what the hub tells this agency's information-governance lead.

The lead's key is read by this program alone; the running agent gives out sealed bytes, and cannot open them.
"""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from agents.runtime.terminal.explained import explained, home_option, json_option, json_text
from broker.node.command_client import CommandClient
from broker.node.home import Home
from schemas.failures import Failure

MEANS: Final[Mapping[str, str]] = {
    "quarantined": "the hub's desk kept back what an answer of this agency held beyond its grant",
    "break-glass": "a manager of the hub broke the glass for a request to this agency; its own rules decided as ever",
    "review-closed": "a lead of the hub closed the review of a broken glass",
}
"""What each kind of alert says, in words."""


class NothingSealed(Failure):
    """An alert whose addendum the hub had erased before it told of it."""

    code = "nothing_sealed"


def alerts_group() -> click.Group:
    """The commands about alerts."""
    group = click.Group("alerts", help="What the hub tells this agency's information-governance lead.")
    for command in (_list, _show, _acknowledge):
        group.add_command(command)
    return group


@click.command("list")
@home_option
@json_option
@click.option("--all", "seen_too", is_flag=True, help="Also those that were acknowledged.")
@explained
def _list(home: Path, as_json: bool, seen_too: bool) -> None:
    """Alerts that nobody has acknowledged."""
    found = CommandClient(Home(home).socket_path).ask("alerts", {"all": seen_too})["alerts"]
    if as_json:
        click.echo(json_text(found))
        return
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("no alerts")


@click.command("show")
@home_option
@json_option
@click.argument("number", type=click.IntRange(min=0))
@click.option(
    "--lead-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="This agency's information-governance lead's key file: opens what the entry does not say.",
)
@explained
def _show(home: Path, as_json: bool, number: int, lead_key: Path | None) -> None:
    """One alert: the entry of the hub's log, and with the lead's key what it does not say."""
    from broker.node.addenda import read_addendum

    found = CommandClient(Home(home).socket_path).ask("alert", {"number": number})
    sealed = b64decode(found.pop("addendum"))
    if lead_key is not None:
        if not sealed:
            raise NothingSealed("the hub had erased what this entry does not say before it told of it")
        found["addendum"] = read_addendum(sealed, found["entry"]["addendum_digest"], lead_key)
    if as_json:
        click.echo(json_text(found))
        return
    click.echo(_line(found))
    click.echo(MEANS[found["kind"]])
    if lead_key is None:
        click.echo(f"what the entry does not say: agent alerts show {number} --lead-key FILE")
    else:
        click.echo(json_text(found["addendum"]))


@click.command("acknowledge")
@home_option
@json_option
@click.argument("number", type=click.IntRange(min=0))
@explained
def _acknowledge(home: Path, as_json: bool, number: int) -> None:
    """Say that the lead has seen an alert. It is entered in this agency's own log."""
    seen = CommandClient(Home(home).socket_path).ask("alert-acknowledge", {"number": number})
    if as_json:
        click.echo(json_text(seen))
    else:
        click.echo(f"acknowledged {_line(seen)}")


def _line(alert: Mapping[str, Any]) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(alert["at"] / 1000))
    seen = "  acknowledged" if "seen_at" in alert else ""
    return f"{alert['number']:>6}  {when}Z  {alert['kind']:<15} {alert['exchange']}{seen}"
