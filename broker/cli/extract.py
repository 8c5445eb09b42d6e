"""`broker log extract ...`: a data subject's extract of the log (R32), by the hub's information-governance lead alone.

The lead's key opens the addenda in this process; the coordinator is told how many exchanges were handed out, and that
is an entry. No officer's command leads here. Whom it is for comes from a file and is in no argument, output or error.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from broker.cli.options import home_option
from broker.cli.output import explained, json_option, show
from broker.client.extract.draft import draft_text, read_draft
from broker.client.extract.page import extract_of, page_of
from broker.client.extract.person import Person, read_person
from broker.client.extract.searching import Search, lead_keys, search
from broker.client.hub import Hub
from broker.node.owner_only import write_durably
from schemas.failures import Failure

_file = click.Path(dir_okay=False, path_type=Path)
_there = click.Path(exists=True, dir_okay=False, path_type=Path)
Decorated = Callable[..., Any]


class NotWritten(Failure):
    """A file that is there already, or that cannot be written."""

    code = "not_written"


def _lead_option(command: Decorated) -> Decorated:
    return click.option(
        "--lead-key",
        "lead_key",
        required=True,
        multiple=True,
        type=_there,
        help="The key file of the hub's information-governance lead; an earlier one beside it, for older entries.",
    )(command)


@click.group()
def extract() -> None:
    """A data subject's extract, made by the information-governance lead after the tests of the law (see RUNBOOK)."""


@extract.command("begin")
@home_option
@_lead_option
@click.option(
    "--subject",
    required=True,
    type=_there,
    help="JSON, readable by you alone: names (given, family), birth_date, identifiers (kind, value).",
)
@click.option("--out", required=True, type=_file, help="Where the draft goes, readable by you alone.")
@json_option
@explained
def begin(hub: Hub, lead_key: tuple[Path, ...], subject: Path, out: Path, as_json: bool) -> None:
    """Find the exchanges about a person and put them into a draft, two tests undecided at each."""
    _check_absent(out)
    person = read_person(subject)
    found = _search(hub, lead_key, person)
    _write(out, draft_text(person, found))
    counts = {
        "draft": str(out),
        "exchanges": len(found.found),
        "contradicted": len(found.contradicted),
        "erased": found.erased,
        "unopened": found.unopened,
    }
    text = (
        f"{len(found.found)} exchanges in {out}; {found.unread} requests of the log could not be searched\n"
        "Names spelled in another way are not found. Decide each exchange in that file, then: broker log extract make"
    )
    show(counts, text, as_json=as_json)


@extract.command("make")
@home_option
@_lead_option
@click.argument("draft", type=_there)
@click.option("--out", required=True, type=_file, help="Where the text goes; the same as JSON in OUT.json.")
@json_option
@explained
def make(hub: Hub, lead_key: tuple[Path, ...], draft: Path, out: Path, as_json: bool) -> None:
    """Make the extract of a draft in which everything is decided. That one was made becomes an entry."""
    as_members = out.with_name(out.name + ".json")
    _check_absent(out, as_members)
    decided = read_draft(draft)
    decided.check_decided()
    found = _search(hub, lead_key, decided.person)
    handed_out = decided.handed_out(found.found)
    entered = hub.ask_coordinator("log-extracted", {"exchanges": len(handed_out)})
    # A crash from here on leaves an entry of an extract that nobody has: the lead makes it again, and there are two.
    made = extract_of(handed_out, found, entered["now"])
    _write(out, page_of(made))
    _write(as_members, json.dumps(made, ensure_ascii=False, indent=2) + "\n")
    left_out = len(found.found) - len(handed_out)
    show(
        {"extract": str(out), "json": str(as_members), "exchanges": len(handed_out), "left_out": left_out},
        f"{len(handed_out)} exchanges in {out} and {as_members.name}, {left_out} left out. Read it before you hand it "
        f"out, then destroy the draft: shred -u {draft}",
        as_json=as_json,
    )


def _search(hub: Hub, paths: tuple[Path, ...], person: Person) -> Search:
    directory = hub.coordinator.directory()
    return search(hub.ask_coordinator, lead_keys(paths, directory), person, directory.hub)


def _check_absent(*paths: Path) -> None:
    for path in paths:
        if path.exists() or path.is_symlink():
            raise NotWritten(f"{path} is there already; name another file")


def _write(path: Path, text: str) -> None:
    try:
        write_durably(path, text.encode())
    except OSError as error:
        raise NotWritten(f"{path} cannot be written ({error.strerror or 'it is there already'})") from None
