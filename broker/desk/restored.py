"""A desk that was restored: nothing is asked and no answer is shown before the coordinator has told it again.

What it had only prepared is let go of: a later state of it may have been signed and sent since. Agencies hear of it,
and offer again the answers that it may have lost. An enquiry whose keys are gone is unreadable for good, whatever the
backup holds: what is still under way for it is taken back, and its sealed contents go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from broker.desk import register
from broker.desk.casework import Casework
from broker.desk.trust import Trust
from broker.node.backup_catchup import CatchUp
from broker.node.post.office import Post
from broker.node.post.port import Received
from schemas.messages.party import PartyKind
from schemas.messages.transport import Head, Hello

_log = structlog.get_logger()

ASK_AGAIN: Final = timedelta(seconds=5)
"""How often a restored desk says hello until it was told: the first may be said before the coordinator is there."""
AGENCIES_TOLD_FOR_MS: Final = timedelta(days=30) // timedelta(milliseconds=1)
"""How long after a restore agencies are told of it at each connection: whoever is away for longer has nothing kept."""


@dataclass(slots=True)
class RestoredDesk:
    """What a restored desk does before it acts, and what it tells whom."""

    trust: Trust
    post: Post
    casework: Casework = field(repr=False)
    catch_up: CatchUp

    async def begin(self) -> None:
        """Before messages are taken in."""
        if self.catch_up.is_on:
            self.catch_up.waits_for = "the coordinator, to be told again what happened since"
            await self.post.store.write(register.drop_all_prepared)
            self.post.spawn(self._ask_until_told())

    async def _ask_until_told(self) -> None:
        clock = self.post.clock
        while True:
            await clock.sleep_until(clock.now() + ASK_AGAIN // timedelta(milliseconds=1))
            if not self.catch_up.is_on:
                return
            await self.post.send(self.post.passing(Hello, self.trust.coordinator, mirror_size=0, last_seq=0))

    async def tell_agencies(self) -> None:
        """Say hello to every agency; without an effect where the epoch is known."""
        restored = self.catch_up.restored
        if restored is None or self.post.clock.now() > restored.at + AGENCIES_TOLD_FOR_MS:
            return
        for party in self.trust.directory.of_kind(PartyKind.AGENT):
            await self.post.send(self.post.passing(Hello, party, mirror_size=0, last_seq=0))

    async def heard(self, received: Received) -> None:
        """The coordinator's head, in answer to a hello since the restore: what it tells again is on its way."""
        restored = self.catch_up.restored
        if not self.catch_up.is_on or restored is None or not isinstance(received.outer, Head):
            return
        if received.outer.sent_at < restored.at:
            return
        await self.catch_up.finish(self.post.clock.now())
        unreadable = await self.casework.let_go_of_unreadable()
        if unreadable:
            _log.error("enquiries_unreadable", count=unreadable)
