"""What officers do with requests: prepare one, sign it, look how it goes, take it back.

A request leaves the desk only with the officer's own signature over exactly the header that was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from broker.desk import register
from broker.desk.asked import Asked
from broker.desk.asking import Prepared, Question, check_agency, check_manager, check_word, complete, prepare
from broker.desk.conflicts import conflicts_of
from broker.desk.deadlines import DeadlinePassed, DeadlineTable
from broker.desk.deeds import Deeds
from broker.desk.enquiry import EnquiryNotOpen, EnquiryState, IssueRequest, SignRequest, read_command
from broker.desk.glass_records import add_waiting, forget_waiting, keep_officers_word
from broker.desk.kept import Kept, References
from broker.desk.officers import Commander
from broker.desk.policies import DeskPolicies
from broker.desk.progress import Event, Progress
from broker.desk.register import ExchangeRow
from broker.desk.shelf import Shelf
from broker.desk.trust import Trust
from broker.desk.vault import Vault
from broker.node.clock import DAY_MS, PERMITTED_SKEW_MS
from broker.node.membership import Membership
from broker.node.metrics import DeskMetrics
from broker.node.post.office import Post
from broker.node.ring import Hand
from broker.node.store.port import Transaction
from schemas.crypto.keys import PublicKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.entry import nonce
from schemas.messages.grant import MAX_RULING_BYTES, Ruling
from schemas.messages.model import FieldInvalid, read
from schemas.messages.request import OfficerNamed
from schemas.messages.transport import Submission

SIGN_WITHIN_MS: Final = 10 * 60_000
"""Ten minutes to read and sign. A header signed later would state a time of asking that is not true any more."""
BOTH_SIGN_WITHIN_MS: Final = 60 * 60_000
"""An hour where a manager signs too: somebody has to be found first, perhaps at home."""
REPEATED_AFTER_EXPIRY_MS: Final = 7 * DAY_MS
"""A submission is repeated for a week beyond the request's expiry, so that its end is told after an outage."""


class KeyReplaced(FieldInvalid):
    """The desk's key was replaced between preparing and signing; nothing was asked."""

    code = "key_replaced"


class ClockBehind(FieldInvalid):
    """The desk's clock shows a time before the enquiry was received; nothing was asked."""

    code = "clock_behind"


class SignedTooLate(FieldInvalid):
    """A prepared request that was left unsigned for too long; nothing was asked."""

    code = "signed_too_late"


class NotYours(FieldInvalid):
    """A request that another officer prepared: only whoever asks may sign."""

    code = "not_yours"


