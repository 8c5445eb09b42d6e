"""What the agency's lead is told of: proved, kept until it was seen, told to the agency's own command, never twice."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agents.runtime.alerts.group import alerts_group
from agents.runtime.alerts.telling import AlertTelling
from agents.runtime.settings import AgentSettings
from broker.node.command_client import CommandClient
from broker.node.log import get_head, get_leaves
from broker.node.post.writing import Writer
from broker.node.store import AfterSeal
from broker.node.store.port import Seal, Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest
from schemas.messages.addendum import make_addendum
from schemas.messages.entry import AlertSeenEntry, DeedEntry, QuarantinedEntry, nonce, read_entry, sign_deed
from schemas.messages.transport import Notice
from tests.support.parties import Member
from tests.unit.agents.runtime.conftest import octavia
from tests.unit.agents.runtime.hub import AGENCY, COORDINATOR, DESK, HOUR, LOG, Ask, Asked, World

TOLD = b'{"cuts":[],"v":1}'


async def answered(world: World) -> Asked:
    asked = await world.ask(Ask([octavia()]))
    await world.until(lambda: bool(world.answers))
    await world.settle()
    return asked


def sealed(world: World, exchange: str) -> bytes:
    lead, _ = world.directory.newest(AGENCY, KeyPurpose.ADDENDUM, world.clock.now())
    return make_addendum("testhub", exchange, TOLD, [lead])[0]


def quarantined(
    world: World, asked: Asked, addendum: bytes, *, by: Member = DESK, signer: Member = DESK, **changes: Any
) -> DeedEntry:
    """The desk's deed, unsigned; `signed` signs it."""
    released = read_entry(world.deeds[0])
    return QuarantinedEntry(
        **{
            "log": LOG,
            "hub": "testhub",
            "t": world.clock.now(),
            "n": nonce(),
            "by": by.party.id,
            "deed_key": signer.keys[KeyPurpose.DEED].id,
            "sig": "0" * 128,
            "agency": AGENCY,
            "exchange": asked.exchange,
            "answer_digest": getattr(released, "answer_digest"),  # noqa: B009 - of either sort of release
            "addendum_digest": digest(addendum),
            **changes,
        }
    )


async def notice(world: World, leaf: bytes, exchange: str, *more: bytes) -> None:
    """Log a leaf and give the agency notice of it, with further parts."""
    now, writer = world.clock.now(), Writer(COORDINATOR, "0" * 32)

    def work(tx: Transaction) -> AfterSeal[None] | None:
        index = world.log.append(tx, leaf)

        def send(tx: Transaction, seal: Seal) -> None:
            parts = [seal.receipt(index), world.extension(tx, seal), *more]
            given = {"exchange": exchange, "last_seq": world.seq}
            outgoing = writer.write(Notice, world.agency, parts, sent_at=now, expires_at=now + HOUR, **given)
            world.coordinator.post.outbox.put(tx, outgoing)

        return AfterSeal(send)

    await world.coordinator.post.commit(work)
    await world.settle()


async def told(world: World, **changes: Any) -> tuple[Asked, bytes]:
    """An answer of which the desk kept something back, and the agency told of it."""
    asked = await answered(world)
    addendum = sealed(world, asked.exchange)
    leaf = sign_deed(quarantined(world, asked, addendum, **changes), DESK.keys[KeyPurpose.DEED])
    await notice(world, leaf, asked.exchange, addendum)
    return asked, addendum


async def alerts(world: World, *, seen_too: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.agent.commands["alerts"]({"all": seen_too}))["alerts"]
    return found


def shown_open(world: World) -> float | None:
    registry = world.agent.ground.metrics.registry
    return registry.get_sample_value("needtoknow_lead_alerts_open", {"kind": "quarantined"})


async def own_leaves(world: World) -> list[bytes]:
    def read(tx: Transaction) -> list[bytes]:
        head = get_head(tx)
        assert head is not None
        return get_leaves(tx, 0, head.size)

    return await world.agent.ground.store.read(read)


async def test_what_the_desk_kept_back_becomes_an_alert_of_the_agencys_lead(world: World) -> None:
    asked, _ = await told(world)
    (alert,) = await alerts(world)
    assert (alert["kind"], alert["exchange"]) == ("quarantined", asked.exchange)
    assert world.acknowledged[-1] == ("notice", "committed")
    await world.until(lambda: shown_open(world) == 1)
    received = [read_entry(leaf) for leaf in await own_leaves(world)]
    assert "quarantined" in [getattr(entry, "entry_type", "") for entry in received]


async def test_an_alert_outlives_a_restart_and_is_counted_again(world: World) -> None:
    await told(world)
    await world.agent.stop()
    await world.start_agent()
    assert len(await alerts(world)) == 1
    await world.until(lambda: shown_open(world) == 1)


async def test_an_alert_that_comes_twice_is_one(world: World) -> None:
    world.bus.duplicate_next(5, subject="to.*.in")
    await told(world)
    assert len(await alerts(world)) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"agency": "another-police"}, "entry_foreign"),
        ({"answer_digest": "7" * 64}, "entry_foreign"),
        ({"by": COORDINATOR}, "entry_foreign"),
        ({"t": 9_000_000_000_000}, "from_the_future"),
        ({"addendum_digest": "7" * 64}, "part_mismatch"),
    ],
)
async def test_an_entry_that_is_not_the_desks_about_this_agencys_answer_alerts_nobody(
    world: World, changes: dict[str, Any], code: str
) -> None:
    await told(world, **changes)
    assert await alerts(world) == []
    assert world.acknowledged[-1] == ("notice", code)


