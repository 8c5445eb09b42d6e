"""`broker run`: the bus, the coordinator and the desk as child processes, started together and stopped together.

A child that dies by a signal or a fault is started again, ever more slowly; one that ends by itself with a reason (a
setting that does not hold, lost ground) stops everything, for a person has to look.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

_log = structlog.get_logger()

ENDED_WITH_REASON: Final = frozenset({0, 1, 2, 3})
"""Exit statuses of our programs: done, an error that was explained, misuse, halted."""
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 30.0
STOP_GRACE_S: Final = 10.0
"""A program commits what it has taken in and leaves within a second; longer means that it hangs."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program to be kept running."""

    name: str
    command: Sequence[str]


async def supervise(children: Sequence[Child]) -> int:
    """Run the children until SIGTERM or SIGINT, or until one ends with a reason.

    Returns:
        The exit status: 0 after a signal, else that of the child that ended.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    keepers = [asyncio.create_task(_keep(child, stop)) for child in children]
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*keepers, waiting], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    statuses = await asyncio.gather(*keepers)
    waiting.cancel()
    return next((task.result() for task in done if task in keepers and task.result()), max(statuses, default=0))


async def _keep(child: Child, stop: asyncio.Event) -> int:
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        process = await asyncio.create_subprocess_exec(*child.command, stdin=asyncio.subprocess.DEVNULL)
        ended, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await _stop(process)
            await ended
            return 0
        stopping.cancel()
        status = ended.result()
        if status in ENDED_WITH_REASON:
            return status
        _log.error("child_died", program=child.name, status=status)
        try:
            await asyncio.wait_for(stop.wait(), pause_s)
        except TimeoutError:
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
    return 0


async def _stop(process: asyncio.subprocess.Process) -> None:
    try:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), STOP_GRACE_S)
    except ProcessLookupError:
        return
    except TimeoutError:
        process.kill()


def program(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of ours in this interpreter."""
    return (sys.executable, "-m", module, *arguments)
