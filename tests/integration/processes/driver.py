"""An officer who asks many questions whatever happens to the programs, and what the logs say came of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient, CommandFailed, NotRunning
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.request import request_digest, sign_as_officer
from tests.support.processes import AGENCY, Parties, until

T = TypeVar("T")

CONCLUSIONS: Final = frozenset({"refusal", "release", "could-not-look", "expired", "withdrawn"})
REQUESTS_AN_ENQUIRY: Final = 20
PAGE: Final = 1_000


@dataclass(slots=True)
class Driver:
    """Issues requests through the desk, one after the other, in a thread of its own."""

    parties: Parties
    exchanges: list[str] = field(default_factory=list)
    enquiries: list[str] = field(default_factory=list)
    failure: BaseException | None = None
    _allowed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _thread: threading.Thread | None = None

    def begin(self, requests: int) -> None:
        """Be ready to ask so many questions, each once it is allowed."""
        self._thread = threading.Thread(target=self._run, args=(requests,), daemon=True)
        self._thread.start()

    def allow(self, requests: int) -> None:
        """Ask so many more."""
        self._allowed.release(requests)

    def wait_until_asked(self, requests: int) -> None:
        """Wait until so many were asked in all; raises what went wrong."""

        def look() -> bool:
            if self.failure is not None:
                raise self.failure
            return len(self.exchanges) >= requests

        until(f"{requests} asked", look)

    def finish(self) -> list[str]:
        """Wait until everything is asked and answered; the exchanges, each once."""
        until("everything asked", lambda: self.failure is not None or not self._thread_lives(), within_s=600)
        if self.failure is not None:
            raise self.failure
        for enquiry in self.enquiries:
            until("every answer opened", partial(self.is_answered, enquiry), within_s=300)
        return self.exchanges

    def _thread_lives(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self, requests: int) -> None:
        try:
            for number in range(requests):
                self._allowed.acquire()
                if number % REQUESTS_AN_ENQUIRY == 0:
                    opened = self._persist(lambda: self._ask("POST", "/enquiries", self._about()))
                    self.enquiries.append(opened["enquiry"])
                self.exchanges.append(self._issue(self.enquiries[-1]))
        except BaseException as failure:  # noqa: BLE001 - raised in the thread of the test
            self.failure = failure

    def _about(self) -> dict[str, Any]:
        child = self.parties.county.case("family")
        return {
            "subjects": [
                {
                    "role": "index_child",
                    "name": {"given": child.given, "family": child.family},
                    "birth_date": child.born_on.isoformat(),
                }
            ],
            "stage": "enquiry",
            "rag": "amber",
            "purpose": "child_protection",
            "lawful_bases": ["ca1989-47", "ukgdpr-6-1-e"],
            "consent": "unsafe_to_seek",
            "reason": "The child came to school with an injury that nobody could explain.",
            "received_at": SystemClock().now(),
        }

    def _issue(self, enquiry: str) -> str:
        body = {"agency": AGENCY, "categories": [{"category": "police.incident", "mode": "content"}]}
        # A desk that dies here may have prepared a request that nobody will sign: nobody was asked anything.
        prepared = self._persist(lambda: self._ask("POST", f"/enquiries/{enquiry}/requests", body))
        key = self.parties.officer.keys.signing_key(KeyPurpose.OFFICER)
        signature = sign_as_officer(key, request_digest(str(prepared["header"]).encode())).raw.hex()
        exchange = str(prepared["exchange"])

        def sign() -> Mapping[str, Any]:
            # A desk that died may have committed the signature before it could say so.
            if self._progress(exchange) == "prepared":
                self._ask("POST", f"/requests/{exchange}/signature", {"signature": signature})
            return {"signed": exchange}

        self._persist(sign)
        return exchange

    def is_answered(self, enquiry: str) -> bool:
        """Whether everything that was asked in an enquiry is answered and opened."""
        requests = self._persist(lambda: self._ask("GET", f"/enquiries/{enquiry}"))["requests"]
        # Those that nobody signed were never asked.
        return all(one["progress"] == "opened" for one in requests if one["exchange"] in self.exchanges)

    def _progress(self, exchange: str) -> str:
        return str(self._persist(lambda: self._ask("GET", f"/requests/{exchange}"))["progress"])

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.parties.officer.ask(method, path, body)
        return found

    def _persist(self, ask: Callable[[], T]) -> T:
        """Ask until the desk answers: a person would type it again."""

        def once() -> list[T]:
            try:
                return [ask()]
            except NotRunning:
                return []

        return until("the desk answers", once)[0]


def check_everything(parties: Parties, exchanges: Iterable[str]) -> None:
    """Each request ended in exactly one conclusion, every log holds, and no two of them differ."""
    asked = list(exchanges)
    assert len(set(asked)) == len(asked)
    entries = _hub_entries(parties)
    concluded, requested = Counter[str](), Counter[str]()
    for entry in entries:
        if entry["type"] in CONCLUSIONS:
            concluded[entry["exchange"]] += 1
        if entry["type"] == "request":
            requested[entry["exchange"]] += 1
    assert {one: concluded[one] for one in asked} == dict.fromkeys(asked, 1)
    assert {one: requested[one] for one in asked} == dict.fromkeys(asked, 1)

    audit = parties.hub.ask_coordinator("log-verify")
    assert audit["findings"] == []
    assert audit["holds"]
    about = sum(1 for entry in entries if entry.get("agency") == AGENCY and "seq" in entry)
    agent = CommandClient(parties.agent.socket_path)
    status = until("the agent holds every entry that names it", lambda: _caught_up(agent, about))
    assert status["discrepancies"] == []
    verified = agent.ask("log-verify")
    assert verified["discrepancies"] == []


def _caught_up(agent: CommandClient, about: int) -> Mapping[str, Any] | None:
    try:
        status: Mapping[str, Any] = agent.ask("status")
    except (NotRunning, CommandFailed):
        return None
    return status if status["mirror"]["held"] == about else None


def _hub_entries(parties: Parties) -> list[Mapping[str, Any]]:
    entries: list[Mapping[str, Any]] = []
    while True:
        page = parties.hub.ask_coordinator("log", {"start": len(entries), "limit": PAGE})["entries"]
        entries += [one["entry"] for one in page]
        if len(page) < PAGE:
            return entries
