"""`broker doctor`: everything a hub needs, tried one after the other; each finding says what to do.

Reads, and changes nothing: it may be run beside the running hub and as often as one likes. It opens no live store; what
only a running program knows is asked of it. A finding names files, keys, parties and counts, never a person.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from broker.cli.checked import Checked, State, tried
from broker.cli.doctor_homes import check_clock, check_homes, check_permissions, check_settings, check_users
from broker.cli.doctor_parties import check_agencies, check_each_other, check_officers, check_own_keys
from broker.cli.doctor_programs import check_bus, check_log, check_policy, check_programs
from broker.cli.options import home_option
from broker.cli.output import json_option, show
from broker.client.hub import Hub
from broker.node.clock import SystemClock


@click.command()
@home_option
@json_option
def doctor(hub: Hub, as_json: bool) -> None:
    """Try everything the hub needs, and say what to do about what is missing. Exit status 1 if anything failed."""
    found = list(examine(hub, SystemClock().now()))
    text = "\n".join(f"{one.state.value:4}  {one.what:12} {one.said}" for one in found)
    show([one.shown() for one in found], text, as_json=as_json)
    sys.exit(1 if any(one.state is State.FAIL for one in found) else 0)


def examine(hub: Hub, now: int) -> Iterator[Checked]:
    """Try everything, in the order a start needs it; without homes there is nothing else to try."""
    homes = tried("homes", lambda: check_homes(hub))
    yield homes
    if homes.state is State.FAIL:
        return
    yield tried("permissions", lambda: check_permissions(hub))
    yield tried("settings", lambda: check_settings(hub))
    yield tried("clock", lambda: check_clock(hub, now))
    yield tried("users", lambda: check_users(hub))
    yield tried("own keys", lambda: check_own_keys(hub.coordinator, now))
    yield tried("own keys", lambda: check_own_keys(hub.desk, now))
    yield tried("each other", lambda: check_each_other(hub))
    yield tried("agencies", lambda: check_agencies(hub, now))
    yield tried("officers", lambda: check_officers(hub, now))
    yield tried("policy", lambda: check_policy(hub))
    yield tried("bus", lambda: check_bus(hub))
    yield tried("coordinator", lambda: check_programs(hub.coordinator))
    yield tried("desk", lambda: check_programs(hub.desk))
    yield tried("log", lambda: check_log(hub))
