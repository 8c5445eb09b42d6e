"""`agent backup` and `agent restore`."""

from __future__ import annotations

from pathlib import Path

import click

from agents.runtime.terminal.explained import explained, home_option
from broker.node.home import Home
from schemas.messages.party import PartyKind

_passphrase = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="An owner-only file with the passphrase of the key backup.",
)


@click.command("backup")
@home_option
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--keys", type=click.Path(dir_okay=False, path_type=Path), help="Write the keys that sign to this file.")
@_passphrase
@explained
def backup(home: Path, folder: Path | None, keys: Path | None, passphrase_file: Path | None) -> None:
    """Back the running agent up into a new FOLDER, without its keys; with --keys those that sign, apart and sealed."""
    from broker.node.backup_asking import KeyBackup, back_up_party

    for line in back_up_party(Home(home), folder, KeyBackup.of(keys, passphrase_file)):
        click.echo(line)


@click.command("restore")
@home_option
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
@explained
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
