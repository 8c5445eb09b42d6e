"""A whole hub and its agencies in one process: the real programs, homes, stores and logs, on a bus in memory.

Time stands still until it is turned. `check` verifies every log from its first entry and every exchange after any step.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from agents.runtime.agent import AGENT_MIGRATIONS, Agent, build_agent
from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from agents.runtime.settings import AgentSettings
from agents.runtime.source import Finding, LocalPerson, PersonName
from broker.coordinator import records
from broker.coordinator.program import Coordinator, build_coordinator
from broker.desk.cards import OfficerCard, add_card
from broker.desk.config import DeskSettings
from broker.desk.officers import sign_command
from broker.desk.program import DESK_MIGRATIONS, Desk, build_desk
from broker.enrolment.at_rest.officers import make_officer
from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.ground import Ground, open_ground
from broker.node.home import Home, PartyPlan
from broker.node.keyfile import KeyFile, read_key_file
from broker.node.metrics import build_metrics
from broker.node.store.connection import CommitStep, commit_durably
from broker.node.store.migrations import Migration
from broker.node.store.port import StoreBroken
from schemas.crypto.purposes import KeyPurpose
from schemas.identifiers import IdentifierKind, parse_identifier
from schemas.messages.entry import nonce
from schemas.messages.model import read
from schemas.messages.party import PartyKind
from schemas.messages.request import RequestHeader, request_digest, sign_as_officer
from schemas.records import police
from schemas.vocabulary import AgencyKind, Category, OfficerRole
from tests.support.admission import SmallAdmission
from tests.support.clock import HandClock
from tests.support.made_once import made_once
from tests.support.onlooker import Onlooker
from tests.support.policies import IG_LEAD, Version, make_pack_version
from tests.support.source import MemorySource

HUB = "testhub"
NHS = "9990000018"
GIVEN, FAMILY, BORN = "Wilhelmina", "Quillfeather", "2019-03-14"
REASON = "A teaching assistant saw bruises that nobody could explain."
OFFICER_NAME = "Ottoline Marchbanks"
CASE_WORDS = "Alderfield disturbance"
HOUR_MS = 3_600_000
ENDED = frozenset({"refused", "answered", "expired", "withdrawn"})

_GATEKEEPER = load_gatekeeper(None)
_DESK = DeskSettings.model_validate(
    {
        "bus": {},
        "deadlines": {
            "amber": {"deadline": {"elapsed_hours": 4}, "expiry": {"elapsed_hours": 24}},
            "green": {"deadline": {"elapsed_hours": 72}, "expiry": {"elapsed_hours": 240}},
        },
    }
)


def _agent_settings(review: Mapping[str, Any]) -> AgentSettings:
    return AgentSettings.model_validate(
        {
            "bus": {},
            "kind": "police",
            "categories": ["police.incident", "police.missing", "police.notice"],
            "handling_caveat": "For this enquiry alone.",
            "review": dict(review),
        }
    )


def migrations_of(name: str) -> Sequence[Migration]:
    """The tables of a party's program."""
    sets = {"coordinator": records.MIGRATIONS, "desk": DESK_MIGRATIONS, "admission": ()}
    return sets.get(name, AGENT_MIGRATIONS)


def police_source() -> MemorySource:
    """One child, known, with one incident and nothing else."""
    child = LocalPerson(
        ref="nominal/1",
        names=(PersonName(GIVEN, FAMILY),),
        birth_dates=(date.fromisoformat(BORN),),
        identifiers=frozenset({parse_identifier(IdentifierKind.NHS_NUMBER, NHS)}),
    )
    incident = police.Incident(date="2026-10-01", type=CASE_WORDS, outcome="No further action")
    finding = Finding(Category.POLICE_INCIDENT, incident, happened_on=date(2026, 10, 1), local_ref="event/1")
    return MemorySource(persons=[child], held={child.ref: [finding]})


Program: TypeAlias = "Coordinator | Desk | Agent | SmallAdmission"


