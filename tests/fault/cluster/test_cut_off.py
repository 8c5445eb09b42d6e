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


def play(story: str, folder: Path) -> None:
    """Play a story in namespaces of its own; what it said is shown if it fails."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(
        ["unshare", *as_root, "--net", "--mount", sys.executable, "-m", "tests.fault.cluster.hosts", story, folder],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("story", [story for story in STORIES if story != LONG])
def test_nothing_is_lost_or_done_twice_when(story: str, tmp_path: Path) -> None:
    play(story, tmp_path)


@pytest.mark.soak
def test_nothing_is_lost_or_done_twice_when_it_goes_on_for_minutes(tmp_path: Path) -> None:
    play(LONG, tmp_path)
