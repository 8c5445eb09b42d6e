"""What officers do with enquiries: open, list, decide, close, erase.

The order of writes is the argument: keys before what is sealed to them, and destroyed before what they opened is
forgotten. Asking agencies is `questions`; reading answers is `reading`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any, Final

from broker.desk import register
from broker.desk.conflicts import Conflicts, add_conflict, check_officers
from broker.desk.deeds import Deeds, Done
from broker.desk.enquiry import (
    Decide,
    Enquiry,
    EnquiryNotOpen,
    EnquiryState,
    OpenEnquiry,
    open_enquiry,
    read_command,
)
from broker.desk.kept import Kept
from broker.desk.progress import Event, Progress
from broker.desk.shelf import Shelf
from broker.desk.told import ClosedTold, ConflictChange
from broker.desk.trust import Trust
from broker.desk.vault import Vault
from broker.node.metrics import DeskMetrics
from broker.node.post.office import Post
from broker.node.store.port import Transaction
from schemas.messages.entry import nonce

REFERENCES_AN_ENTRY: Final = 32
"""Most enquiry references one `closed` entry names."""


@dataclass(slots=True)
class Casework:
    """Enquiries from opening to erasure."""

    trust: Trust
    post: Post
    vault: Vault = field(repr=False)
    shelf: Shelf
    deeds: Deeds = field(repr=False)
    conflicts: Conflicts
    metrics: DeskMetrics = field(repr=False)

    async def open(self, officer: str, body: bytes) -> dict[str, Any]:
        """Open an enquiry.

        Raises:
            Rejected: the command does not hold; the text names the field.
        """
        command = read_command(OpenEnquiry, body)
        check_officers(self.trust, command.officers, "officers")
        check_officers(self.trust, command.conflicts, "conflicts")
        now = self.post.clock.now()
        enquiry = open_enquiry(command, by=officer, reply_key="", enquiry=nonce(), draw=nonce, now=now)
        identity = await asyncio.to_thread(self.vault.create, enquiry.id)
        # A crash before this line leaves keys without an enquiry, which the next start destroys.
        # From here on both keys are durable, so whatever is sealed to them can be opened as long as it should.
        enquiry = replace(enquiry, reply_key=identity.id)
        sealed = self.vault.seal(enquiry.id, Kept.CONTENT, enquiry.id, enquiry.content.encode())

        def work(tx: Transaction) -> None:
            register.add_enquiry(tx, enquiry, sealed)
            for other in sorted(set(command.conflicts)):
                add_conflict(tx, enquiry.id, other)
                self.conflicts.record(tx, enquiry.id, other, officer, ConflictChange.ADDED, now)

        await self.post.commit(work)
        self.metrics.enquiries_open.inc()
        return enquiry_shown(enquiry)

    async def all(self, officer: str) -> dict[str, Any]:
        """The officer's enquiries, newest first, without content."""
        rows = await self.post.store.read(
            lambda tx: [register.get_enquiry(tx, one) for one in register.enquiries_of(tx, officer)]
        )
        erased = (EnquiryState.ERASING, EnquiryState.ERASED)
        return {"enquiries": [enquiry_shown(self.shelf.open(row)) for row in rows if row.state not in erased]}

    async def decide(self, officer: str, enquiry: str, body: bytes) -> dict[str, Any]:
        """Record what the hub decided.

        Raises:
            EnquiryUnknown, EnquiryNotOpen, Rejected.
        """
        command = read_command(Decide, body)
        found = self.shelf.open(await self._row(enquiry, officer))
        decided = found.decided(command, by=officer, now=self.post.clock.now())
        assert decided.decision is not None
        sealed = self.vault.seal(enquiry, Kept.DECISION, enquiry, decided.decision.encode())

        def work(tx: Transaction) -> None:
            if self.shelf.row(tx, enquiry, officer).state not in (EnquiryState.OPEN, EnquiryState.DECIDED):
                raise EnquiryNotOpen("the enquiry was closed meanwhile")
            register.set_decided(tx, decided, sealed)

        await self.post.commit(work)
        return enquiry_shown(decided)

    async def close(self, officer: str, enquiry: str) -> dict[str, Any]:
        """Close a decided enquiry: outstanding requests are withdrawn, and nothing can be asked in it any more.

        Raises:
            EnquiryUnknown, EnquiryNotOpen: nothing is decided yet, or it is closed already.
        """
        found = self.shelf.open(await self._row(enquiry, officer))
        now = self.post.clock.now()
        told = ClosedTold(
            enquiry=enquiry,
            officer=officer,
            at=now,
            decision=None if found.decision is None else found.decision.decision,
        )

        def work(tx: Transaction) -> int:
            state = self.shelf.row(tx, enquiry, officer).state
            if state is not EnquiryState.DECIDED:
                raise EnquiryNotOpen(f"the enquiry is {state}; record a decision before closing it")
            register.set_state(tx, enquiry, EnquiryState.CLOSED)
            references = register.references_of(tx, enquiry)
            for start in range(0, max(1, len(references)), REFERENCES_AN_ENTRY):
                self._put(tx, self.deeds.closed(told, references[start : start + REFERENCES_AN_ENTRY], now))
            return self._take_back_all(tx, enquiry, now)

        withdrawn = await self.post.commit(work)
        return {**enquiry_shown(replace(found, state=EnquiryState.CLOSED)), "withdrawing": withdrawn}

    async def erase(self, officer: str, enquiry: str) -> dict[str, Any]:
        """Destroy the keys of a closed enquiry, and with them everything sealed to it, wherever it lies.

        Raises:
            EnquiryUnknown, EnquiryNotOpen: it is not closed, or requests of it are outstanding.
        """
        now = self.post.clock.now()

        def begin(tx: Transaction) -> str | None:
            row = self.shelf.row(tx, enquiry, officer)
            if row.state not in (EnquiryState.CLOSED, EnquiryState.ERASING, EnquiryState.ERASED):
                raise EnquiryNotOpen(f"the enquiry is {row.state}; only a closed enquiry is erased")
            outstanding = sum(one.standing.is_outstanding(now) for one in register.exchanges_of(tx, enquiry))
            if outstanding:
                raise EnquiryNotOpen(f"{outstanding} requests are not concluded yet; withdrawing takes a moment")
            if row.state is EnquiryState.ERASED:
                return None
            register.set_state(tx, enquiry, EnquiryState.ERASING)
            return row.reply_key

        reply_key = await self.post.commit(begin)
        if reply_key is not None:
            await self._finish_erasing(enquiry, reply_key)
        return {"enquiry": enquiry, "state": EnquiryState.ERASED.value}

    async def recover(self, *, sweep: bool = True) -> None:
        """Finish erasures that a crash interrupted, and destroy keys whose enquiry was never committed.

        `sweep` is False for a store that was restored: keys that it does not know may be a newer backup's.
        """
        known = await self.post.store.read(register.all_keys)
        self.metrics.enquiries_open.set(sum(state is not EnquiryState.ERASED for _, _, state in known))
        for enquiry, reply_key, state in known:
            if state is EnquiryState.ERASING:
                await self._finish_erasing(enquiry, reply_key)
        if sweep:
            enquiries, reply_keys = {one for one, _, _ in known}, {key for _, key, _ in known}
            await asyncio.to_thread(self.vault.sweep, enquiries, reply_keys)

    async def let_go_of_unreadable(self) -> int:
        """After a restore: end every enquiry whose keys are gone, erased since the backup or lost with the key store.

        What is under way for it is withdrawn; gives back how many enquiries there were.
        """
        now, ended = self.post.clock.now(), 0
        for enquiry, reply_key, state in await self.post.store.read(register.all_keys):
            over = state in (EnquiryState.ERASING, EnquiryState.ERASED)
            if over or await asyncio.to_thread(self.vault.holds, enquiry, reply_key):
                continue

            def work(tx: Transaction, enquiry: str = enquiry) -> None:
                self._take_back_all(tx, enquiry, now)
                register.forget_content(tx, enquiry)

            await self.post.commit(work)
            ended += 1
        return ended

    async def _finish_erasing(self, enquiry: str, reply_key: str) -> None:
        # A crash before this line: the enquiry says ERASING, and the next start comes here again.
        await asyncio.to_thread(self.vault.erase, enquiry, reply_key)
        self.metrics.keys_destroyed.inc(2)
        self.metrics.enquiries_open.dec()
        # A crash here: the keys are gone, so nothing opens any more; the next start only lets go of the ciphertext.
        await self.post.commit(lambda tx: register.forget_content(tx, enquiry))

    def _take_back_all(self, tx: Transaction, enquiry: str, now: int) -> int:
        withdrawn = 0
        for row in register.exchanges_of(tx, enquiry):
            match row.standing.progress:
                case Progress.PREPARED:
                    register.drop_prepared(tx, row.asked.exchange)
                case Progress.PERMITTED | Progress.DELIVERED:
                    if register.happened(tx, row.asked.exchange, Event.WITHDRAW_ASKED, now):
                        self._put(tx, self.deeds.withdraw(row.asked, now))
                        withdrawn += 1
                case _:
                    # Asked: withdrawn when its ruling comes (`correspondent`). Every other one has ended.
                    continue
        return withdrawn

    def _put(self, tx: Transaction, done: Done) -> None:
        register.add_deed(tx, done)
        self.post.outbox.put(tx, done.outgoing)

    async def _row(self, enquiry: str, officer: str) -> register.EnquiryRow:
        return await self.post.store.read(lambda tx: self.shelf.row(tx, enquiry, officer))


def enquiry_shown(enquiry: Enquiry) -> dict[str, Any]:
    """An enquiry without content: codes, times, the hub's own number, and which roles it has subjects in."""
    return {
        "enquiry": enquiry.id,
        "reference": enquiry.content.reference,
        "state": enquiry.state.value,
        "stage": enquiry.stage.value,
        "rag": enquiry.rag.value,
        "purpose": enquiry.purpose.value,
        "received_at": enquiry.received_at,
        "opened_at": enquiry.opened_at,
        "opened_by": enquiry.opened_by,
        "subjects": [{"subject": one.ref, "role": one.role.value} for one in enquiry.content.subjects],
        "decision": None if enquiry.decision is None else enquiry.decision.decision.value,
    }
