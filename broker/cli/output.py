"""How commands speak: text or JSON on standard output, one line on standard error when something is wrong."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from broker.node.command_client import CommandFailed
from schemas.failures import Failure

P = ParamSpec("P")
R = TypeVar("R")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def show(value: object, text: str, *, as_json: bool) -> None:
    """Print `value` as JSON, or `text` for people."""
    click.echo(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) if as_json else text)


def explained(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose failures are one line that says what to do, and exit status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except CommandFailed as failed:
            # What the running program said, as if it had been found out here.
            click.echo(f"error: {failed.message or failed.reported} [{failed.reported}]", err=True)
            sys.exit(1)
        except Failure as failure:
            click.echo(f"error: {failure.detail or failure.code} [{failure.code}]", err=True)
            sys.exit(1)

    return run
