"""Keeping up with the hub's log: hello and head, pages of what is missing, and waiting until what is held is current.

An answer leaves only on a view of the hub's log that is under ten minutes old and whole: else the hub could have taken
the question back, and the agency would not know. Owns the talking that gets it there; believing is `mirror`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from agents.runtime.hub_log import mirror
from agents.runtime.hub_log.checks import Checker
from agents.runtime.hub_log.mirror import Extension, MirrorGap, Standing
from broker.node.backup_catchup import CatchUp
from broker.node.backup_standing import has_new_epoch
from broker.node.log_keys import LogKeys, Proof
from broker.node.metrics import AgentMetrics
from broker.node.post.office import Post
from broker.node.post.port import Received
from broker.node.store import Transaction
from schemas.failures import Rejected
from schemas.ledger.checkpoint import SignedTreeHead
from schemas.messages.party import Party
from schemas.messages.transport import MAX_PAGE_LEAVES, Head, Hello, LogPage, LogQuery

_log = structlog.get_logger()

FRESH_MS: Final = 10 * 60_000
"""How old the newest statement of the hub may be when an answer leaves (DESIGN section 4, step 7)."""
HELLO_MS: Final = 4 * 60_000
"""An agent that hears nothing says hello this often: two may be lost before its view is too old."""
ASK_AGAIN_MS: Final = 5_000
ASK_PAGE_AGAIN_MS: Final = 1_000
MAX_PENDING: Final = 1_000_000
"""Leaf hashes held in memory while pages come in, 32 MB; a longer log is believed in several steps."""


class HeadMalformed(Rejected):
    """A head or page that is not one: wrong parts, or a size that its checkpoint does not have."""

    code = "head_malformed"


@dataclass(slots=True)
class Currency:
    """Says hello, takes heads and pages, and tells whoever waits that the mirror has moved."""

    post: Post
    checker: Checker
    hub: Party
    metrics: AgentMetrics
    catch_up: CatchUp
    _stands: Standing = field(default=mirror.NOTHING_HELD)
    _ask_at: int = 0
    _ask_page_at: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _pending: list[bytes] = field(default_factory=list)
    _pending_from: int = 0
    _log_keys: LogKeys | None = None
    _hub_epoch: str = ""

    async def say_hello(self) -> None:
        """Tell the hub how far this mirror is; it answers with a head and sends what waits."""
        stands, checkpoint = await self.post.store.read(lambda tx: (mirror.standing(tx), mirror.newest_checkpoint(tx)))
        parts = (checkpoint,) if checkpoint else ()
        # An idle agent learns by it that its server was parted from the hub's: nothing else would tell it.
        await self.post.ask(self.post.passing(Hello, self.hub, parts, mirror_size=stands.size, last_seq=stands.held))

    async def begin_anew(self) -> None:
        """After a restore: act on nothing until the hub has stated its head, and all of it is held."""
        if self.catch_up.is_on:
            self.catch_up.waits_for = "a head of the hub's log, and every entry up to it that names this agency"
            await self.post.store.write(mirror.forget_seen)

    async def hub_spoke(self, received: Received) -> None:
        """Say hello to a hub that shows a new epoch: it was restored, and must hear what this mirror holds."""
        outer = received.outer
        if outer.epoch == self._hub_epoch:
            return
        self._hub_epoch = outer.epoch
        if await self.post.store.write(lambda tx: has_new_epoch(tx, received.sender.id, outer.epoch, outer.sent_at)):
            _log.warning("peer_was_restored", party=received.sender.id)
            await self.say_hello()
            self.post.peer_returned(received.sender.id)

    async def keep_up(self) -> None:
        """Say hello whenever the view grows old; never returns."""
        clock = self.post.clock
        look_at = clock.now() + HELLO_MS
        while True:
            await clock.sleep_until(look_at)
            # Of that age, and not only on every other look: the last answer came a moment after the last hello.
            look_at = (await self.standing()).seen_at + HELLO_MS
            if look_at <= clock.now():
                await self.say_hello()
                look_at = clock.now() + HELLO_MS

    async def standing(self) -> Standing:
        """How the mirror stands."""
        return await self.post.store.read(mirror.standing)

    async def wait_current(self, until: int) -> bool:
        """Wait until the view is fresh and whole; False if it is not by `until` (milliseconds UTC).

        Goes by what works have told; whoever commits on the strength of it asks the store again.
        """
        self._newer(await self.standing())
        while True:
            moved = self._moved  # taken before the look, so that no move between look and wait goes unnoticed
            if is_current(self._stands, self.post.clock.now()):
                return True
            now = self.post.clock.now()
            if now >= until:
                return False
            # One hello for all who wait.
            if now >= self._ask_at:
                self._ask_at = now + ASK_AGAIN_MS
                await self.say_hello()
            await self._wait(moved, min(until, self._ask_at))

    def moved(self, stands: Standing) -> None:
        """A work has moved the mirror this far, durably or not yet. Called on the event loop."""
        self._newer(stands)
        if self.catch_up.is_on and is_current(stands, self.post.clock.now()):
            self.post.spawn(self.catch_up.finish(self.post.clock.now()))
        self.metrics.mirror_entries.labels(self.hub.statement.hub).set(stands.size)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        self.post.try_again()

    def _newer(self, stands: Standing) -> None:
        """Believe a standing, unless a later one was told while it was read."""
        if (stands.size, stands.told, stands.held, stands.seen_at) >= (
            self._stands.size,
            self._stands.told,
            self._stands.held,
            self._stands.seen_at,
        ):
            self._stands = stands

    async def take_head(self, received: Received, outer: Head) -> None:
        """Take the newest checkpoint and what it brings along.

        Raises:
            HeadMalformed, ReceiptUntrusted, CheckpointForeign and others: it does not hold.
            ForkedLog: the node halts.
        """
        if len(received.parts) != 2:
            raise HeadMalformed("not the two parts of a head")
        proof = self._opened(received.parts[0], received.at)
        if proof.proven.head.size != outer.size:
            raise HeadMalformed("its checkpoint is of another size")
        extension = mirror.read_extension(received.parts[1])
        seen_at = min(outer.sent_at, received.at)

        def work(tx: Transaction) -> Standing:
            mirror.take_head(tx, proof, extension, seen_at)
            mirror.note_told(tx, outer.last_seq)
            return mirror.standing(tx)

        await self._commit(work)

    async def take_page(self, received: Received, outer: LogPage) -> None:
        """Take one page of leaf hashes; believe them once they reach a checkpoint.

        Raises: as `take_head`.
        """
        if len(received.parts) != 2 or len(received.parts[0]) > 32 * MAX_PAGE_LEAVES:
            raise HeadMalformed("not the two parts of a page")
        proof, hashes = self._opened(received.parts[1], received.at), mirror.split_hashes(received.parts[0])
        held = (await self.standing()).size
        if held != self._pending_from:
            self._pending_from, self._pending = held, []
        following = self._pending_from + len(self._pending)
        if outer.start > following or not hashes or len(self._pending) > MAX_PENDING:
            return
        self._pending += hashes[following - outer.start :]
        reached = self._pending_from + len(self._pending)
        if reached < proof.proven.head.size:
            await self.ask_for(reached)
            return
        extension = Extension(self._pending_from, tuple(self._pending))
        seen_at = min(outer.sent_at, received.at)

        def work(tx: Transaction) -> Standing:
            mirror.take_head(tx, proof, extension, seen_at)
            return mirror.standing(tx)

        await self._commit(work)
        self._pending_from, self._pending = 0, []
        await self.say_hello()

    async def ask_for(self, start: int) -> None:
        """Ask the hub for leaf hashes from `start` on."""
        await self.post.send(self.post.passing(LogQuery, self.hub, start=start))

    async def take_up(self) -> None:
        """Take up the mirror: what only a key that is dead by now has signed of it waits for a live one."""
        keys = self.checker.log_keys(self.post.clock.now())
        self._log_keys = keys

        def is_live(checkpoint: bytes) -> bool:
            try:
                return keys.checkpoint(checkpoint).is_live
            except Rejected:
                return False

        await self.post.store.write(lambda tx: mirror.believe_only(tx, is_live))

    def follow_log_keys(self) -> None:
        """Statements were taken: if the hub's log has other keys now, the mirror is believed by those."""
        if self.checker.log_keys(self.post.clock.now()) != self._log_keys:
            self.post.spawn(self._believe_again())

    async def _believe_again(self) -> None:
        await self.take_up()
        await self.say_hello()

    def head_awaited(self) -> None:
        """A proof waits for a checkpoint under a live key of the log (called on the event loop): have one sent."""
        now = self.post.clock.now()
        if now >= self._ask_at:
            self._ask_at = now + ASK_AGAIN_MS
            self.post.spawn(self.say_hello())

    def gap_met(self) -> None:
        """A work met a gap (called on the event loop): ask for what is missing, unless that was just done.

        Mostly the leaves are in a message that was overtaken and comes a moment later.
        """
        now = self.post.clock.now()
        if now >= self._ask_page_at:
            self._ask_page_at = now + ASK_PAGE_AGAIN_MS
            self.post.spawn(self._ask_for_missing())

    async def _ask_for_missing(self) -> None:
        await self.ask_for((await self.standing()).size)

    async def _commit(self, work: Callable[[Transaction], Standing]) -> None:
        try:
            self.moved(await self.post.commit(work))
        except MirrorGap:
            await self._ask_for_missing()

    def _opened(self, checkpoint: bytes, at: int) -> Proof[SignedTreeHead]:
        return self.checker.log_keys(at).checkpoint(checkpoint)

    async def _wait(self, moved: asyncio.Event, until: int) -> None:
        waiting = asyncio.ensure_future(moved.wait())
        alarm = asyncio.ensure_future(self.post.clock.sleep_until(until))
        try:
            await asyncio.wait({waiting, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            alarm.cancel()


def is_current(stands: Standing, now: int) -> bool:
    """Whether a mirror may be answered on: whole, and stated by the hub within the last ten minutes."""
    return stands.is_whole and stands.size > 0 and now - stands.seen_at < FRESH_MS
