"""The four agencies of the synthetic county, asked as a hub would: their real sources, rules and minimising."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from prometheus_client import CollectorRegistry

from agents.runtime.gatekeeping.gatekeeper import load_gatekeeper
from agents.runtime.looking.calls import SourceCalls
from agents.runtime.looking.look import Looking, decide_all
from agents.runtime.source import RecordSource
from broker.demo.county.model import County
from broker.node.metrics import AgentMetrics
from schemas.identifiers import IdentifierKind
from schemas.messages.answer import OutcomeRow
from schemas.messages.entry import nonce
from schemas.messages.grant import Grant, Scope
from schemas.messages.request import IdentifierGiven, NameGiven, OfficerNamed, RequestHeader, Subject, SubjectRef, Told
from schemas.records.record import Contact
from schemas.records.registry import categories_of, fields_of
from schemas.vocabulary import AgencyKind, Category, ConsentState, Mode, OfficerRole, Purpose, Rag, Stage, SubjectRole
from tests.contract.records import county_education, county_health, county_police, county_probation
from tests.support.clock import HandClock

GATEKEEPER: Final = load_gatekeeper(None)
CIRCUMSTANCES: Final = (
    (Stage.SCREENING, Rag.AMBER),
    (Stage.ENQUIRY, Rag.AMBER),
    (Stage.ENQUIRY, Rag.RED),
    (Stage.STRATEGY_DISCUSSION, Rag.RED),
)
"""Every stage in which something leaves, the narrowest first."""
Circumstances: TypeAlias = "tuple[Stage, Rag]"


@cache
def county() -> County:
    """The county that all four hold a part of."""
    return county_police.county()


def subject(case: str, role: SubjectRole, **changed: Any) -> Subject:
    """The person of a hard case as a hub would name them, with every number they have."""
    person = county().case(case)
    numbers = ((IdentifierKind.NHS_NUMBER, person.nhs_number), (IdentifierKind.UPN, person.upn))
    named = {
        "ref": nonce(),
        "role": role,
        "name": NameGiven(given=person.given, family=person.family),
        "other_names": [],
        "birth_date": person.born_on.isoformat(),
        "identifiers": [IdentifierGiven(kind=kind, value=value) for kind, value in numbers if value],
        "addresses": [],
    }
    return Subject(**{**named, **changed})


@dataclass(frozen=True)
class Agencies:
    """Their sources, by kind."""

    sources: dict[AgencyKind, RecordSource]

    async def ask(
        self, kind: AgencyKind, subjects: Sequence[Subject], circumstances: Circumstances, mode: Mode
    ) -> list[OutcomeRow]:
        """What would leave one agency about them, of every category it can be asked for, all of it granted."""
        stage, rag = circumstances
        said: dict[str, Any] = {
            "purpose": Purpose.CHILD_PROTECTION,
            "stage": stage,
            "rag": rag,
            "consent": ConsentState.NOT_SOUGHT,
            "officer_role": OfficerRole.SOCIAL_WORKER,
            "subjects": [SubjectRef(ref=one.ref, role=one.role) for one in subjects],
        }
        granted: dict[str, Any] = {"scope": [_scope(category, mode, subjects) for category in categories_of(kind)]}
        officer = OfficerNamed(id="sam-carr", name="Sam Carr", position="Social worker")
        told: dict[str, Any] = {"subjects": list(subjects), "officer": officer}
        # Of these messages the sealing and signing parts are not looked at from here on.
        header, grant = RequestHeader.model_construct(**said), Grant.model_construct(**granted)
        with closing(SourceCalls(HandClock(), places=2, limit_ms=60_000)) as calls:
            offered = frozenset(categories_of(kind))
            looking = Looking(self.sources[kind], calls, offered, AgentMetrics(CollectorRegistry()))
            looked = await looking.look(grant, Told.model_construct(**told))
        desk = Contact(team="Duty desk", telephone="01632 960999")
        decided = decide_all(GATEKEEPER, header, grant, looked, offered=looking.offered, contact=desk)
        return [one.row for one in decided]

    async def all_told(self, *subjects: Subject) -> dict[tuple[AgencyKind, Circumstances, Mode], str]:
        """Every answer that leaves any agency about them, as text."""
        return {
            (kind, circumstances, mode): text_of(await self.ask(kind, subjects, circumstances, mode))
            for kind in self.sources
            for circumstances in CIRCUMSTANCES
            for mode in Mode
        }


def text_of(rows: Sequence[OutcomeRow]) -> str:
    """All that stands in an answer's rows, but for the references that the request gave its subjects."""
    return json.dumps([row.model_dump(mode="json", exclude={"subject"}) for row in rows], ensure_ascii=False)


def open_agencies(home: Path) -> Agencies:
    """Write what the four hold, and open it."""
    return Agencies(
        {
            AgencyKind.POLICE: county_police.open_source(county_police.write_force(home), statement_seconds=60),
            AgencyKind.HEALTH: county_health.open_source(county_health.write_trust(home)),
            AgencyKind.EDUCATION: county_education.open_source(
                county_education.write_schools(home), protected_file=True
            ),
            AgencyKind.PROBATION: county_probation.open_source(county_probation.write_region(home / "region")),
        }
    )


def _scope(category: Category, mode: Mode, subjects: Sequence[Subject]) -> Scope:
    roles = sorted({one.role for one in subjects})
    return Scope(category=category, mode=mode, roles=roles, fields=sorted(fields_of(category, mode)), rule="all")
