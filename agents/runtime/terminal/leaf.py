"""`agent leaf`: the files of the agency's own server, where the hub lets it run one.

Thin: `leaf_files` writes them. Imports what it needs when it is called.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from agents.runtime.terminal.explained import explained, home_option
from broker.node.home import Home


@click.command("leaf")
@home_option
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder of the server's files."
)
@click.option(
    "--host", "hosts", multiple=True, required=True, help="The name or address by which agents reach the server."
)
@explained
def leaf(home: Path, out: Path, hosts: tuple[str, ...]) -> None:
    """Write what this agency's own nats-server needs as a leaf node of the hub's bus; again each day, from a timer."""
    from agents.runtime.terminal.leaf_files import write_leaf

    written = write_leaf(Home(home), out, hosts, now=time.time_ns() // 1_000_000)
    until = time.strftime("%Y-%m-%d", time.gmtime(written.ends_at / 1000))
    click.echo(f"written to {written.folder}; the credentials hold until {until}: run this again before, then")
    click.echo("have the server read its files anew: nats-server --signal reload=PID")
    if written.waits_for_configuration:
        click.echo("the hub has another signing key: ask it for leaf.conf anew (broker bus leaf), run this again, then")
        click.echo("start the server again; until then it goes on with what it knows")
    click.echo("the hub prints its configuration (broker bus leaf): put it there as leaf.conf", err=True)
    click.echo(f'in {home}/config.toml, section [bus]: urls = ["tls://{hosts[0]}:4222"]', err=True)
