"""`broker agency`: which agencies are admitted, and how each stands. Clients of the running admission.

Admission decides and records; this writes files, asks a person, and brings what coordinator and desk have pinned in
line. That last step is done for every agency each time, so that what was interrupted once is made good the next time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from broker.cli.options import NameParam, home_option, yes_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import Hub
from broker.node.command_client import CommandFailed
from broker.node.confirming import confirm
from broker.node.home import Home
from schemas.failures import Failure
from schemas.messages.enrolment import MAX_REQUEST_BYTES
from schemas.messages.party import PartyKind, read_party

_name = click.argument("agency", type=NameParam())
_reason = click.option(
    "--reason", default="by-hand", show_default=True, help="A code for the log, for example left-hub."
)
_ON_RECORD: Final = frozenset({"admitted", "suspended"})
_ENOUGH_BYTES: Final = MAX_REQUEST_BYTES + 1
"""Of a file: what is longer is no request, and admission says so and enters it."""
_PASTED: Final = "the block came by standard input, so nobody could be asked; type this again with --words"
"""A terminal can be asked after the block has ended; a pipe cannot."""
_ALREADY: Final = frozenset({"enrolment_repeated", "agency_known"})


class FileUnusable(Failure):
    """A file that cannot be read or written."""

    code = "file_unusable"


@click.group()
def agency() -> None:
    """Agencies of the hub: admitted, suspended, expelled."""


@agency.command()
@home_option
@click.argument("request", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--reply", "reply_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the reply there.")
@click.option("--words", help="The ten words as the agency read them out; without it you are asked to compare.")
@click.option("--later", is_flag=True, help="Write the reply and end; run this again once you have their words.")
@click.option(
    "--leaf/--no-leaf",
    "may_run_leaf",
    default=None,
    help="It may connect a server of its own, as a leaf node; without this as it was offered before, or no.",
)
@click.option("--replace", "replaces", is_flag=True, help="The agency is admitted and has made itself a new root.")
@json_option
@explained
def admit(
    hub: Hub,
    request: Path,
    reply_path: Path | None,
    words: str | None,
    later: bool,
    may_run_leaf: bool | None,
    replaces: bool,
    as_json: bool,
) -> None:
    """Take in an agency's enrolment REQUEST (- for a pasted block), write the reply, and admit it after your yes."""
    is_pasted = str(request) == "-"
    file = sys.stdin.buffer.read(_ENOUGH_BYTES).decode("utf-8", "replace") if is_pasted else _read(request)
    try:
        asked = {"officers": _officers(hub), "replaces": replaces, "may_run_leaf": may_run_leaf}
        offered = hub.ask_admission("offer", {"request": file, **asked})
    except CommandFailed as failed:
        # A request that was taken already may stand for a step that was interrupted after it.
        if failed.reported in _ALREADY and settle_pins(hub):
            click.echo("what an earlier admission left undone was done", err=True)
        raise
    path = reply_path or Path(f"{offered['agency']}.admission")
    _write(path, offered["reply"])
    click.echo(f"{offered['agency']}: {offered['name']}\n  root  {offered['fingerprint']}", err=True)
    click.echo(f"reply written to {path}: hand it to the agency, and ring them", err=True)
    click.echo(f"\n  {offered['words']}\n", err=True)
    if later:
        facts = {"agency": offered["agency"], "reply": str(path), "words": offered["words"]}
        show(
            facts,
            f"offered to {offered['agency']}; nothing is in effect before its words are compared",
            as_json=as_json,
        )
        return
    if words is None:
        confirm(
            "Do they read out the same ten words?",
            otherwise="nothing is in effect; when they do read the same words, run this again",
            unasked=_PASTED if is_pasted else None,
        )
    # What was typed is compared even if it is nothing; only a person's yes stands for the words themselves.
    compared = offered["words"] if words is None else words
    admitted = hub.ask_admission("admit", {"agency": offered["agency"], "words": compared})
    settle_pins(hub)
    facts = {"agency": offered["agency"], "reply": str(path), "servers": admitted["servers"]}
    show(facts, f"admitted {offered['agency']}; in effect on {_servers(admitted)}", as_json=as_json)


@agency.command("list")
@home_option
@json_option
@explained
def list_agencies(hub: Hub, as_json: bool) -> None:
    """Every agency that was offered or admitted, and how it stands."""
    found = hub.ask_admission("agencies")["agencies"]
    lines = [f"{one['agency']:24} {one['state']:10} {_remark(one)}" for one in found]
    show([_shown(one) for one in found], "\n".join(lines) or "no agency was offered or admitted", as_json=as_json)


@agency.command("show")
@home_option
@_name
@json_option
@explained
def show_agency(hub: Hub, agency: str, as_json: bool) -> None:
    """Everything admission knows of one agency."""
    found = {one["agency"]: one for one in hub.ask_admission("agencies")["agencies"]}
    if agency not in found:
        raise click.UsageError(f"no agency {agency} was offered or admitted; see: broker agency list")
    one = _shown(found[agency])
    lines = [f"{key:24} {_time(value) if key.endswith(('_at', 'since')) else value}" for key, value in one.items()]
    show(one, "\n".join(lines), as_json=as_json)


