"""The `agent` command finds out whose agent is meant, or says in one line why it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


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
