"""The commands as people type them, for an agency that keeps its people in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agents.launcher import package_of
from agents.runtime.cli import program
from agents.runtime.source import Finding, LocalPerson, PersonName, RecordSource, SourceReport
from broker.node.home import Home
from broker.node.toml_table import SettingsInvalid
from schemas.messages.party import PartyKind
from schemas.records.police import Incident
from schemas.vocabulary import AgencyKind, Category, OfficerRole
from tests.support.parties import Member, make_member
from tests.support.source import MemorySource

DEFAULTS = """categories = ["police.incident"]
handling_caveat = "For this enquiry only."
[police]
colour = "blue"
"""
DESK = make_member("desk", PartyKind.DESK)
COORDINATOR = make_member("coordinator", PartyKind.COORDINATOR)
SOUTHSHIRE = make_member("southshire", PartyKind.AGENT, agency_kind=AgencyKind.POLICE)
OFFICER = make_member("o-4f2a9c", PartyKind.OFFICER, officer_role=OfficerRole.SOCIAL_WORKER)


class Typed:
    """A person at a terminal, with a home that init made."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "agent"
        self.defaults = folder / "defaults.toml"
        self.defaults.write_text(DEFAULTS)
        self.source = MemorySource(
            [LocalPerson("P1", (PersonName("Ada", "Lee"),), (date(1990, 1, 2),))],
            {"P1": [Finding(Category.POLICE_INCIDENT, Incident(date="2026-01-02"), date(2026, 1, 2))]},
        )
        self.sections: list[Mapping[str, Any]] = []

    def source_of(self, section: Mapping[str, Any], home: Path) -> RecordSource:
        self.sections.append(section)
        if section.get("colour") == "none":
            raise SettingsInvalid("config.toml: police.colour is not a colour")
        return self.source

    def type(self, *arguments: str, answer: str = "") -> Result:
        group = program(AgencyKind.POLICE, self.source_of, self.defaults)
        command, *rest = arguments
        words = ["log", rest[0]] if command == "log" else [command]
        rest = rest[1:] if command == "log" else rest
        return CliRunner().invoke(group, [*words, "--home", str(self.home), *rest], input=answer)

    def init(self, *more: str) -> Result:
        key = str(self.folder / "lead.key")
        named = ["--hub", "testhub", "--agency", "county-police", "--name", "County Police", "--ig-lead-key", key]
        return self.type("init", *named, *more)

    def pin(self) -> None:
        for member in (DESK, COORDINATOR):  # as the hub's reply brings them
            Home(self.home).pin(member.party.raw)
        file = self.folder / "officer.party"
        file.write_bytes(OFFICER.party.raw)
        assert self.type("pin", str(file), "--fingerprint", OFFICER.party.fingerprint.upper()).exit_code == 0


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    typed = Typed(tmp_path)
    assert typed.init().exit_code == 0
    return typed


def test_init_seals_keys_as_asked_from_the_first_on_or_makes_none(tmp_path: Path) -> None:
    typed, passphrase = Typed(tmp_path), tmp_path / "passphrase"
    asked = ("--wrapping", f"passphrase-file:{passphrase}")
    refused = typed.init(*asked)
    assert refused.exit_code == 1
    assert str(passphrase) in refused.stderr
    assert not list(tmp_path.rglob("*.key"))
    passphrase.write_text("seven quite ordinary words stand in here\n")
    passphrase.chmod(0o600)
    assert typed.init(*asked).exit_code == 0
    assert Home(typed.home).keys_to_read().wrapped_by == asked[1]


def test_init_does_not_say_in_two_places_what_seals_the_keys(tmp_path: Path) -> None:
    typed = Typed(tmp_path)
    typed.home.mkdir(mode=0o700)
    (typed.home / "config.toml").write_text('kind = "police"')
    refused = typed.init("--wrapping", "keyring")
    assert refused.exit_code == 1
    assert "say keys.wrapping in it" in refused.stderr


