"""`broker doctor`: everything a hub needs, tried one after the other; each finding says what to do.

Reads, and changes nothing: it may be run beside the running hub and as often as one likes. It opens no live store; what
only a running program knows is asked of it. A finding names files, keys, parties and counts, never a person.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

import click

from broker.cli.doctor_admission import check_admission
from broker.cli.doctor_bus_keys import check_bus_keys
from broker.cli.doctor_homes import check_homes, check_lead_key, check_separation, check_settings, check_users
from broker.cli.doctor_parties import check_agencies, check_each_other, check_officers
from broker.cli.doctor_programs import check_log, check_policy, check_program, is_running
from broker.cli.options import home_option
from broker.cli.output import json_option, show
from broker.client.hub import Hub
from broker.node.clock import SystemClock
from broker.node.doctor.bus import check_access, check_bus, configured_servers
from broker.node.doctor.checked import Checked, NotWell, State, Warned, as_text, tried
from broker.node.doctor.clock import check_clock, check_others
from broker.node.doctor.directory import check_directory
from broker.node.doctor.endings import check_endings
from broker.node.doctor.expiring import expiries
from broker.node.doctor.keys import check_own_keys
from broker.node.doctor.permissions import check_permissions
from broker.node.home import Home

PARTIES: Final = ("coordinator", "desk", "admission")


@click.command()
@home_option
@json_option
@click.argument("only", type=click.Choice(PARTIES), required=False)
def doctor(hub: Hub, as_json: bool, only: str | None) -> None:
    """Try everything the hub needs, and say what to do about what is missing. Exit status 1 if anything failed.

    Where each program has a user of its own, run it as each of them, naming the program.
    """
    now = SystemClock().now()
    found = list(examine(hub, now) if only is None else examine_one(hub, only, now))
    show([one.shown() for one in found], as_text(found), as_json=as_json)
    sys.exit(0 if all(one.is_well for one in found) else 1)


def examine(hub: Hub, now: int) -> Iterator[Checked]:
    """Try everything, in the order a start needs it; without homes there is nothing else to try."""
    homes = tried("homes", lambda: check_homes(hub))
    yield homes
    if homes.state is State.FAIL:
        return
    yield tried("lead's key", lambda: check_lead_key(hub))
    yield tried("settings", lambda: check_settings(hub))
    yield tried("users", lambda: check_users(hub))
    yield tried("separation", lambda: check_separation(hub))
    yield tried("each other", lambda: check_each_other(hub))
    yield tried("agencies", lambda: check_agencies(hub, now))
    yield tried("officers", lambda: check_officers(hub, now))
    for name in PARTIES:
        yield from examine_one(hub, name, now)


def examine_one(hub: Hub, name: str, now: int) -> Iterator[Checked]:
    """Try what one of the hub's programs needs, as the one user who may read its home."""
    home = {"coordinator": hub.coordinator, "desk": hub.desk, "admission": hub.admission}[name]
    yield tried(f"{name}: files", lambda: check_permissions(home))
    yield tried(f"{name}: clock", lambda: check_clock([home], now))
    yield tried(f"{name}: keys", lambda: check_own_keys(home))
    yield tried(f"{name}: endings", lambda: check_endings(name, expiries(home), now))
    yield tried(f"{name}: access", lambda: check_access(home, now))
    yield tried(f"{name}: bus", lambda: _bus(hub, home, now))
    if name == "coordinator":
        yield tried(f"{name}: policy", lambda: check_policy(hub))
        yield tried(f"{name}: log", lambda: check_log(hub))
    yield tried(f"{name}: program", lambda: check_program(home))
    if name != "admission":
        yield tried(f"{name}: directory", lambda: check_directory(home, now))
    else:
        yield tried(f"{name}: members", lambda: check_admission(hub, now))
        yield tried(f"{name}: bus keys", lambda: check_bus_keys(hub, now))
    yield tried(f"{name}: peers", lambda: check_others(home))


def _bus(hub: Hub, home: Home, now: int) -> str | Warned:
    try:
        return check_bus(home, *configured_servers(home), now)
    except NotWell as failure:
        if hub.settings().bus.embedded_port is None or is_running(home):
            raise
        return Warned(f"{failure.detail}; broker run starts it")
