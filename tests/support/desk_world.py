"""A desk and the world around it: the counterparts are made by hand, with real keys, a real log and real seals.

`Cast` holds the parties, `HandLog` the coordinator's log; `rule`, `refuse`, `release` and `notice_of` make what comes
back to a desk, and take changes to any of it, so that a test can attack one binding at a time. `DeskWorld` is a whole
desk on its own home and store, on a bus in memory, with a coordinator and an agency that say only what a test has them
say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from broker.desk import register
from broker.desk.asked import Asked
from broker.desk.asking import Prepared, Question, complete, prepare
from broker.desk.cards import OfficerCard, add_card
from broker.desk.config import DeskSettings
from broker.desk.deadlines import DeadlineTable, Span
from broker.desk.enquiry import Enquiry, IssueRequest, OpenEnquiry, open_enquiry, read_command
from broker.desk.officers import sign_command
from broker.desk.program import DESK_MIGRATIONS, Desk, build_desk
from broker.desk.progress import Progress
from broker.desk.trust import Trust
from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.ground import open_ground
from broker.node.home import Home, PartyPlan
from broker.node.keyfile import read_key_file
from broker.node.metrics import build_metrics
from broker.node.post import intake
from broker.node.post.port import Received
from broker.node.post.writing import Writer
from schemas.canonical import without_member
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import digest, signed, unpack
from schemas.ledger.checkpoint import TreeHead, sign_checkpoint
from schemas.ledger.merkle import leaf_hash, node_hash, root_from_leaf_hashes
from schemas.ledger.note import Ed25519NoteSigner
from schemas.ledger.receipt import issue_receipt
from schemas.messages.addendum import make_addendum
from schemas.messages.answer import (
    BODY_DIGEST,
    AnswerBody,
    AnswerHeader,
    OutcomeRow,
    ReleaseTold,
    seal_answer,
    told_of,
)
from schemas.messages.entry import (
    AcknowledgedEntry,
    DeedEntry,
    Entry,
    EscalatedEntry,
    ExpiredEntry,
    InReviewEntry,
    OverdueEntry,
    RefusalEntry,
    ReleaseEntry,
    RequestEntry,
    WithdrawnEntry,
    nonce,
    sign_deed,
)
from schemas.messages.grant import Grant, Reason, Ruling, Scope
from schemas.messages.model import read
from schemas.messages.party import Directory, Party, PartyKind
from schemas.messages.request import OfficerNamed, RequestHeader, request_digest, sign_as_officer
from schemas.messages.transport import Acknowledgement, Deed, Notice, Outer, Released, Submission
from schemas.subjects import listens_on, subject_for
from schemas.vocabulary import AgencyKind, Category, Mode, OfficerRole, Outcome, ReviewRole, SubjectRole
from tests.support.clock import NOON, HandClock
from tests.support.parties import Member, make_member

HUB = "testhub"
HOUR_MS = 3_600_000
AGENCY = "gwent-police"
OFFICER = "o-4f2a9c"
NHS_NUMBER = "999 000 0018"
CHILD, MOTHER = "Adalgisa", "Marigold"
"""Long enough not to stand in a ciphertext by chance."""
REASON = "Bruising seen at school; explanation does not fit."
UNSIGNED = {"deed_key": "0" * 32, "sig": "0" * 128}
MISSING_FIELDS = ["Date", "ReturnedOn", "RiskGrade"]
FACT = {"Date": "2026-03-04", "RiskGrade": "high"}


@dataclass
class HandLog:
    """A log with its own checkpoint for each receipt."""

    origin: str
    key: SigningKey
    leaves: list[bytes] = field(default_factory=list)

    def receipt(self, leaf: bytes) -> bytes:
        """Append a leaf and give its receipt."""
        self.leaves.append(leaf)
        hashes = [leaf_hash(one) for one in self.leaves]

        def node(level: int, position: int) -> bytes:
            if level == 0:
                return hashes[position]
            return node_hash(node(level - 1, 2 * position), node(level - 1, 2 * position + 1))

        size, root = root_from_leaf_hashes(hashes)
        checkpoint = sign_checkpoint(
            TreeHead(self.origin, size, root), Ed25519NoteSigner(self.origin, self.key.private)
        )
        return issue_receipt(leaf, size - 1, size, node, checkpoint)


@dataclass
class Cast:
    """The parties of a story."""

    desk: Member
    coordinator: Member
    agency: Member
    other_agency: Member
    officer: Member
    log: HandLog
    directory: Directory

    @classmethod
    def assemble(cls, desk: Member | None = None) -> Cast:
        """Everybody, with new keys."""
        desk = desk or make_member("desk", PartyKind.DESK)
        coordinator = make_member("coordinator", PartyKind.COORDINATOR)
        agency = make_member(AGENCY, PartyKind.AGENT, agency_kind=AgencyKind.POLICE)
        other = make_member("gwent-health", PartyKind.AGENT, agency_kind=AgencyKind.HEALTH)
        officer = make_member(OFFICER, PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)
        origin = coordinator.party.statement.log
        assert origin is not None
        members = (desk, coordinator, agency, other, officer)
        directory = Directory.of(HUB, [member.party for member in members])
        return cls(
            desk, coordinator, agency, other, officer, HandLog(origin, coordinator.keys[KeyPurpose.LOG]), directory
        )

    @property
    def trust(self) -> Trust:
        """What the desk of this cast believes."""
        return Trust.of(self.desk.party, lambda: self.directory)


def opening(**changes: object) -> bytes:
    """The body of a command that opens an enquiry about a child and her mother."""
    members: dict[str, object] = {
        "subjects": [
            {
                "role": "index_child",
                "name": {"given": CHILD, "family": "Lovelace"},
                "birth_date": "2015-12-10",
                "identifiers": [{"kind": "nhs_number", "value": NHS_NUMBER}],
            },
            {"role": "parent_carer", "name": {"given": MOTHER, "family": "Lovelace"}},
        ],
        "stage": "enquiry",
        "rag": "red",
        "purpose": "child_protection",
        "lawful_bases": ["ukgdpr-6-1-e", "ca1989-47"],
        "consent": "unsafe_to_seek",
        "reason": REASON,
        "received_at": NOON - 10 * 60_000,
        "reference": "M-2026-0142",
    }
    return json.dumps({**members, **changes}).encode()


def issuing(**changes: object) -> bytes:
    """The body of a command that asks the police."""
    members: dict[str, object] = {
        "agency": AGENCY,
        "categories": [
            {"category": "police.missing", "mode": "content"},
            {"category": "police.involvement", "mode": "existence"},
        ],
    }
    return json.dumps({**members, **changes}).encode()


@dataclass
class Story:
    """One request of an enquiry, asked and permitted, without any store."""

    cast: Cast
    enquiry: Enquiry
    reply: Identity
    prepared: Prepared
    envelope: bytes
    asked: Asked
    ruled: tuple[bytes, ...]

    @property
    def header(self) -> RequestHeader:
        """The request's header."""
        return read(RequestHeader, self.asked.header)

    def ref(self, role: SubjectRole) -> str:
        """The request's reference of the subject in that role."""
        return next(subject.ref for subject in self.header.subjects if subject.role is role)


