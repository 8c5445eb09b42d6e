"""`agent try`: by the running program where there is one, else with a source opened for the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from agents.runtime.agency import Agency
from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from agents.runtime.inspection.try_person import Trying
from agents.runtime.looking.calls import SourceCalls
from agents.runtime.looking.look import Looking
from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient, NotRunning
from broker.node.home import Home
from broker.node.metrics import AgentMetrics, build_metrics


def try_out(home: Home, agency: Agency, arguments: Mapping[str, Any]) -> Any:
    """What would become of each category of one person.

    Raises:
        Failure: the agent cannot be asked or made; the text says what to do.
    """
    try:
        return CommandClient(home.socket_path).ask("try", arguments)
    except NotRunning:
        return asyncio.run(_without_program(home, agency, dict(arguments)))


async def _without_program(home: Home, agency: Agency, arguments: dict[str, Any]) -> dict[str, Any]:
    configured = agency.configured(home)
    settings = configured.settings
    limit_ms = settings.answers.source_seconds * 1000
    calls = SourceCalls(SystemClock(), places=settings.answers.source_calls, limit_ms=limit_ms)
    source = agency.make_source(configured, home)
    try:
        metrics = AgentMetrics(build_metrics().registry)
        conflicts = settings.policy.conflicts_in(home.path)
        looking = Looking(source, calls, frozenset(settings.categories), metrics, conflicts)
        gatekeeper = load_gatekeeper(settings.policy.directory_in(home.path), settings.review.waiting())
        return await Trying(looking, gatekeeper, settings).run(arguments)
    finally:
        calls.close()
        source.close()
