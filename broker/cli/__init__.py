"""The `broker` command. Each command is a client of a running program, or starts one; none opens a live store.

A command's module is imported when that command is called: a one-shot command waits for its own imports only.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "init": ("broker.cli.setup", "init"),
    "pin": ("broker.cli.setup", "pin"),
    "run": ("broker.cli.running", "run"),
    "doctor": ("broker.cli.doctor", "doctor"),
    "county": ("broker.cli.county", "county"),
    "demo": ("broker.cli.demo", "demo"),
    "officer": ("broker.cli.officers", "officer"),
    "enquiry": ("broker.cli.enquiries", "enquiry"),
    "request": ("broker.cli.requests", "request"),
    "log": ("broker.cli.log", "log"),
}
"""In the order in which a hub meets them: module, and the command's name in it."""


class Commands(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """The hub's side of needtoknow: ask agencies what a decision needs, and no more."""