def tell_story(cast: Cast | None = None, *, now: int = NOON) -> Story:
    """Ask the police about the child and her mother, and have it permitted."""
    cast = cast or Cast.assemble()
    reply = Identity.generate(KeyPurpose.REPLY)
    command = read_command(OpenEnquiry, opening())
    enquiry = open_enquiry(command, by=OFFICER, reply_key=reply.id, enquiry=nonce(), draw=nonce, now=now)
    question = make_question(enquiry, reply, now=now)
    request_key = cast.desk.keys[KeyPurpose.REQUEST]
    prepared = prepare(question, trust=cast.trust, desk_key=request_key, draw=nonce)
    signature = sign_as_officer(cast.officer.keys[KeyPurpose.OFFICER], prepared.digest)
    envelope = complete(
        prepared.header,
        prepared.sealed_body,
        prepared.addendum,
        signature.raw,
        officer_key=cast.officer.keys[KeyPurpose.OFFICER].public,
        desk_key=request_key,
    )
    ruled = rule(cast, envelope)
    grant = unpack(ruled[2])
    asked = Asked(
        exchange=question.exchange,
        enquiry=enquiry.id,
        agency=AGENCY,
        officer=OFFICER,
        progress=Progress.PERMITTED,
        header=prepared.header,
        request_digest=prepared.digest,
        asked_at=now,
        deadline_at=question.times.deadline_at,
        expires_at=question.times.expires_at,
        reply_key=reply.id,
        grant=grant.header,
        grant_digest=grant.digest,
    )
    return Story(cast, enquiry, reply, prepared, envelope, asked, ruled)


