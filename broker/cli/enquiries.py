"""`broker enquiry ...`: open, list, show, decide, close; each signed by the officer who says it.

Persons' data come in by a file or standard input, never as arguments: those stand in shell histories and process lists.
"""

from __future__ import annotations

from pathlib import Path

import click

from broker.cli.enquiry_file import read_enquiry, read_text
from broker.cli.options import ENQUIRY_ID, home_option, key_option, yes_option
from broker.cli.output import explained, json_option, show
from broker.cli.tables import answers_text, enquiry_lines, enquiry_text
from broker.client.hub import Hub, OfficerAtDesk
from broker.node.confirming import confirm
from schemas.vocabulary import Decision


@click.group()
def enquiry() -> None:
    """Enquiries of the officer whose key you give."""


@enquiry.command("open")
@home_option
@key_option
@click.option(
    "--file",
    "path",
    required=True,
    type=click.Path(allow_dash=True, path_type=Path),
    help="JSON; - reads standard input.",
)
@json_option
@explained
def open_(hub: Hub, key_path: Path, path: Path, as_json: bool) -> None:
    """Open an enquiry about the subjects in a file."""
    opened = OfficerAtDesk.of(hub, key_path).ask("POST", "/enquiries", read_enquiry(path))
    show(opened, f"opened enquiry {opened['enquiry']}\n" + enquiry_text(opened), as_json=as_json)


@enquiry.command("list")
@home_option
@key_option
@json_option
@explained
def list_(hub: Hub, key_path: Path, as_json: bool) -> None:
    """Your enquiries, newest first."""
    found = OfficerAtDesk.of(hub, key_path).ask("GET", "/enquiries")["enquiries"]
    show(found, enquiry_lines(found) or "no enquiries", as_json=as_json)


@enquiry.command("show")
@home_option
@key_option
@click.argument("enquiry_id", type=ENQUIRY_ID)
@click.option("--answers", is_flag=True, help="Show what was answered. This is recorded as a consultation.")
@json_option
@explained
def show_(hub: Hub, key_path: Path, enquiry_id: str, answers: bool, as_json: bool) -> None:
    """How an enquiry goes; with --answers its chronology and outcomes."""
    officer = OfficerAtDesk.of(hub, key_path)
    if answers:
        found = officer.ask("GET", f"/enquiries/{enquiry_id}/answers")
        show(found, answers_text(found), as_json=as_json)
    else:
        found = officer.ask("GET", f"/enquiries/{enquiry_id}")
        show(found, enquiry_text(found), as_json=as_json)


@enquiry.command()
@home_option
@key_option
@click.argument("enquiry_id", type=ENQUIRY_ID)
@click.option("--decision", required=True, type=click.Choice([str(decision) for decision in Decision]))
@click.option(
    "--reason-file",
    required=True,
    type=click.Path(allow_dash=True, path_type=Path),
    help="Why, in words; - reads standard input.",
)
@json_option
@explained
def decide(hub: Hub, key_path: Path, enquiry_id: str, decision: str, reason_file: Path, as_json: bool) -> None:
    """Record what the hub decided, and why."""
    body = {"decision": decision, "reason": read_text(reason_file).strip()}
    decided = OfficerAtDesk.of(hub, key_path).ask("POST", f"/enquiries/{enquiry_id}/decision", body)
    show(decided, f"decided: {decided['decision']}", as_json=as_json)


@enquiry.command()
@home_option
@key_option
@click.argument("enquiry_id", type=ENQUIRY_ID)
@json_option
@explained
def close(hub: Hub, key_path: Path, enquiry_id: str, as_json: bool) -> None:
    """Close a decided enquiry; outstanding requests are withdrawn."""
    closed = OfficerAtDesk.of(hub, key_path).ask("POST", f"/enquiries/{enquiry_id}/close")
    show(closed, f"closed; {closed['withdrawing']} outstanding requests are being withdrawn", as_json=as_json)


@enquiry.command()
@home_option
@key_option
@click.argument("enquiry_id", type=ENQUIRY_ID)
@yes_option
@json_option
@explained
def erase(hub: Hub, key_path: Path, enquiry_id: str, yes: bool, as_json: bool) -> None:
    """Destroy the keys of a closed enquiry: nothing that was sealed to it can be read again, wherever it lies."""
    officer = OfficerAtDesk.of(hub, key_path)
    if not yes:
        confirm(
            "Nobody will be able to read this enquiry again. Erase it?",
            otherwise="nothing was erased; look at it first if you are in doubt: broker enquiry show",
        )
    erased = officer.ask("POST", f"/enquiries/{enquiry_id}/erase")
    show(erased, f"erased enquiry {erased['enquiry']}; the log still proves that it was", as_json=as_json)


@enquiry.group()
def conflict() -> None:
    """Who must not see an enquiry: it does not exist for an officer who is in it, related to it, or accused in it."""


@conflict.command("add")
@home_option
@key_option
@click.argument("enquiry_id", type=ENQUIRY_ID)
@click.argument("officer_id", metavar="OFFICER_ID")
@json_option
@explained
def add(hub: Hub, key_path: Path, enquiry_id: str, officer_id: str, as_json: bool) -> None:
    """Hide an enquiry from an officer, at once. The hub's information-governance lead can read that you did."""
    _change_conflicts(
        OfficerAtDesk.of(hub, key_path), f"/enquiries/{enquiry_id}/conflicts", officer_id, as_json=as_json
    )


@conflict.command("list")
@home_option
@key_option
@click.argument("enquiry_id", type=ENQUIRY_ID)
@json_option
@explained
def conflicts(hub: Hub, key_path: Path, enquiry_id: str, as_json: bool) -> None:
    """From whom an enquiry is hidden."""
    found = OfficerAtDesk.of(hub, key_path).ask("GET", f"/enquiries/{enquiry_id}/conflicts")
    show(found, "\n".join(found["conflicts"]) or "hidden from nobody", as_json=as_json)


@conflict.command("remove")
@home_option
@key_option
@click.argument("enquiry_id", type=ENQUIRY_ID)
@click.argument("officer_id", metavar="OFFICER_ID")
@json_option
@explained
def remove(hub: Hub, key_path: Path, enquiry_id: str, officer_id: str, as_json: bool) -> None:
    """Take an officer off the list who was put there wrongly."""
    path = f"/enquiries/{enquiry_id}/conflicts/removal"
    _change_conflicts(OfficerAtDesk.of(hub, key_path), path, officer_id, as_json=as_json)


def _change_conflicts(officer: OfficerAtDesk, path: str, named: str, *, as_json: bool) -> None:
    found = officer.ask("POST", path, {"officer": named})
    show(found, f"hidden from {', '.join(found['conflicts']) or 'nobody'}", as_json=as_json)
