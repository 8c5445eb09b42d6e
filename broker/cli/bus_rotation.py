"""`broker bus rotate`: a key of the bus itself replaced while everything runs; a client of admission.

Admission goes as far as it can and says whom it waits for. An embedded server is given its files by `broker run`; for
others a person does that, and types the same command again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import click

from broker.cli.founding import embedded_node
from broker.cli.options import home_option
from broker.cli.output import explained, json_option, show
from broker.client.hub import Hub
from broker.node.bus.claims import decode
from broker.node.home import write_whole

WHAT: Final = ("operator", "operator-signer", "system", "account", "authority")
WAITS_S: Final = 30.0
"""For an embedded server that is started anew, and for parties that are connected: seconds."""
_AGAIN_S: Final = 0.5
_UNFINISHED: Final = 3
"""The exit status while something is still waited for."""


@click.command()
@home_option
@click.argument("what", type=click.Choice(WHAT))
@click.option("--emergency", is_flag=True, help="The old one is dead at once: lost, stolen or suspected to be.")
@click.option("--without", is_flag=True, help="Go on without parties that have not renewed; they are admitted anew.")
@click.option("--wait", "wait_s", default=WAITS_S, show_default=True, help="Seconds to wait for servers and parties.")
@json_option
@explained
def rotate(hub: Hub, what: str, emergency: bool, without: bool, wait_s: float, as_json: bool) -> None:
    """Replace a key of the bus: as far as that goes now; typed again, it goes on. Exit status 3 while unfinished."""
    asked = {"what": what, "emergency": emergency, "without": without}
    if what == "account" and hand_over_account(hub) and what not in hub.ask_admission("bus-rotations")["under_way"]:
        show({"what": what, "reached": "done"}, "account: what was interrupted is done; nothing else", as_json=as_json)
        return
    ends_at = time.monotonic() + wait_s
    done = _go_on(hub, asked)
    while done["reached"] != "done" and time.monotonic() < ends_at:
        time.sleep(_AGAIN_S)
        done = _go_on(hub, asked)
    done["leaf_nodes"] = _agencies_with_servers(hub) if what in _ASKS_OF_LEAF_NODES else []
    show(done, said_of(done, is_embedded=embedded_node(hub) is not None), as_json=as_json)
    sys.exit(0 if done["reached"] == "done" else _UNFINISHED)


def _go_on(hub: Hub, asked: Mapping[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = hub.ask_admission("bus-rotate", dict(asked))
    if asked["what"] == "account":
        hand_over_account(hub)  # before anything is waited for: they are shut out
    return done


def hand_over_account(hub: Hub) -> bool:
    """Give coordinator and desk the claims of the account that admission is in; whether one had others.

    They are shut out until they have them, so no message could bring them; the file is public.
    """
    claims = (hub.admission.path / "bus" / "account.jwt").read_bytes()
    account = decode(claims.decode("ascii").strip()).subject
    changed = False
    for home in (hub.coordinator, hub.desk):
        path = home.path / "bus" / "account.jwt"
        if decode(path.read_text("ascii").strip()).subject != account:
            write_whole(path, claims)
            changed = True
    return changed


def _agencies_with_servers(hub: Hub) -> list[str]:
    found = hub.ask_admission("agencies")["agencies"]
    return sorted(str(one["agency"]) for one in found if one["may_run_leaf"] and one["state"] == "admitted")


def said_of(done: Mapping[str, Any], *, is_embedded: bool) -> str:
    """What a person is told of a rotation that has come so far, and is to do."""
    what, reached = done["what"], done["reached"]
    lines = [f"{what}: {_REACHED[reached]}"]
    if done["parties"]:
        lines.append(f"not renewed yet: {', '.join(done['parties'])}; each does so when it is connected")
    if done["servers"] and what in _TOLD_OVER_THE_BUS:
        lines.append(f"servers that have not confirmed it: {', '.join(done['servers'])}; each is told when it is back")
    elif done["servers"]:
        lines.append(f"servers without their new files: {', '.join(done['servers'])}")
        lines += [] if is_embedded else [_BY_HAND[what == "authority"]]
    if reached != "done":
        lines.append(f"then run again: broker bus rotate {what}")
    if done["leaf_nodes"]:
        cut_off = ", ".join(done["leaf_nodes"])
        lines.append(f"ring up, for their own servers may be cut off and not know it (deploy/RUNBOOK.md): {cut_off}")
    return "\n".join(lines)


_TOLD_OVER_THE_BUS: Final = ("system", "account")
"""What servers need no files for."""
_ASKS_OF_LEAF_NODES: Final = ("operator-signer", "authority")
"""What has something to do for an agency with a server of its own."""
_REACHED: Final = {
    "added": "the next one is made; it is used once everybody takes it",
    "used": "the next one is used; the old one is still taken",
    "dropped": "the old one is destroyed; servers still know its name",
    "done": "replaced",
}
_BY_HAND: Final = {
    False: "run broker bus config with your servers, install the files, restart one server after the other",
    True: "run broker bus config with your servers, install the files, reload each server",
}
