"""What the agent's local command socket takes: status, the own log, its verification, a trial. All of them read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agents.runtime.gatekeeper import Gatekeeper
from agents.runtime.inspection import MAX_ENTRIES, Inspection
from agents.runtime.looking import Looking
from agents.runtime.settings import AgentSettings
from agents.runtime.try_person import Trying
from broker.node.commands import Command, CommandMalformed

DEFAULT_ENTRIES: Final = 20


def agent_commands(
    inspection: Inspection, looking: Looking, gatekeeper: Gatekeeper, settings: AgentSettings
) -> Mapping[str, Command]:
    """The commands of one agent, by name."""
    trying = Trying(looking, gatekeeper, settings)

    async def status(_: dict[str, Any]) -> Any:
        return await inspection.status()

    async def log(arguments: dict[str, Any]) -> Any:
        last = arguments.get("last", DEFAULT_ENTRIES)
        if isinstance(last, bool) or not isinstance(last, int) or not 1 <= last <= MAX_ENTRIES:
            raise CommandMalformed(f"last is a number from 1 to {MAX_ENTRIES}")
        return {"entries": await inspection.entries(last)}

    async def verify(_: dict[str, Any]) -> Any:
        return await inspection.verify()

    return {"status": status, "log": log, "log-verify": verify, "try": trying.run}
