"""The demonstration itself: what the officer does, and when which program is down.

Education's agent is not running when it is asked, until what it was asked is overdue or has expired; probation's
records are taken away before the last enquiry asks for them. Everything else is as in a hub.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from broker.client.asking import issue_request
from broker.client.hub import Hub, OfficerAtDesk
from broker.demo.county import County
from broker.demo.stage import Stage
from broker.demo.story import FAMILY, OTHERS, SYSTEM_DOWN, AskedOf, Told
from broker.node.clock import SystemClock
from broker.node.command_client import CommandFailed, NotRunning

ENDED: Final = frozenset({"opened", "refused", "expired", "withdrawn", "not_accepted"})
END_WITHIN_S: Final = 180.0
"""Everything is over within twenty seconds on an idle machine; this is for a busy one."""
LOOK_EVERY_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Act:
    """A request that was made: what it was to show, and under which exchange it runs."""

    told: Told
    asked: AskedOf
    enquiry: str
    exchange: str
    began_at: int


@dataclass(slots=True)
class Performance:
    """What has been asked so far, and how it stands."""

    stage: Stage
    hub: Hub
    key_path: Path
    acts: list[Act] = field(default_factory=list)
    stands: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _looked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def officer(self) -> OfficerAtDesk:
        """The officer whose key was made for the demonstration."""
        return OfficerAtDesk.of(self.hub, self.key_path)

    async def run(self, look: Callable[[Performance], None]) -> None:
        """Ask everything, and look until everything has ended; `look` is told whenever something may have changed."""
        watching = asyncio.create_task(self._watch(look))
        try:
            for told in (FAMILY, *OTHERS):
                await asyncio.to_thread(self._ask_all, told)
            lost = await self._lose_a_server()
            withdrawn = next(act for act in self.acts if act.asked.is_withdrawn)
            await self._until(lambda: self._stands(withdrawn) in ("permitted", "delivered"))
            await asyncio.to_thread(self.officer.ask, "POST", f"/requests/{withdrawn.exchange}/withdraw")
            await self._until(lambda: all(self._has_ended(act) for act in self.acts if act.asked.agency == "probation"))
            self._take_away_probation()
            await asyncio.to_thread(self._ask_all, SYSTEM_DOWN)
            await self._until(lambda: all(self._is_missed(act) for act in self.acts if act.asked.missed))
            if lost is not None:
                await self.stage.servers[lost].start()
                self.notes.append(f"server {lost} of the bus came back, emptied: admission told it everything again")
            self.stage.start("education")
            self.notes.append("education's agent started: it says hello and is sent what waits for it")
            await self._until(lambda: all(self._has_ended(act) for act in self.acts))
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await asyncio.to_thread(self._look)
        look(self)

    async def _lose_a_server(self) -> str | None:
        """Where the bus has several servers, take one away while requests run; its name."""
        if len(self.stage.servers) == 1:
            return None
        name = next(iter(self.stage.servers))
        await self.stage.lose_server(name)
        self.notes.append(f"server {name} of the bus was taken away while requests were under way")
        return name

    def _ask_all(self, told: Told) -> None:
        now = SystemClock().now()
        opened = self.officer.ask("POST", "/enquiries", _enquiry(told, self.stage.county, now))
        for asked in told.requests:
            began = SystemClock().now()
            body = {
                "agency": asked.agency,
                "categories": [{"category": category, "mode": "content"} for category in asked.categories],
                "deadline_at": began + asked.deadline_s * 1000,
                "expires_at": began + asked.expiry_s * 1000,
            }
            issued = issue_request(self.officer, opened["enquiry"], body)
            self.acts.append(Act(told, asked, opened["enquiry"], issued["exchange"], began))

    def _take_away_probation(self) -> None:
        folder = self.stage.source_folder("probation")
        folder.rename(folder.with_name("probation-away"))
        self.notes.append("probation's records were taken away: its system is down")

    async def _watch(self, look: Callable[[Performance], None]) -> None:
        while True:
            await asyncio.to_thread(self._look)
            look(self)
            self._looked.set()
            await asyncio.sleep(LOOK_EVERY_S)

    def _look(self) -> None:
        for enquiry in dict.fromkeys(act.enquiry for act in list(self.acts)):
            try:
                found = self.officer.ask("GET", f"/enquiries/{enquiry}")
            except (CommandFailed, NotRunning):
                continue  # shown at the next look; what matters is looked at again at the end
            for request in found["requests"]:
                self.stands[request["exchange"]] = request

    def _stands(self, act: Act) -> str:
        return str(self.stands.get(act.exchange, {}).get("progress", ""))

    def _is_missed(self, act: Act) -> bool:
        return act.asked.missed in self.stands.get(act.exchange, {}).get("at", {})

    def _has_ended(self, act: Act) -> bool:
        return self._stands(act) in ENDED

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(END_WITHIN_S):
            while not holds():
                self._looked.clear()
                await self._looked.wait()


def _enquiry(told: Told, county: County, now: int) -> dict[str, Any]:
    return {
        "subjects": [_subject(county, told, key, str(role)) for key, role in told.subjects],
        "stage": told.stage,
        "rag": told.rag,
        "purpose": told.purpose,
        "lawful_bases": sorted(told.bases),
        "consent": told.consent,
        "reason": told.reason,
        "received_at": now,
        "reference": told.key.replace("_", "-"),
    }


def _subject(county: County, told: Told, key: str, role: str) -> dict[str, Any]:
    person = county.case(key)
    born = person.born_on
    if told.key == "birth_date":
        born = born.replace(day=born.month, month=born.day)  # as the referrer wrote it down
    subject: dict[str, Any] = {
        "role": role,
        "name": {"given": person.given, "family": person.family},
        "birth_date": born.isoformat(),
    }
    if person.nhs_number is not None and told.key != "birth_date":
        subject["identifiers"] = [{"kind": "nhs_number", "value": person.nhs_number}]
    return subject