def make_question(enquiry: Enquiry, reply: Identity, *, now: int = NOON, command: bytes | None = None) -> Question:
    """A question to the police, due four hours after receipt."""
    table = DeadlineTable({enquiry.rag: Span(4 * HOUR_MS, 24 * HOUR_MS)})
    return Question(
        exchange=nonce(),
        message_id=nonce(),
        enquiry=enquiry,
        command=read_command(IssueRequest, command or issuing()),
        reference=nonce(),
        officer=OfficerNamed(id=OFFICER, name="Sam Okoro", position="Duty social worker", contact="01632 960001"),
        keys_since=now,
        reply_key=reply.public,
        times=table.times(enquiry.rag, received_at=enquiry.received_at, now=now),
        asked_at=now,
    )


Changes = Mapping[str, Any]


def scopes(header: RequestHeader) -> list[Scope]:
    """What the coordinator grants: all of it, three fields of a missing episode."""
    roles = sorted({subject.role for subject in header.subjects})
    return [
        Scope(category=Category.POLICE_MISSING, mode=Mode.CONTENT, roles=roles, fields=MISSING_FIELDS, rule="P-5"),
        Scope(
            category=Category.POLICE_INVOLVEMENT, mode=Mode.EXISTENCE, roles=roles, fields=["held", "open"], rule="P-3"
        ),
    ]


def rule(
    cast: Cast,
    envelope: bytes,
    *,
    grant: Changes | None = None,
    entry: Changes | None = None,
    ruling: Changes | None = None,
    grant_key: SigningKey | None = None,
    log: HandLog | None = None,
) -> tuple[bytes, ...]:
    """What acknowledges a submission that was permitted."""
    request = unpack(envelope)
    header = read(RequestHeader, request.header)
    key = grant_key or cast.coordinator.keys[KeyPurpose.GRANT]
    granted = Grant(
        hub=HUB,
        agency=header.agency,
        exchange=header.exchange,
        grant_key=key.id,
        request_digest=request.digest,
        policy_digest="ab" * 32,
        rules=["P-3", "P-5"],
        scope=scopes(header),
        not_before=header.asked_at,
        expires_at=header.expires_at,
    ).model_copy(update=dict(grant or {}))
    grant_envelope = signed(granted.encode(), [key])
    said = _decision(cast, envelope)
    logged = RequestEntry(
        **said,
        deadline_at=header.deadline_at,
        expires_at=header.expires_at,
        grant_digest=unpack(grant_envelope).digest,
    ).model_copy(update=dict(entry or {}))
    ruled = _ruling(header, request.digest, permitted=True).model_copy(update=dict(ruling or {}))
    return ruled.encode(), (log or cast.log).receipt(logged.encode()), grant_envelope


