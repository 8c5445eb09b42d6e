"""The demonstration's stage: a hub, four agencies, an officer and a county in one directory, as separate programs.

Everything is made the way people make it: homes by init, keys exchanged by file and pinned, one process a program. What
a person would do at a keyboard is done here by the same functions the commands call.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from broker.demo.county import County, build_county, write_county
from broker.node.bus.embedded import EmbeddedServer
from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient
from broker.node.home import Home
from schemas.failures import Failure, GroundLost
from schemas.messages.party import read_party

HUB_ID: Final = "demo"
AGENCIES: Final = {
    "police": "The county's police",
    "health": "The county's integrated care board",
    "education": "The county's schools",
    "probation": "The probation service in the county",
}
SOURCES: Final = {
    "police": 'url = "sqlite+pysqlite:///file:{folder}/police.sqlite3?mode=ro&uri=true"',
    "health": 'folder = "{folder}"\nsettle_seconds = 0',
    "education": 'folder = "{folder}"\nsettle_seconds = 0\nprotected_file = true',
    "probation": 'folder = "{folder}"',
}
START_WITHIN_S: Final = 30
"""A program is ready within two seconds on an idle machine; this is for a busy one."""
STOP_WITHIN_S: Final = 10


class DidNotStart(GroundLost):
    """A program of the demonstration did not come up; its log file says why."""

    code = "did_not_start"


@dataclass(slots=True)
class Stage:
    """The directory and the processes that run from it."""

    root: Path
    county: County = field(repr=False)
    server: EmbeddedServer = field(repr=False)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    async def build(cls, root: Path, *, seed: int, people: int) -> Stage:
        """Write the county and start the bus.

        Raises:
            ServerMissing, ServerFailed: there is no nats-server, or it did not come up.
        """
        for name in ("bus", "logs", "handed"):
            (root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        server = EmbeddedServer(root / "bus")
        await server.start()
        county = await asyncio.to_thread(build_county, seed, people)
        await asyncio.to_thread(write_county, county, root / "county")
        return cls(root, county, server)

    @property
    def hub(self) -> Path:
        """The hub's directory."""
        return self.root / "hub"

    def agent(self, agency: str) -> Home:
        """An agency's home."""
        return Home(self.root / agency)

    def source_folder(self, agency: str) -> Path:
        """Where an agency's own system lies."""
        return self.root / "county" / agency

    async def make_agents(self) -> None:
        """Have every agency make its keys and public file, on its own premises as it were: in processes of its own."""
        making = [
            asyncio.create_subprocess_exec(
                *self._agent_command(agency, "init"),
                *("--hub", HUB_ID, "--agency", agency, "--name", name, "--bus", self.server.url),
                *("--ig-lead-key", str(self.root / "handed" / f"{agency}-ig-lead.key")),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            for agency, name in AGENCIES.items()
        ]
        for process in [await one for one in making]:
            _, said = await process.communicate()
            if process.returncode:
                raise DidNotStart(said.decode(errors="replace").strip())
        for agency in AGENCIES:
            home = self.agent(agency)
            # Its own section stands last in the file that init wrote.
            source = SOURCES[agency].format(folder=self.source_folder(agency))
            home.config_path.write_text(home.config_path.read_text() + source + "\n")

    def exchange_files(self, hub_files: list[Path]) -> None:
        """Hand each public file to whoever has to pin it: agencies pin the hub's and the officer's."""
        for agency in AGENCIES:
            for path in hub_files:
                self.agent(agency).pin(path.read_bytes())

    def start(self, name: str) -> None:
        """Start a program: `coordinator`, `desk` or an agency."""
        if name in AGENCIES:
            command = self._agent_command(name, "run")
        else:
            command = (sys.executable, "-m", f"broker.{name}", "--home", str(self.hub / name))
        with (self.root / "logs" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603  # our own programs, no shell
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    async def wait_until_ready(self, *names: str) -> None:
        """Wait until those programs take commands and are connected.

        Raises:
            DidNotStart: one ended, or did not come up in time.
        """
        until = SystemClock().now() + START_WITHIN_S * 1000
        for name in names:
            while not await asyncio.to_thread(self._is_ready, name):
                if self.processes[name].poll() is not None or SystemClock().now() > until:
                    raise DidNotStart(f"{name} did not come up; see {self.root / 'logs' / name}.log")
                await asyncio.sleep(0.05)

    def stop(self, name: str) -> None:
        """Tell a program to leave, and wait until it has."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    async def close(self) -> None:
        """Stop every program, and the bus last."""
        for name in reversed(list(self.processes)):
            await asyncio.to_thread(self.stop, name)
        await self.server.stop()

    def hand(self, path: Path, name: str) -> Path:
        """Put a copy of a public file where files are handed over."""
        party = read_party(path.read_bytes())
        copy = self.root / "handed" / f"{name}.party"
        copy.write_bytes(party.raw)
        return copy

    def _agent_command(self, agency: str, command: str) -> tuple[str, ...]:
        return (sys.executable, "-m", f"agents.{agency}", command, "--home", str(self.root / agency))

    def _is_ready(self, name: str) -> bool:
        home = self.agent(name) if name in AGENCIES else Home(self.hub / name)
        try:
            status = CommandClient(home.socket_path).ask("status")
        except Failure:
            return False
        return any(bool(status.get(key)) for key in ("connected", "connected_at", "connected_since"))
