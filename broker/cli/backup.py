"""`broker backup` and `broker restore`: the coordinator, the desk or admission, each by itself."""

from __future__ import annotations

from pathlib import Path

import click

from broker.cli.options import home_option
from broker.cli.output import explained
from broker.client.hub import Hub
from broker.node.backup_asking import KeyBackup, back_up_party, restore_party
from schemas.messages.party import PartyKind

_part = click.argument("part", type=click.Choice(["coordinator", "desk", "admission"]))
_passphrase = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="An owner-only file with the passphrase of the key backup.",
)


@click.command()
@home_option
@_part
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--keys", type=click.Path(dir_okay=False, path_type=Path), help="Write the keys that sign to this file.")
@_passphrase
@explained
def backup(hub: Hub, part: str, folder: Path | None, keys: Path | None, passphrase_file: Path | None) -> None:
    """Back a running PART up into a new FOLDER, without its keys; with --keys those that sign, apart and sealed."""
    for line in back_up_party(hub.home(part), folder, KeyBackup.of(keys, passphrase_file)):
        click.echo(line)


@click.command()
@home_option
@_part
@click.argument("source", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--keys", type=click.Path(dir_okay=False, path_type=Path), help="A key backup, for a key store that was lost too."
)
@_passphrase
@click.option("--manifest", help="The manifest's digest, as backup printed it; another one is refused.")
@click.option(
    "--lock-copy",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The log's lock copy, if it survived: an older log is refused.",
)
@click.option("--without", metavar="AGENCY", help="Have a restored coordinator go on without hearing this agency.")
@click.option("--unheard", is_flag=True, help="Have a restored admission go on without hearing coordinator and desk.")
@explained
def restore(
    hub: Hub,
    part: str,
    source: Path | None,
    keys: Path | None,
    passphrase_file: Path | None,
    manifest: str | None,
    lock_copy: Path | None,
    without: str | None,
    unheard: bool,
) -> None:
    """Put a backup, or a second copy, of a stopped PART into its empty home; or let one that waits go on."""
    if (source is not None) + (without is not None) + unheard != 1:
        raise click.UsageError(
            "name the backup to restore; or, of a restored one that runs, --without an agency that is gone for good, or"
            " --unheard for an admission whose coordinator or desk is"
        )
    if source is None:
        _go_on(hub, part, without)
        return
    lines = restore_party(
        hub.home(part),
        source,
        KeyBackup.of(keys, passphrase_file),
        kinds=(PartyKind(part),),
        manifest=manifest,
        lock_copy=lock_copy,
    )
    for line in lines:
        click.echo(line)


def _go_on(hub: Hub, part: str, without: str | None) -> None:
    if without is not None:
        if part != "coordinator":
            raise click.UsageError("only a coordinator waits for agencies")
        hub.ask_coordinator("go-on-without", {"agency": without})
        click.echo(f"goes on without {without}")
        return
    if part != "admission":
        raise click.UsageError("only admission waits for coordinator and desk")
    hub.ask_admission("go-on", {})
    click.echo("goes on without having heard coordinator and desk; look over broker agency list")
