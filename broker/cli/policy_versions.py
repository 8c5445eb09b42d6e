"""`broker policy publish` and `broker policy versions`: which version of the hub's policy is in force when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import click

from broker.cli.options import home_option, key_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import Hub
from broker.client.publishing import publish as publish_pack
from broker.client.publishing import tell_desk as hand_over
from broker.node.command_client import NotRunning
from broker.node.keyfile import read_key_file
from broker.policy.day import start_of
from broker.policy.packs import find_pack, gather
from schemas.failure_codes import COMMITTED

NOW: Final = "now"
_AT_DESK: Final = {
    None: "the desk does not run: nobody can say whether it has this version",
    False: "the desk does not have it, and requests do not name it: broker policy tell-desk",
}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Instant(click.ParamType[int | None]):
    """From when: `now`, a day in the United Kingdom, or an instant with its offset from UTC."""

    name = "WHEN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Milliseconds UTC; None for now."""
        text = str(value)
        if text == NOW:
            return None
        try:
            if _DAY.fullmatch(text):
                return start_of(date.fromisoformat(text))
            instant = datetime.fromisoformat(text)
        except ValueError:
            self.fail("say now, a day such as 2026-12-01, or an instant such as 2026-12-01T09:00Z", param, ctx)
        if instant.tzinfo is None:
            self.fail("an instant needs its offset from UTC, such as 2026-12-01T09:00Z", param, ctx)
        return round(instant.timestamp() * 1000)


@click.command()
@click.argument("pack")
@home_option
@key_option
@click.option("--from", "valid_from", type=Instant(), required=True, help="From when it is in force: now, a day, ...")
@json_option
@explained
def publish(pack: str, hub: Hub, key_path: Path, valid_from: int | None, as_json: bool) -> None:
    """Put PACK, by its name or its folder, in force from an instant on. For the hub's IG lead.

    It is checked first (broker policy check); one that does not hold is refused, and the version in force stays. Then
    your key signs it, the coordinator enters it in the sharing log, and every agency is sent it. The desk is handed it
    too, and names it in every request: so an agency misses a version that the coordinator would keep from it.
    """
    files = gather(find_pack(pack))
    taken = publish_pack(hub.ask_coordinator, hub.ask_desk, read_key_file(key_path), files, valid_from=valid_from)
    text = (
        f"version {taken['number']} of the policy: {_pack(taken)}, in force from {_when(taken['valid_from'])}\n"
        f"  digest {taken['policy_digest']}\nwhich agencies have it: broker policy versions"
    )
    show(taken, text, as_json=as_json)


@click.command()
@home_option
@json_option
@explained
def versions(hub: Hub, as_json: bool) -> None:
    """Every version of the hub's policy: from when, who signed it, and which agencies have it."""
    found = hub.ask_coordinator("policy-versions")
    try:
        held = hub.ask_desk("policy-versions")["versions"]
        desk = {one["number"]: one["statement_digest"] for one in held}
    except NotRunning:
        desk = None
    for one in found["versions"]:
        one["at_desk"] = None if desk is None else desk.get(one["number"]) == one["statement_digest"]
    show(found, "\n".join(_lines(found)), as_json=as_json)


@click.command("tell-desk")
@home_option
@json_option
@explained
def tell_desk(hub: Hub, as_json: bool) -> None:
    """Hand the desk the versions that it lacks, because it was away, or was restored, when one was published."""
    told = hand_over(hub.ask_coordinator, hub.ask_desk)
    text = f"handed to the desk: version {', '.join(map(str, told))}" if told else "the desk has every version it needs"
    show({"handed_over": told}, text, as_json=as_json)


def _lines(found: Mapping[str, Any]) -> Iterable[str]:
    if not found["versions"]:
        yield "no version yet, so every request is refused; the IG lead runs: broker policy publish PACK --from now"
    for one in found["versions"]:
        number = one["number"]
        is_over = "over" if number < found["in_force"] else "to come"
        standing = "in force" if number == found["in_force"] else is_over
        yield f"{number:>4}  {standing:8}  from {_when(one['valid_from'])}  {_pack(one)}  signed by {one['signed_by']}"
        yield f"      digest {one['policy_digest']}"
        if number >= found["in_force"] and not one["at_desk"]:
            yield f"      {_AT_DESK[one['at_desk']]}"
        if said := [_said(agency) for agency in one["agencies"]]:
            yield f"      {', '.join(said)}"


def _said(agency: Mapping[str, Any]) -> str:
    if agency["code"] is None:
        return f"{agency['agency']} not yet"
    name, at = agency["agency"], _when(agency["answered_at"])
    return f"{name} has it since {at}" if agency["code"] == COMMITTED else f"{name} refused it ({agency['code']})"


def _pack(one: Mapping[str, Any]) -> str:
    return f"{one['pack']} {one['pack_version']} ({one['nation']})"


def _when(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