@agency.command()
@home_option
@_name
@json_option
@explained
def withdraw(hub: Hub, agency: str, as_json: bool) -> None:
    """Take back what was offered to an agency that is not admitted yet: its words admit nobody any more."""
    done = hub.ask_admission("withdraw", {"agency": agency})
    show(done, f"withdrawn what was offered to {agency}; its request may be taken in again", as_json=as_json)


@agency.command()
@home_option
@_name
@_reason
@json_option
@explained
def suspend(hub: Hub, agency: str, reason: str, as_json: bool) -> None:
    """Cut an agency off until you resume it; what it was asked stays open."""
    done = hub.ask_admission("suspend", {"agency": agency, "reason": reason})
    settle_pins(hub)
    show(done, f"suspended {agency}; in effect on {_servers(done)}", as_json=as_json)


@agency.command()
@home_option
@_name
@json_option
@explained
def resume(hub: Hub, agency: str, as_json: bool) -> None:
    """Let a suspended agency in again."""
    done = hub.ask_admission("resume", {"agency": agency})
    settle_pins(hub)
    show(done, f"resumed {agency}; in effect on {_servers(done)}", as_json=as_json)


@agency.command()
@home_option
@_name
@_reason
@yes_option
@json_option
@explained
def expel(hub: Hub, agency: str, reason: str, yes: bool, as_json: bool) -> None:
    """Cut an agency off for good: what it was asked is withdrawn, what it still sends is refused."""
    if not yes:
        confirm(
            f"Expel {agency}? It comes back only with new keys and a new ceremony.",
            otherwise="nobody was expelled; to keep it out for a time: broker agency suspend",
        )
    done = hub.ask_admission("expel", {"agency": agency, "reason": reason})
    settle_pins(hub)
    show(done, f"expelled {agency}; in effect on {_servers(done)}", as_json=as_json)


@agency.command()
@home_option
@_name
@click.argument("allowed", type=click.Choice(["on", "off"]))
@json_option
@explained
def leaf(hub: Hub, agency: str, allowed: str, as_json: bool) -> None:
    """Let an agency connect a server of its own, as a leaf node (on), or no more (off)."""
    done = hub.ask_admission("leaf", {"agency": agency, "may_run_leaf": allowed == "on"})
    said = "may run a leaf node" if allowed == "on" else "may run no leaf node"
    show(done, f"{agency} {said}; in effect on {_servers(done)}", as_json=as_json)


@agency.command()
@home_option
@json_option
@explained
def settle(hub: Hub, as_json: bool) -> None:
    """Have coordinator and desk follow what admission decided, if that was interrupted."""
    changed = settle_pins(hub)
    show({"changed": changed}, f"settled {', '.join(changed)}" if changed else "nothing to settle", as_json=as_json)


def settle_pins(hub: Hub) -> list[str]:
    """Have coordinator and desk pin exactly the agencies that are admitted or suspended; gives back who changed.

    Raises:
        PartyFileInvalid: one clashes with a party pinned before.
    """
    members = {one["agency"]: one for one in hub.ask_admission("agencies")["agencies"] if "file" in one}
    changed = [name for home in (hub.coordinator, hub.desk) for name in _settle(home, members.values())]
    if changed:
        hub.tell_both("repin")
    return sorted(set(changed))


def _settle(home: Home, members: Iterable[dict[str, Any]]) -> list[str]:
    pinned = {party.id: party for party in home.directory().of_kind(PartyKind.AGENT)}
    changed = []
    for one in members:
        party, held = read_party(one["file"].encode("ascii")), pinned.get(one["agency"])
        if one["state"] in _ON_RECORD:
            # A newer statement under the pinned root comes by the directory; another root only by a person, here.
            if held is None or held.root != party.root:
                home.unpin(party.id)
                home.pin(party.raw)
                changed.append(party.id)
        elif held is not None:
            home.unpin(party.id)
            changed.append(party.id)
    return changed


def _officers(hub: Hub) -> list[str]:
    return [party.raw.decode("ascii") for party in hub.coordinator.directory().of_kind(PartyKind.OFFICER)]


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key != "file"}


def _remark(one: dict[str, Any]) -> str:
    if one["state"] == "offered":
        return "waits for your yes: broker agency admit with its request again"
    parts = [f"since {_time(one['since'])}"]
    if one["reason"]:
        parts.append(one["reason"])
    if one["state"] == "admitted" and not one["is_proven"]:
        parts.append("not yet proven")
    if one["may_run_leaf"] and one["state"] == "admitted":
        parts.append("may run a leaf node")
    if one["connected_to"]:
        parts.append(f"connected to {', '.join(one['connected_to'])}")
    return "; ".join(parts)


def _servers(done: dict[str, Any]) -> str:
    return ", ".join(done["servers"]) or "no server yet: each is told as soon as it answers"


def _time(at: object) -> str:
    if not isinstance(at, int):
        return "-"
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return opened.read(_ENOUGH_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise FileUnusable(f"{path} cannot be read ({error.strerror})") from None


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, "ascii")
    except OSError as error:
        raise FileUnusable(f"{path} cannot be written ({error.strerror}); say where with --reply") from None
