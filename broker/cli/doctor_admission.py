"""The doctor on admission: whether every server holds what it decided, and whether what a person began was finished."""

from __future__ import annotations

from typing import Final

from broker.client.hub import Hub
from broker.node.clock import DAY_MS
from broker.node.command_client import NotRunning
from broker.node.doctor.checked import NotWell, Warned
from schemas.messages.party import PartyKind

AUTHORITY_SOON_MS: Final = 365 * DAY_MS
"""Replacing an authority takes weeks: everybody has to renew twice."""
DIRECTORY_SOON_MS: Final = 7 * DAY_MS


def check_admission(hub: Hub, now: int) -> str | Warned:
    """Servers, directory, authority, and that coordinator and desk pinned exactly whom admission admitted."""
    try:
        status, found = hub.ask_admission("status"), hub.ask_admission("agencies")["agencies"]
    except NotRunning:
        return Warned("not running, so nobody can be admitted or expelled; start it with: broker run")
    if status["servers_stale"]:
        raise NotWell(f"servers that do not hold everything yet: {', '.join(status['servers_stale'])}; are they up?")
    admitted = {one["agency"] for one in found if one["state"] in ("admitted", "suspended")}
    for home in (hub.coordinator, hub.desk):
        pinned = {party.id for party in home.directory().of_kind(PartyKind.AGENT)}
        if pinned != admitted:
            names = ", ".join(sorted(pinned ^ admitted))
            raise NotWell(f"{home.path.name} has not followed about {names}; run: broker agency settle")
    if status["directory"] is None:
        raise NotWell("no directory is in the log yet; is the coordinator running?")
    if unfinished := hub.ask_admission("bus-rotations")["under_way"]:
        return Warned(f"a rotation is not finished; go on with: broker bus rotate {unfinished[0]}")
    if status["directory_expires_at"] - now < DIRECTORY_SOON_MS:
        return Warned("the directory ends within a week and no newer one is in the log; is the coordinator running?")
    if status["authority_expires_at"] - now < AUTHORITY_SOON_MS:
        return Warned("the authority ends within a year; replace it: broker bus rotate authority")
    waiting = sorted(one["agency"] for one in found if one["state"] == "offered")
    offered = f"; offered and not yet admitted: {', '.join(waiting)}" if waiting else ""
    return f"{len(admitted)} agencies, directory {status['directory']}, {len(status['servers'])} servers{offered}"
