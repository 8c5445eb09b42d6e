"""An agent as a program: opened from its home, its source made by the agency's own code, run until told to stop."""

from __future__ import annotations

import asyncio

from agents.runtime.agency import Agency
from agents.runtime.agent import AGENT_MIGRATIONS, Agent, build_agent
from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from agents.runtime.home.enrolling import finish
from agents.runtime.looking.conflicts import check_conflicts
from broker.node.ground import Ground
from broker.node.home import Home
from broker.node.running import run


def run_agent(home: Home, agency: Agency) -> int:
    """Run the agent of a home until SIGTERM or SIGINT; gives back the exit status.

    Raises:
        Failure: it could not be started; the text says what to do.
    """
    finish(home)
    configured = agency.configured(home)
    check_conflicts(configured.settings.policy.conflicts_in(home.path))
    gatekeeper = load_gatekeeper(
        configured.settings.policy.directory_in(home.path), configured.settings.review.waiting()
    )

    async def build(ground: Ground) -> Agent:
        source = await asyncio.get_running_loop().run_in_executor(None, agency.make_source, configured, home)
        return build_agent(ground, source, gatekeeper, configured.settings)

    name = agency.kind.value.replace("_", "-")
    return run(name, home, configured.settings, build, migrations=AGENT_MIGRATIONS)
