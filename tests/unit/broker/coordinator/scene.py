"""A whole coordinator with its real home, store and log; a desk and an agency that only speak, on a bus in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from broker.coordinator import records
from broker.coordinator.exchange import Exchange
from broker.coordinator.program import Coordinator, build_coordinator
from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.ground import open_ground
from broker.node.home import Home, PartyPlan
from broker.node.log import get_leaves
from broker.node.metrics import build_metrics
from broker.node.post.port import Received, Reply, Sent, Settlement, Work
from broker.node.store.port import Transaction
from broker.policy.pack import Pack
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.envelope import Signature, digest, pack, unpack
from schemas.ledger.receipt import Receipt, VerifiedReceipt, unpack_receipt, verify_receipt
from schemas.ledger.verifier_key import ED25519, VerifierKey
from schemas.messages.entry import AcknowledgedEntry, DeedEntry, Entry, nonce, read_entry, sign_deed
from schemas.messages.model import read
from schemas.messages.party import Directory, Party, PartyKind
from schemas.messages.request import CategoryAsked, RequestHeader, SubjectRef, sign_as_officer
from schemas.messages.transport import Acknowledgement, Deed, Delivery, Hello, Notice, Outer, Submission
from schemas.vocabulary import AgencyKind, Category, Mode, OfficerRole, SubjectRole
from tests.support.clock import NOON, HandClock
from tests.support.echo import EchoNode
from tests.support.parties import Member, make_member
from tests.support.policies import IG_LEAD, make_pack_version
from tests.unit.broker.policy.asking import PACK
from tests.unit.broker.policy.asking import header as header_of

HOUR_MS = 3_600_000
DESK = make_member("desk", PartyKind.DESK)
POLICE = make_member("northshire-police", PartyKind.AGENT, agency_kind=AgencyKind.POLICE)
HEALTH = make_member("northshire-health", PartyKind.AGENT, agency_kind=AgencyKind.HEALTH)
OFFICER = make_member("o-4f2a9c", PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)
STRANGER = make_member("o-000000", PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)
ORIGIN = "coordinator.testhub.example/log"


class Peer(EchoNode):
    """A desk or an agency: keeps what it is sent and, as an agency, acknowledges deliveries with its deed."""

    def __init__(self, member: Member, hub: MemoryHub, path: Path, directory: Directory, clock: HandClock) -> None:
        super().__init__(member, hub, path, directory, clock)
        self.member = member
        self.heard: list[Received] = []
        self.answers: list[tuple[Acknowledgement, tuple[bytes, ...]]] = []
        self.deed: Callable[[Received], bytes] = self.has_it

    async def prepare(self, received: Received) -> Work:
        await super().prepare(received)
        self.heard.append(received)
        parts = (self.deed(received),) if isinstance(received.outer, Delivery) else ()
        return lambda tx: Reply(parts=parts)

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        self.answers.append((acknowledgement, parts))
        return lambda tx: None

    async def passing(self, received: Received) -> None:
        self.heard.append(received)

    def has_it(self, received: Received) -> bytes:
        """The deed that the agency has the request of a delivery."""
        outer = received.outer
        assert isinstance(outer, Delivery)
        leaf = read_entry(receipt_of(received.parts[2]).leaf)
        digest_of_request = str(leaf.model_dump()["request_digest"])
        return self.sign(AcknowledgedEntry, exchange=outer.exchange, request_digest=digest_of_request)

    def sign(self, model: type[DeedEntry], **fields: Any) -> bytes:
        """A deed of this party, now."""
        if "agency" in model.model_fields:
            fields.setdefault("agency", self.member.party.id)
        said = {"log": ORIGIN, "hub": "testhub", "t": self.post.clock.now(), "n": nonce(), "by": self.member.party.id}
        entry = model(**{**said, "deed_key": "0" * 32, "sig": "0" * 128, **fields})
        return sign_deed(entry, self.member.keys[KeyPurpose.DEED])

    def of(self, kind: type[Outer]) -> list[Received]:
        """The messages of that kind it was sent."""
        return [received for received in self.heard if isinstance(received.outer, kind)]

    def told(self) -> list[Entry]:
        """The entries it was given notice of."""
        return [read_entry(receipt_of(received.parts[0]).leaf) for received in self.of(Notice)]


@dataclass
class Scene:
    """Everybody, one clock, one bus."""

    folder: Path
    policy: Pack = PACK
    is_published: bool = True
    """Whether the hub's IG lead has published that, as the first version."""
    settle_in: timedelta = timedelta(seconds=15)
    members: tuple[Member, ...] = (DESK, POLICE, HEALTH, OFFICER, IG_LEAD)
    hub: MemoryHub = field(default_factory=MemoryHub)
    clock: HandClock = field(default_factory=HandClock)

    async def start(self) -> None:
        """Make the homes and start everybody; the officer is admitted."""
        home = Home(self.folder / "coordinator")
        plan = PartyPlan("testhub", "coordinator", PartyKind.COORDINATOR, "The coordinator", log=ORIGIN)
        home.create(plan, now=NOON - HOUR_MS, ig_lead_key=None)
        for member in self.members:
            home.pin(member.party.raw)
        await self.start_coordinator()
        if OFFICER in self.members:
            await self.command("admit-officer", officer=OFFICER.party.id)
        if IG_LEAD in self.members:
            await self.command("admit-officer", officer=IG_LEAD.party.id)
            if self.is_published:
                self.version = make_pack_version(self.clock.now())
                await self.command("publish-policy", **self.version.arguments())
                await self.agencies_have_it()
        directory = home.directory()
        self.desk = Peer(DESK, self.hub, self.folder / "desk.sqlite", directory, self.clock)
        self.police = Peer(POLICE, self.hub, self.folder / "police.sqlite", directory, self.clock)
        for peer in (self.desk, self.police):
            await peer.post.start()
        await self.settle()

    async def agencies_have_it(self) -> None:
        """Take it that every agency has had the policy for long: nothing of it is under way any more."""

        def work(tx: Transaction) -> list[str]:
            sent = [row[0] for row in tx.execute("SELECT message_id FROM policy_sent")]
            tx.execute("UPDATE policy_sent SET code = 'committed', answered_at = 0")
            tx.execute("DELETE FROM outbox WHERE kind = 'policy'")
            tx.execute("DELETE FROM agency")
            return sent

        for message_id in await self.coordinator.ground.store.write(work):
            self.coordinator.ground.post.outbox.forget(message_id)
        self.hub.captured.clear()

    async def start_coordinator(self) -> None:
        """Start the coordinator, for the first time or again, from its home."""
        self.home = Home(self.folder / "coordinator")
        self.bus = MemoryBus(self.hub, "coordinator")
        ground = await open_ground(
            self.home, migrations=records.MIGRATIONS, bus=self.bus, clock=self.clock, metrics=build_metrics()
        )
        self.coordinator: Coordinator = build_coordinator(ground, settle_in=self.settle_in)
        await self.coordinator.start()
        await self.settle(only_coordinator=True)

    async def stop(self) -> None:
        """End everything."""
        for peer in (self.desk, self.police):
            await peer.stop()
        await self.coordinator.stop()

    async def settle(self, *, only_coordinator: bool = False) -> None:
        """Let everything happen that needs no turning of the clock."""
        nodes = [self.coordinator.ground.store]
        if not only_coordinator:
            nodes += [self.desk.store, self.police.store]
        for _ in range(8):
            await self.hub.settle()
            for store in nodes:
                await store.read(lambda tx: None)
            for _ in range(8):
                await asyncio.sleep(0)

    async def turn(self, milliseconds: int) -> None:
        """Let time pass, in one leap."""
        self.clock.turn(milliseconds)
        await self.settle()

    async def command(self, name: str, **arguments: Any) -> Any:
        """Run a command of the coordinator's socket."""
        return await self.coordinator.commands[name](arguments)

    @property
    def me(self) -> Party:
        """The coordinator, as pinned."""
        return self.coordinator.ground.me

    async def entries(self) -> list[Entry]:
        """The whole sharing log."""
        return [
            read_entry(leaf) for leaf in await self.coordinator.ground.store.read(lambda tx: get_leaves(tx, 0, 10**9))
        ]

    async def types(self) -> list[str]:
        """The types of the log's entries after those of its opening."""
        types = [entry.type for entry in await self.entries()]
        return [type_ for type_ in types if type_ not in ("shard-open", "policy", "member")]

    async def query(self, read: Callable[[Transaction], Any]) -> Any:
        """Ask the coordinator's store."""
        return await self.coordinator.ground.store.read(read)

    async def exchange(self, exchange: str) -> Exchange:
        """Where an exchange stands."""
        found = await self.query(lambda tx: records.get_exchange(tx, exchange))
        assert isinstance(found, Exchange)
        return found

    # What desk and agency say.

    def request(
        self,
        *,
        officer: Member = OFFICER,
        desk: Member = DESK,
        agency: Member = POLICE,
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> bytes:
        """A request envelope that holds, less `changes` (or a whole `header` of them) to its header."""
        now = self.clock.now()
        seal = agency.identities[KeyPurpose.SEAL].public
        body, addendum = nonce().encode(), nonce().encode()
        members: dict[str, Any] = {
            "log": ORIGIN,
            "desk_key": desk.keys[KeyPurpose.REQUEST].id,
            "agency": agency.party.id,
            "seal_key": seal.id,
            "enquiry": nonce(),
            "exchange": nonce(),
            "message_id": nonce(),
            "received_at": now,
            "asked_at": now,
            "deadline_at": now + 4 * HOUR_MS,
            "expires_at": now + 48 * HOUR_MS,
            "officer": officer.party.id,
            "officer_key": officer.keys[KeyPurpose.OFFICER].id,
            "subjects": [SubjectRef(ref=nonce(), role=SubjectRole.INDEX_CHILD)],
            "categories": [CategoryAsked(category=Category.POLICE_MISSING, mode=Mode.CONTENT)],
            "addendum_digest": digest(addendum),
            "body_digest": digest(body),
        }
        raw = header_of(**{**members, **changes, **(header or {})}).encode()
        key = desk.keys[KeyPurpose.REQUEST]
        signatures = [
            Signature(key.id, sign(key, KeyPurpose.REQUEST, raw)),
            sign_as_officer(officer.keys[KeyPurpose.OFFICER], digest(raw)),
        ]
        return pack(raw, signatures, [body, addendum])

    async def submit(self, envelope: bytes, *, exchange: str | None = None) -> tuple[str, tuple[bytes, ...]]:
        """Submit a request; gives back the code and the parts of what the coordinator answered."""
        return await self.say(self.desk, Submission, (envelope,), exchange=exchange or asked(envelope).exchange)

    async def say(
        self, peer: Peer, kind: type[Outer], parts: tuple[bytes, ...], **fields: Any
    ) -> tuple[str, tuple[bytes, ...]]:
        """Say something lasting to the coordinator, and hear its answer."""
        now = self.clock.now()
        outgoing = peer.post.writer.write(kind, self.me, parts, sent_at=now, expires_at=now + 24 * HOUR_MS, **fields)
        await peer.post.commit(lambda tx: peer.post.outbox.put(tx, outgoing))
        await self.settle()
        for acknowledgement, answered in peer.answers:
            if acknowledgement.acknowledges == outgoing.message_id:
                return acknowledgement.code, answered
        return "unanswered", ()

    async def deed(
        self, peer: Peer, model: type[DeedEntry], *, addendum: bytes | None = None, **fields: Any
    ) -> tuple[str, tuple[bytes, ...]]:
        """Send word of a deed."""
        if addendum is not None:
            fields["addendum_digest"] = digest(addendum)
        leaf = peer.sign(model, **fields)
        parts = (leaf,) if addendum is None else (leaf, addendum)
        return await self.say(peer, Deed, parts, exchange=fields.get("exchange"))

    async def hello(self, peer: Peer, *, mirror_size: int = 0, last_seq: int = 0) -> Received | None:
        """Say hello; gives back the head that came."""
        before = len(peer.heard)
        await peer.post.send(peer.post.passing(Hello, self.me, mirror_size=mirror_size, last_seq=last_seq))
        await self.settle()
        return next((one for one in peer.heard[before:] if one.kind == "head"), None)

    def prove(self, receipt: bytes) -> VerifiedReceipt:
        """The entry a receipt proves to be in the coordinator's log."""
        log_key = next(stated.key for stated in self.me.keys if stated.key.purpose is KeyPurpose.LOG)
        return verify_receipt(receipt, log=VerifierKey.of(ORIGIN, ED25519, log_key.raw), origin=ORIGIN)


def asked(envelope: bytes) -> RequestHeader:
    """The header of a request envelope."""
    return read(RequestHeader, unpack(envelope).header)


def receipt_of(raw: bytes) -> Receipt:
    """A receipt, taken apart without being checked."""
    return unpack_receipt(raw)
