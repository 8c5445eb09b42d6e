"""An agent as a program: opened from its home, its source made by the agency's own code, run until told to stop."""

from __future__ import annotations

import asyncio

from agents.runtime.agency import Agency
from agents.runtime.agent import AGENT_MIGRATIONS, Agent, build_agent
from agents.runtime.enrolling import finish
from agents.runtime.gatekeeper import load_gatekeeper
from broker.node.bus.configured import bus_of
from broker.node.clock import SystemClock
from broker.node.ground import open_ground
from broker.node.home import Home
from broker.node.metrics import Metrics
from broker.node.running import run


def run_agent(home: Home, agency: Agency) -> int:
    """Run the agent of a home until SIGTERM or SIGINT; gives back the exit status.

    Raises:
        Failure: it could not be started; the text says what to do.
    """
    finish(home)
    configured = agency.configured(home)
    gatekeeper = load_gatekeeper(configured.settings.policy.directory_in(home.path))

    async def build(metrics: Metrics) -> Agent:
        source = await asyncio.get_running_loop().run_in_executor(None, agency.make_source, configured, home)
        bus = bus_of(home, configured.settings.bus, name=agency.kind.value)
        ground = await open_ground(home, migrations=AGENT_MIGRATIONS, bus=bus, clock=SystemClock(), metrics=metrics)
        return build_agent(ground, source, gatekeeper, configured.settings)

    return run(
        agency.kind.value.replace("_", "-"),
        configured.settings.observe.port,
        build,
        second_copy=configured.settings.backup.follow,
    )
