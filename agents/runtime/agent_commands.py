"""What the agent's local command socket takes: status, the own log, its verification, a trial. All of them read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from agents.runtime.gatekeeper import Gatekeeper
from agents.runtime.inspection import MAX_ENTRIES, Inspection
from agents.runtime.looking import Looking
from agents.runtime.settings import AgentSettings
from agents.runtime.try_person import Trying
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command

DEFAULT_ENTRIES: Final = 20


class _Last(Arguments):
    last: Annotated[int, Field(ge=1, le=MAX_ENTRIES)] = DEFAULT_ENTRIES


def agent_commands(
    inspection: Inspection, looking: Looking, gatekeeper: Gatekeeper, settings: AgentSettings
) -> Mapping[str, Command]:
    """The commands of one agent, by name."""
    trying = Trying(looking, gatekeeper, settings)

    async def status(arguments: dict[str, Any]) -> Any:
        read_arguments(NoArguments, arguments)
        return await inspection.status()

    async def log(arguments: dict[str, Any]) -> Any:
        return {"entries": await inspection.entries(read_arguments(_Last, arguments).last)}

    async def verify(arguments: dict[str, Any]) -> Any:
        read_arguments(NoArguments, arguments)
        return await inspection.verify()

    return {"status": status, "log": log, "log-verify": verify, "try": trying.run}
