"""What the commands of an agent share: whose directory they mean, how they answer programs, and how they fail."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from schemas.failures import Failure

P = ParamSpec("P")
R = TypeVar("R")

home_option = click.option(
    "--home", type=click.Path(path_type=Path), default=Path("."), show_default=True, help="The agent's directory."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def json_text(value: object) -> str:
    """What a command answers a program with."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


def explained(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose failures are one line that says what to do, and exit status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Failure as failure:
            click.echo(f"error: {failure.detail or failure.code} [{failure.code}]", err=True)
            sys.exit(1)

    return run
