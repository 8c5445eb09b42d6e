"""The options that commands share: which hub, which officer speaks, and the kinds of word that are typed in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from broker.client.hub import Hub


class NameParam(click.ParamType[str]):
    """The name of a hub or another party, as it stands in party files."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if it is one."""
        if re.fullmatch(r"[a-z][a-z0-9-]{0,62}", str(value)) is None:
            self.fail("a name here is a-z, 0-9 and hyphens, begins with a letter and has at most 63", param, ctx)
        return str(value)


class IdParam(click.ParamType[str]):
    """The id of an enquiry, a request or a subject: 32 hexadecimal digits."""

    name = "ID"

    def __init__(self, look: str) -> None:
        self._look = look

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id, if it is one."""
        if re.fullmatch(r"[0-9a-f]{32}", str(value)) is None:
            self.fail(f"an id is 32 of 0-9 and a-f; see: {self._look}", param, ctx)
        return str(value)


ENQUIRY_ID = IdParam("broker enquiry list")
EXCHANGE_ID = IdParam("broker enquiry show ENQUIRY_ID")
SUBJECT_REF = EXCHANGE_ID

home_option = click.option(
    "--home",
    "hub",
    envvar="NEEDTOKNOW_HUB",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    callback=lambda _context, _parameter, path: Hub(path),
    help="The hub's directory (or set NEEDTOKNOW_HUB).",
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask: you have read what it does.")
key_option = click.option(
    "--key",
    "key_path",
    envvar="NEEDTOKNOW_OFFICER_KEY",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Your officer key file (or set NEEDTOKNOW_OFFICER_KEY).",
)
