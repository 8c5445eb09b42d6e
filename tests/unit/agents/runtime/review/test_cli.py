"""The review desk at a terminal: typed commands, the running agent's own socket, and what a person reads."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from agents.runtime.review.cli import review_group
from broker.node.commands import CommandServer
from schemas.vocabulary import Outcome
from tests.unit.agents.runtime.hub import Asked
from tests.unit.agents.runtime.review.conftest import INTELLIGENCE, PASSPHRASE, Desk


class Terminal:
    """Types at a desk whose agent listens on its socket."""

    def __init__(self, desk: Desk, passphrase: Path) -> None:
        self.desk, self.passphrase = desk, passphrase

    async def type(self, *words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, review_group(), [*words, "--home", str(self._home)])

    async def sign(self, command: str, asked: Asked, *words: str, reviewer: str = "ann") -> Result:
        by = ("--reviewer", reviewer, "--passphrase-file", str(self.passphrase))
        return await self.type(command, asked.exchange, *words, *by)

    @property
    def _home(self) -> Path:
        return self.desk.world.home.path


@pytest.fixture
async def terminal(desk: Desk, tmp_path: Path) -> AsyncIterator[Terminal]:
    file = tmp_path / "passphrase"
    file.touch(mode=0o600)
    file.write_text(PASSPHRASE + "\n")
    serving = asyncio.create_task(CommandServer(desk.world.home.socket_path, desk.world.agent.commands).serve())
    with capture_logs():  # the agent of this process would write between a command's own lines
        yield Terminal(desk, file)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def test_a_request_is_listed_read_redacted_and_released(desk: Desk, terminal: Terminal) -> None:
    asked = await desk.wait()
    listed = (await terminal.type("list")).output
    assert asked.exchange in listed
    assert "h 50 min left" in listed
    assert "Octavia" not in listed
    shown = await terminal.sign("show", asked)
    for said in (
        "Sam Carr",
        "Octavia Chislett",
        "on        Children Act 1989 s47: the duty to make enquiries [ca1989-47; in force in England since 1991-10-14;",
        "forbid-intelligence-unread",
        "deadline  Sunday 22 November 2026 at 16:00 UTC, in 4 hours\n",
        "review    until Sunday 22 November 2026 at 15:50 UTC, in 3 hours 50 minutes; then",
    ):
        assert said in shown.output, shown.output
    cut = await terminal.sign("redact", asked, "--category", INTELLIGENCE.value, "--field", "date")
    code = re.search(r"--shown ([0-9a-f]{64})", cut.output)
    assert code is not None, cut.output
    stale = await terminal.sign("release", asked, "--shown", "0" * 64)
    assert (stale.exit_code, "[command_failed]" in stale.output) == (1, True)
    assert "look at it again" in stale.output
    done = await terminal.sign("release", asked, "--shown", code[1])
    assert done.output == "released; it is looked up once more and leaves unless something changed\n"
    assert (await desk.rows(asked))["a", INTELLIGENCE].outcome is Outcome.KNOWN_NOTHING_RELEVANT


async def test_a_wrong_passphrase_shows_nothing(desk: Desk, terminal: Terminal) -> None:
    asked = await desk.wait()
    terminal.passphrase.write_text("another passphrase")
    refused = await terminal.sign("show", asked)
    assert refused.exit_code == 1
    assert "no reviewer has that name and that passphrase" in refused.output
    assert "Octavia" not in refused.output


async def test_a_passphrase_file_that_others_can_read_is_not_used(desk: Desk, terminal: Terminal) -> None:
    asked = await desk.wait()
    terminal.passphrase.chmod(0o644)
    refused = await terminal.sign("show", asked)
    assert (refused.exit_code, "chmod 600" in refused.output) == (1, True)


async def test_every_other_act_is_typed_and_says_what_would_leave(desk: Desk, terminal: Terminal) -> None:
    asked = await desk.wait()
    for command, *words in (
        ("narrow", "--category", "police.incident"),
        ("decline", "--reason", "detriment", "--category", INTELLIGENCE.value, "--written", "It would reach him."),
        ("confirm",),
        ("clear",),
    ):
        said = await terminal.sign(command, asked, *words)
        assert (said.exit_code, "WHAT WOULD LEAVE" in said.output) == (0, True), said.output
    assert [one["act"] for one in await desk.own_log() if one["type"] == "reviewed"] == [
        "narrowed",
        "declined",
        "confirm-asked",
        "cleared",
    ]
