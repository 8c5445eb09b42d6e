"""The `agent` command finds out whose agent is meant, or says in one line why it cannot."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from agents.runtime.cli import program
from schemas.vocabulary import AgencyKind
from tests.support.source import MemorySource


def agent(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from agents.launcher import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_without_arguments_it_shows_how_it_is_used() -> None:
    shown = agent()
    assert shown.returncode == 2
    assert "usage: agent init KIND" in shown.stdout


def test_an_unknown_kind_of_agency_is_misuse() -> None:
    shown = agent("init", "bakery")
    assert shown.returncode == 2
    assert "KIND is one of police" in shown.stderr


def test_a_home_without_a_configuration_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    shown = agent("run", "--home", str(tmp_path))
    assert shown.returncode == 1
    assert shown.stderr.count("\n") == 1
    assert "make it with init" in shown.stderr


def test_a_configuration_without_a_kind_names_the_key(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    shown = agent("status", f"--home={tmp_path}")
    assert shown.returncode == 1
    assert "kind is missing" in shown.stderr


def test_an_empty_home_is_restored_as_the_agency_that_the_backup_is_of(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for place in ("a-backup", "a-second-copy/files"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text('kind = "education"')
        shown = agent("restore", "--home", str(home), str(tmp_path / place.partition("/")[0]))
        assert shown.returncode == 1
        assert "manifest.json cannot be read" in shown.stderr, "it got as far as the backup itself"


def test_help_needs_no_home() -> None:
    for asked in ("backup", "restore", "leaf", "keys"):
        shown = agent(asked, "--help")
        assert shown.returncode == 0
        assert f" {asked} [OPTIONS]" in shown.stdout
        assert agent(asked, "-h").stdout == shown.stdout


def test_every_command_of_an_agent_is_named_in_how_it_is_used() -> None:
    group = program(AgencyKind.POLICE, lambda *_: MemorySource([], {}), Path())
    used = agent("--help").stdout
    assert set(group.commands) <= set(re.findall(r"[a-z]+", used))
