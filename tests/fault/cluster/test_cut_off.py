"""Nodes on hosts of their own, cut off without a word from everybody or from each other, while requests run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fault.cluster.hosts import STORIES

WITHIN_S = 300
LONG = "cut_off_parted_and_killed_by_turns"
ROOT = Path(__file__).parents[3]


def play(folder: Path, *stories: str) -> None:
    """Play stories in namespaces of their own; what they said is shown if one fails."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(
        ["unshare", *as_root, "--net", "--mount", sys.executable, "-m", "tests.fault.cluster.hosts", folder, *stories],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]


def test_requests_go_on_and_nothing_is_lost_or_done_twice_when_hosts_are_cut_off_or_parted(tmp_path: Path) -> None:
    play(tmp_path, *(story for story in STORIES if story != LONG))


@pytest.mark.soak
def test_nothing_is_lost_or_done_twice_when_it_goes_on_for_minutes(tmp_path: Path) -> None:
    play(tmp_path, LONG)
