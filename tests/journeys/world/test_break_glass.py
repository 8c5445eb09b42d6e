"""A glass is broken (R31): two people sign, both leads are told before any answer leaves, and a review stays open."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from broker.cli.tables import request_text
from broker.desk.cards import OfficerCard, add_card
from broker.desk.officers import sign_command
from broker.enrolment.at_rest.officers import make_officer
from broker.node.addenda import read_addendum
from broker.node.keyfile import KeyFile, read_key_file
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import sign
from schemas.failures import Failure
from schemas.messages.entry import nonce, review_digest
from schemas.messages.request import request_digest, sign_as_officer
from schemas.vocabulary import OfficerRole, ReviewFinding
from tests.support.world import HOUR_MS, HUB, World

WHY = "The father has taken the child; the strategy discussion is not before Monday."
FOUND = "The child was found; there was no time."
PEOPLE = {
    "manager": OfficerRole.DECISION_MAKER,
    "lead": OfficerRole.IG_LEAD,
    "colleague": OfficerRole.SOCIAL_WORKER,
}
SCREENING = {
    "stage": "screening",
    "rag": "green",
    "purpose": "screening",
    "lawful_bases": ["ca2004-11", "ukgdpr-6-1-e"],
}


class Hub(World):
    """A hub with a manager, a lead of its own and a second social worker; their ids are in `people`."""

    people: dict[str, str]

    def make_homes(self) -> str:
        officer = super().make_homes()
        self.people = {}
        for name, role in PEOPLE.items():
            key, file = self.folder / f"{name}.key", self.folder / f"{name}.party"
            party = make_officer(key, file, hub=HUB, role=role, position=name, now=self.clock.now())
            for home in ("coordinator", "desk", "admission", *self.agencies):
                self.home(home).pin(party.raw)
            add_card(self.home("desk"), party.id, OfficerCard(name=f"The {name}", position=name))
            self.people[name] = party.id
        return officer

    async def start(self) -> None:
        await super().start()
        for officer in self.people.values():
            await self.command("coordinator", "admit-officer", {"officer": officer})
        await self.settle()

    def keys(self, name: str) -> KeyFile:
        return read_key_file(self.folder / f"{name}.key")

    async def tell_as(self, name: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A command that one of the people signs."""
        text = json.dumps(dict(body)) if body is not None else ""
        signed = sign_command(
            self.keys(name).signing_key(KeyPurpose.COMMAND),
            {"officer": self.officer.party.id if self.officer.party else "", **self.people}[name],
            method,
            path,
            text.encode(),
            sent_at=self.clock.now(),
            nonce=nonce(),
        )
        return await self.command("desk", "officer", {"method": method, "path": path, "header": signed, "body": text})

    async def prepare(self, category: str = "police.missing", **changes: Any) -> dict[str, Any]:
        """A request that the officer has prepared for the manager to sign too, in a screening that was rated Green."""
        glass = {"manager": self.people["manager"], "reason": WHY, "until": self.clock.now() + 2 * HOUR_MS, **changes}
        body = {
            "agency": "northshire",
            "categories": [{"category": category, "mode": "content"}],
            "break_glass": glass,
        }
        enquiry = await self.open_enquiry(**SCREENING)
        prepared: dict[str, Any] = await self.tell_desk("POST", f"/enquiries/{enquiry}/requests", body)
        return prepared

    async def sign_as(self, name: str, prepared: Mapping[str, Any], path: str) -> Any:
        """Sign the digest of what was prepared, as one of the people, and hand it in there."""
        key = self.keys(name).signing_key(KeyPurpose.OFFICER)
        word = sign_as_officer(key, request_digest(prepared["header"].encode()))
        return await self.tell_as(name, "POST", path, {"signature": word.raw.hex()})

    async def officer_signs(self, prepared: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = await self.sign_as("officer", prepared, f"/requests/{prepared['exchange']}/signature")
        return shown

    async def manager_signs(self, prepared: Mapping[str, Any]) -> Any:
        return await self.sign_as("manager", prepared, f"/break-glass/{prepared['exchange']}/signature")

    async def broken(self) -> str:
        """A request for which both have signed; its exchange."""
        prepared = await self.prepare()
        await self.officer_signs(prepared)
        await self.manager_signs(prepared)
        return str(prepared["exchange"])

    async def close(self, exchange: str, by: str = "lead", **changes: Any) -> Any:
        """Close its review."""
        review = await self.command("coordinator", "review", {"exchange": exchange})
        key = self.keys(by).signing_key(KeyPurpose.OFFICER)
        word = sign(key, KeyPurpose.OFFICER, review_digest(review["entry_hash"], ReviewFinding.JUSTIFIED).encode())
        body = {
            "break_glass": review["entry_hash"],
            "finding": "justified",
            "words": FOUND,
            "lead_key": key.id,
            "signature": word.hex(),
            **changes,
        }
        return await self.tell_as(by, "POST", f"/break-glass/{exchange}/closing", body)

    async def entry(self, kind: str) -> dict[str, Any]:
        (found,) = [one for one in await self.entries() if one["type"] == kind]
        return found

    async def alerts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.command("northshire", "alerts"))["alerts"]
        return found

    async def told(self, number: int) -> dict[str, Any]:
        """What the agency's lead reads in an alert with the lead's own key."""
        alert = await self.command("northshire", "alert", {"number": number})
        named, key = alert["entry"]["addendum_digest"], self.folder / "northshire-lead.key"
        return read_addendum(b64decode(alert["addendum"]), named, key)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    hub = Hub(tmp_path)
    await hub.start()
    yield hub
    await hub.stop()


