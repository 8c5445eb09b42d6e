"""`broker log ...`: read and verify the hub's sharing log through the running coordinator."""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from broker.cli.extract import extract
from broker.cli.options import home_option
from broker.cli.output import explained, json_option, show
from broker.cli.tables import at_text
from broker.client.hub import Hub
from broker.node.addenda import read_addendum
from schemas.failures import Failure

_ABOUT: Final = ("agency", "exchange", "step", "reason", "member", "change", "version", "extract_by")
"""The fields of an entry that a person looks for first, in order."""


class NoAddendum(Failure):
    """An entry that says all there is, or none at all."""

    code = "no_addendum"


@click.group()
def log() -> None:
    """The sharing log."""


log.add_command(extract)


@log.command("show")
@home_option
@click.option("--start", type=click.IntRange(min=0), help="Index of the first entry; without it the newest are shown.")
@click.option("--limit", default=100, type=click.IntRange(1, 1000), help="How many entries.")
@json_option
@explained
def show_(hub: Hub, start: int | None, limit: int, as_json: bool) -> None:
    """Entries of the log. That they were read becomes an entry."""
    if start is None:
        start = max(0, hub.ask_coordinator("checkpoint")["size"] - limit)
    found = hub.ask_coordinator("log", {"start": start, "limit": limit})
    show(found, "\n".join(entry_line(one) for one in found["entries"]) or "no entries", as_json=as_json)


@log.command("open")
@home_option
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "--lead-key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The key file of an information governance lead to whom the entry's addendum was sealed.",
)
@json_option
@explained
def open_(hub: Hub, index: int, lead_key: Path, as_json: bool) -> None:
    """What an entry does not say: its addendum, for the lead whose key you give. That it was read becomes an entry."""
    found = hub.ask_coordinator("log", {"start": index, "limit": 1})["entries"]
    if not found or "addendum_digest" not in found[0]["entry"]:
        raise NoAddendum(f"there is no entry {index} with an addendum; see: broker log show")
    entry = found[0]["entry"]
    sealed = hub.ask_coordinator("addendum", {"sha256": entry["addendum_digest"]})["raw"]
    told = read_addendum(b64decode(sealed), entry["addendum_digest"], lead_key)
    text = json.dumps(told, ensure_ascii=False, indent=2)
    show({"entry": entry, "addendum": told}, f"{entry_line(found[0])}\n{text}", as_json=as_json)


@log.command()
@home_option
@json_option
@explained
def verify(hub: Hub, as_json: bool) -> None:
    """Check the whole log again from its first entry, and print its size, root and signed checkpoint."""
    audit = hub.ask_coordinator("log-verify")
    head = hub.ask_coordinator("checkpoint")
    lines = [f"{audit['entries']} entries: " + ("the log holds" if audit["holds"] else "THE LOG DOES NOT HOLD")]
    lines += [f"  entry {one['index']}: {one['what']}" for one in audit["findings"]]
    lines += ["", head["checkpoint"].rstrip()]
    show({**audit, **head}, "\n".join(lines), as_json=as_json)
    if not audit["holds"]:
        sys.exit(1)


def entry_line(shown: Mapping[str, Any]) -> str:
    """One entry in one line: index, time, type, and whom or what it is about."""
    entry = shown["entry"]
    about = " ".join(str(entry[name]) for name in _ABOUT if name in entry)
    return f"{shown['index']:8}  {at_text(entry['t'])}  {entry['type']:15} {about}"
