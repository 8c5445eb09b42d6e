"""`broker request ...`: ask an agency, look how it goes, take it back.

Issuing has two steps under one command: the desk prepares the request and shows its header; this program checks that it
says what was asked for, and the officer's key signs exactly those bytes. The key never leaves this program.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from broker.cli.options import home_option, key_option
from broker.cli.output import explained, json_option, show
from broker.cli.tables import request_text
from broker.client.asking import issue_request
from broker.client.hub import Hub, OfficerAtDesk
from broker.node.clock import SystemClock
from schemas.vocabulary import Category, Mode

_UNITS: Final = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


class CategoryAskedParam(click.ParamType[dict[str, str]]):
    """`police.incident` or `police.incident:existence`."""

    name = "CATEGORY[:MODE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        """One category and its mode; content if none is given."""
        category, _, mode = str(value).partition(":")
        try:
            return {"category": Category(category).value, "mode": Mode(mode or "content").value}
        except ValueError:
            self.fail(f"{value} is not a category, or not followed by :existence or :content", param, ctx)


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
@click.argument("enquiry_id")
@click.option("--agency", required=True, help="The agency's name in the hub.")
@click.option("--category", "categories", multiple=True, required=True, type=CategoryAskedParam())
@click.option("--subject", "subjects", multiple=True, help="A subject's reference in the enquiry; without any, all.")
@click.option("--deadline", type=ElapsedParam(), help="From now; without it the hub's clock table counts from receipt.")
@click.option("--expiry", type=ElapsedParam(), help="From now; after it no answer is accepted.")
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
    as_json: bool,
) -> None:
    """Ask an agency about the subjects of an enquiry."""
    now = SystemClock().now()
    body: dict[str, Any] = {"agency": agency, "categories": list(categories)}
    if subjects:
        body["subjects"] = list(subjects)
    for name, length in (("deadline_at", deadline), ("expires_at", expiry)):
        if length is not None:
            body[name] = now + int(length.total_seconds() * 1000)
    issued = issue_request(OfficerAtDesk.of(hub, key_path), enquiry_id, body)
    show(issued, request_text(issued), as_json=as_json)


@request.command("show")
@home_option
@key_option
@click.argument("exchange")
@json_option
@explained
def show_(hub: Hub, key_path: Path, exchange: str, as_json: bool) -> None:
    """How a request goes, without content."""
    found = OfficerAtDesk.of(hub, key_path).ask("GET", f"/requests/{exchange}")
    show(found, request_text(found), as_json=as_json)


@request.command()
@home_option
@key_option
@click.argument("exchange")
@json_option
@explained
def withdraw(hub: Hub, key_path: Path, exchange: str, as_json: bool) -> None:
    """Take a request back."""
    found = OfficerAtDesk.of(hub, key_path).ask("POST", f"/requests/{exchange}/withdraw")
    show(found, f"withdrawing request {found['exchange']} ({found['progress']})", as_json=as_json)
