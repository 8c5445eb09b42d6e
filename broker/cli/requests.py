"""`broker request ...`: ask an agency, look how it goes, take it back.

Issuing has two steps under one command: the desk prepares the request and shows its header; this program checks that it
says what was asked for, and the officer's key signs exactly those bytes. The key never leaves this program.
"""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from broker.cli.options import ENQUIRY_ID, EXCHANGE_ID, SUBJECT_REF, NameParam, home_option, key_option
from broker.cli.output import explained, json_option, show
from broker.cli.tables import request_text
from broker.client.asking import issue_request
from broker.client.hub import Hub, OfficerAtDesk
from broker.desk.progress import Progress
from broker.node.clock import SystemClock
from schemas.failures import Failure
from schemas.vocabulary import Category, Mode

_UNITS: Final = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


LOOK_EVERY_S: Final = 0.5
"""Each look is a signed command that the desk remembers."""
ENDED: Final = frozenset(
    {Progress.OPENED, Progress.REFUSED, Progress.NOT_ACCEPTED, Progress.EXPIRED, Progress.WITHDRAWN}
)


class NotEnded(Failure):
    """A request that was waited for goes on."""

    code = "not_ended"


class CategoryAskedParam(click.ParamType[dict[str, str]]):
    """`police.incident` or `police.incident:existence`."""

    name = "CATEGORY[:MODE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        """One category and its mode; content if none is given."""
        category, _, mode = str(value).partition(":")
        if category not in list(Category):
            alike = [one.value for one in Category if one.startswith(category.partition(".")[0] + ".")]
            kinds = sorted({f"{one.value.partition('.')[0]}.*" for one in Category})
            self.fail(f"{category} is not a category; there are: {', '.join(alike or kinds)}", param, ctx)
        if (mode or "content") not in list(Mode):
            self.fail(f"{mode} is not a mode; a category is followed by nothing, :existence or :content", param, ctx)
        return {"category": category, "mode": mode or "content"}


class ElapsedParam(click.ParamType[timedelta]):
    """`30s`, `15m`, `4h`."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """A length of elapsed time."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", str(value))
        if match is None:
            self.fail(f"{value} is not a length of time such as 30s, 15m or 4h", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


@click.group()
def request() -> None:
    """Requests to agencies."""


@request.command()
@home_option
@key_option
@click.argument("enquiry_id", type=ENQUIRY_ID)
@click.option("--agency", required=True, help="The agency's name in the hub.")
@click.option("--category", "categories", multiple=True, required=True, type=CategoryAskedParam())
@click.option(
    "--subject", "subjects", multiple=True, type=SUBJECT_REF, help="A subject's reference in the enquiry; else all."
)
@click.option("--deadline", type=ElapsedParam(), help="From now; without it the hub's clock table counts from receipt.")
@click.option("--expiry", type=ElapsedParam(), help="From now; after it no answer is accepted.")
@click.option("--break-glass-by", "manager", type=NameParam(), help="In an emergency: the manager who is to sign too.")
@click.option("--break-glass-reason", "why", help="Why, for the manager, and for the leads of hub and agency.")
@click.option(
    "--break-glass-for",
    "broken_for",
    type=ElapsedParam(),
    default=timedelta(hours=4),
    show_default="4h",
    help="From now; the grant ends then. At most what the sharing agreement says, and never more than 24h.",
)
@json_option
@explained
def issue(
    hub: Hub,
    key_path: Path,
    enquiry_id: str,
    agency: str,
    categories: tuple[dict[str, str], ...],
    subjects: tuple[str, ...],
    deadline: timedelta | None,
    expiry: timedelta | None,
    manager: str | None,
    why: str | None,
    broken_for: timedelta,
    as_json: bool,
) -> None:
    """Ask an agency about the subjects of an enquiry.

    In an emergency a manager signs too (--break-glass-by, --break-glass-reason): you sign first, and the request is on
    its way once the manager has. Rules of the hub that are marked so are lifted then; none of an agency's is. Both
    information governance leads are told at once.
    """
    now = SystemClock().now()
    if (manager is None) != (why is None):
        raise click.UsageError(
            "a glass is broken by a manager and for a reason: --break-glass-by, --break-glass-reason"
        )
    body: dict[str, Any] = {"agency": agency, "categories": list(categories)}
    if subjects:
        body["subjects"] = list(subjects)
    for name, length in (("deadline_at", deadline), ("expires_at", expiry)):
        if length is not None:
            body[name] = now + int(length.total_seconds() * 1000)
    if manager is not None:
        until = now + int(broken_for.total_seconds() * 1000)
        body["break_glass"] = {"manager": manager, "reason": why, "until": until}
    issued = issue_request(OfficerAtDesk.of(hub, key_path), enquiry_id, body)
    show(issued, request_text(issued), as_json=as_json)


@request.command("show")
@home_option
@key_option
@click.argument("exchange", type=EXCHANGE_ID)
@click.option("--wait", type=ElapsedParam(), help="Wait until the request has ended, but no longer than that.")
@json_option
@explained
def show_(hub: Hub, key_path: Path, exchange: str, wait: timedelta | None, as_json: bool) -> None:
    """How a request goes, without content."""
    officer = OfficerAtDesk.of(hub, key_path)
    until = time.monotonic() + (wait.total_seconds() if wait is not None else 0)
    while True:
        found = officer.ask("GET", f"/requests/{exchange}")
        if wait is None or found["progress"] in ENDED or found["not_taken"]:
            break
        if time.monotonic() > until:
            raise NotEnded(f"request {exchange} is still {found['progress']}; it goes on, look again later")
        time.sleep(LOOK_EVERY_S)
    show(found, request_text(found), as_json=as_json)


@request.command()
@home_option
@key_option
@click.argument("exchange", type=EXCHANGE_ID)
@json_option
@explained
def withdraw(hub: Hub, key_path: Path, exchange: str, as_json: bool) -> None:
    """Take a request back."""
    found = OfficerAtDesk.of(hub, key_path).ask("POST", f"/requests/{exchange}/withdraw")
    show(found, f"withdrawing request {found['exchange']} ({found['progress']})", as_json=as_json)
