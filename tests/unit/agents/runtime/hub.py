"""A hub of real parts around one real agent: keys, logs, stores, post offices, a bus in memory, a clock by hand.

The coordinator here permits whatever it is told to and records every deed; the desk opens answers. Both do what the
protocol says and nothing of what the real ones decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from agents.runtime.agent import AGENT_MIGRATIONS, Agent, build_agent
from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from agents.runtime.settings import AgentSettings
from agents.runtime.source import RecordSource
from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.ground import NODE_MIGRATIONS, open_ground
from broker.node.home import Home, PartyPlan
from broker.node.log import LOG_MIGRATIONS, LockCopy, Log, get_leaf_hashes
from broker.node.metrics import build_metrics
from broker.node.post.office import Post
from broker.node.post.port import Received, Reply, Sent, Settlement, Work
from broker.node.post.writing import Writer
from broker.node.store import AfterSeal, Store
from broker.node.store.port import Seal, Transaction
from schemas.canonical import without_member
from schemas.crypto.keys import Identity
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import Signature, digest, pack, signed, unpack
from schemas.failures import Failure
from schemas.ledger.note import Ed25519NoteSigner
from schemas.messages.addendum import make_addendum
from schemas.messages.answer import AnswerBody, open_answer
from schemas.messages.entry import HubEntry, PolicyEntry, RequestEntry, nonce
from schemas.messages.fields import encode_base64
from schemas.messages.grant import Grant, Scope
from schemas.messages.party import Directory, PartyKind
from schemas.messages.request import (
    BreakGlassTold,
    CategoryAsked,
    OfficerNamed,
    RequestBody,
    RequestHeader,
    RequestTold,
    Subject,
    SubjectRef,
    Told,
    request_digest,
    seal_body,
    sign_as_officer,
)
from schemas.messages.transport import (
    Acknowledgement,
    Deed,
    Delivery,
    Head,
    Hello,
    LogPage,
    LogQuery,
    Notice,
    PolicyIssue,
)
from schemas.records.registry import fields_of
from schemas.vocabulary import (
    AgencyKind,
    Category,
    ConsentState,
    LawfulBasis,
    Mode,
    OfficerRole,
    Purpose,
    Rag,
    Stage,
)
from tests.support.clock import HandClock
from tests.support.echo import Silent
from tests.support.parties import Member, make_member
from tests.support.policies import IG_LEAD, Version, make_version

T = TypeVar("T")
HOUR = 3_600_000
DESK = make_member("desk", PartyKind.DESK)
COORDINATOR = make_member("coordinator", PartyKind.COORDINATOR)
OFFICER = make_member("o-4f2a9c", PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)
LOG = "coordinator.testhub.example/log"
AGENCY = "county-police"
CATEGORIES = (Category.POLICE_INCIDENT, Category.POLICE_NOTICE, Category.POLICE_MISSING, Category.POLICE_INTELLIGENCE)


@dataclass
class Ask:
    """What a request says; a test changes what it is about."""

    subjects: list[Subject]
    categories: tuple[Category, ...] = CATEGORIES
    mode: Mode = Mode.CONTENT
    stage: Stage = Stage.ENQUIRY
    rag: Rag = Rag.AMBER
    deadline_ms: int = 4 * HOUR
    expires_ms: int = 24 * HOUR
    header: dict[str, Any] = field(default_factory=dict)
    grant: dict[str, Any] = field(default_factory=dict)
    entry: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    told_in_addendum: Told | None = None
    officer: Member = OFFICER
    manager: Member | None = None
    """Who signs too, as a manager who broke the glass; the header says so if `header` does."""
    told_glass: BreakGlassTold | None = None
    exchange: str | None = None
    """None: drawn at random, as a desk does."""
    desk: Member = DESK
    coordinator: Member = COORDINATOR


@dataclass
class Asked:
    """A request as it was sent, and the key that opens its answer."""

    exchange: str
    parts: tuple[bytes, bytes]
    reply: Identity
    entry: RequestEntry


class Node:
    """A store, a bus and a post office of one of the hub's two parties."""

    def __init__(self, member: Member, world: World, path: Path, log: Log | None) -> None:
        sets = [*NODE_MIGRATIONS, *(LOG_MIGRATIONS if log else ())]
        self.store = Store.open(path, migrations=sets, companion=log)
        self.observer = Silent()
        self.bus = MemoryBus(world.bus, member.party.id)
        writer = Writer(member, "0" * 32)
        self.post = Post(self.store, self.bus, world.clock, writer, world.directory, self.observer)

    async def stop(self) -> None:
        await self.post.stop()
        await self.store.close()


