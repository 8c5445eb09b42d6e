"""`broker demo` as people run it: everything it promises to show is shown, holds, and nothing is left behind.

Two whole runs at once, each of which waits more than it works: one that cleans up after itself, one that is kept and
stopped by the command it prints.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from broker.demo.stage import AGENCIES, HUB_ID, HUB_PROGRAMS
from broker.node.home import Home
from schemas.crypto.purposes import KeyPurpose
from schemas.ledger.checkpoint import open_checkpoint
from schemas.ledger.verifier_key import ED25519, VerifierKey
from tests.support.processes import until

BROKER: Final = str(Path(sys.executable).with_name("broker"))
MARK: Final = "DEMONSTRATION_MARK"
WITHIN_S: Final = 600
OUTCOMES: Final = {
    "answered",
    "not_known",
    "known_nothing_relevant",
    "withheld",
    "possible_match",
    "could_not_look",
    "no_answer",
}
ENDS: Final = {"opened", "refused", "withdrawn", "expired"}


@dataclass(frozen=True)
class Shown:
    """What one run printed, and by which mark its processes are known."""

    facts: dict[str, Any]
    said: str
    mark: str
    folder: Path


@dataclass(frozen=True)
class Begun:
    """A run under way."""

    process: subprocess.Popen[str]
    mark: str
    folder: Path

    @classmethod
    def of(cls, folder: Path, *options: str) -> Begun:
        """Begin a run."""
        mark = secrets.token_hex(16)
        process = subprocess.Popen(
            (BROKER, "demo", "--json", "--people", "300", *options),
            env={**os.environ, MARK: mark, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return cls(process, mark, folder)

    def ended(self) -> Shown:
        """Wait for its end."""
        told, said = self.process.communicate(timeout=WITHIN_S)
        assert self.process.returncode == 0, said
        return Shown(json.loads(told), said, self.mark, self.folder)


def running(mark: str) -> dict[int, str]:
    """Living processes of a run: number and program."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = (entry / "comm").read_text().strip()
        except OSError:  # it has ended meanwhile, or is another user's
            continue
    return found


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Begun, Begun]]:
    folder = tmp_path_factory.mktemp("kept")
    both = Begun.of(tmp_path_factory.mktemp("demo")), Begun.of(folder, "--keep", str(folder / "here"))
    yield both
    for one in both:
        one.process.kill()  # it has ended, unless a test failed before its end
        one.process.communicate()


@pytest.fixture(scope="module")
def shown(begun: tuple[Begun, Begun]) -> Shown:
    return begun[0].ended()


@pytest.fixture(scope="module")
def kept(begun: tuple[Begun, Begun]) -> Iterator[Shown]:
    left = begun[1].ended()
    yield left
    stop(left)


def stop(left: Shown) -> None:
    """Stop what is still there, by the numbers that the run printed."""
    told = re.search(r"^Stop them with: kill ([0-9 ]+)$", left.said, re.MULTILINE)
    assert told is not None, left.said
    ours = running(left.mark)
    for number in map(int, told[1].split()):
        if number in ours:
            os.kill(number, 15)
    until("everything stopped", lambda: not running(left.mark), within_s=60)


def test_everything_it_promises_is_shown(shown: Shown) -> None:
    assert shown.facts["missing"] == []


def test_every_log_holds_from_its_first_entry(shown: Shown) -> None:
    logs = shown.facts["logs"]
    assert set(logs) == {"hub", *AGENCIES}
    assert {name: (log["holds"], log["findings"]) for name, log in logs.items()} == {name: (True, []) for name in logs}
    assert shown.facts["holds"]


def test_every_kind_of_outcome_and_of_end_is_among_what_is_told(shown: Shown) -> None:
    enquiries = shown.facts["enquiries"]
    assert {cell["state"] for one in enquiries for cell in one["outcomes"]} >= OUTCOMES
    assert {request["progress"] for one in enquiries for request in one["requests"]} == ENDS


def test_each_request_ended_as_it_was_to_show(shown: Shown) -> None:
    requests = {request["shows"]: request for one in shown.facts["enquiries"] for request in one["requests"]}
    late = requests["offline when asked: overdue, then late, accepted, marked"]
    assert (late["progress"], late["was_overdue"], late["late"]) == ("opened", True, True)
    refused = requests["refused by the coordinator, with the rule"]
    assert refused["progress"] == "refused"
    assert refused["refused_by"]
    assert requests["withdrawn by the officer"]["progress"] == "withdrawn"
    assert requests["never answered: expired"]["progress"] == "expired"
    assert requests["content released"]["late"] is False


def test_a_chronology_is_in_order_and_what_is_undated_stands_last(shown: Shown) -> None:
    for enquiry in shown.facts["enquiries"]:
        days = [line["on"] for line in enquiry["chronology"]]
        assert days == sorted(days, key=lambda day: (day is None, day or ""))
    family = shown.facts["enquiries"][0]["chronology"]
    assert {line["agency"] for line in family} == set(AGENCIES)
    assert all(line["rule"] for line in family)


def test_what_shows_not_known_says_that_it_proves_nothing(shown: Shown) -> None:
    for enquiry in shown.facts["enquiries"]:
        if any(cell["state"] == "not_known" for cell in enquiry["outcomes"]):
            assert "does not prove absence" in enquiry["note"]


def test_no_process_and_no_file_is_left(shown: Shown) -> None:
    assert running(shown.mark) == {}
    assert list(shown.folder.iterdir()) == []


def test_the_checkpoints_of_a_kept_run_hold_under_the_keys_that_were_pinned(kept: Shown) -> None:
    root = kept.folder / "here"
    pinned = {agency: Home(root / "hub" / "desk").directory().party(agency) for agency in AGENCIES}
    for name in AGENCIES:
        pinned["hub"] = Home(root / name).directory().party("coordinator")
        for log in ("hub", name):
            origin = pinned[log].statement.log
            assert origin is not None
            public = next(one.key.raw for one in pinned[log].keys if one.key.purpose is KeyPurpose.LOG)
            facts = kept.facts["logs"][log]
            key = VerifierKey.of(origin, ED25519, public)
            head = open_checkpoint(facts["checkpoint"].encode(), log=key, origin=origin).head
            assert head.size == facts["size"]


def test_a_kept_run_goes_on_and_takes_commands(kept: Shown) -> None:
    tried = re.search(r"^Try: (broker .*)$", kept.said, re.MULTILINE)
    assert tried is not None
    done = subprocess.run(
        (BROKER, *tried[1].split()[1:], "--json"), capture_output=True, text=True, timeout=WITHIN_S, check=True
    )
    assert {one["enquiry"] for one in json.loads(done.stdout)} == {one["enquiry"] for one in kept.facts["enquiries"]}
    assert HUB_ID in kept.facts["logs"]["hub"]["checkpoint"]


def test_a_kept_run_is_stopped_by_the_command_it_prints(kept: Shown) -> None:
    assert len(running(kept.mark)) == len((*HUB_PROGRAMS, "nats-server", *AGENCIES))
    stop(kept)
    assert running(kept.mark) == {}