def refuse(
    cast: Cast, envelope: bytes, *, entry: Changes | None = None, ruling: Changes | None = None
) -> tuple[bytes, ...]:
    """What acknowledges a submission that was refused."""
    request = unpack(envelope)
    header = read(RequestHeader, request.header)
    logged = RefusalEntry(**_decision(cast, envelope), policy_digest="ab" * 32, rules=["R-4"]).model_copy(
        update=dict(entry or {})
    )
    ruled = _ruling(header, request.digest, permitted=False).model_copy(update=dict(ruling or {}))
    return ruled.encode(), cast.log.receipt(logged.encode())


def _ruling(header: RequestHeader, of: str, *, permitted: bool) -> Ruling:
    reasons = [] if permitted else [Reason(rule="R-4", category=Category.POLICE_MISSING, mode=Mode.CONTENT)]
    return Ruling(
        hub=HUB,
        agency=header.agency,
        exchange=header.exchange,
        request_digest=of,
        policy_digest="ab" * 32,
        permitted=permitted,
        reasons=reasons,
        sentences={reason.rule: "Nothing is asked without a reason." for reason in reasons},
    )


def _decision(cast: Cast, envelope: bytes) -> dict[str, Any]:
    request = unpack(envelope)
    header = read(RequestHeader, request.header)
    return {
        "log": cast.log.origin,
        "hub": HUB,
        "t": header.asked_at + 50,
        "n": nonce(),
        "agency": header.agency,
        "exchange": header.exchange,
        "seq": 1,
        "request_digest": request.digest,
        "addendum_digest": header.addendum_digest,
        "desk_key": header.desk_key,
        "desk_sig": sign(cast.desk.keys[KeyPurpose.REQUEST], KeyPurpose.REQUEST, request.header).hex(),
    }


def row(story: Story, role: SubjectRole, category: Category = Category.POLICE_MISSING, **changes: Any) -> OutcomeRow:
    """An outcome about the subject in that role: one missing episode, unless changed."""
    members: dict[str, Any] = {
        "subject": story.ref(role),
        "category": category,
        "mode": Mode.CONTENT if category is Category.POLICE_MISSING else Mode.EXISTENCE,
        "outcome": Outcome.ANSWERED,
        "rule": "permit-enquiry-content",
        "facts": [FACT] if category is Category.POLICE_MISSING else [{"held": True}],
        **changes,
    }
    if members["outcome"] is not Outcome.ANSWERED:
        members["facts"] = []
    if members["outcome"] is Outcome.NOT_KNOWN:
        members["rule"] = None
    return OutcomeRow.model_validate(members, strict=False)


