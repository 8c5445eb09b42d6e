"""Transcripts: what a person types and what the screen shows, run for real and compared.

$ command, run by bash in the terminal's folder     $ ... & starts a program and waits until it is on the bus
> its next line                                     <a name> in output is what stood there; in a command, the same
what it prints; `...` is anything, a line of `...` any number of lines
[1]                                                 its exit status, where it is not 0
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from broker.client.hub import Hub
from broker.node.home import Home
from tests.support.processes import Program

_NAME: Final = re.compile(r"<([a-z][a-z ]*)>")
_STATUS: Final = re.compile(r"\[(\d+)\]")
BIN: Final = Path(sys.executable).parent
"""Where `broker` and `agent` were installed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command and what it should print."""

    command: str
    expected: tuple[str, ...]
    status: int


@dataclass(slots=True)
class Terminal:
    """A folder, the names learnt from output, and the programs started in it."""

    folder: Path
    names: dict[str, str] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    _environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**os.environ, "PATH": path, "COLUMNS": "200"}

    def play(self, transcript: str) -> None:
        """Type every command of a transcript.

        Raises:
            AssertionError: another status or other output than the transcript shows.
        """
        for step in steps(transcript):
            command = _NAME.sub(lambda name: self.names.get(name[1], name[0]), step.command)
            if command.endswith("&"):
                self._start(command.removesuffix("&").strip())
                continue
            done = subprocess.run(
                ("bash", "-c", command),
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            shown = [line.rstrip() for line in done.stdout.split("\n") if line.strip()]
            told = f"$ {command}\n" + "\n".join(shown) + f"\n[{done.returncode}]"
            assert done.returncode == step.status, told
            assert self._matches(step.expected, shown), told + "\nexpected:\n" + "\n".join(step.expected)

    def stop(self) -> None:
        """Stop what was started, the last first; each must leave as it should."""
        statuses = {name: program.stop() for name, program in reversed(list(self.programs.items()))}
        self.programs.clear()
        assert not any(statuses.values()), statuses

    def _start(self, command: str) -> None:
        words = shlex.split(command)
        home = self.folder / words[words.index("--home") + 1]
        hub = Hub(home)
        homes = (hub.admission, hub.coordinator, hub.desk) if words[0] == "broker" else (Home(home),)
        started = Program(
            command, (str(BIN / words[0]), *words[1:]), homes, self.folder / f"{home.name}.log", self.folder
        )
        self.programs[command] = started
        started.start()
        started.wait_until_connected()

    def _matches(self, expected: tuple[str, ...], shown: list[str]) -> bool:
        """Match line by line; names are learnt only from lines that match."""
        if not expected:
            return not shown
        if expected[0] == "...":
            return any(self._matches(expected[1:], shown[at:]) for at in range(len(shown) + 1))
        if not shown:
            return False
        found = re.fullmatch(self._pattern(expected[0]), shown[0])
        if found is None:
            return False
        before = dict(self.names)
        self.names.update({group.replace("_", " "): text for group, text in found.groupdict().items()})
        if self._matches(expected[1:], shown[1:]):
            return True
        self.names = before
        return False

    def _pattern(self, line: str) -> str:
        pattern = ""
        for part in re.split(r"(<[a-z][a-z ]*>|\.\.\.)", line):
            name = _NAME.fullmatch(part)
            if part == "...":
                pattern += ".*"
            elif name is None:
                pattern += re.escape(part)
            elif name[1] in self.names:
                pattern += re.escape(self.names[name[1]])
            elif f"(?P<{name[1].replace(' ', '_')}>" in pattern:
                pattern += f"(?P={name[1].replace(' ', '_')})"
            else:
                pattern += f"(?P<{name[1].replace(' ', '_')}>.+?)"
        return pattern


def steps(transcript: str) -> Iterator[Step]:
    """The commands of a transcript, in order."""
    command: str | None = None
    expected: list[str] = []
    status = 0
    for line in [*textwrap.dedent(transcript).strip("\n").split("\n"), "$ "]:
        if line.startswith("$ "):
            if command is not None:
                yield Step(command, tuple(expected), status)
            command, expected, status = line[2:], [], 0
        elif line.startswith("> ") or line == ">":
            assert command is not None
            command += "\n" + line[2:]
        elif found := _STATUS.fullmatch(line):
            status = int(found[1])
        elif line.strip():
            expected.append(line.rstrip())