async def test_a_coordinator_cannot_sign_for_the_desk_what_alerts_the_lead(world: World) -> None:
    asked = await answered(world)
    addendum = sealed(world, asked.exchange)
    leaf = sign_deed(quarantined(world, asked, addendum), COORDINATOR.keys[KeyPurpose.DEED])
    await notice(world, leaf, asked.exchange, addendum)
    assert await alerts(world) == []
    assert world.acknowledged[-1][1] != "committed"


async def test_a_notice_of_it_without_its_addendum_is_refused_and_an_erased_one_is_not(world: World) -> None:
    asked = await answered(world)
    addendum = sealed(world, asked.exchange)
    leaf = sign_deed(quarantined(world, asked, addendum), DESK.keys[KeyPurpose.DEED])
    await notice(world, leaf, asked.exchange)
    assert world.acknowledged[-1] == ("notice", "part_mismatch")
    await notice(world, leaf, asked.exchange, b"")
    assert world.acknowledged[-1] == ("notice", "committed")
    assert len(await alerts(world)) == 1


async def test_what_was_seen_is_no_alert_any_more_and_stands_in_the_agencys_own_log(world: World) -> None:
    await told(world)
    (alert,) = await alerts(world)
    await world.agent.commands["alert-acknowledge"]({"number": alert["number"]})
    assert await alerts(world) == []
    assert [one["number"] for one in await alerts(world, seen_too=True)] == [alert["number"]]
    await world.until(lambda: shown_open(world) == 0)
    (seen,) = [one for leaf in await own_leaves(world) if isinstance(one := read_entry(leaf), AlertSeenEntry)]
    assert seen.exchange == alert["exchange"]


def command(folder: Path, *, fails_once: bool = False) -> tuple[tuple[str, ...], Path]:
    """A command of the agency's that notes what it was told, and where."""
    noted, script, failed = folder / "noted", folder / "tell", folder / "failed"
    once = f'[ -e "{failed}" ] || {{ touch "{failed}"; exit 1; }}\n' if fails_once else ""
    script.write_text(f'#!/bin/sh\n{once}echo "$@" >> "{noted}"\nenv >> "{folder}/env"\n')
    script.chmod(0o700)
    return (str(script), "lead"), noted


async def test_the_agencys_own_command_is_told_the_kind_and_the_number_and_nothing_else(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEEDTOKNOW_SECRET", "never")
    run, noted = command(tmp_path)
    asked, _ = await told(world)
    (alert,) = await alerts(world)
    telling = AlertTelling(world.agent.ground.post, world.agent.telling.alarm, run)
    assert await telling._tell()
    assert noted.read_text() == f"lead quarantined {alert['number']}\n"
    said = noted.read_text() + (tmp_path / "env").read_text()
    assert asked.exchange not in said
    assert "never" not in said
    assert await telling._tell()
    assert len(noted.read_text().splitlines()) == 1


async def test_a_command_that_fails_is_run_again_also_after_a_restart(world: World, tmp_path: Path) -> None:
    run, noted = command(tmp_path, fails_once=True)
    await told(world)
    first = AlertTelling(world.agent.ground.post, world.agent.telling.alarm, run)
    assert not await first._tell()
    assert not noted.exists()
    await world.agent.stop()
    await world.start_agent()
    again = replace(first, post=world.agent.ground.post, alarm=world.agent.telling.alarm)
    assert await again._tell()
    assert noted.exists()


async def test_a_command_that_is_not_there_stops_nothing(world: World, tmp_path: Path) -> None:
    await told(world)
    gone = AlertTelling(world.agent.ground.post, world.agent.telling.alarm, (str(tmp_path / "gone"),))
    assert not await gone._tell()
    assert len(await alerts(world)) == 1


def test_a_command_of_the_agencys_is_configured_as_a_list() -> None:
    given = {"kind": "police", "bus": {}, "categories": [], "handling_caveat": "x"}
    made = AgentSettings.model_validate({**given, "alerts": {"command": ["/usr/local/bin/tell", "lead"]}})
    assert made.alerts.command == ("/usr/local/bin/tell", "lead")


# The lead's commands.


async def served(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Have the commands ask what the running agent answered a moment ago: they are programs, and it is this one."""
    (alert,) = await alerts(world)
    number = {"number": alert["number"]}
    answers = {
        "alerts": await world.agent.commands["alerts"]({}),
        "alert": await world.agent.commands["alert"](number),
        "alert-acknowledge": await world.agent.commands["alert-acknowledge"](number),
    }
    monkeypatch.setattr(CommandClient, "ask", lambda self, name, arguments=None: json.loads(json.dumps(answers[name])))
    return alert


async def test_the_lead_reads_with_the_leads_key_what_the_entry_does_not_say(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told(world)
    alert = await served(world, monkeypatch)
    run = CliRunner()
    home = ["--home", os.fspath(world.home.path)]
    assert "quarantined" in run.invoke(alerts_group(), ["list", *home]).output
    without = run.invoke(alerts_group(), ["show", str(alert["number"]), *home])
    assert "--lead-key" in without.output
    key = ["--lead-key", os.fspath(world.folder / "lead.key")]
    shown = run.invoke(alerts_group(), ["show", str(alert["number"]), *home, *key, "--json"])
    assert json.loads(shown.output)["addendum"] == json.loads(TOLD)
    seen = run.invoke(alerts_group(), ["acknowledge", str(alert["number"]), *home])
    assert seen.output.startswith("acknowledged")