def release(
    story: Story,
    rows: Sequence[OutcomeRow],
    *,
    header: Changes | None = None,
    entry: Changes | None = None,
    body: Changes | None = None,
    model: type[DeedEntry] = ReleaseEntry,
    told: Sequence[OutcomeRow] | None = None,
    addendum_key: bytes | None = None,
    answer_key: SigningKey | None = None,
    deed_key: SigningKey | None = None,
    sealed_to: Identity | None = None,
    log: HandLog | None = None,
    now: int = NOON + 60_000,
) -> tuple[bytes, bytes, bytes]:
    """What an agency sends to the desk: answer, receipt of its release, addendum."""
    cast, asked = story.cast, story.asked
    lead = [member.identities[KeyPurpose.ADDENDUM].public for member in (cast.desk, cast.agency)]
    content = ReleaseTold(
        exchange=asked.exchange, outcomes=[told_of(one) for one in (rows if told is None else told)]
    ).encode()
    addendum, key = make_addendum(HUB, asked.exchange, content, lead)
    answer_key = answer_key or cast.agency.keys[KeyPurpose.ANSWER]
    said = AnswerBody(
        exchange=asked.exchange,
        outcomes=list(rows),
        matcher="0" * 64,
        handling="For the safeguarding enquiry only",
        addendum_key=(addendum_key or key).hex(),
    ).model_copy(update=dict(body or {}))
    bare = AnswerHeader(
        hub=HUB,
        agency=AGENCY,
        exchange=asked.exchange,
        message_id=nonce(),
        answer_key=answer_key.id,
        request_digest=asked.request_digest,
        grant_digest=asked.grant_digest or "0" * 64,
        reply_key=asked.reply_key,
        answered_at=now,
        expires_at=asked.expires_at + HOUR_MS,
        body_digest="0" * 64,
    ).model_copy(update=dict(header or {}))
    sealed = seal_answer(without_member(bare.encode(), BODY_DIGEST), said, (sealed_to or story.reply).public)
    whole = bare.model_copy(update={BODY_DIGEST: digest(sealed)})
    answer = signed(whole.encode(), [answer_key], [sealed])
    members = {
        "log": cast.log.origin,
        "hub": HUB,
        "t": now,
        "n": nonce(),
        "by": AGENCY,
        "agency": AGENCY,
        "exchange": asked.exchange,
        "request_digest": asked.request_digest,
        "grant_digest": asked.grant_digest,
        "answer_digest": unpack(answer).digest,
        "addendum_digest": digest(addendum),
        **UNSIGNED,
        **(entry or {}),
    }
    leaf = sign_deed(model(**members), deed_key or cast.agency.keys[KeyPurpose.DEED])
    return answer, (log or cast.log).receipt(leaf), addendum


def notice_of(story: Story, model: type[Entry], *, deed_key: SigningKey | None = None, **changes: Any) -> bytes:
    """The receipt of an entry that the coordinator gives notice of."""
    cast, asked = story.cast, story.asked
    members: dict[str, Any] = {
        "log": cast.log.origin,
        "hub": HUB,
        "t": NOON + 1000,
        "n": nonce(),
        "agency": AGENCY,
        "exchange": asked.exchange,
    }
    of_kind: dict[type[Entry], dict[str, Any]] = {
        AcknowledgedEntry: {"by": AGENCY, "request_digest": asked.request_digest, **UNSIGNED},
        InReviewEntry: {
            "by": AGENCY,
            "request_digest": asked.request_digest,
            "reviewer": ReviewRole.DUTY_REVIEWER,
            **UNSIGNED,
        },
        OverdueEntry: {"seq": 2, "deadline_at": asked.deadline_at, "undecided": False},
        EscalatedEntry: {"seq": 3},
        ExpiredEntry: {"seq": 4, "expires_at": asked.expires_at},
        WithdrawnEntry: {"seq": 5, "desk_deed": "0" * 64},
        ReleaseEntry: {
            "by": AGENCY,
            "request_digest": asked.request_digest,
            "grant_digest": asked.grant_digest,
            "answer_digest": "0" * 64,
            "addendum_digest": "0" * 64,
            **UNSIGNED,
        },
    }
    entry = model(**{**members, **of_kind[model], **changes})
    if isinstance(entry, DeedEntry):
        return cast.log.receipt(sign_deed(entry, deed_key or cast.agency.keys[KeyPurpose.DEED]))
    return cast.log.receipt(entry.encode())


SETTINGS = DeskSettings.model_validate(
    {
        "bus": {},
        "deadlines": {
            "red": {"deadline": {"elapsed_hours": 4}, "expiry": {"elapsed_hours": 24}},
            "green": {"deadline": {"elapsed_hours": 72}, "expiry": {"elapsed_hours": 240}},
        },
    }
)