@dataclass
class World:
    """Everything of one hub. `agencies` are police forces, each with its own source."""

    folder: Path
    agencies: Sequence[str] = ("northshire",)
    hub: MemoryHub = field(default_factory=MemoryHub)
    clock: HandClock = field(default_factory=HandClock)
    sources: dict[str, MemorySource] = field(default_factory=dict)
    running: dict[str, Program] = field(default_factory=dict)
    buses: dict[str, MemoryBus] = field(default_factory=dict)
    commits: dict[str, CommitStep] = field(default_factory=dict)
    """A commit step of one's own for the store of a party."""
    onlooker: Onlooker = field(default_factory=Onlooker)
    review: Mapping[str, Any] = field(default_factory=dict)
    """What the agencies' settings say of their review desks."""
    somebody_lies: bool = False
    """Whether a test has somebody send proofs that prove nothing."""

    # ---- making and running

    async def start(self) -> None:
        """Make every home, exchange the files, start everybody, admit the officer."""
        officer = self.make_homes()
        for name in ("coordinator", "desk", "admission", *self.agencies):
            await self.start_party(name)
        await self.settle()
        await self.admit(officer)
        await self.settle()

    async def admit(self, officer: str) -> None:
        """Admit the officer and the hub's IG lead, who puts the first version of the policy in force."""
        for one in (officer, IG_LEAD.party.id):
            await self.command("coordinator", "admit-officer", {"officer": one})
        await self.publish(make_pack_version(self.clock.now()))

    async def publish(self, version: Version) -> None:
        """Have coordinator and desk take a version of the policy, as its lead's command does."""
        await self.command("coordinator", "publish-policy", version.arguments())
        await self.command("desk", "take-policy", version.arguments())

    def make_homes(self) -> str:
        """Put every home in its place, as a world like this was made the first time; gives back the officer's id."""
        for name in self.agencies:
            self.sources.setdefault(name, police_source())
        likeness = (tuple(self.agencies), self.clock.now())
        return made_once(likeness, self.folder, lambda folder: replace(self, folder=folder)._make_homes())

    def _make_homes(self) -> str:
        """Make every home and exchange the files."""
        plans = [
            PartyPlan(HUB, "coordinator", PartyKind.COORDINATOR, "The hub", log="testhub.example/log"),
            PartyPlan(HUB, "desk", PartyKind.DESK, "The hub"),
            PartyPlan(HUB, "admission", PartyKind.ADMISSION, "The hub"),
            *(
                PartyPlan(HUB, name, PartyKind.AGENT, f"{name} police", AgencyKind.POLICE, f"{name}.example/log")
                for name in self.agencies
            ),
        ]
        files = {}
        for plan in plans:
            lead = (
                None
                if plan.kind in (PartyKind.COORDINATOR, PartyKind.ADMISSION)
                else self.folder / f"{plan.party}-lead.key"
            )
            files[plan.party] = self.home(plan.party).create(plan, now=self.clock.now(), ig_lead_key=lead).raw
        officer = make_officer(
            self.folder / "officer.key",
            self.folder / "officer.party",
            hub=HUB,
            role=OfficerRole.SOCIAL_WORKER,
            position="Duty social worker",
            now=self.clock.now(),
        )
        for name in files:
            known = {other: raw for other, raw in files.items() if other != name}
            if name in self.agencies:  # agencies are strangers to each other
                known = {other: known[other] for other in ("coordinator", "desk", "admission")}
            for raw in (*known.values(), officer.raw, IG_LEAD.party.raw):
                self.home(name).pin(raw)
        add_card(self.home("desk"), officer.id, OfficerCard(name=OFFICER_NAME, position="Duty social worker"))
        return officer.id

    def home(self, name: str) -> Home:
        """A party's directory."""
        return Home(self.folder / name)

    async def start_party(self, name: str) -> None:
        """Start a party from its home; again, if it was stopped or killed."""
        self.buses[name] = MemoryBus(self.hub, name)
        ground = await open_ground(
            self.home(name),
            migrations=migrations_of(name),
            bus=self.buses[name],
            clock=self.clock,
            metrics=build_metrics(),
            commit=self.commits.get(name, commit_durably),
        )
        self.running[name] = self.build(name, ground)
        await self.running[name].start()

    def build(self, name: str, ground: Ground) -> Program:
        """The party's program on what it stands on."""
        if name == "coordinator":
            return build_coordinator(ground, settle_in=timedelta(seconds=1))
        if name == "admission":
            return SmallAdmission(ground)
        if name == "desk":
            return build_desk(ground, _DESK)
        settings = _agent_settings(self.review)
        gatekeeper = load_gatekeeper(None, settings.review.waiting()) if self.review else _GATEKEEPER
        return build_agent(ground, self.sources[name], gatekeeper, settings)

    async def stop_party(self, name: str) -> None:
        """Stop a party as SIGTERM does."""
        await self.running.pop(name).stop()

    async def kill_party(self, name: str) -> None:
        """End a party as `kill -9` does: nothing is finished that was not committed, nothing is said to anybody.

        A store cannot be abandoned within one process (the thread goes on), so it is closed after the bus was cut:
        what it had taken in is committed or not, as with a real death at that moment, and nobody hears of it.
        """
        party = self.running.pop(name)
        self.hub.cut(self.buses[name])
        await party.ground.post.stop()
        await party.ground.store.close()
        party.ground.keys.close()

    async def stop(self) -> None:
        """Stop everybody."""
        for name in list(self.running):
            await self.stop_party(name)

    async def settle(self) -> None:
        """Let everything happen that needs no turning of the clock."""
        for _ in range(12):
            await self.hub.settle()
            for party in list(self.running.values()):
                with suppress(StoreBroken):  # it stops by itself, and says so
                    await party.ground.store.read(lambda tx: None)
            for _ in range(6):
                await asyncio.sleep(0)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a source's threads, and whatever follows."""
        for _ in range(200):
            await self.settle()
            if holds():
                return
        raise AssertionError("it did not come about")

    async def turn(self, milliseconds: int, step_ms: int = 60_000) -> None:
        """Let time pass in steps, so that whoever waits is woken in between."""
        left = milliseconds
        while left > 0:
            self.clock.turn(min(step_ms, left))
            left -= step_ms
            await self.settle()

    # ---- what people do

    async def command(self, name: str, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Have a running program carry out a command of its socket."""
        return await self.running[name].commands[command](dict(arguments or {}))

    @property
    def officer(self) -> KeyFile:
        """The officer's keys."""
        return read_key_file(self.folder / "officer.key")

    async def tell_desk(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A command signed by the officer."""
        keys = self.officer
        assert keys.party is not None
        text = json.dumps(dict(body)) if body is not None else ""
        header = sign_command(
            keys.signing_key(KeyPurpose.COMMAND),
            keys.party.id,
            method,
            path,
            text.encode(),
            sent_at=self.clock.now(),
            nonce=nonce(),
        )
        return await self.command("desk", "officer", {"method": method, "path": path, "header": header, "body": text})

    async def open_enquiry(self, **changes: Any) -> str:
        """An amber enquiry about the child that every source knows."""
        body = {
            "subjects": [
                {
                    "role": "index_child",
                    "name": {"given": GIVEN, "family": FAMILY},
                    "birth_date": BORN,
                    "identifiers": [{"kind": "nhs_number", "value": NHS}],
                }
            ],
            "stage": "enquiry",
            "rag": "amber",
            "purpose": "child_protection",
            "lawful_bases": ["ca1989-47", "ukgdpr-6-1-e"],
            "consent": "unsafe_to_seek",
            "reason": REASON,
            "received_at": self.clock.now(),
            **changes,
        }
        opened = await self.tell_desk("POST", "/enquiries", body)
        return str(opened["enquiry"])

    async def ask(
        self, enquiry: str, agency: str = "northshire", categories: Sequence[str] = ("police.incident",)
    ) -> str:
        """Prepare, sign and submit a request; gives back its exchange."""
        prepared = await self.tell_desk(
            "POST",
            f"/enquiries/{enquiry}/requests",
            {"agency": agency, "categories": [{"category": one, "mode": "content"} for one in categories]},
        )
        raw = prepared["header"].encode()
        read(RequestHeader, raw)
        signature = sign_as_officer(self.officer.signing_key(KeyPurpose.OFFICER), request_digest(raw))
        await self.tell_desk("POST", f"/requests/{prepared['exchange']}/signature", {"signature": signature.raw.hex()})
        return str(prepared["exchange"])

    async def progress(self, exchange: str) -> str:
        """Where an exchange stands at the desk."""
        return str((await self.tell_desk("GET", f"/requests/{exchange}"))["progress"])

    async def opened(self, exchange: str) -> None:
        """Wait until the desk has opened the answer."""
        for _ in range(200):
            await self.settle()
            if await self.progress(exchange) == "opened":
                return
        raise AssertionError(f"not opened: {await self.progress(exchange)}")

    # ---- what must always hold

    async def check(self, *, alarms: frozenset[str] = frozenset()) -> dict[str, str]:
        """Verify every log, every cross-check and every exchange; gives back each exchange's standing in the hub.

        Only of parties that run; halted ones are left out. `alarms` are codes of discrepancies that may be raised.
        """
        audit = await self.command("coordinator", "log-verify")
        assert audit["findings"] == [], audit["findings"]
        for name in self.agencies:
            agent = self.running.get(name)
            if isinstance(agent, Agent) and not agent.ground.post.halted.done():
                found = await self.command(name, "log-verify")
                assert {one["code"] for one in found["discrepancies"]} <= alarms, (name, found["discrepancies"])
        entries = await self.entries()
        grounds = {name: party.ground for name, party in self.running.items()}
        await self.onlooker.look(self.hub.captured, grounds)
        assert self.somebody_lies or not self.onlooker.not_proofs, "the hub gave a receipt that proves nothing"
        return _conclusions(entries)

    async def entries(self) -> list[dict[str, Any]]:
        """Every entry of the hub's log; reading them adds one."""
        entries: list[dict[str, Any]] = []
        while True:
            page = (await self.command("coordinator", "log", {"start": len(entries), "limit": 1000}))["entries"]
            if not page:
                return entries
            entries += [one["entry"] for one in page]
            if len(page) < 1000:
                return entries


def _conclusions(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Where each exchange stands by the log alone: at most one conclusion, and nothing released that was not asked."""
    ends = {
        "refusal": "refused",
        "release": "answered",
        "could-not-look": "answered",
        "expired": "expired",
        "withdrawn": "withdrawn",
    }
    standing: dict[str, str] = {}
    for entry in entries:
        exchange, kind = entry.get("exchange"), entry["type"]
        if exchange is None:
            continue
        if kind == "request":
            assert exchange not in standing, "one exchange was permitted twice"
            standing[exchange] = "open"
        elif kind in ends:
            assert kind == "refusal" or exchange in standing, "an exchange ended that was never permitted"
            assert standing.get(exchange) not in ENDED, "an exchange has two conclusions"
            standing[exchange] = ends[kind]
        elif kind == "opened":
            assert standing.get(exchange) == "answered", "an answer was opened that was never released"
    return standing
