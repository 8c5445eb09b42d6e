"""A measured process and the line it is spoken to on: one JSON question a line in, one JSON answer a line out.

Owns starting, asking and stopping; refuses to know what is asked.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
_LINE_BYTES: Final = 64 * 1024 * 1024
"""The longest answer: the instants of some thousand exchanges."""
_STOPS_WITHIN_S: Final = 10.0
_ANSWERS_WITHIN_S: Final = 90.0


class ChildFailed(Exception):
    """A measured process ended, or answered with an error."""


class Child:
    """One process, asked one thing at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Child:
        """Start `python -m module` and wait until it says that it is ready."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES,
        )
        child = cls(process)
        await child._answer()
        return child

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, what: str, **details: Any) -> Any:
        """What the process answers.

        Raises:
            ChildFailed: it ended, or raised.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"what": what, **details}).encode() + b"\n")
        await self._process.stdin.drain()
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                return await self._answer()
        except TimeoutError:
            raise ChildFailed(f"no answer to {what} within {_ANSWERS_WITHIN_S:g} s") from None

    async def stop(self) -> None:
        """End it: by closing its input, or else by its process id."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_STOPS_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise ChildFailed(f"process ended with status {await self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise ChildFailed(answer["error"])
        return answer["answer"]


async def serve(answer: Callable[[str, dict[str, Any]], Awaitable[Any]]) -> None:
    """In the measured process: say that it is ready, then answer until the input ends."""
    loop = asyncio.get_running_loop()
    questions = asyncio.StreamReader(limit=_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
    _say({"answer": "ready"})
    while line := await questions.readline():
        question = json.loads(line)
        try:
            _say({"answer": await answer(question.pop("what"), question)})
        except Exception as error:  # noqa: BLE001 - shown to whoever asked
            _say({"error": f"{type(error).__name__}: {error}"})


def resident_bytes(pid: int) -> int:
    """Resident memory of a process (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ChildFailed(f"no resident memory of process {pid}")


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used so far, all threads (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
