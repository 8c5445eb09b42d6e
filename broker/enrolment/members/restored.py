"""An admission that was restored: it admits, issues and shows the servers nothing before the hub was heard.

An agency that was expelled since the backup must not be let in again, and a version of the directory must not be
issued twice. Coordinator and desk, once they see the new epoch, ask for the directory and say which version they hold:
when neither has one that is newer than the newest here, nothing was lost. A newer one means that something was: then it
stays as it is and says so. Only the hub's own parties are asked; what an agency says stops nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from broker.enrolment.books import records
from broker.node.command_arguments import NoArguments, read_arguments
from broker.node.commands import Command
from broker.node.ground import Ground
from broker.node.post.port import Received
from schemas.failures import Rejected
from schemas.messages.party import PartyKind
from schemas.messages.transport import DirectoryQuery

_log = structlog.get_logger()

_ASKED = (PartyKind.COORDINATOR, PartyKind.DESK)


class NotWaiting(Rejected):
    """Admission was told to go on and does not wait."""

    code = "not_waiting"


@dataclass(slots=True)
class HubHeard:
    """Hears which directory the hub's parties hold, until admission may go on."""

    ground: Ground
    _heard: set[PartyKind] = field(default_factory=set)
    _done: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, go_on: Callable[[], Awaitable[None]]) -> None:
        """Wait, then `go_on`."""
        self._say()
        await self._done.wait()
        await self.ground.catch_up.finish(self.ground.clock.now())
        await go_on()

    async def hear(self, received: Received, query: DirectoryQuery) -> None:
        """Take what a party of the hub says it holds."""
        catch_up, kind = self.ground.catch_up, received.sender.statement.party_kind
        if not catch_up.is_on or kind not in _ASKED:
            return
        newest = await self.ground.store.read(lambda tx: records.newest_directory(tx, given_out=False))
        version = 0 if newest is None else newest.version
        if query.version > version:
            catch_up.is_behind = True
            _log.critical("directory_is_behind", party=received.sender.id, behind=query.version - version)
            catch_up.waits_for = (
                f"the {kind.value} holds directory {query.version} and the newest here is {version}: admissions or"
                " expulsions are lost. Nobody is admitted and nothing is issued; stop it and restore its second copy,"
                " or a newer backup"
            )
            return
        self._heard.add(kind)
        if not catch_up.is_behind:
            self._say()
            if self._heard >= set(_ASKED):
                self._done.set()

    def go_on(self) -> None:
        """Go on without having heard the hub, on a person's word.

        Raises:
            NotWaiting: it was not restored, or has caught up.
            CatchingUp: it was heard that something is lost here; nobody's word brings that back.
        """
        catch_up = self.ground.catch_up
        if not catch_up.is_on:
            raise NotWaiting("admission waits for nobody")
        if catch_up.is_behind:
            catch_up.require()
        _log.warning("goes_on_without_hub")
        self._done.set()

    def _say(self) -> None:
        missing = ", ".join(kind.value for kind in _ASKED if kind not in self._heard)
        self.ground.catch_up.waits_for = f"not heard yet: {missing}; each says within minutes which directory it holds"


def heard_commands(heard: HubHeard) -> Mapping[str, Command]:
    """What the command socket takes about a restore."""

    async def go_on(arguments: dict[str, Any]) -> Any:
        """Go on without having heard the hub's parties."""
        read_arguments(NoArguments, arguments)
        heard.go_on()
        return {}

    return {"go-on": go_on}
