"""`broker demo`: a hub and four agencies on this machine, one story, and every log verified at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from broker.cli.agency import settle_pins
from broker.cli.founding import found_hub, write_bus
from broker.cli.output import explained
from broker.cli.setup import free_ports
from broker.client.hub import LOOPBACK, Hub
from broker.client.publishing import publish
from broker.demo.account import Facts, give_account
from broker.demo.performance import Performance
from broker.demo.stage import AGENCIES, HUB_ID, HUB_PROGRAMS, Stage
from broker.demo.telling import tell
from broker.demo.watching import Watching
from broker.desk.cards import OfficerCard, add_card
from broker.enrolment.at_rest.officers import make_officer
from broker.enrolment.configuration.files import Node
from broker.node.clock import SystemClock
from broker.node.keyfile import read_key_file
from broker.policy.packs import ENGLAND, folder_of, gather
from schemas.messages.party import Party
from schemas.vocabulary import OfficerRole

OFFICER_KEY: Final = "officer.key"
LEAD_KEY: Final = "lead.key"
NAMES: Final = {OfficerRole.SOCIAL_WORKER: "Alex Morgan", OfficerRole.IG_LEAD: "Sam Price"}
AGENCIES_AT_WORK: Final = ("police", "health", "probation")
"""Whose agents run from the beginning."""
PIPE_WIDTH: Final = 160
"""Columns where there is no terminal to ask: the chronology's lines stay whole."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON for programs.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Use this new directory, and leave everything running in it.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed, another county.")
@click.option("--people", default=5000, show_default=True, type=click.IntRange(36, 500_000), help="Size of the county.")
@click.option("--nodes", default=1, show_default=True, type=click.IntRange(1, 5), help="Servers of the bus.")
@explained
def demo(as_json: bool, keep: Path | None, seed: int, people: int, nodes: int) -> None:
    """Show one of everything: asked, decided, sealed, logged, answered, refused, withdrawn, late, expired."""
    console = Console(stderr=as_json, highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    with contextlib.ExitStack() as kept:
        root = keep or Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="needtoknow-")))
        console.print(f"A county of {people} invented people, a hub and four agencies in {root} ...")
        building = Stage.build(root.absolute(), seed=seed, people=people)
        sys.exit(asyncio.run(_show(building, console, nodes, as_json=as_json, is_kept=keep is not None)))


async def _show(building: Awaitable[Stage], console: Console, nodes: int, *, as_json: bool, is_kept: bool) -> int:
    stage = await building
    interrupted = asyncio.current_task()
    assert interrupted is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.cancel)
    try:
        performance = await _set_up(stage, nodes, console)
        with Watching(console) as watching:
            await performance.run(watching.look)
        facts = await asyncio.to_thread(give_account, performance)
    except BaseException:
        await stage.close()
        raise
    _print(console, facts, as_json=as_json)
    if is_kept:
        _say_what_runs(console, stage)
    else:
        await stage.close()
    if facts["missing"]:
        console.print(f"[bold red]not shown: {', '.join(facts['missing'])}[/]")
    return 0 if facts["holds"] and not facts["missing"] else 1


async def _set_up(stage: Stage, count: int, console: Console) -> Performance:
    """Make the hub, its bus, officers and policy, admit the agencies, start the programs; education's stays down."""
    hub = Hub(stage.hub)
    making = asyncio.create_task(stage.make_agents())
    ports = free_ports(2 * count)
    nodes = [Node(f"hub-{number + 1}", LOOPBACK, ports[number], ports[count + number]) for number in range(count)]
    now = SystemClock().now()
    found_hub(hub, hub_id=HUB_ID, name="The demonstration hub", urls=[node.url for node in nodes], now=now)
    with hub.coordinator.config_path.open("a") as config:
        config.write("[time]\nsettle_in_seconds = 1\n")  # deadlines are seconds here: nobody gets a quarter minute
    with hub.desk.config_path.open("a") as config:
        config.write("[asking]\nshortest_lead_seconds = 1\n")
    officers = [
        _make_officer(stage, hub, OFFICER_KEY, OfficerRole.SOCIAL_WORKER, "Duty social worker", now),
        _make_officer(stage, hub, LEAD_KEY, OfficerRole.IG_LEAD, "Information governance lead", now),
    ]
    await stage.start_bus(write_bus(hub, nodes, now=now))
    for name in HUB_PROGRAMS:
        stage.start(name)
    await stage.wait_until_ready(*HUB_PROGRAMS)
    for officer in officers:
        hub.ask_coordinator("admit-officer", {"officer": officer.id})
    lead = read_key_file(stage.root / LEAD_KEY)
    pack = gather(folder_of(ENGLAND))
    await asyncio.to_thread(publish, hub.ask_coordinator, hub.ask_desk, lead, pack, valid_from=None)
    await making
    await _admit_agencies(stage, hub, officers, console)
    for name in AGENCIES_AT_WORK:
        stage.start(name)
    await stage.wait_until_ready(*AGENCIES_AT_WORK)
    return Performance(stage, hub, stage.root / OFFICER_KEY)


def _make_officer(stage: Stage, hub: Hub, key: str, role: OfficerRole, position: str, now: int) -> Party:
    party_path = stage.root / "handed" / f"{role}.party"
    officer = make_officer(stage.root / key, party_path, hub=HUB_ID, role=role, position=position, now=now)
    card = OfficerCard(name=NAMES[role], position=position, contact="01632 960000")
    add_card(hub.desk, officer.id, card)
    for home in (hub.coordinator, hub.desk):
        home.pin(officer.raw)
    return officer


async def _admit_agencies(stage: Stage, hub: Hub, officers: Sequence[Party], console: Console) -> None:
    """What two administrators do by file and by telephone, for every agency."""
    words, files = {}, [officer.raw.decode("ascii") for officer in officers]
    for agency in AGENCIES:
        request = stage.handed(agency, "enrolment").read_text("ascii")
        arguments = {"request": request, "officers": files, "replaces": False}
        offered = await asyncio.to_thread(hub.ask_admission, "offer", arguments)
        stage.handed(agency, "admission").write_text(offered["reply"], "ascii")
        words[agency] = offered["words"]
    await stage.accept_replies(words)
    for agency, said in words.items():
        await asyncio.to_thread(hub.ask_admission, "admit", {"agency": agency, "words": said})
        console.print(f"admitted {agency:10} the ten words read out: {said}")
    await asyncio.to_thread(settle_pins, hub)


def _print(console: Console, facts: Facts, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False))
    else:
        tell(console, facts)


def _say_what_runs(console: Console, stage: Stage) -> None:
    running = {name: process.pid for name, process in stage.processes.items()}
    running |= {f"bus {name}": server.pid or 0 for name, server in stage.servers.items()}
    lines = [f"\nLeft running in {stage.root}:"]
    lines += [f"  {name:12} process {pid}" for name, pid in running.items()]
    lines.append("Stop them with: kill " + " ".join(str(pid) for pid in running.values()))
    lines.append(f"Try: broker enquiry list --home {stage.hub} --key {stage.root / 'officer.key'}")
    for line in lines:
        console.print(line, soft_wrap=True)  # to be copied: a command broken over lines is another command