class World:
    """The hub and its one agent."""

    def __init__(self, folder: Path, source: RecordSource, settings: dict[str, Any] | None = None) -> None:
        self.settings = settings or {}
        self.folder, self.source = folder, source
        self.clock, self.bus = HandClock(), MemoryHub()
        self.home = Home(folder / "agent")
        plan = PartyPlan(
            "testhub", AGENCY, PartyKind.AGENT, "County Police", AgencyKind.POLICE, f"{AGENCY}.testhub/log"
        )
        self.agency = self.home.create(plan, now=self.clock.now() - HOUR, ig_lead_key=folder / "lead.key")
        for member in (DESK, COORDINATOR, OFFICER, IG_LEAD):
            self.home.pin(member.party.raw)
        self.directory = Directory.of("testhub", [self.agency, DESK.party, COORDINATOR.party, OFFICER.party])
        log_key = COORDINATOR.keys[KeyPurpose.LOG]
        self.log = Log(LOG, lambda: [Ed25519NoteSigner(LOG, log_key.private)], LockCopy(folder / "hub.lock"))
        self.coordinator = Node(COORDINATOR, self, folder / "coordinator.sqlite", self.log)
        self.desk = Node(DESK, self, folder / "desk.sqlite", None)
        self.coordinator.post.correspondent = CoordinatorStub(self)
        self.desk.post.correspondent = DeskStub(self)
        self.policy = make_version(self.clock.now() - HOUR)
        self.seq = 0
        self.sent_to = 0
        self.deeds: list[bytes] = []
        self.answers: list[tuple[bytes, ...]] = []
        self.acknowledged: list[tuple[str, str]] = []
        self.policy_answers: dict[str, str] = {}
        """What the agent answered to each version of the hub's policy, by the message that brought it."""
        self.deed_code = ""
        self.is_silent = False

    async def start(self) -> None:
        await self.coordinator.post.start()
        await self.desk.post.start()
        await self.issue(self.policy)  # it goes out once the agent says hello
        await self.start_agent()

    async def start_agent(self) -> None:
        self.agent_bus = MemoryBus(self.bus, AGENCY)
        settings = AgentSettings.model_validate(
            {
                "kind": AgencyKind.POLICE,
                "bus": {},
                "categories": [*CATEGORIES, Category.PERSON_ADDRESS, Category.POLICE_INVOLVEMENT],
                "handling_caveat": "For this enquiry only.",
                **self.settings,
            }
        )
        ground = await open_ground(
            self.home, migrations=AGENT_MIGRATIONS, bus=self.agent_bus, clock=self.clock, metrics=build_metrics()
        )
        self.agent: Agent = build_agent(ground, self.source, load_gatekeeper(None, settings.review.waiting()), settings)
        await self.agent.start()
        await self.settle()

    async def stop(self) -> None:
        await self.agent.stop()
        await self.coordinator.stop()
        await self.desk.stop()

    async def settle(self) -> None:
        """Let everything happen that needs no turning of the clock."""
        for _ in range(8):
            await self._round()

    async def _round(self) -> None:
        await self.bus.settle()
        for store in (self.coordinator.store, self.desk.store, self.agent.ground.store):
            await store.read(lambda tx: None)
        for _ in range(5):
            await asyncio.sleep(0)

    async def until(self, holds: Callable[[], bool], *, turning_ms: int = 0) -> None:
        """Wait for the threads of a source, and whatever follows.

        Args:
            turning_ms: let so much time pass each time it does not hold: whoever begins to wait by the clock while we
                wait for him is woken too, however late he began.
        """
        for _ in range(20_000):
            await self._round()
            if holds():
                return
            if turning_ms:
                await self.settle()
                self.clock.turn(turning_ms)
        raise AssertionError("it did not come about")

    async def jobs(self) -> dict[str, int]:
        """How many jobs the agent has in each state that any is in."""
        counts = (await self.agent.inspection.status())["jobs"]
        assert isinstance(counts, dict)
        return {state: count for state, count in counts.items() if count}

    async def until_jobs(self, counts: dict[str, int], *, turning_ms: int = 0) -> None:
        """Wait until the agent's jobs are in these states."""
        await self.until_is(counts, self.jobs, turning_ms=turning_ms)

    async def until_is(self, wanted: T, tell: Callable[[], Awaitable[T]], *, turning_ms: int = 0) -> None:
        """Wait until what is told is what is wanted."""
        told = None
        for _ in range(20_000):
            if (told := await tell()) == wanted:
                return
            await self.settle()
            self.clock.turn(turning_ms)
        raise AssertionError(f"it is {told}")

    async def until_awaited(self, instants: Collection[int]) -> None:
        """Wait until somebody waits for each of these instants (milliseconds UTC): now the clock may be turned."""
        await self.until(lambda: all(self.clock.is_awaited(at) for at in instants))

    async def until_answered(self, count: int) -> None:
        """Wait until the desk has so many answers."""
        await self.until(lambda: len(self.answers) == count)

    def build(self, ask: Ask) -> tuple[Asked, bytes, bytes]:
        """A request and a grant, as bytes, and the entry that names them."""
        now, exchange, reply = self.clock.now(), ask.exchange or nonce(), Identity.generate(KeyPurpose.REPLY)
        told = Told(
            subjects=ask.subjects,
            officer=OfficerNamed(id=ask.officer.party.id, name="Sam Carr", position="Social worker"),
            stage=ask.stage,
            reason="Bruising seen at nursery.",
            break_glass=ask.told_glass,
        )
        told_bytes = RequestTold(exchange=exchange, told=ask.told_in_addendum or told).encode()
        addendum, addendum_key = make_addendum("testhub", exchange, told_bytes, [])
        seal_key, epoch = self.directory.newest(AGENCY, KeyPurpose.SEAL, now)
        fields: dict[str, Any] = {
            "hub": "testhub",
            "log": LOG,
            "desk_key": ask.desk.keys[KeyPurpose.REQUEST].id,
            "agency": AGENCY,
            "seal_key": seal_key.id,
            "seal_epoch": epoch,
            "enquiry": nonce(),
            "exchange": exchange,
            "message_id": nonce(),
            "received_at": now,
            "asked_at": now,
            "deadline_at": now + ask.deadline_ms,
            "expires_at": now + ask.expires_ms,
            "purpose": Purpose.CHILD_PROTECTION,
            "lawful_bases": [LawfulBasis.CA1989_47],
            "stage": ask.stage,
            "rag": ask.rag,
            "consent": ConsentState.NOT_SOUGHT,
            "officer": ask.officer.party.id,
            "officer_key": ask.officer.keys[KeyPurpose.OFFICER].id,
            "officer_role": OfficerRole.SOCIAL_WORKER,
            "subjects": [SubjectRef(ref=one.ref, role=one.role) for one in ask.subjects],
            "categories": [CategoryAsked(category=one, mode=ask.mode) for one in ask.categories],
            "reply_key": encode_base64(reply.public.raw),
            "addendum_digest": digest(addendum),
            "body_digest": "0" * 64,
            **ask.header,
        }
        header = RequestHeader(**fields)
        body = RequestBody(**{"exchange": exchange, "told": told, "addendum_key": addendum_key.hex(), **ask.body})
        sealed = seal_body(without_member(header.encode(), "body_digest"), body, seal_key)
        raw = header.model_copy(update={"body_digest": digest(sealed)}).encode()
        desk_key = ask.desk.keys[KeyPurpose.REQUEST]
        desk_signature = Signature(desk_key.id, sign(desk_key, KeyPurpose.REQUEST, raw))
        officer_signature = sign_as_officer(ask.officer.keys[KeyPurpose.OFFICER], request_digest(raw))
        words = [officer_signature]
        if ask.manager is not None:
            words.append(sign_as_officer(ask.manager.keys[KeyPurpose.OFFICER], request_digest(raw)))
        request = pack(raw, [desk_signature, *words], [sealed, addendum])
        grant = self._grant(ask, header, request_digest(raw), now)
        grant_envelope = signed(grant.encode(), [ask.coordinator.keys[KeyPurpose.GRANT]])
        entry = RequestEntry(
            **{
                "log": LOG,
                "hub": "testhub",
                "t": now,
                "n": nonce(),
                "agency": AGENCY,
                "exchange": exchange,
                "seq": self.seq + 1,
                "deadline_at": header.deadline_at,
                "expires_at": header.expires_at,
                "request_digest": request_digest(raw),
                "grant_digest": unpack(grant_envelope).digest,
                "addendum_digest": digest(addendum),
                "desk_key": header.desk_key,
                "desk_sig": desk_signature.raw.hex(),
                **ask.entry,
            }
        )
        return Asked(exchange, (request, grant_envelope), reply, entry), request, grant_envelope

    def _grant(self, ask: Ask, header: RequestHeader, named: str, now: int) -> Grant:
        roles = sorted({one.role for one in ask.subjects})
        scope = [
            Scope(category=one, mode=ask.mode, roles=roles, fields=sorted(fields_of(one, ask.mode)), rule="r")
            for one in ask.categories
        ]
        fields: dict[str, Any] = {
            "hub": "testhub",
            "agency": AGENCY,
            "exchange": header.exchange,
            "grant_key": ask.coordinator.keys[KeyPurpose.GRANT].id,
            "request_digest": named,
            "policy_digest": self.policy.statement.policy_digest,
            "rules": ["r"],
            "scope": scope,
            "not_before": now,
            "expires_at": header.expires_at,
            **ask.grant,
        }
        return Grant(**fields)

    async def ask(self, ask: Ask, *, leaf: bytes | None = None) -> Asked:
        """Log a request and deliver it."""
        asked, request, grant = self.build(ask)
        self.seq = asked.entry.seq
        await self.deliver(asked, leaf or asked.entry.encode(), (request, grant))
        return asked

    async def parts(self, ask: Ask, *, leaf: bytes | None = None) -> tuple[Asked, tuple[bytes, ...]]:
        """The four parts of a delivery, logged and not sent."""
        asked, request, grant = self.build(ask)

        def work(tx: Transaction) -> AfterSeal[tuple[bytes, bytes]]:
            index = self.log.append(tx, leaf or asked.entry.encode())
            return AfterSeal(lambda tx, seal: (seal.receipt(index), self.extension(tx, seal)))

        receipt, extension = await self.coordinator.store.write(work)
        return asked, (request, grant, receipt, extension)

    async def ask_together(self, asks: Sequence[Ask]) -> list[Asked]:
        """Log requests and deliver them in one go. Waits for none: they arrive as the test lets things happen."""
        asked = []
        for ask in asks:
            one, _, _ = self.build(ask)
            self.seq = one.entry.seq
            asked.append(one)
        await self._send([(one, one.entry.encode(), one.parts) for one in asked])
        return asked

    async def deliver(self, asked: Asked, leaf: bytes, parts: tuple[bytes, bytes]) -> None:
        await self._send([(asked, leaf, parts)])
        await self.settle()

    async def _send(self, deliveries: Sequence[tuple[Asked, bytes, tuple[bytes, bytes]]]) -> None:
        now = self.clock.now()

        def work(tx: Transaction) -> AfterSeal[None] | None:
            indices = [self.log.append(tx, leaf) for _, leaf, _ in deliveries]

            def send(tx: Transaction, seal: Seal) -> None:
                for index, (asked, _, parts) in zip(indices, deliveries, strict=True):
                    self.coordinator.post.outbox.put(
                        tx,
                        self.coordinator.post.writer.write(
                            Delivery,
                            self.agency,
                            [*parts, seal.receipt(index), self.extension(tx, seal)],
                            sent_at=now,
                            expires_at=now + 90 * 24 * HOUR,
                            exchange=asked.exchange,
                            last_seq=self.seq,
                        ),
                    )

            return AfterSeal(send)

        await self.coordinator.post.commit(work)

    async def notice(self, entry: HubEntry, *, told: int | None = None) -> None:
        """Log an entry about the agency and give it notice."""
        now = self.clock.now()

        def work(tx: Transaction) -> AfterSeal[None] | None:
            index = self.log.append(tx, entry.encode())

            def send(tx: Transaction, seal: Seal) -> None:
                parts = [seal.receipt(index), self.extension(tx, seal)]
                self.coordinator.post.outbox.put(
                    tx,
                    self.coordinator.post.writer.write(
                        Notice,
                        self.agency,
                        parts,
                        sent_at=now,
                        expires_at=now + HOUR,
                        exchange=entry.exchange,
                        last_seq=self.seq if told is None else told,
                    ),
                )

            return AfterSeal(send)

        self.seq = entry.seq
        await self.coordinator.post.commit(work)
        await self.settle()

    async def issue(self, version: Version, *, entry: dict[str, Any] | None = None) -> str:
        """Log a version of the hub's policy and send it, with changes to its entry; gives back the message's id."""
        now, stated, issued = self.clock.now(), version.statement, []
        members: dict[str, Any] = {
            "log": LOG,
            "hub": "testhub",
            "t": now,
            "n": nonce(),
            "number": stated.number,
            "policy_digest": stated.policy_digest,
            "statement_digest": version.digest,
            "valid_from": stated.valid_from,
        }
        leaf = PolicyEntry(**{**members, **(entry or {})}).encode()

        def work(tx: Transaction) -> AfterSeal[None] | None:
            index = self.log.append(tx, leaf)

            def send(tx: Transaction, seal: Seal) -> None:
                outgoing = self.coordinator.post.writer.write(
                    PolicyIssue,
                    self.agency,
                    [version.frame, version.files, seal.receipt(index), self.extension(tx, seal)],
                    sent_at=now,
                    expires_at=now + 30 * 24 * HOUR,
                    number=stated.number,
                    last_seq=self.seq,
                )
                self.coordinator.post.outbox.put(tx, outgoing)
                issued.append(outgoing.message_id)

            return AfterSeal(send)

        await self.coordinator.post.commit(work)
        return issued[0]

    async def append(self, leaves: list[bytes]) -> None:
        """Entries about other agencies, which this one sees as hashes only."""
        await self.coordinator.store.write(lambda tx: [self.log.append(tx, leaf) for leaf in leaves] and None)

    def extension(self, tx: Transaction, seal: Seal) -> bytes:
        start, self.sent_to = self.sent_to, seal.size
        return start.to_bytes(8, "big") + b"".join(get_leaf_hashes(tx, start, seal.size))

    def open(self, asked: Asked) -> AnswerBody:
        """The one answer to a request, opened as the desk would."""
        found = [unpack(parts[0]) for parts in self.answers if asked.exchange.encode() in unpack(parts[0]).header]
        assert len(found) == 1
        return open_answer(found[0].header, found[0].parts[0], asked.reply)


