"""`agent backup` and `agent restore`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from broker.node.home import Home
from schemas.failures import Failure
from schemas.messages.party import PartyKind

P = ParamSpec("P")
R = TypeVar("R")

_home = click.option(
    "--home", type=click.Path(path_type=Path), default=Path("."), show_default=True, help="The agent's directory."
)
_passphrase = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="An owner-only file with the passphrase of the key backup.",
)


def _explained(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose failures are one line that says what to do, and exit status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Failure as failure:
            click.echo(f"error: {failure.detail or failure.code} [{failure.code}]", err=True)
            sys.exit(1)

    return run


@click.command("backup")
@_home
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--keys", type=click.Path(dir_okay=False, path_type=Path), help="Write the keys that sign to this file.")
@_passphrase
@_explained
def backup(home: Path, folder: Path | None, keys: Path | None, passphrase_file: Path | None) -> None:
    """Back the running agent up into a new FOLDER, without its keys; with --keys those that sign, apart and sealed."""
    from broker.node.backup_asking import KeyBackup, back_up_party

    for line in back_up_party(Home(home), folder, KeyBackup.of(keys, passphrase_file)):
        click.echo(line)


@click.command("restore")
@_home
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--keys", type=click.Path(dir_okay=False, path_type=Path), help="A key backup, for a key store that was lost too."
)
@_passphrase
@click.option("--manifest", help="The manifest's digest, as backup printed it; another one is refused.")
@click.option(
    "--lock-copy",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The own log's lock copy, if it survived: an older log is refused.",
)
@_explained
def restore(
    home: Path,
    source: Path,
    keys: Path | None,
    passphrase_file: Path | None,
    manifest: str | None,
    lock_copy: Path | None,
) -> None:
    """Put a backup, or a second copy, of the stopped agent into its empty directory."""
    from broker.node.backup_asking import KeyBackup, restore_party

    lines = restore_party(
        Home(home),
        source,
        KeyBackup.of(keys, passphrase_file),
        kinds=(PartyKind.AGENT,),
        manifest=manifest,
        lock_copy=lock_copy,
    )
    for line in lines:
        click.echo(line)
