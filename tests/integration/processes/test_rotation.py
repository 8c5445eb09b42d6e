"""Every key of the bus itself replaced, one after the other, while an officer asks: real programs, a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from click.testing import CliRunner

from broker.cli import main
from broker.cli.founding import write_bus
from broker.enrolment.configuration.files import Node
from broker.enrolment.configuration.server import needs_restart
from broker.node.clock import SystemClock
from broker.node.home import Home
from tests.integration.processes.ceremony import repeat_ceremony
from tests.integration.processes.driver import Driver, check_everything
from tests.support.processes import AGENCY, Parties, until

UNFINISHED = 3
HOST = "127.0.0.1"


def broker(*arguments: object) -> tuple[int, Mapping[str, Any]]:
    """A command as the hub's administrator types it, and what it printed."""
    done = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert done.exit_code in (0, UNFINISHED), done.output
    return done.exit_code, json.loads(done.stdout)


def install(parties: Parties) -> None:
    """Give the server its files, and reload or restart it: what the administrator of its machine does."""
    server = parties.bus.server
    node = Node("hub-1", HOST, server.port)
    (written,) = write_bus(parties.hub, [node], now=SystemClock().now())
    asyncio.run(server.follow(written.read_text("utf-8"), restarts=needs_restart))


def rotate(parties: Parties, *what: str) -> int:
    """Rotate to the end, installing files whenever admission waits for the server; how often that was."""
    installed = 0

    def look() -> bool:
        nonlocal installed
        status, done = broker("bus", "rotate", "--home", parties.hub.path, *what, "--wait", 0)
        if done["servers"]:
            install(parties)
            installed += 1
        return status == 0 and not done["servers"]

    until(f"{what} rotated", look)
    return installed


def steps(parties: Parties) -> list[str]:
    """What the hub's log says of the bus's own keys."""
    entries = [one["entry"] for one in parties.hub.ask_coordinator("log", {"start": 0, "limit": 1000})["entries"]]
    return [str(one["reason"]) for one in entries if one["type"] == "admission" and one["step"] == "bus-rotated"]


def meet(parties: Parties, *happenings: Callable[[], object]) -> None:
    """Let each of these happen while requests run; every request ends in one answer."""
    driver = Driver(parties)
    driver.begin(4 * len(happenings) + 2)
    for number, happening in enumerate(happenings, start=1):
        driver.allow(4)
        driver.wait_until_asked(4 * number - 2)
        happening()
    driver.allow(2)
    check_everything(parties, driver.finish())


def authorities_of(home: Home) -> bytes:
    """Whom a party trusts."""
    return (home.path / "bus" / "ca.pem").read_bytes()


def _trusts(home: Home, authorities: bytes) -> bool:
    return authorities_of(home) == authorities


def test_nothing_is_lost_while_the_keys_of_the_bus_are_rotated_as_planned(parties: Parties) -> None:
    before = authorities_of(parties.agent)
    meet(
        parties,
        lambda: rotate(parties, "system"),
        lambda: rotate(parties, "operator-signer"),
        lambda: rotate(parties, "operator"),
        lambda: rotate(parties, "authority"),
    )
    after = authorities_of(parties.hub.admission)
    assert after != before
    for home in (parties.agent, parties.hub.coordinator, parties.hub.desk):
        until("the old authority is trusted by nobody", partial(_trusts, home, after))
    expected = {
        "system-added",
        "system-done",
        "operator-signer-added",
        "operator-signer-done",
        "operator-added",
        "operator-done",
        "authority-added",
        "authority-used",
        "authority-done",
    }
    until("each step is in the log", lambda: set(steps(parties)) == expected)
    assert len(steps(parties)) == len(expected)


def test_nothing_is_lost_when_the_keys_of_the_bus_are_revoked_at_once(parties: Parties) -> None:
    before = authorities_of(parties.agent)
    meet(
        parties,
        lambda: rotate(parties, "system", "--emergency"),
        lambda: rotate(parties, "operator-signer", "--emergency"),
        lambda: rotate(parties, "account"),
        lambda: rotate_authority_at_once(parties),
    )
    assert authorities_of(parties.agent) != before
    parties.programs[AGENCY].stop()
    parties.programs[AGENCY].start()
    parties.programs[AGENCY].wait_until_connected()


def rotate_authority_at_once(parties: Parties) -> None:
    """The old authority is dead; whoever is connected hears of it all the same."""
    for program in parties.programs.values():
        program.wait_until_connected()  # the server was restarted a moment ago
    asked = ("bus", "rotate", "--home", parties.hub.path, "authority", "--emergency", "--wait", 0)
    assert broker(*asked)[0] == UNFINISHED
    rotate(parties, "authority")
    after = authorities_of(parties.hub.admission)
    for home in (parties.agent, parties.hub.coordinator, parties.hub.desk):
        until("everybody trusts the new one", partial(_trusts, home, after))


def test_an_agency_that_was_away_when_the_authority_was_revoked_comes_back_by_a_ceremony(parties: Parties) -> None:
    parties.programs[AGENCY].stop()
    before = authorities_of(parties.agent)
    asked = ("bus", "rotate", "--home", parties.hub.path, "authority", "--emergency", "--wait", 0)
    assert broker(*asked)[0] == UNFINISHED
    install(parties)
    for home in (parties.hub.coordinator, parties.hub.desk):
        until("the hub trusts the new one", partial(_trusts, home, authorities_of(parties.hub.admission)))
    assert authorities_of(parties.agent) == before
    repeat_ceremony(parties)
    assert authorities_of(parties.agent) == authorities_of(parties.hub.admission) != before
    meet(parties, lambda: None)