class CoordinatorStub:
    """Enters deeds, answers hello and log queries."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def prepare(self, received: Received) -> Work:
        assert isinstance(received.outer, Deed)
        world = self.world

        def work(tx: Transaction) -> Reply | AfterSeal[Reply]:
            if world.deed_code:
                return Reply(code=world.deed_code)
            world.deeds.append(received.parts[0])
            index = world.log.append(tx, received.parts[0])
            return AfterSeal(lambda tx, seal: Reply((seal.receipt(index), world.extension(tx, seal))))

        return work

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        if sent.kind == "policy":
            self.world.policy_answers[sent.message_id] = acknowledgement.code
            return lambda tx: None
        self.world.acknowledged.append((sent.kind, acknowledgement.code))

        def work(tx: Transaction) -> None:
            if sent.kind == "delivery" and parts:
                self.world.log.append(tx, parts[0])

        return work

    async def passing(self, received: Received) -> None:
        world, post = self.world, self.world.coordinator.post
        if world.is_silent:
            return
        if isinstance(received.outer, Hello):
            size = received.outer.mirror_size

            def head(tx: Transaction) -> tuple[int, bytes, bytes]:
                seal = world.log.standing(tx)
                hashes = b"".join(get_leaf_hashes(tx, size, seal.size))
                return seal.size, seal.checkpoint, size.to_bytes(8, "big") + hashes

            upto, checkpoint, extension = await world.coordinator.store.read(head)
            world.sent_to = max(world.sent_to, upto)
            await post.send(post.passing(Head, world.agency, (checkpoint, extension), size=upto, last_seq=world.seq))
        elif isinstance(received.outer, LogQuery):
            start = received.outer.start

            def page(tx: Transaction) -> tuple[int, bytes, bytes]:
                seal = world.log.standing(tx)
                return seal.size, b"".join(get_leaf_hashes(tx, start, seal.size)), seal.checkpoint

            upto, hashes, checkpoint = await world.coordinator.store.read(page)
            await post.send(post.passing(LogPage, world.agency, (hashes, checkpoint), start=start, size=upto))
        post.peer_returned(AGENCY)

    def record_rejection(self, received: Received, failure: Failure) -> Callable[[Transaction], None]:
        return lambda tx: None


class DeskStub:
    """Keeps what is released to it."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def prepare(self, received: Received) -> Work:
        def work(tx: Transaction) -> Reply:
            self.world.answers.append(received.parts)
            return Reply()

        return work

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        return lambda tx: None

    async def passing(self, received: Received) -> None:
        """Nothing comes."""

    def record_rejection(self, received: Received, failure: Failure) -> Callable[[Transaction], None]:
        return lambda tx: None
