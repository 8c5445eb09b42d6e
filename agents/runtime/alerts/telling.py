"""Tells this agency of its alerts: counts those that nobody has seen, and runs the agency's own command for new ones.

The command is given an alert's kind and number and nothing else: no name, no exchange, nothing on its standard input;
what it prints goes nowhere. It is repeated, also after a restart, until it ends well: it may see one alert twice.
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from agents.runtime.alerts import records
from agents.runtime.alerts.alarm import Alarm
from agents.runtime.own_log import OwnLog
from broker.node.clock import woken_or_at
from broker.node.metrics import AgentMetrics
from broker.node.post.office import Post
from broker.node.store import Transaction

_log = structlog.get_logger()

COMMAND_SECONDS: Final = 30.0
"""A command that hands on a message needs less; one that hangs is ended and tried again."""
FIRST_PAUSE_MS: Final = 60_000
LONGEST_PAUSE_MS: Final = timedelta(hours=1) // timedelta(milliseconds=1)


@dataclass(slots=True)
class AlertTelling:
    """Runs beside the agent; `command` is the agency's own, empty where it has none."""

    post: Post
    alarm: Alarm
    command: Sequence[str] = ()
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def raised(self) -> None:
        """Something about the alerts was written. Called on the event loop."""
        self._news.set()

    async def keep_telling(self) -> None:
        """Count and tell for as long as the program runs."""
        pause = FIRST_PAUSE_MS
        while True:
            self._news.clear()
            is_all_told = await self._tell()
            pause = FIRST_PAUSE_MS if is_all_told else min(2 * pause, LONGEST_PAUSE_MS)
            if is_all_told:
                await self._news.wait()
            else:
                await woken_or_at(self._news, self.post.clock, self.post.clock.now() + pause)

    async def _tell(self) -> bool:
        def read(tx: Transaction) -> tuple[dict[str, int], list[tuple[int, str]]]:
            return records.open_by_kind(tx), records.untold(tx)

        counts, untold = await self.post.store.read(read)
        self.alarm.count(counts)
        if not self.command:
            return True
        for index, kind in untold:
            if not await self._run(kind, index):
                return False
            now = self.post.clock.now()
            await self.post.commit(partial(records.mark_told, index=index, now=now))
        return True

    async def _run(self, kind: str, index: int) -> bool:
        """Whether the command ended well."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                kind,
                str(index),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                env={"PATH": os.environ.get("PATH", os.defpath)},
                start_new_session=True,
            )
        except OSError as error:
            _log.error("alert_command_failed", kind=kind, failure=type(error).__name__)
            return False
        try:
            status = await asyncio.wait_for(process.wait(), COMMAND_SECONDS)
        except TimeoutError:
            _log.error("alert_command_failed", kind=kind, reason="it took too long")
            return False
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status:
            _log.error("alert_command_failed", kind=kind, status=status)
        return status == 0


def build_telling(post: Post, own_log: OwnLog, metrics: AgentMetrics, command: Sequence[str]) -> AlertTelling:
    """Wire what raises alerts to what tells of them; on the running loop."""
    loop = asyncio.get_running_loop()
    alarm = Alarm(post.me.id, own_log, metrics, lambda: loop.call_soon_threadsafe(telling.raised))
    telling = AlertTelling(post, alarm, command)
    return telling
