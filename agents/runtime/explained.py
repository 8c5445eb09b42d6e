"""How an agent's commands fail: one line on standard error that says what to do, and exit status 1."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

from schemas.failures import Failure

P = ParamSpec("P")
R = TypeVar("R")


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
