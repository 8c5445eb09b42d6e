"""`agent log ...`: this agency's own sharing log, and what its entries do not say.

The lead's key is read by this program alone; the running agent gives out sealed bytes, and cannot open them.
"""

from __future__ import annotations

import sys
import time
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from agents.runtime.terminal.explained import explained, home_option, json_option, json_text
from broker.node.command_client import CommandClient
from broker.node.home import Home


def log_group() -> click.Group:
    """The commands about the own log."""
    group = click.Group("log", help="This agency's own sharing log.")
    for command in (_show, _open, _verify):
        group.add_command(command)
    return group


@click.command("show")
@home_option
@json_option
@click.option("--last", type=click.IntRange(1, 500), default=20, show_default=True, help="How many entries.")
@explained
def _show(home: Path, as_json: bool, last: int) -> None:
    """The newest entries."""
    entries = CommandClient(Home(home).socket_path).ask("log", {"last": last})["entries"]
    if as_json:
        click.echo(json_text(entries))
        return
    for one in entries:
        entry = one["entry"]
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry["t"] / 1000))
        click.echo(f"{one['index']:>6}  {when}Z  {entry['type']:<15} {entry.get('exchange', '')}")


@click.command("open")
@home_option
@json_option
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "--lead-key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="This agency's information-governance lead's key file.",
)
@explained
def _open(home: Path, as_json: bool, index: int, lead_key: Path) -> None:
    """What was kept back, and why; or who reviewed: what an entry `kept-back` or `reviewed` does not say.

    That it was read becomes an entry.
    """
    from broker.node.addenda import read_addendum

    found = CommandClient(Home(home).socket_path).ask("log-addendum", {"index": index})
    told = read_addendum(b64decode(found["raw"]), found["digest"], lead_key)
    if as_json:
        click.echo(json_text(told))
        return
    if "act" in told:
        click.echo(f"exchange {told['exchange']}  {told['act']} by {told['name']} ({told['reviewer']}, {told['role']})")
        for name in ("categories", "fields", "reason", "written"):
            if told.get(name):
                click.echo(f"  {name:<11} {told[name] if isinstance(told[name], str) else ', '.join(told[name])}")
        return
    click.echo(f"exchange {told['exchange']}  policy {told['policy']}")
    for row in told["rows"]:
        why = " ".join(filter(None, [row.get("rule"), row.get("reason")]))
        click.echo(
            f"  {row['subject']}  {row['category']:<28} {row['truth']:<16} {row['records']:>4} records  {why}".rstrip()
        )
        for ref in row["refs"]:
            click.echo(f"    {ref}")


@click.command("verify")
@home_option
@json_option
@explained
def _verify(home: Path, as_json: bool) -> None:
    """Hash the own log and the mirror of the hub's again, and compare the two."""
    found: Mapping[str, Any] = CommandClient(Home(home).socket_path).ask("log-verify")
    if as_json:
        click.echo(json_text(found))
    else:
        click.echo(f"own log: {found['own_log']} entries hold; mirror of the hub's: {found['mirror']} hold")
        for one in found["discrepancies"]:
            click.echo(f"ALARM: {one['code']} {one['entry']}")
    sys.exit(1 if found["discrepancies"] else 0)
