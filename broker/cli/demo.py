"""`broker demo`: a hub and four agencies on this machine, one story, and every log verified at the end."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from broker.cli.output import explained
from broker.cli.setup import create_hub
from broker.client.hub import LOOPBACK, Hub
from broker.demo.account import Facts, give_account
from broker.demo.performance import Performance
from broker.demo.stage import AGENCIES, HUB_ID, Stage
from broker.demo.telling import tell
from broker.demo.watching import Watching
from broker.desk.cards import OfficerCard, add_card
from broker.enrolment.officer import make_officer
from broker.node.clock import SystemClock
from schemas.vocabulary import OfficerRole

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
@explained
def demo(as_json: bool, keep: Path | None, seed: int, people: int) -> None:
    """Show one of everything: asked, decided, sealed, logged, answered, refused, withdrawn, late, expired."""
    console = Console(stderr=as_json, highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    if keep is not None:
        sys.exit(asyncio.run(_show(keep.absolute(), console, as_json=as_json, seed=seed, people=people, is_kept=True)))
    with tempfile.TemporaryDirectory(prefix="needtoknow-") as directory:
        sys.exit(asyncio.run(_show(Path(directory), console, as_json=as_json, seed=seed, people=people, is_kept=False)))


async def _show(root: Path, console: Console, *, as_json: bool, seed: int, people: int, is_kept: bool) -> int:
    console.print(f"A county of {people} invented people, a hub and four agencies in {root} ...")
    stage = await Stage.build(root, seed=seed, people=people)
    interrupted = asyncio.current_task()
    assert interrupted is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.cancel)
    try:
        performance = await _set_up(stage)
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


async def _set_up(stage: Stage) -> Performance:
    """Make the hub and the officer, exchange files, start the programs; education's agent stays down."""
    hub = Hub(stage.hub)
    key_path = stage.root / "officer.key"
    making = asyncio.create_task(stage.make_agents())
    create_hub(hub, hub_id=HUB_ID, name="The demonstration hub", url=stage.server.url, embedded_port=None)
    with hub.coordinator.config_path.open("a") as config:
        config.write("[time]\nsettle_in_seconds = 1\n")  # deadlines are seconds here: nobody gets a quarter minute
    with hub.desk.config_path.open("a") as config:
        config.write("[asking]\nshortest_lead_seconds = 1\n")
    officer = make_officer(
        key_path,
        stage.root / "handed" / "officer.party",
        hub=HUB_ID,
        role=OfficerRole.SOCIAL_WORKER,
        position="Duty social worker",
        now=SystemClock().now(),
    )
    card = OfficerCard(name="Alex Morgan", position="Duty social worker", contact="01632 960000")
    add_card(hub.desk, officer.id, card)
    await making
    handed = [stage.hand(hub.path / "public" / f"{name}.party", name) for name in ("coordinator", "desk")]
    stage.exchange_files([*handed, stage.root / "handed" / "officer.party"])
    for home in (hub.coordinator, hub.desk):
        home.pin(officer.raw)
        for agency in AGENCIES:
            home.pin(stage.hand(stage.agent(agency).path / "own.party", agency).read_bytes())
    running = ("coordinator", "desk", "police", "health", "probation")
    for name in running:
        stage.start(name)
    await stage.wait_until_ready(*running)
    hub.ask_coordinator("admit-officer", {"officer": officer.id})
    return Performance(stage, hub, key_path)


def _print(console: Console, facts: Facts, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False))
    else:
        tell(console, facts)


def _say_what_runs(console: Console, stage: Stage) -> None:
    running = {name: process.pid for name, process in stage.processes.items()} | {"nats-server": stage.server.pid}
    lines = [f"\nLeft running in {stage.root}, bus at {stage.server.url.replace(LOOPBACK, 'localhost')}:"]
    lines += [f"  {name:12} process {pid}" for name, pid in running.items()]
    lines.append("Stop them with: kill " + " ".join(str(pid) for pid in running.values()))
    lines.append(f"Try: broker enquiry list --home {stage.hub} --key {stage.root / 'officer.key'}")
    for line in lines:
        console.print(line, soft_wrap=True)  # to be copied: a command broken over lines is another command