class Counterpart:
    """A party on the bus that says only what it is told to, and keeps what it hears."""

    def __init__(self, member: Member, hub: MemoryHub, directory: Directory, clock: HandClock) -> None:
        self.member = member
        self.directory = directory
        self.clock = clock
        self.bus = MemoryBus(hub, member.party.id)
        self.writer = Writer(member, "1" * 32)
        self.heard: list[Received] = []

    async def start(self) -> None:
        """Listen."""
        for subject in listens_on(self.member.party):
            await self.bus.subscribe(subject, self._hear)
        await self.bus.start(self)

    async def _hear(self, subject: str, raw: bytes) -> None:
        self.heard.append(
            intake.check(subject, raw, me=self.member.party, directory=self.directory, now=self.clock.now())
        )

    def last(self, model: type[Outer]) -> Received:
        """The newest message of that kind it heard."""
        return next(one for one in reversed(self.heard) if isinstance(one.outer, model))

    async def send(self, model: type[Outer], to: Party, parts: Sequence[bytes], **fields: object) -> None:
        """Say something."""
        now = self.clock.now()
        outgoing = self.writer.write(model, to, parts, sent_at=now, expires_at=now + HOUR_MS, **fields)
        await self.bus.publish(subject_for(self.member.party, to), outgoing.raw)

    async def acknowledge(self, received: Received, parts: Sequence[bytes] = (), code: str = "committed") -> None:
        """Acknowledge what was heard."""
        await self.send(
            Acknowledgement,
            received.sender,
            parts,
            acknowledges=received.outer.message_id,
            acknowledged_digest=received.digest,
            code=code,
        )

    def connected(self) -> None:
        """Nothing to do."""

    def disconnected(self) -> None:
        """Nothing to do."""

    def unheard(self, subject: str) -> None:
        """Nothing to do."""

    def dropped(self, subject: str) -> None:
        """Nothing to do."""

    def flooding(self, token: str, rate: int) -> None:
        """Nothing to do."""