async def code_of(hub: Hub, exchange: str) -> str:
    """With what the coordinator sent a request back."""
    await hub.settle()
    return str((await hub.tell_desk("GET", f"/requests/{exchange}"))["not_accepted"])


async def test_a_manager_and_an_officer_ask_together_what_the_hubs_own_rules_keep_shut(hub: Hub) -> None:
    prepared = await hub.prepare()
    shown = await hub.officer_signs(prepared)
    assert shown["progress"] == "prepared"
    assert f"broker break-glass sign {prepared['exchange']}" in request_text(shown)
    (waits,) = (await hub.tell_as("manager", "GET", "/break-glass"))["waiting"]
    assert (waits["exchange"], waits["reason"], waits["agency"]) == (prepared["exchange"], WHY, "northshire")
    await hub.manager_signs(prepared)
    await hub.opened(prepared["exchange"])
    asked = await hub.tell_desk("GET", f"/requests/{prepared['exchange']}")
    assert asked["break_glass"]["lifted"] == ["R4-below-threshold-content"]
    assert "lifted: R4-below-threshold-content" in request_text(asked)
    assert await hub.check() == {prepared["exchange"]: "answered"}


async def test_without_the_manager_the_same_question_is_refused(hub: Hub) -> None:
    exchange = await hub.ask(await hub.open_enquiry(**SCREENING), categories=["police.missing"])
    await hub.settle()
    assert await hub.progress(exchange) == "refused"


async def test_what_statute_closes_stays_shut_and_so_does_a_request_on_no_footing(hub: Hub) -> None:
    enquiry = await hub.open_enquiry(**{**SCREENING, "lawful_bases": ["sswba-126"]})
    glass = {"manager": hub.people["manager"], "reason": WHY, "until": hub.clock.now() + HOUR_MS}
    asked = {"agency": "northshire", "categories": [{"category": "police.missing", "mode": "content"}]}
    prepared = await hub.tell_desk("POST", f"/enquiries/{enquiry}/requests", {**asked, "break_glass": glass})
    await hub.officer_signs(prepared)
    await hub.manager_signs(prepared)
    await hub.settle()
    assert await hub.progress(prepared["exchange"]) == "refused"
    assert [one["type"] for one in await hub.entries() if one["type"] == "break-glass"] == []


