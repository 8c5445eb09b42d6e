"""Breaking the glass (R31): the manager who signs beside the officer, and the lead who closes the review.

Three people, none of whom can be another: the officer asks and signs first, the manager reads who asks what and why and
signs the same digest, and only then is the request on its way. A lead of the hub's closes the review by a signature of
the lead's own, which this desk hands in as its deed. What a manager's word lifts is decided by the coordinator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from broker.desk import register
from broker.desk.asked import Asked
from broker.desk.conflicts import conflicts_of
from broker.desk.deeds import Deeds
from broker.desk.enquiry import Command, SignRequest, read_command
from broker.desk.glass_records import Waiting, has_closing, waiting_at, waiting_for
from broker.desk.kept import Kept
from broker.desk.questions import Questions
from broker.desk.shelf import Shelf
from broker.desk.told import ReviewTold
from broker.desk.trust import Trust
from broker.node.post.office import Post
from broker.node.store.port import Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import verify
from schemas.failures import Rejected
from schemas.messages.entry import review_digest
from schemas.messages.fields import Hex16, Hex32, Hex64, Prose
from schemas.messages.model import FieldInvalid
from schemas.messages.request import BreakGlass
from schemas.vocabulary import OfficerRole, ReviewFinding


class NotYourGlass(Rejected):
    """No request waits for that officer's word as a manager."""

    code = "not_your_glass"


class OnlyLeads(Rejected):
    """Only an information-governance lead of the hub closes a review, and none of the two who broke the glass."""

    code = "only_leads"


class ReviewClosing(FieldInvalid):
    """The review is closed, or its closing is on its way."""

    code = "review_closing"


class CloseReview(Command):
    """A lead's finding on a broken glass, with the lead's own signature over it."""

    break_glass: Annotated[Hex32, Field(description="Leaf hash of the entry that opened the review.")]
    finding: ReviewFinding
    words: Prose
    lead_key: Hex16
    signature: Hex64


@dataclass(slots=True)
class Glass:
    """What managers and leads do at the desk about a broken glass."""

    trust: Trust
    post: Post
    shelf: Shelf
    deeds: Deeds = field(repr=False)
    questions: Questions = field(repr=False)

    async def waiting(self, manager: str) -> dict[str, Any]:
        """The requests that wait for this manager's word."""
        found = await self.post.store.read(lambda tx: waiting_at(tx, manager))
        return {"waiting": [await self.show(manager, exchange) for exchange in found]}

    async def show(self, manager: str, exchange: str) -> dict[str, Any]:
        """One of them, to be read before it is signed: the header, who asks, and why in words.

        Raises:
            NotYourGlass: no request waits for this manager there.
        """
        asked, waiting = await self._waiting(manager, exchange)
        row = await self.post.store.read(lambda tx: register.get_enquiry(tx, asked.enquiry))
        reason = self.shelf.vault.open(asked.enquiry, Kept.BREAK_GLASS, exchange, waiting.sealed_reason)
        named = self.questions.officers.get(asked.officer)
        return {
            "exchange": exchange,
            "agency": asked.agency,
            "header": asked.header.decode("utf-8"),
            "officer": asked.officer if named is None else named.name,
            "reason": reason.decode("utf-8"),
            "enquiry_reason": self.shelf.open(row).content.reason,
            "until": _broken(asked).until,
        }

    async def sign(self, manager: str, exchange: str, body: bytes) -> dict[str, Any]:
        """Take the manager's signature, and send the request on its way.

        Raises:
            NotYourGlass, SignatureInvalid, and whatever keeps the officer's request from being sent.
        """
        command = read_command(SignRequest, body)
        asked, waiting = await self._waiting(manager, exchange)
        assert waiting.officer_signature is not None  # `_waiting` finds no other
        broken, now = _broken(asked), self.post.clock.now()
        key = self.trust.directory.key(manager, KeyPurpose.OFFICER, broken.manager_key, now, seen_at=now)
        by_manager = (key, bytes.fromhex(command.signature))
        await self.questions.submit(asked, waiting.officer_signature, by_manager)
        return {"exchange": exchange, "agency": asked.agency, "until": broken.until}

    async def close(self, lead: str, exchange: str, body: bytes) -> dict[str, Any]:
        """Hand in a lead's word that a review is over.

        Raises:
            OnlyLeads, ReviewClosing, NotYourGlass: as they say.
            SignatureInvalid: it is not that lead's word.
        """
        command, now = read_command(CloseReview, body), self.post.clock.now()
        if self.trust.officer(lead).statement.officer_role is not OfficerRole.IG_LEAD:
            raise OnlyLeads("an information-governance lead of the hub closes a review; you are here in another role")
        asked = await self.post.store.read(lambda tx: register.find_asked(tx, exchange))
        if asked is None or asked.request().break_glass is None:
            raise NotYourGlass("no glass was broken for that request; see: broker break-glass list")
        if lead in (asked.officer, _broken(asked).manager):
            raise OnlyLeads("whoever broke the glass does not close its review; another lead does")
        key = self.trust.directory.key(lead, KeyPurpose.OFFICER, command.lead_key, now, seen_at=now)
        said, signature = review_digest(command.break_glass, command.finding), bytes.fromhex(command.signature)
        verify(key, KeyPurpose.OFFICER, said.encode("ascii"), signature, None)
        told = ReviewTold(exchange=exchange, lead=lead, finding=command.finding, words=command.words, at=now)
        done = self.deeds.review_closed(asked, told, command.break_glass, (key.id, command.signature), now)

        def work(tx: Transaction) -> None:
            if has_closing(tx, exchange):
                raise ReviewClosing("this review is closed, or its closing is on its way to the log")
            register.add_deed(tx, done)
            self.post.outbox.put(tx, done.outgoing)

        await self.post.commit(work)
        return {"exchange": exchange, "finding": command.finding.value}

    async def _waiting(self, manager: str, exchange: str) -> tuple[Asked, Waiting]:
        def read(tx: Transaction) -> tuple[Asked, Waiting] | None:
            asked, waiting = register.find_asked(tx, exchange), waiting_for(tx, exchange)
            if asked is None or waiting is None or waiting.manager != manager or waiting.officer_signature is None:
                return None
            return None if manager in conflicts_of(tx, asked.enquiry) else (asked, waiting)

        found = await self.post.store.read(read)
        if found is None:
            raise NotYourGlass("no request waits for your word there; see: broker break-glass waiting")
        return found


def _broken(asked: Asked) -> BreakGlass:
    broken = asked.request().break_glass
    assert broken is not None  # whoever calls has looked
    return broken