@dataclass
class DeskWorld:
    """A whole desk on a real home, and its counterparts."""

    cast: Cast
    home: Home
    clock: HandClock
    bus: MemoryHub
    desk: Desk
    coordinator: Counterpart
    agency: Counterpart

    @classmethod
    async def open(cls, path: Path) -> DeskWorld:
        """Make the home, start the desk."""
        clock, bus = HandClock(), MemoryHub()
        home = Home(path / "desk")
        plan = PartyPlan(HUB, "desk", PartyKind.DESK, "The desk")
        party = home.create(plan, now=NOON - HOUR_MS, ig_lead_key=path / "lead.key")
        keys = home.keys_to_read()
        member = Member(
            party,
            SigningKey.generate(KeyPurpose.ROOT),
            {
                purpose: home.signing_key(keys, purpose)
                for purpose in (KeyPurpose.MESSAGE, KeyPurpose.DEED, KeyPurpose.REQUEST)
            },
            {KeyPurpose.ADDENDUM: read_key_file(path / "lead.key").identity(KeyPurpose.ADDENDUM)},
        )
        cast = Cast.assemble(member)
        for other in (cast.coordinator, cast.agency, cast.other_agency, cast.officer):
            home.pin(other.party.raw)
        add_card(home, OFFICER, OfficerCard(name="Sam Okoro", position="Duty social worker"))
        coordinator = Counterpart(cast.coordinator, bus, cast.directory, clock)
        agency = Counterpart(cast.agency, bus, cast.directory, clock)
        await coordinator.start()
        await agency.start()
        desk = await _start(home, bus, clock)
        return cls(cast, home, clock, bus, desk, coordinator, agency)

    async def restart(self) -> None:
        """Stop the desk and start it again on what it left."""
        await self.desk.stop()
        self.desk = await _start(self.home, self.bus, self.clock)

    async def close(self) -> None:
        """Stop everybody."""
        await self.desk.stop()
        await self.coordinator.bus.close()
        await self.agency.bus.close()

    async def settle(self) -> None:
        """Let everything happen that needs no turning of the clock."""
        for _ in range(6):
            await self.bus.settle()
            await self.desk.ground.store.read(lambda tx: None)

    async def tell(self, method: str, path: str, body: bytes = b"", *, officer: Member | None = None) -> dict[str, Any]:
        """A command by the officer."""
        who = officer or self.cast.officer
        header = sign_command(
            who.keys[KeyPurpose.COMMAND],
            who.party.id,
            method,
            path,
            body,
            sent_at=self.clock.now(),
            nonce=nonce(),
        )
        answer = await self.desk.counter.serve(method, path, header, body)
        await self.settle()
        return answer

    async def open_enquiry(self) -> str:
        """Open an enquiry; its id."""
        return str((await self.tell("POST", "/enquiries", opening()))["enquiry"])

    async def ask(self, enquiry: str) -> str:
        """Prepare and sign a request; its exchange."""
        prepared = await self.tell("POST", f"/enquiries/{enquiry}/requests", issuing())
        header = prepared["header"].encode()
        assert prepared["digest"] == sha256(header).hexdigest() == request_digest(header)
        signature = sign_as_officer(self.cast.officer.keys[KeyPurpose.OFFICER], prepared["digest"])
        body = json.dumps({"signature": signature.raw.hex()}).encode()
        await self.tell("POST", f"/requests/{prepared['exchange']}/signature", body)
        return str(prepared["exchange"])

    async def permit(self) -> Story:
        """Have the coordinator permit what was submitted last; the story from there on."""
        submission = self.coordinator.last(Submission)
        ruled = rule(self.cast, submission.parts[0])
        await self.coordinator.acknowledge(submission, ruled)
        await self.settle()
        return await self.story(ruled)

    async def story(self, ruled: tuple[bytes, ...]) -> Story:
        """The desk's exchange as a story, so that answers to it can be made."""
        request = unpack(self.coordinator.last(Submission).parts[0])
        header = read(RequestHeader, request.header)
        row = await self.desk.ground.store.read(lambda tx: register.find_asked(tx, header.exchange))
        assert row is not None
        grant = unpack(ruled[2])
        row = replace(row, grant=grant.header, grant_digest=grant.digest)
        reply = self.desk.casework.vault.identity(row.reply_key)
        enquiry = self.desk.casework.shelf.open(
            await self.desk.ground.store.read(lambda tx: register.get_enquiry(tx, row.enquiry))
        )
        prepared = Prepared(request.header, request.parts[0], request.parts[1], {})
        return Story(self.cast, enquiry, reply, prepared, self.coordinator.last(Submission).parts[0], row, ruled)

    async def answer(self, story: Story, parts: Sequence[bytes]) -> str:
        """Have the agency send an answer; the code of the desk's acknowledgement, "" if there is none."""
        before = len(self.agency.heard)
        await self.agency.send(Released, self.cast.desk.party, parts, exchange=story.asked.exchange)
        await self.settle()
        heard = [one.outer for one in self.agency.heard[before:]]
        return next((one.code for one in heard if isinstance(one, Acknowledgement)), "")

    async def notify(self, story: Story, receipt: bytes) -> str:
        """Have the coordinator give notice; the code of the desk's acknowledgement, "" if there is none."""
        before = len(self.coordinator.heard)
        await self.coordinator.send(Notice, self.cast.desk.party, (receipt,), exchange=story.asked.exchange)
        await self.settle()
        heard = [one.outer for one in self.coordinator.heard[before:]]
        return next((one.code for one in heard if isinstance(one, Acknowledgement)), "")

    def deeds(self, kind: str) -> list[Received]:
        """The desk's deeds of that type, as the coordinator heard them, each once."""
        found = {
            one.outer.message_id: one
            for one in self.coordinator.heard
            if isinstance(one.outer, Deed) and json.loads(one.parts[0])["type"] == kind
        }
        return list(found.values())


async def _start(home: Home, bus: MemoryHub, clock: HandClock) -> Desk:
    ground = await open_ground(
        home, migrations=DESK_MIGRATIONS, bus=MemoryBus(bus, "desk"), clock=clock, metrics=build_metrics()
    )
    desk = build_desk(ground, SETTINGS)
    await desk.start()
    return desk