async def test_both_leads_are_told_and_nothing_is_answered_before(hub: Hub) -> None:
    exchange = await hub.broken()
    await hub.opened(exchange)
    entries = await hub.entries()
    kinds = [one["type"] for one in entries if one.get("exchange") == exchange]
    assert kinds.index("break-glass") < kinds.index("release")
    entry = await hub.entry("break-glass")
    assert entry["lifted"] == ["R4-below-threshold-content"]
    (alert,) = await hub.alerts()
    assert (alert["kind"], alert["exchange"]) == ("break-glass", exchange)
    told = (await hub.told(alert["number"]))["told"]["break_glass"]
    assert (told["reason"], told["manager"]["id"]) == (WHY, hub.people["manager"])
    (review,) = (await hub.command("coordinator", "reviews"))["reviews"]
    assert (review["exchange"], review["state"], review["manager"]) == (exchange, "open", hub.people["manager"])


async def test_the_reason_stands_nowhere_but_in_seals(hub: Hub) -> None:
    exchange = await hub.broken()
    await hub.opened(exchange)
    said = json.dumps([await hub.entries(), await hub.command("coordinator", "reviews"), await hub.alerts()])
    assert "father" not in said
    assert not any(b"The father" in raw for _, raw in hub.hub.captured)


async def test_a_review_stays_open_until_a_lead_closes_it_and_the_agency_is_told_what_was_found(hub: Hub) -> None:
    exchange = await hub.broken()
    await hub.opened(exchange)
    await hub.turn(121 * HOUR_MS, step_ms=HOUR_MS * 6)
    (review,) = (await hub.command("coordinator", "reviews"))["reviews"]
    assert review["state"] == "overdue"
    await hub.close(exchange)
    await hub.settle()
    assert (await hub.command("coordinator", "reviews"))["reviews"] == []
    closed = await hub.command("coordinator", "review", {"exchange": exchange})
    assert (closed["state"], closed["finding"]) == ("closed", "justified")
    newest = (await hub.alerts())[-1]
    assert newest["kind"] == "review-closed"
    assert (await hub.told(newest["number"]))["words"] == FOUND
    with pytest.raises(Failure, match="closed, or its closing"):
        await hub.close(exchange)


@pytest.mark.parametrize("who", ["manager", "officer", "colleague"])
async def test_nobody_but_a_lead_closes_a_review(hub: Hub, who: str) -> None:
    exchange = await hub.broken()
    await hub.settle()
    with pytest.raises(Failure) as refused:
        await hub.close(exchange, by=who)
    assert refused.value.code == "only_leads"


async def test_a_desk_cannot_close_a_review_without_a_lead(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk's own programs are made to skip their check: the coordinator makes it again."""
    exchange = await hub.broken()
    await hub.settle()
    monkeypatch.setattr("broker.desk.glass.verify", lambda *_: None)
    await hub.close(exchange, signature="ab" * 64)
    await hub.settle()
    assert [one["state"] for one in (await hub.command("coordinator", "reviews"))["reviews"]] == ["open"]
    await hub.close(exchange)
    await hub.settle()
    assert (await hub.command("coordinator", "reviews"))["reviews"] == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"manager": "officer"}, "two people"),
        ({"manager": "colleague"}, "decision_maker"),
        ({"manager": "lead"}, "decision_maker"),
        ({"until": 25 * HOUR_MS}, "24 hours"),
        ({"until": -1}, "24 hours"),
    ],
)
async def test_who_may_break_a_glass_and_for_how_long_is_said_before_anybody_signs(
    hub: Hub, changes: dict[str, Any], says: str
) -> None:
    people = {"officer": hub.officer.party.id if hub.officer.party else "", **hub.people}
    if "manager" in changes:
        changes = {"manager": people[changes["manager"]]}
    else:
        changes = {"until": hub.clock.now() + changes["until"]}
    with pytest.raises(Failure, match=says):
        await hub.prepare(**changes)