@dataclass(slots=True)
class Questions:
    """Requests from preparing to withdrawing."""

    trust: Trust
    post: Post
    vault: Vault = field(repr=False)
    shelf: Shelf
    deeds: Deeds = field(repr=False)
    hand: Hand = field(repr=False)
    deadlines: DeadlineTable
    officers: Mapping[str, OfficerNamed] = field(repr=False)
    policies: DeskPolicies
    metrics: DeskMetrics = field(repr=False)
    membership: Membership | None = None
    """What the hub's directory says; none where no admission is pinned."""

    async def prepare(self, commander: Commander, enquiry: str, body: bytes) -> dict[str, Any]:
        """Prepare a request for the officer to read and sign.

        Raises:
            Rejected: it names what there is not, or its deadline has passed; the text names the field.
        """
        if self.membership is not None:
            # Nothing is sealed to a key of which nobody could say that it was revoked.
            self.membership.check_in_force(self.post.clock.now())
        command = read_command(IssueRequest, body)
        agency = check_agency(command, self.trust)
        officer = commander.officer
        named = self.officers.get(officer)
        if named is None:
            raise FieldInvalid("this officer has no card at the desk; add one with name and position")
        manager = self._manager(command, officer)
        found = self.shelf.open(await self.post.store.read(lambda tx: self.shelf.row(tx, enquiry, officer)))
        if found.state not in (EnquiryState.OPEN, EnquiryState.DECIDED):
            raise EnquiryNotOpen(f"the enquiry is {found.state}; nothing can be asked in it")
        now = self.post.clock.now()
        asked_at = time_of_asking(found.received_at, now)
        if command.break_glass is not None:
            self.policies.check_glass(command.break_glass.until - asked_at, asked_at)
        times = self.deadlines.times(
            found.rag,
            received_at=found.received_at,
            now=asked_at,
            deadline_at=command.deadline_at,
            expires_at=command.expires_at,
        )
        fresh = nonce()
        reference = await self.post.commit(lambda tx: register.reference_for(tx, enquiry, agency.id, fresh))
        question = Question(
            exchange=nonce(),
            message_id=nonce(),
            enquiry=found,
            command=command,
            reference=reference,
            officer=named,
            keys_since=commander.since,
            reply_key=self.vault.identity(found.reply_key).public,
            times=times,
            asked_at=asked_at,
            policy=self.policies.stated(asked_at),
            manager=manager,
        )
        prepared = prepare(question, trust=self.trust, desk_key=self.hand.signing(KeyPurpose.REQUEST), draw=nonce)
        await self._keep(question, prepared)
        return {
            "exchange": question.exchange,
            "header": prepared.header.decode("utf-8"),
            "digest": prepared.digest,
            "sign_before": asked_at + (SIGN_WITHIN_MS if manager is None else BOTH_SIGN_WITHIN_MS),
        }

    async def _keep(self, question: Question, prepared: Prepared) -> None:
        asked = Asked(
            exchange=question.exchange,
            enquiry=question.enquiry.id,
            agency=question.command.agency,
            officer=question.officer.id,
            progress=Progress.PREPARED,
            header=prepared.header,
            request_digest=prepared.digest,
            asked_at=question.asked_at,
            deadline_at=question.times.deadline_at,
            expires_at=question.times.expires_at,
            reply_key=question.enquiry.reply_key,
        )
        content = References(local=prepared.references).encode()
        references = self.vault.seal(asked.enquiry, Kept.REFERENCES, asked.exchange, content)
        glass = question.command.break_glass

        def work(tx: Transaction) -> None:
            register.add_exchange(tx, asked, prepared.sealed_body, prepared.addendum, references)
            if glass is not None:
                if glass.manager in conflicts_of(tx, asked.enquiry):
                    raise FieldInvalid(
                        "field break_glass.manager: somebody who must not see this enquiry; name another"
                    )
                reason = self.vault.seal(asked.enquiry, Kept.BREAK_GLASS, asked.exchange, glass.reason.encode())
                add_waiting(tx, asked.exchange, glass.manager, reason)

        await self.post.commit(work)

    def _manager(self, command: IssueRequest, officer: str) -> OfficerNamed | None:
        check_manager(command, officer, self.trust, self.post.clock.now())
        if command.break_glass is None:
            return None
        named = self.officers.get(command.break_glass.manager)
        if named is None:
            raise FieldInvalid("the manager has no card at the desk; add one with name and position")
        return named

    async def sign(self, officer: str, exchange: str, body: bytes) -> dict[str, Any]:
        """Take the officer's signature and submit the request; if a manager is to sign it too, once that is done.

        Raises:
            SignatureInvalid: it is not that officer's word for the header shown.
            NotYours, SignedTooLate, KeyReplaced, DeadlinePassed, EnquiryNotOpen, Concluded, EnquiryUnknown.
        """
        command = read_command(SignRequest, body)
        row = await self._row(exchange, officer)
        asked, signature = row.asked, bytes.fromhex(command.signature)
        if asked.officer != officer:
            raise NotYours("another officer prepared this request; prepare one of your own")
        header, now = asked.request(), self.post.clock.now()
        if header.break_glass is None:
            await self.submit(asked, signature, None)
        else:
            key = self.trust.directory.key(officer, KeyPurpose.OFFICER, header.officer_key, now, seen_at=now)
            check_word(asked.header, key, signature)
            await self.post.commit(lambda tx: keep_officers_word(tx, exchange, signature))
        return await self.show(officer, exchange)

    async def submit(self, asked: Asked, by_officer: bytes, by_manager: tuple[PublicKey, bytes] | None) -> None:
        """Send a request on its way that everybody has signed who has to.

        Raises:
            SignatureInvalid: a signature is not that person's word for the header shown.
            SignedTooLate, KeyReplaced, DeadlinePassed, EnquiryNotOpen, Concluded, EnquiryUnknown.
        """
        exchange, officer, now = asked.exchange, asked.officer, self.post.clock.now()
        within = SIGN_WITHIN_MS if by_manager is None else BOTH_SIGN_WITHIN_MS
        parts = await self.post.store.read(lambda tx: register.parts_of(tx, exchange))
        if asked.progress is not Progress.PREPARED or parts is None:
            raise EnquiryNotOpen(f"the request is {asked.progress}; it was signed before")
        if now >= asked.deadline_at:
            raise DeadlinePassed("the deadline passed before the request was signed; prepare another")
        if now > asked.asked_at + within:
            raise SignedTooLate(f"prepared more than {within // 60_000} minutes ago; prepare another")
        header = asked.request()
        if header.break_glass is not None and now >= header.break_glass.until:
            raise SignedTooLate("the glass was to be broken until an instant that is past; prepare another")
        desk_key = self.hand.held(KeyPurpose.REQUEST, header.desk_key)
        if desk_key is None:
            raise KeyReplaced("the desk's key was replaced since the request was prepared; prepare another")
        officer_key = self.trust.directory.key(officer, KeyPurpose.OFFICER, header.officer_key, now, seen_at=now)
        envelope = complete(
            asked.header,
            *parts,
            by_officer,
            officer_key=officer_key,
            desk_key=desk_key,
            by_manager=by_manager,
        )
        outgoing = self.post.writer.write(
            Submission,
            self.trust.coordinator,
            (envelope,),
            sent_at=now,
            expires_at=asked.expires_at + REPEATED_AFTER_EXPIRY_MS,
            exchange=exchange,
        )

        def work(tx: Transaction) -> None:
            if self.shelf.row(tx, asked.enquiry, officer).state not in (EnquiryState.OPEN, EnquiryState.DECIDED):
                raise EnquiryNotOpen("the enquiry was closed meanwhile; nothing was asked")
            register.happened(tx, exchange, Event.SUBMITTED, now)
            register.drop_parts(tx, exchange)
            forget_waiting(tx, exchange)
            self.post.outbox.put(tx, outgoing)

        await self.post.commit(work)
        self.metrics.requests_asked.inc()

    async def show(self, officer: str, exchange: str) -> dict[str, Any]:
        """How a request goes, without content.

        Raises:
            EnquiryUnknown: there is none, or not of this officer's enquiries.
        """
        return exchange_shown(await self._row(exchange, officer))

    async def withdraw(self, officer: str, exchange: str) -> dict[str, Any]:
        """Take a request back: one that was not signed is forgotten, one at the agency is withdrawn by a deed.

        Raises:
            EnquiryUnknown, Concluded, NotRuledYet.
        """
        now = self.post.clock.now()

        def work(tx: Transaction) -> bool:
            row = self.shelf.exchange(tx, exchange, officer)
            if row.standing.progress is Progress.PREPARED:
                register.drop_prepared(tx, exchange)
                return False
            if register.happened(tx, exchange, Event.WITHDRAW_ASKED, now):
                done = self.deeds.withdraw(row.asked, now)
                register.add_deed(tx, done)
                self.post.outbox.put(tx, done.outgoing)
            return True

        if not await self.post.commit(work):
            return {"exchange": exchange, "progress": "forgotten"}
        return await self.show(officer, exchange)

    async def _row(self, exchange: str, officer: str) -> ExchangeRow:
        return await self.post.store.read(lambda tx: self.shelf.exchange(tx, exchange, officer))


