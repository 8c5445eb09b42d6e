"""`broker break-glass ...`: the manager's signature beside the officer's, and the review that follows (R31).

The officer asks with `broker request issue --break-glass-by`. The manager reads here who asks what and why, and signs;
the request is on its way then. A lead of the hub's closes the review. No key leaves this program.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from broker.cli.options import EXCHANGE_ID, home_option, key_option, yes_option
from broker.cli.output import explained, json_option, show
from broker.cli.tables import at_text
from broker.client.asking import close_review, sign_as_manager
from broker.client.hub import Hub, OfficerAtDesk
from broker.node.confirming import confirm
from schemas.messages.model import read
from schemas.messages.request import RequestHeader
from schemas.vocabulary import ReviewFinding


@click.group("break-glass")
def break_glass() -> None:
    """Emergencies: a manager's signature beside the officer's, and the review of each."""


@break_glass.command()
@home_option
@key_option
@json_option
@explained
def waiting(hub: Hub, key_path: Path, as_json: bool) -> None:
    """The requests that wait for your word as a manager."""
    found = OfficerAtDesk.of(hub, key_path).ask("GET", "/break-glass")
    text = "\n".join(_request_text(one) for one in found["waiting"]) or "nothing waits for you"
    show(found, text, as_json=as_json)


@break_glass.command()
@home_option
@key_option
@click.argument("exchange", type=EXCHANGE_ID)
@yes_option
@json_option
@explained
def sign(hub: Hub, key_path: Path, exchange: str, yes: bool, as_json: bool) -> None:
    """Break the glass for a request that a colleague has signed; it is on its way then."""
    manager = OfficerAtDesk.of(hub, key_path)
    shown = manager.ask("GET", f"/break-glass/{exchange}")
    if not yes:
        click.echo(_request_text(shown), err=True)
        confirm(
            "Both information governance leads are told at once. Break the glass?",
            otherwise="nothing was signed; the request stays with the officer, who may withdraw it",
        )
    signed = sign_as_manager(manager, shown)
    text = f"signed; request {exchange} to {signed['agency']} is on its way, its grant ends {at_text(signed['until'])}"
    show(signed, text, as_json=as_json)


@break_glass.command("list")
@home_option
@click.option("--all", "closed_too", is_flag=True, help="Also reviews that are closed.")
@json_option
@explained
def list_(hub: Hub, closed_too: bool, as_json: bool) -> None:
    """Broken glasses whose review is open, the one due first in front."""
    found = hub.ask_coordinator("reviews", {"all": closed_too})
    show(found, "\n".join(_review_line(one) for one in found["reviews"]) or "no review is open", as_json=as_json)


@break_glass.command("show")
@home_option
@click.argument("exchange", type=EXCHANGE_ID)
@json_option
@explained
def show_(hub: Hub, exchange: str, as_json: bool) -> None:
    """One review: who asked, who broke the glass, and how it stands."""
    found = hub.ask_coordinator("review", {"exchange": exchange})
    lines = [
        _review_line(found),
        f"  asked by  {found['officer']}, glass broken by {found['manager']}",
        f"  opened    {at_text(found['opened_at'])}, due {at_text(found['due_at'])}",
    ]
    if "closed_at" in found:
        lines.append(f"  closed    {at_text(found['closed_at'])}: {found['finding']}")
    else:
        lines.append(f"  next      broker policy explain {exchange}; then: broker break-glass close {exchange}")
    show(found, "\n".join(lines), as_json=as_json)


@break_glass.command()
@home_option
@key_option
@click.argument("exchange", type=EXCHANGE_ID)
@click.option("--finding", required=True, type=click.Choice([one.value for one in ReviewFinding]))
@click.option("--words", required=True, help="What was found; sealed to the leads of hub and agency.")
@json_option
@explained
def close(hub: Hub, key_path: Path, exchange: str, finding: str, words: str, as_json: bool) -> None:
    """Close a review, as a lead of the hub's who neither asked nor broke the glass."""
    lead = OfficerAtDesk.of(hub, key_path)
    review = hub.ask_coordinator("review", {"exchange": exchange})
    closed = close_review(lead, review, ReviewFinding(finding), words)
    show(closed, f"closing the review of {exchange}: {finding}; it goes to the log and to the agency", as_json=as_json)


def _request_text(shown: Mapping[str, Any]) -> str:
    header = read(RequestHeader, str(shown["header"]).encode("utf-8"))
    asked = ", ".join(f"{one.category}:{one.mode}" for one in header.categories)
    about = ", ".join(sorted({subject.role.value for subject in header.subjects}))
    return "\n".join(
        [
            f"{shown['exchange']}  {shown['officer']} asks {header.agency}",
            f"  asks for  {asked}",
            f"  about     {about}; {header.purpose}, {header.stage}, {header.rag}",
            f"  enquiry   {shown['enquiry_reason']}",
            f"  break-glass until {at_text(shown['until'])}, because: {shown['reason']}",
        ]
    )


def _review_line(review: Mapping[str, Any]) -> str:
    due = at_text(review["due_at"])
    return f"{review['exchange']}  {review['agency']:16} {review['state']:8} due {due}"
