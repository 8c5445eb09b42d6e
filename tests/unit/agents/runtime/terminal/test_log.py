"""The own log as its lead reads it: what was kept back, with the lead's key alone, and that it was read is an entry."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from agents.runtime.inspection.commands import NothingKeptBack
from agents.runtime.source import Label, Restrictions
from agents.runtime.terminal.log import log_group
from broker.node.command_client import CommandClient
from tests.support.source import MemorySource
from tests.unit.agents.runtime.conftest import octavia
from tests.unit.agents.runtime.hub import Ask, World


async def kept_back(world: World, source: MemorySource) -> int:
    """The index of the entry about an answer that was silent."""
    source.protected["POLE-1"] = Restrictions(frozenset({Label.ADOPTED}))
    await world.ask(Ask([octavia()]))
    await world.until(lambda: bool(world.answers))
    await world.settle()
    entries = (await world.agent.commands["log"]({}))["entries"]
    (index,) = [one["index"] for one in entries if one["entry"]["type"] == "kept-back"]
    return int(index)


async def test_the_lead_reads_the_truth_of_a_silent_answer_and_the_log_says_that_somebody_did(
    world: World, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = await kept_back(world, source)
    answer = json.loads(json.dumps(await world.agent.commands["log-addendum"]({"index": index})))
    newest = (await world.agent.commands["log"]({"last": 1}))["entries"][0]["entry"]
    assert (newest["type"], newest["entries"]) == ("log-read", 1)
    monkeypatch.setattr(CommandClient, "ask", lambda self, name, arguments=None: answer)
    told = run(world, index, world.folder / "lead.key")
    assert "denied-silently" in told
    assert "forbid-adoption-link" in told
    assert "POLE-1" in told


async def test_another_key_than_the_leads_opens_nothing(
    world: World, source: MemorySource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    index = await kept_back(world, source)
    answer = json.loads(json.dumps(await world.agent.commands["log-addendum"]({"index": index})))
    monkeypatch.setattr(CommandClient, "ask", lambda self, name, arguments=None: answer)
    other = tmp_path / "other.key"
    other.write_text("no key")
    assert "forbid-adoption-link" not in run(world, index, other)


async def test_an_entry_that_seals_nothing_says_so_and_nothing_was_read(world: World, source: MemorySource) -> None:
    index = await kept_back(world, source)
    size = len((await world.agent.commands["log"]({}))["entries"])
    for other in (0 if index else 1, 10_000):
        with pytest.raises(NothingKeptBack):
            await world.agent.commands["log-addendum"]({"index": other})
    assert len((await world.agent.commands["log"]({}))["entries"]) == size


def run(world: World, index: int, key: Path) -> str:
    arguments = ["open", str(index), "--home", os.fspath(world.home.path), "--lead-key", os.fspath(key)]
    return CliRunner().invoke(log_group(), arguments).output