def test_init_makes_a_home_and_says_what_comes_next(tmp_path: Path) -> None:
    made = Typed(tmp_path).init()
    assert made.exit_code == 0
    assert "fingerprint" in made.output
    assert "next:" in made.output
    assert (tmp_path / "agent" / "config.toml").stat().st_mode & 0o077 == 0


def test_init_over_a_home_is_refused_in_one_line(typed: Typed) -> None:
    again = typed.init()
    assert again.exit_code == 1
    assert again.stderr.startswith("error: ")
    assert again.stderr.count("\n") == 1


def test_init_with_a_name_that_is_none_says_so(tmp_path: Path) -> None:
    typed = Typed(tmp_path)
    refused = typed.type(
        "init", "--hub", "Test Hub", "--agency", "x", "--name", "X", "--ig-lead-key", str(tmp_path / "k")
    )
    assert refused.exit_code == 1
    assert "starting with a letter" in refused.stderr


def test_a_misused_command_exits_with_two(typed: Typed) -> None:
    assert typed.type("init").exit_code == 2
    assert typed.type("try", "--stage", "breakfast").exit_code == 2
    assert typed.type("try", "--id", "nhs_number=9691292212").exit_code == 2
    assert typed.type("log", "show", "--last", "0").exit_code == 2


def test_a_party_is_pinned_only_under_its_own_fingerprint(typed: Typed) -> None:
    file = typed.folder / "officer.party"
    file.write_bytes(OFFICER.party.raw)
    refused = typed.type("pin", str(file), "--fingerprint", COORDINATOR.party.fingerprint)
    assert refused.exit_code == 1
    assert "do not use this file" in refused.stderr
    assert not list((typed.home / "parties").iterdir())


def test_a_person_is_asked_to_compare_when_no_fingerprint_is_given(typed: Typed) -> None:
    file = typed.folder / "officer.party"
    file.write_bytes(OFFICER.party.raw)
    assert typed.type("pin", str(file), answer="n\n").exit_code == 1
    asked = typed.type("pin", str(file), answer="y\n")
    assert asked.exit_code == 0
    assert OFFICER.party.fingerprint in asked.output


@pytest.mark.parametrize("member", [DESK, COORDINATOR, SOUTHSHIRE], ids=lambda member: member.party.id)
def test_nobody_but_an_officer_is_pinned_one_by_one(typed: Typed, member: Member) -> None:
    file = typed.folder / "some.party"
    file.write_bytes(member.party.raw)
    refused = typed.type("pin", str(file), "--fingerprint", member.party.fingerprint)
    assert refused.exit_code == 1
    assert f"of kind {member.party.statement.party_kind.value}" in refused.stderr
    assert "agent enrol" in refused.stderr
    assert not list((typed.home / "parties").iterdir())


def test_a_file_that_is_no_party_is_not_pinned(typed: Typed) -> None:
    file = typed.folder / "notes.txt"
    file.write_text("hello")
    assert typed.type("pin", str(file)).exit_code == 1
    assert typed.type("pin", str(typed.folder / "nowhere")).exit_code == 1


def test_the_doctor_says_what_to_do_about_what_is_missing(typed: Typed) -> None:
    found = typed.type("doctor")
    assert found.exit_code == 1
    assert "FAIL  parties" in found.output
    assert "agent enrol" in found.output


def test_the_doctor_is_content_with_all_of_a_home_but_what_the_hubs_reply_brings(typed: Typed) -> None:
    typed.pin()
    tried = {one["check"]: one for one in json.loads(typed.type("doctor", "--json").output)}
    assert list(tried) == [
        "home",
        "permissions",
        "settings",
        "clock",
        "parties",
        "keys",
        "epochs",
        "endings",
        "rules",
        "review",
        "source",
        "credentials",
        "bus",
        "program",
        "hub policy",
        "directory",
        "clocks",
    ]
    assert {name for name, one in tried.items() if not one["well"]} <= {"parties", "keys", "credentials", "bus"}
    assert "agent enrol" in tried["parties"]["said"]
    assert "enrolment" in tried["credentials"]["said"]