def time_of_asking(received_at: int, now: int) -> int:
    """When a question is asked: now, and never before its enquiry, also when the clock was set back a little."""
    if received_at - now > PERMITTED_SKEW_MS:
        behind = (received_at - now) // 1000
        raise ClockBehind(
            f"this machine's clock is {behind} seconds before the time at which the enquiry was received:"
            " set the clock right, then ask again"
        )
    return max(now, received_at)


def exchange_shown(row: ExchangeRow) -> dict[str, Any]:
    """An exchange without content: codes, times, and why something was refused or left out."""
    header = row.asked.request()
    ruling = None if row.ruling is None else read(Ruling, row.ruling, limit_bytes=MAX_RULING_BYTES)
    return {
        "exchange": row.asked.exchange,
        "enquiry": row.asked.enquiry,
        "agency": row.asked.agency,
        "officer": row.asked.officer,
        "request_digest": row.asked.request_digest,
        "rag": header.rag.value,
        "categories": [one.model_dump(mode="json") for one in header.categories],
        "reasons": [] if ruling is None else [one.model_dump(mode="json") for one in ruling.reasons],
        "sentences": {} if ruling is None else ruling.sentences,
        "not_accepted": row.code if row.standing.progress is Progress.NOT_ACCEPTED else None,
        "not_taken": row.code if row.standing.progress is Progress.PERMITTED else None,
        "part_quarantined": row.is_part_quarantined,
        "break_glass": _glass_shown(row),
        **row.standing.shown(),
    }


def _glass_shown(row: ExchangeRow) -> dict[str, Any] | None:
    broken = row.asked.request().break_glass
    if broken is None:
        return None
    lifted = [] if row.asked.grant is None else row.asked.granted().lifted or []
    return {"manager": broken.manager, "until": broken.until, "lifted": lifted}
