"""Admission as the post's correspondent: statements are renewed, the directory is asked for, floods are reported.

Everything that follows from a message is in the one transaction that remembers it. What has to follow outside (servers
shown their claims, a directory given out) is read back from the store, so that a crash in between loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog

from broker.enrolment.books import records
from broker.enrolment.books.directory import Giver, message_of
from broker.enrolment.books.records import Issued
from broker.enrolment.books.register import Register, read_register
from broker.enrolment.books.room import Room
from broker.enrolment.members.renewing import answer_of, check_renewal, commit_renewal
from broker.enrolment.members.restored import HubHeard
from broker.enrolment.members.upkeep import Upkeep
from broker.node.post.port import Received, Reply, Sent, Settlement, Work
from broker.node.post.signed_anew import sign_anew
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.failure_codes import COMMITTED
from schemas.failures import Failure
from schemas.ledger.receipt import verify_receipt
from schemas.ledger.verifier_key import ED25519, VerifierKey
from schemas.messages.directory import DirectoryNotLogged
from schemas.messages.entry import KeyEntry, read_entry
from schemas.messages.model import KindUnexpected
from schemas.messages.transport import Acknowledgement, Deed, DirectoryQuery, Flooding, Renewal, kind_of

_log = structlog.get_logger()


class AdmissionCorrespondent:
    """Implements `broker.node.post.port.Correspondent`. `reported` is told of floods."""

    def __init__(
        self, room: Room, upkeep: Upkeep, giver: Giver, reported: Callable[[str, int], None], heard: HubHeard
    ) -> None:
        self._room = room
        self._heard = heard
        self._upkeep = upkeep
        self._giver = giver
        self._reported = reported

    async def prepare(self, received: Received) -> Work:
        """Check a renewal; the work keeps it and answers with claims and certificate."""
        if not isinstance(received.outer, Renewal):
            raise KindUnexpected("nothing admission is sent")
        self._room.ground.catch_up.require()
        room, now, name = self._room, received.at, received.sender.id
        renewed = check_renewal(received, received.outer, room.register, now)
        pinned, issuer, loop = room.pinned(), room.issuer(), asyncio.get_running_loop()

        def step(tx: Transaction, register: Register, now: int) -> Iterable[Outgoing]:
            return commit_renewal(room, tx, register, renewed, now)

        def work(tx: Transaction) -> Reply:
            # Claims follow from the statement alone: the same one again changes none.
            touched = (name,) if renewed.is_newer else ()
            room.take(tx, step, touched, now, pinned=pinned, issuer=issuer)
            loop.call_soon_threadsafe(self._upkeep.follow, name)
            return Reply(parts=answer_of(room, tx, renewed.party))

        return work

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        """An entry of ours is in the log: if it was about a directory, that may be given out."""
        if sent.kind != kind_of(Deed):
            return lambda tx: None
        self._room.ground.catch_up.require()
        post = self._room.post
        anew = await sign_anew(
            sent,
            acknowledgement.code,
            store=post.store,
            outbox=post.outbox,
            writer=post.writer,
            receiver=self._room.register.coordinator,
            now=post.clock.now(),
        )
        if anew is not None:
            return lambda tx: self._signed_anew(tx, sent.message_id, anew.outgoing)
        if acknowledgement.code != COMMITTED or len(parts) != 1:
            _log.error("deed_rejected", code=acknowledgement.code, message_id=sent.message_id)
            return lambda tx: None
        receipt, leaf = parts[0], self._prove(parts[0])
        loop = asyncio.get_running_loop()

        def settlement(tx: Transaction) -> None:
            issued = records.put_receipt(tx, sent.message_id, receipt)
            if issued is None:
                return
            entry = read_entry(leaf)
            if not isinstance(entry, KeyEntry) or (entry.version, entry.directory_digest) != (
                issued.version,
                issued.digest,
            ):
                raise DirectoryNotLogged("the receipt is of another entry than the one sent")
            records.drop_older_directories(tx, issued.version)
            loop.call_soon_threadsafe(self._give, issued)

        return settlement

    def _signed_anew(self, tx: Transaction, message_id: str, outgoing: Outgoing) -> None:
        records.rename_carriers(tx, {message_id: outgoing.message_id})
        self._room.post.outbox.put(tx, outgoing)

    async def passing(self, received: Received) -> None:
        """Answer whoever asks for the directory; note a flood."""
        match received.outer:
            case DirectoryQuery():
                if received.outer.trusts is not None:
                    self._room.trusted_by[received.sender.id] = received.outer.trusts
                await self._heard.hear(received, received.outer)
                if not self._room.ground.catch_up.is_on:
                    await self._answer(received, received.outer)
            case Flooding():
                if self._room.register.owner_of(received.outer.token) is not None:
                    self._reported(received.outer.token, received.outer.rate)
            case _:
                raise KindUnexpected("nothing admission is sent")

    def record_rejection(self, received: Received, failure: Failure) -> Callable[[Transaction], None]:
        """The work that has a refused renewal entered."""
        deeds, code, agency = self._room.deeds, failure.code, received.sender.id

        def record(tx: Transaction) -> None:
            known = agency if agency in records.members(tx) else None
            self._room.post.outbox.put(tx, deeds.refused(code, received.digest, received.at, agency=known))

        return record

    async def _answer(self, received: Received, query: DirectoryQuery) -> None:
        room, pinned = self._room, self._room.pinned()

        def read(tx: Transaction) -> tuple[Register, Issued | None]:
            return read_register(tx, pinned), records.newest_directory(tx, given_out=True)

        register, issued = await room.post.store.read(read)
        if issued is not None:
            await room.post.send(message_of(room.post, register, issued, received.sender, query.wanted))

    def _prove(self, receipt: bytes) -> bytes:
        coordinator = self._room.register.coordinator
        origin = coordinator.statement.log
        assert origin is not None
        now = self._room.post.clock.now()
        failure: Failure | None = None
        for one in coordinator.keys:
            if one.key.purpose is not KeyPurpose.LOG or not one.in_force(now):
                continue
            try:
                return verify_receipt(receipt, log=VerifierKey.of(origin, ED25519, one.key.raw), origin=origin).leaf
            except Failure as found:
                failure = found
        raise failure or DirectoryNotLogged("the coordinator has no log key in force")

    def _give(self, issued: Issued) -> None:
        # The newest there is may be another one by now: whoever asks for it is given that.
        self._giver.give(self._room.register, issued)