def test_the_doctor_finds_a_source_that_could_write(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    typed.pin()
    monkeypatch.setattr(typed.source, "check", lambda: SourceReport("a database", False, {}))
    assert "read-only" in typed.type("doctor").output
    assert typed.source.is_closed


def test_the_doctor_finds_a_source_that_fails_because_it_does_not_know_nobody(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("Ada Lee")

    monkeypatch.setattr(typed.source, "findings", fail)
    found = typed.type("doctor").output
    assert "asked about nobody the source fails (KeyError)" in found
    assert "Ada Lee" not in found


def test_the_doctor_shows_no_words_of_an_unexpected_error(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> SourceReport:
        raise ValueError("Ada Lee")

    monkeypatch.setattr(typed.source, "check", fail)
    assert "Ada Lee" not in typed.type("doctor").output


def test_a_trial_says_what_would_leave_and_sends_nothing(typed: Typed) -> None:
    tried = typed.type(
        "try",
        "--given",
        "Ada",
        "--family",
        "Lee",
        "--birth-date",
        "1990-01-02",
        "--json",
        "--category",
        "police.incident",
    )
    assert tried.exit_code == 0, tried.output
    outcome = json.loads(tried.output)["outcomes"][0]
    assert (outcome["outcome"], outcome["facts"]) == ("answered", [{"date": "2026-01-02"}])
    assert not (typed.home / "store.sqlite").exists()


def test_a_trial_in_words_names_outcome_and_rule(typed: Typed) -> None:
    tried = typed.type("try", "--given", "Ada", "--family", "Lee", "--birth-date", "1990-01-02", "--stage", "screening")
    assert "police.incident              withheld" in tried.output
    assert "no-rule" in tried.output


def test_a_trial_says_field_by_field_why_somebody_is_meant(typed: Typed) -> None:
    tried = typed.type("try", "--given", "Ada", "--family", "Lee", "--birth-date", "1990-01-02")
    assert "is the person: +" in tried.output
    assert "  birth same +" in tried.output


def test_a_trial_of_a_date_that_is_none_names_the_option(typed: Typed) -> None:
    refused = typed.type("try", "--family", "Lee", "--birth-date", "soon")
    assert refused.exit_code == 2
    assert "--birth-date" in refused.stderr
    assert "soon" not in refused.stderr


@pytest.mark.parametrize("command", [("status",), ("log", "show"), ("log", "verify")])
def test_what_needs_the_running_program_says_so(typed: Typed, command: tuple[str, ...]) -> None:
    refused = typed.type(*command)
    assert refused.exit_code == 1
    assert "start the program" in refused.stderr


def test_an_unknown_key_stops_the_start_with_its_name(typed: Typed) -> None:
    config = typed.home / "config.toml"
    config.write_text("colour = 1\n" + config.read_text())
    refused = typed.type("run")
    assert refused.exit_code == 1
    assert "colour" in refused.stderr


def test_the_section_named_for_the_agency_reaches_its_source_over_the_defaults(typed: Typed) -> None:
    config = typed.home / "config.toml"
    config.write_text(config.read_text() + 'url = "sqlite:///records.db"\n')
    typed.type("try", "--family", "Lee")
    assert typed.sections == [{"colour": "blue", "url": "sqlite:///records.db"}]


def test_a_home_of_another_kind_of_agency_is_not_run(typed: Typed) -> None:
    config = typed.home / "config.toml"
    config.write_text(config.read_text().replace("police", "health"))
    refused = typed.type("run")
    assert refused.exit_code == 1


def test_agencies_without_a_program_of_their_own_share_the_partners() -> None:
    assert package_of(AgencyKind.POLICE) == "agents.police"
    assert package_of(AgencyKind.HOUSING) == "agents.partner"
