"""The hub every benchmark runs: homes on disk that pinned each other, one officer, one request that is always the same.

Real homes, keys and party files; only the agency's case system is in memory (`memory`). Knows nothing of
processes and measures nothing.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from agents.runtime.settings import AgentSettings
from broker.desk.cards import OfficerCard, add_card
from broker.desk.config import DeskSettings
from broker.enrolment.at_rest.officers import make_officer
from broker.node.home import Home, PartyPlan
from schemas.messages.party import PartyKind
from schemas.vocabulary import AgencyKind, Category, OfficerRole
from tests.benchmarks.memory import CHILD_BORN, CHILD_NHS

HUB = "benchhub"
AGENCY = "county-police"
AWAY_AGENCY = "away-police"
"""Pinned and admitted, and never there: what is asked of it stays open."""
CATEGORIES = (Category.POLICE_MISSING, Category.POLICE_INVOLVEMENT)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


@dataclass(frozen=True)
class Stage:
    """Where the homes lie and where the bus is."""

    folder: Path
    bus_url: str

    @property
    def coordinator(self) -> Home:
        """The coordinator's home."""
        return Home(self.folder / "coordinator")

    @property
    def desk(self) -> Home:
        """The desk's home."""
        return Home(self.folder / "desk")

    @property
    def agent(self) -> Home:
        """The answering agency's home."""
        return Home(self.folder / "agent")

    @property
    def officer_key(self) -> Path:
        """The officer's private key file."""
        return self.folder / "officer.key"

    @property
    def lead_key(self) -> Path:
        """The private key file of the hub's IG lead."""
        return self.folder / "lead.key"

    @property
    def officer(self) -> str:
        """The officer's id."""
        return (self.folder / "officer.id").read_text("ascii")

    def set_up(self) -> None:
        """Make every home and pin everybody everywhere."""
        now = time.time_ns() // 1_000_000 - HOUR_MS
        away = Home(self.folder / "away")
        plans = [
            (
                self.coordinator,
                PartyPlan(HUB, "coordinator", PartyKind.COORDINATOR, "The hub", log=f"{HUB}.example/log"),
            ),
            (self.desk, PartyPlan(HUB, "desk", PartyKind.DESK, "The desk")),
            (self.agent, _police(AGENCY)),
            (away, _police(AWAY_AGENCY)),
        ]
        files = []
        for home, plan in plans:
            lead = None if plan.kind is PartyKind.COORDINATOR else self.folder / f"{plan.party}.lead"
            files.append(home.create(plan, now=now, ig_lead_key=lead))
        role, position = OfficerRole.SOCIAL_WORKER, "Duty social worker"
        party_path = self.folder / "officer.party"
        files.append(make_officer(self.officer_key, party_path, hub=HUB, role=role, position=position, now=now))
        officer = files[-1].id
        (self.folder / "officer.id").write_text(officer, "ascii")
        ig_lead = OfficerRole.IG_LEAD
        files.append(
            make_officer(self.lead_key, self.folder / "lead.party", hub=HUB, role=ig_lead, position="IG lead", now=now)
        )
        for home, _ in plans:
            for file in files:
                if file.id != home.own().id:
                    home.pin(file.raw)
        add_card(self.desk, officer, OfficerCard(name="Sam Okoro", position=position))

    def desk_settings(self) -> DeskSettings:
        """The desk's configuration."""
        line = {"deadline": {"elapsed_hours": 4}, "expiry": {"elapsed_hours": 24}}
        return DeskSettings.model_validate({"deadlines": {"red": line}})

    def agent_settings(self) -> AgentSettings:
        """The agency's configuration."""
        return AgentSettings.model_validate(
            {
                "kind": AgencyKind.POLICE,
                "categories": list(CATEGORIES),
                "handling_caveat": "Police information, shared for this enquiry alone.",
            }
        )


def enquiry_opened(now: int) -> bytes:
    """The command that opens the one enquiry: a child and her mother, section 47, Red."""
    return json.dumps(
        {
            "subjects": [
                {
                    "role": "index_child",
                    "name": {"given": "Octavia", "family": "Chislett"},
                    "birth_date": CHILD_BORN.isoformat(),
                    "identifiers": [{"kind": "nhs_number", "value": CHILD_NHS}],
                },
                {"role": "parent_carer", "name": {"given": "Mary", "family": "Chislett"}},
            ],
            "stage": "enquiry",
            "rag": "red",
            "purpose": "child_protection",
            "lawful_bases": ["ukgdpr-6-1-e", "ca1989-47"],
            "consent": "unsafe_to_seek",
            "reason": "Bruising seen at school; explanation does not fit.",
            "received_at": now - 10 * MINUTE_MS,
        }
    ).encode()


def request_issued(agency: str) -> bytes:
    """The command that asks an agency."""
    return json.dumps(
        {
            "agency": agency,
            "categories": [
                {"category": "police.missing", "mode": "content"},
                {"category": "police.involvement", "mode": "existence"},
            ],
        }
    ).encode()


def _police(name: str) -> PartyPlan:
    return PartyPlan(HUB, name, PartyKind.AGENT, "County Police", AgencyKind.POLICE, f"{name}.example/log")
