"""The `broker` command. Each command is a client of a running program, or starts one; none opens a live store.

A command's module is imported when that command is called: a one-shot command waits for its own imports only.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

COMMANDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "init": (
        "broker.cli.setup",
        "init",
        "Make a hub: three homes with keys of their own, its authority, and a server of the bus.",
    ),
    "agency": ("broker.cli.agency", "agency", "Agencies of the hub: admitted, suspended, expelled."),
    "authority": ("broker.cli.authority", "authority", "The authority that signs certificates of the bus."),
    "run": (
        "broker.cli.running",
        "run",
        "Run the hub: its bus if embedded, admission, coordinator and desk, until told to stop; or only one PART.",
    ),
    "doctor": (
        "broker.cli.doctor",
        "doctor",
        "Try everything the hub needs, and say what to do about what is missing.",
    ),
    "county": ("broker.cli.county", "county", "Write the records that four agencies would hold of an invented county."),
    "demo": (
        "broker.cli.demo",
        "demo",
        "Show one of everything: asked, decided, sealed, logged, answered, refused, withdrawn, late, expired.",
    ),
    "officer": ("broker.cli.officers", "officer", "Officers of the hub."),
    "keys": (
        "broker.cli.keys",
        "keys",
        "Keys of the hub's own parties: list them, replace one, renew a certificate.",
    ),
    "enquiry": ("broker.cli.enquiries", "enquiry", "Enquiries of the officer whose key you give."),
    "request": ("broker.cli.requests", "request", "Requests to agencies."),
    "break-glass": (
        "broker.cli.break_glass",
        "break_glass",
        "Emergencies: a manager's signature beside the officer's, and the review of each.",
    ),
    "log": ("broker.cli.log", "log", "The sharing log."),
    "policy": (
        "broker.cli.policy",
        "policy",
        "The hub's policy packs: rules, agreements, legal bases, expected decisions.",
    ),
    "bus": (
        "broker.cli.bus",
        "bus",
        "The servers of the bus: what they are started with, and whether those that run are safe.",
    ),
    "backup": (
        "broker.cli.backup",
        "backup",
        "Back a running PART up into a new FOLDER, without its keys; with --keys those that sign, apart and sealed.",
    ),
    "restore": (
        "broker.cli.backup",
        "restore",
        "Put a backup, or a second copy, of a stopped PART into its empty home; or let one that waits go on.",
    ),
}
"""In the order in which a hub meets them: module, the command's name in it, and how its own help begins."""


class Commands(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands as click does, and import none for it."""
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        rows = [
            (name, click.Command(name, help=said).get_short_help_str(limit)) for name, (*_, said) in COMMANDS.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """The hub's side of needtoknow: ask agencies what a decision needs, and no more."""
