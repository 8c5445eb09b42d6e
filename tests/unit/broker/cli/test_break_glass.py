"""`broker break-glass`: what is shown before anything is signed, what is signed, and what is not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from broker.cli.break_glass import break_glass
from broker.cli.requests import request
from broker.client.hub import Hub, OfficerAtDesk
from broker.enrolment.at_rest.officers import make_officer
from broker.node.keyfile import KeyFile, read_key_file
from schemas.crypto.purposes import KeyPurpose
from schemas.crypto.signing import verify
from schemas.messages.entry import review_digest
from schemas.messages.party import Party
from schemas.messages.request import BreakGlass, request_digest
from schemas.vectors.samples import request_header
from schemas.vocabulary import OfficerRole, ReviewFinding

EXCHANGE, ENQUIRY = "ab" * 16, "cd" * 16
REVIEW = {
    "exchange": EXCHANGE,
    "agency": "police",
    "officer": "o-1",
    "manager": "o-2",
    "entry_hash": "7" * 64,
    "opened_at": 0,
    "due_at": 1,
    "state": "open",
}


@dataclass
class Told:
    """What the desk was told, and what it says."""

    answers: dict[str, Any] = field(default_factory=dict)
    posted: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def ask(self, officer: OfficerAtDesk, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        if method == "POST":
            self.posted.append((path, body or {}))
        return self.answers[path]


@pytest.fixture
def person(tmp_path: Path) -> Party:
    """Whoever sits at this command line, with a key file `own.key`."""
    key, file = tmp_path / "own.key", tmp_path / "own.party"
    return make_officer(key, file, hub="gwent", role=OfficerRole.DECISION_MAKER, position="Team manager", now=10**12)


@pytest.fixture
def keys(tmp_path: Path, person: Party) -> KeyFile:
    return read_key_file(tmp_path / "own.key")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    told = Told()
    monkeypatch.setattr(OfficerAtDesk, "ask", lambda self, *said: told.ask(self, *said))
    monkeypatch.setattr(Hub, "ask_coordinator", lambda self, name, arguments=None: REVIEW)
    return told


def header(manager: str, key: str = "1" * 32, hours: int = 1) -> str:
    asked_at = request_header().asked_at
    glass = BreakGlass(manager=manager, manager_key=key, until=asked_at + hours * 3_600_000)
    return request_header(break_glass=glass).encode().decode()


def shown(manager: str) -> dict[str, Any]:
    said = {"exchange": EXCHANGE, "officer": "Alex Morgan", "reason": "Taken.", "enquiry_reason": "Bruises."}
    return {**said, "header": header(manager), "until": 1}


def run(folder: Path, group: Any, *words: str, typed: str | None = None) -> Result:
    key = ["--key", os.fspath(folder / "own.key")]
    return CliRunner().invoke(group, [*words, "--home", os.fspath(folder), *key], input=typed)


def test_a_manager_reads_who_asks_what_and_why_and_signs_nothing_without_a_yes(
    tmp_path: Path, person: Party, told: Told
) -> None:
    told.answers = {f"/break-glass/{EXCHANGE}": shown(person.id)}
    result = run(tmp_path, break_glass, "sign", EXCHANGE, typed="n\n")
    for words in ("Alex Morgan", "police.missing:content", "Taken.", "Bruises.", "not_confirmed"):
        assert words in result.output
    assert (result.exit_code, told.posted) == (1, [])


def test_a_managers_yes_is_a_signature_of_exactly_what_was_shown(
    tmp_path: Path, person: Party, keys: KeyFile, told: Told
) -> None:
    path = f"/break-glass/{EXCHANGE}/signature"
    answer = {"exchange": EXCHANGE, "agency": "police", "until": 1}
    told.answers = {f"/break-glass/{EXCHANGE}": shown(person.id), path: answer}
    assert run(tmp_path, break_glass, "sign", EXCHANGE, typed="y\n").exit_code == 0
    ((posted, body),) = told.posted
    key = keys.signing_key(KeyPurpose.OFFICER).public
    digest = request_digest(header(person.id).encode()).encode()
    verify(key, KeyPurpose.OFFICER, digest, bytes.fromhex(body["signature"]), None)
    assert posted == path


def test_a_desk_that_shows_a_request_for_another_manager_gets_no_signature(
    tmp_path: Path, person: Party, told: Told
) -> None:
    told.answers = {f"/break-glass/{EXCHANGE}": shown("o-another")}
    result = run(tmp_path, break_glass, "sign", EXCHANGE, "--yes")
    assert "header_unexpected" in result.output
    assert told.posted == []


@pytest.mark.parametrize(
    "prepared",
    [
        pytest.param(header("o-another"), id="another manager"),
        pytest.param(header("o-manager", hours=23), id="for longer"),
        pytest.param(request_header().encode().decode(), id="no broken glass"),
    ],
)
def test_an_officer_signs_no_request_whose_glass_is_broken_otherwise_than_asked(
    tmp_path: Path, person: Party, told: Told, monkeypatch: pytest.MonkeyPatch, prepared: str
) -> None:
    monkeypatch.setattr(OfficerAtDesk, "officer", property(lambda self: request_header().officer))
    monkeypatch.setattr("broker.cli.requests.SystemClock", lambda: Fixed(request_header().asked_at))
    told.answers = {f"/enquiries/{ENQUIRY}/requests": {"exchange": EXCHANGE, "header": prepared}}
    asks = ["--agency", request_header().agency, "--break-glass-by", "o-manager", "--break-glass-reason", "Taken."]
    for one in request_header().categories:
        asks += ["--category", f"{one.category}:{one.mode}"]
    result = run(tmp_path, request, "issue", ENQUIRY, *asks, "--break-glass-for", "1h")
    assert "header_unexpected" in result.output
    assert [path for path, _ in told.posted] == [f"/enquiries/{ENQUIRY}/requests"]


@dataclass
class Fixed:
    """A clock that stands."""

    at: int

    def now(self) -> int:
        return self.at


def test_a_glass_is_broken_by_a_manager_and_for_a_reason_or_not_at_all(
    tmp_path: Path, person: Party, told: Told
) -> None:
    asks = ["--agency", "police", "--category", "police.missing", "--break-glass-by", "o-manager"]
    result = run(tmp_path, request, "issue", ENQUIRY, *asks)
    assert (result.exit_code, told.posted) == (2, [])
    assert "--break-glass-reason" in result.output


def test_a_lead_signs_the_entry_that_opened_the_review_and_the_finding(
    tmp_path: Path, person: Party, keys: KeyFile, told: Told
) -> None:
    path = f"/break-glass/{EXCHANGE}/closing"
    told.answers = {path: {"exchange": EXCHANGE, "finding": "not_justified"}}
    result = run(tmp_path, break_glass, "close", EXCHANGE, "--finding", "not_justified", "--words", "No emergency.")
    assert result.exit_code == 0
    ((_, body),) = told.posted
    said = review_digest(str(REVIEW["entry_hash"]), ReviewFinding.NOT_JUSTIFIED).encode()
    key = keys.signing_key(KeyPurpose.OFFICER).public
    verify(key, KeyPurpose.OFFICER, said, bytes.fromhex(body["signature"]), None)
    assert (body["words"], body["lead_key"]) == ("No emergency.", key.id)
