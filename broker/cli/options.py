"""The options that commands share: which hub, and which officer speaks."""

from __future__ import annotations

from pathlib import Path

import click

from broker.client.hub import Hub

home_option = click.option(
    "--home",
    "hub",
    envvar="NEEDTOKNOW_HUB",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    callback=lambda _context, _parameter, path: Hub(path),
    help="The hub's directory (or set NEEDTOKNOW_HUB).",
)
key_option = click.option(
    "--key",
    "key_path",
    envvar="NEEDTOKNOW_OFFICER_KEY",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Your officer key file (or set NEEDTOKNOW_OFFICER_KEY).",
)
