"""What the agent's local command socket takes: status, the own log, its verification, a trial.

All of them read; what an entry does not say is given out sealed, and that it was becomes an entry.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from agents.runtime.gatekeeping.gatekeeper import Gatekeeper
from agents.runtime.inspection.reading import MAX_ENTRIES, Inspection
from agents.runtime.inspection.try_person import Trying
from agents.runtime.looking.look import Looking
from agents.runtime.own_log import OwnLog, kept_back_at
from agents.runtime.settings import AgentSettings
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command
from broker.node.store import Transaction
from schemas.failures import Rejected

DEFAULT_ENTRIES: Final = 20


class NothingKeptBack(Rejected):
    """An entry of the own log that has nothing sealed: not `kept-back` nor `reviewed`, erased, or not there."""

    code = "nothing_kept_back"


class _One(Arguments):
    index: Annotated[int, Field(ge=0)]


class _Last(Arguments):
    last: Annotated[int, Field(ge=1, le=MAX_ENTRIES)] = DEFAULT_ENTRIES


def agent_commands(
    inspection: Inspection, own_log: OwnLog, looking: Looking, gatekeeper: Gatekeeper, settings: AgentSettings
) -> Mapping[str, Command]:
    """The commands of one agent, by name."""
    trying = Trying(looking, gatekeeper, settings)

    async def status(arguments: dict[str, Any]) -> Any:
        read_arguments(NoArguments, arguments)
        return await inspection.status()

    async def log(arguments: dict[str, Any]) -> Any:
        return {"entries": await inspection.entries(read_arguments(_Last, arguments).last)}

    async def addendum(arguments: dict[str, Any]) -> Any:
        index, post = read_arguments(_One, arguments).index, inspection.ground.post

        def work(tx: Transaction) -> tuple[str, bytes]:
            found = kept_back_at(tx, index)
            if found is None:
                raise NothingKeptBack(
                    "nothing is sealed for that entry; agent log show names those that are kept-back or reviewed"
                )
            own_log.read(tx, post.clock.now())
            return found

        named, raw = await post.commit(work)
        return {"digest": named, "raw": b64encode(raw).decode("ascii")}

    async def verify(arguments: dict[str, Any]) -> Any:
        read_arguments(NoArguments, arguments)
        return await inspection.verify()

    async def repin(arguments: dict[str, Any]) -> Any:
        """Take up the officers' files that were pinned since."""
        read_arguments(NoArguments, arguments)
        return {"parties": len(inspection.ground.read_directory_again().parties)}

    return {
        "status": status,
        "repin": repin,
        "log": log,
        "log-addendum": addendum,
        "log-verify": verify,
        "try": trying.run,
    }
