"""Publishing a version of the policy: the desk is handed what the lead signed, or the lead is told that it was not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from broker.client.publishing import Ask, DeskNotTold, publish, tell_desk
from broker.enrolment.at_rest.officers import make_officer
from broker.node.command_client import NotRunning
from broker.node.keyfile import KeyFile, read_key_file
from schemas.envelope import digest, unpack
from schemas.messages.fields import decode_base64
from schemas.vocabulary import OfficerRole
from tests.support.clock import NOON
from tests.support.policies import Version, england_files, make_version


class Programs:
    """What coordinator and desk answer to the commands of `publish`, by what each was handed."""

    def __init__(self, kept: list[Version], in_force: int) -> None:
        self.kept, self.in_force = kept, in_force
        self.at_desk: dict[int, str] = {}

    def coordinator(self, command: str, arguments: Mapping[str, Any]) -> Any:
        if command == "publish-policy":
            return {"number": len(self.kept) + 1}
        if command == "policy-as-signed":
            return self.kept[arguments["number"] - 1].arguments()
        shown = [{"number": one.statement.number, "statement_digest": one.digest} for one in self.kept]
        return {"hub": "testhub", "now": NOON, "in_force": self.in_force, "versions": shown}

    def desk(self, command: str, arguments: Mapping[str, Any]) -> Any:
        if command == "take-policy":
            header = unpack(decode_base64(arguments["statement"])).header
            number = next(
                (one.statement.number for one in self.kept if one.statement.encode() == header), len(self.kept) + 1
            )
            self.at_desk[number] = digest(header)
        versions = [{"number": number, "statement_digest": said} for number, said in self.at_desk.items()]
        return {"in_force": 0, "versions": versions}


@pytest.fixture
def lead(tmp_path: Path) -> KeyFile:
    """The key file of the hub's IG lead."""
    path = tmp_path / "lead.key"
    role = OfficerRole.IG_LEAD
    make_officer(path, tmp_path / "lead.party", hub="testhub", role=role, position="Lead", now=NOON)
    return read_key_file(path)


def put_in_force(programs: Programs, lead: KeyFile, ask_desk: Ask | None = None) -> Any:
    return publish(programs.coordinator, ask_desk or programs.desk, lead, england_files(), valid_from=None)


def test_the_desk_is_handed_what_the_lead_has_signed(lead: KeyFile) -> None:
    programs = Programs([], 0)
    put_in_force(programs, lead)
    assert list(programs.at_desk) == [1]


def test_a_desk_that_does_not_run_makes_publishing_end_in_an_error_that_says_what_to_do(lead: KeyFile) -> None:
    def away(command: str, arguments: Mapping[str, Any]) -> Any:
        raise NotRunning("the desk does not run")

    with pytest.raises(DeskNotTold, match=r"version 1 is published .* broker policy tell-desk"):
        put_in_force(Programs([], 0), lead, away)


def test_the_desk_is_handed_the_version_in_force_and_those_to_come_and_no_version_that_it_has() -> None:
    first = make_version(NOON)
    second = make_version(NOON, after=first)
    third = make_version(NOON, after=second)
    programs = Programs([first, second, third], in_force=2)
    assert tell_desk(programs.coordinator, programs.desk) == [2, 3]
    assert programs.at_desk == {2: second.digest, 3: third.digest}
    assert tell_desk(programs.coordinator, programs.desk) == []


def test_a_version_of_which_the_desk_has_another_statement_is_handed_over_so_that_it_says_so() -> None:
    first = make_version(NOON)
    programs = Programs([first], in_force=1)
    programs.at_desk[1] = "0" * 64
    assert tell_desk(programs.coordinator, programs.desk) == [1]
