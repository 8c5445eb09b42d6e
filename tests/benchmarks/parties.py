"""A measured party as a process: `python -m tests.benchmarks.parties coordinator|desk|agent FOLDER BUS_URL`.

Each is composed by the product's own `build_*` on a real home, store and NATS connection. What the product's `main`
adds (command socket, health server) takes no part in an exchange and is left out. The desk's process also drives.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from datetime import timedelta
from pathlib import Path

from broker.node.bus.access import PLAINTEXT
from broker.node.bus.nats import NatsBus
from broker.node.clock import SystemClock
from broker.node.ground import Ground, open_ground
from broker.node.home import Home
from broker.node.journal import configure_journal
from broker.node.metrics import build_metrics
from broker.node.store.migrations import Migration
from tests.benchmarks.child import serve
from tests.benchmarks.measured import MeasuredParty
from tests.benchmarks.profiling import Profiles
from tests.benchmarks.staging import Stage
from tests.benchmarks.timeline import NotingBus, Timeline


async def run_coordinator(stage: Stage, profiles: Profiles) -> None:
    """Run the coordinator; the officer is admitted before it says that it is ready."""
    from broker.client.publishing import following
    from broker.coordinator import records
    from broker.coordinator.members import admit_officer
    from broker.coordinator.policy_taking import take_policy
    from broker.coordinator.program import build_coordinator
    from broker.node.keyfile import read_key_file
    from broker.policy.packs import ENGLAND, folder_of, gather, load
    from schemas.crypto.purposes import KeyPurpose
    from schemas.messages.policy import pack_policy_files, sign_policy

    timeline = Timeline("coordinator")
    ground = await _open(stage, stage.coordinator, records.MIGRATIONS, timeline)
    program = build_coordinator(ground, settle_in=timedelta(0))
    timeline.watch(ground)
    await program.start()
    await admit_officer(program.room, stage.officer)
    lead = read_key_file(stage.lead_key)
    assert lead.party is not None
    await admit_officer(program.room, lead.party.id)
    files = gather(folder_of(ENGLAND))
    known = await program.commands["policy-versions"]({})
    if not known["versions"]:
        statement = following(known, lead, load(files), valid_from=known["now"])
        frame = sign_policy(statement, lead.signing_key(KeyPurpose.POLICY))
        await take_policy(program.room, frame, pack_policy_files(files.whole))
    await _serve(MeasuredParty(program, timeline, profiles))


async def run_agent(stage: Stage, profiles: Profiles) -> None:
    """Run the agency's agent over a case system in memory; ready once it holds the hub's log."""
    from agents.runtime.agent import AGENT_MIGRATIONS, build_agent
    from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
    from agents.runtime.hub_log import mirror
    from tests.benchmarks.memory import source

    timeline = Timeline("agent")
    ground = await _open(stage, stage.agent, AGENT_MIGRATIONS, timeline)
    program = build_agent(ground, source(), load_gatekeeper(None), stage.agent_settings())
    timeline.watch(ground)
    await program.start()
    while (await ground.store.read(mirror.standing)).size == 0 and not ground.post.halted.done():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    await _serve(MeasuredParty(program, timeline, profiles))


async def run_desk(stage: Stage, profiles: Profiles) -> None:
    """Run the desk and the officer who asks."""
    from broker.desk.program import DESK_MIGRATIONS, build_desk
    from tests.benchmarks.asking import AskingDesk

    timeline = Timeline("desk")
    ground = await _open(stage, stage.desk, DESK_MIGRATIONS, timeline)
    program = build_desk(ground, stage.desk_settings())
    timeline.watch(ground)
    await program.start()
    await _serve(await AskingDesk.open(program, timeline, profiles, stage))


async def _open(stage: Stage, home: Home, migrations: tuple[Migration, ...], timeline: Timeline) -> Ground:
    bus = NotingBus(NatsBus(stage.bus_url, name=timeline.party, access=PLAINTEXT), timeline)
    return await open_ground(home, migrations=migrations, bus=bus, clock=SystemClock(), metrics=build_metrics())


async def _serve(party: MeasuredParty) -> None:
    while party.program.ground.post.connected_at is None:  # noqa: ASYNC110 - nobody but the program is told
        await asyncio.sleep(0.005)
    gc.freeze()  # as `broker.node.running` does
    await serve(party.answer)
    await party.program.stop()


def main(role: str, folder: str, bus_url: str, switch_interval: str = "") -> None:
    """Run one party until its input ends."""
    if switch_interval:
        sys.setswitchinterval(float(switch_interval))
    configure_journal(role)
    profiles = Profiles()
    runs = {"coordinator": run_coordinator, "agent": run_agent, "desk": run_desk}
    asyncio.run(runs[role](Stage(Path(folder), bus_url), profiles))


if __name__ == "__main__":
    main(*sys.argv[1:])