async def test_a_manager_who_must_not_see_the_enquiry_breaks_no_glass_for_it(hub: Hub) -> None:
    enquiry = await hub.open_enquiry(**SCREENING)
    await hub.tell_desk("POST", f"/enquiries/{enquiry}/conflicts", {"officer": hub.people["manager"]})
    glass = {"manager": hub.people["manager"], "reason": WHY, "until": hub.clock.now() + HOUR_MS}
    asked = {"agency": "northshire", "categories": [{"category": "police.missing", "mode": "content"}]}
    with pytest.raises(Failure, match="must not see"):
        await hub.tell_desk("POST", f"/enquiries/{enquiry}/requests", {**asked, "break_glass": glass})


async def test_a_managers_word_for_one_request_is_none_for_another(hub: Hub) -> None:
    first, second = await hub.prepare(), await hub.prepare()
    for prepared in (first, second):
        await hub.officer_signs(prepared)
    with pytest.raises(Failure) as refused:
        await hub.sign_as("manager", first, f"/break-glass/{second['exchange']}/signature")
    assert refused.value.code == "signature_invalid"
    with pytest.raises(Failure) as nobodys:
        await hub.sign_as("colleague", second, f"/break-glass/{second['exchange']}/signature")
    assert nobodys.value.code == "not_your_glass"


async def test_nothing_waits_for_a_manager_before_the_officer_has_signed(hub: Hub) -> None:
    prepared = await hub.prepare()
    assert (await hub.tell_as("manager", "GET", "/break-glass"))["waiting"] == []
    with pytest.raises(Failure) as early:
        await hub.manager_signs(prepared)
    assert early.value.code == "not_your_glass"


async def test_a_managers_word_comes_too_late_after_an_hour_and_after_its_time_box(hub: Hub) -> None:
    prepared = await hub.prepare(until=hub.clock.now() + HOUR_MS // 2)
    await hub.officer_signs(prepared)
    await hub.turn(HOUR_MS // 2, step_ms=HOUR_MS // 4)
    with pytest.raises(Failure, match="past"):
        await hub.manager_signs(prepared)
    patient = await hub.prepare()
    await hub.officer_signs(patient)
    await hub.turn(HOUR_MS + 60_000, step_ms=HOUR_MS // 2)
    with pytest.raises(Failure, match="60 minutes"):
        await hub.manager_signs(patient)


async def test_everybody_restarts_between_any_two_steps(hub: Hub) -> None:
    prepared = await hub.prepare()
    await hub.officer_signs(prepared)
    for name in ("desk", "coordinator", "northshire"):
        await hub.stop_party(name)
    await hub.start_party("desk")
    await hub.manager_signs(prepared)
    await hub.stop_party("desk")
    for name in ("coordinator", "desk", "northshire"):
        await hub.start_party(name)
    await hub.turn(60_000, step_ms=5_000)
    await hub.opened(prepared["exchange"])
    assert [one["kind"] for one in await hub.alerts()] == ["break-glass"]
    await hub.close(prepared["exchange"])
    await hub.stop_party("coordinator")
    await hub.start_party("coordinator")
    await hub.turn(60_000, step_ms=5_000)
    assert (await hub.command("coordinator", "reviews"))["reviews"] == []
    assert await hub.check() == {prepared["exchange"]: "answered"}


async def test_a_withdrawn_request_waits_for_no_manager(hub: Hub) -> None:
    prepared = await hub.prepare()
    await hub.officer_signs(prepared)
    await hub.tell_desk("POST", f"/requests/{prepared['exchange']}/withdraw")
    assert (await hub.tell_as("manager", "GET", "/break-glass"))["waiting"] == []
