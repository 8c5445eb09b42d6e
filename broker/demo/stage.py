"""The demonstration's stage: a hub, four agencies, an officer and a county in one directory, as separate programs.

Everything is made the way people make it: homes by init, agencies admitted by their requests and ten words, one process
a program, a bus with TLS and an account an agency. What a person would do at a keyboard is done here by the same
functions the commands call.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from broker.demo.county import County, build_county, write_county
from broker.node.bus.embedded import EmbeddedServer
from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient
from broker.node.home import Home
from schemas.failures import Failure, GroundLost

HUB_ID: Final = "demo"
AGENCIES: Final = {
    "police": "The county's police",
    "health": "The county's integrated care board",
    "education": "The county's schools",
    "probation": "The probation service in the county",
}
HUB_PROGRAMS: Final = {"admission": "broker.enrolment", "coordinator": "broker.coordinator", "desk": "broker.desk"}
"""The hub's programs, each named as its home, and the module that runs it."""
ACCOUNTS: Final = "accounts"
"""Where a server of the bus keeps what admission told it (`broker.enrolment.configuration.files`)."""
SOURCES: Final = {
    "police": 'url = "sqlite+pysqlite:///file:{folder}/police.sqlite3?mode=ro&uri=true"',
    "health": 'folder = "{folder}"\nsettle_seconds = 0',
    "education": 'folder = "{folder}"\nsettle_seconds = 0\nprotected_file = true',
    "probation": 'folder = "{folder}"',
}
START_WITHIN_S: Final = 120
"""A program is ready within two seconds on an idle machine; this is for a busy one."""
STOP_WITHIN_S: Final = 30


class DidNotStart(GroundLost):
    """A program of the demonstration did not come up; its log file says why."""

    code = "did_not_start"


@dataclass(slots=True)
class Stage:
    """The directory and the processes that run from it."""

    root: Path
    county: County = field(repr=False)
    servers: dict[str, EmbeddedServer] = field(default_factory=dict, repr=False)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @classmethod
    async def build(cls, root: Path, *, seed: int, people: int) -> Stage:
        """Write the county."""
        for name in ("logs", "handed"):
            (root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        county = await asyncio.to_thread(build_county, seed, people)
        await asyncio.to_thread(write_county, county, root / "county")
        return cls(root, county)

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

    async def start_bus(self, configurations: Sequence[Path]) -> None:
        """Start the servers of the bus, each from its configuration's folder.

        Raises:
            ServerMissing, ServerFailed: there is no nats-server, or one did not come up.
        """
        for path in configurations:
            folder = path.parent
            server = self.servers[folder.name] = EmbeddedServer(folder, configuration=path.read_text("utf-8"))
            await server.start()

    async def lose_server(self, name: str) -> None:
        """Take a server of the bus away, and everything it had been told."""
        server = self.servers[name]
        await server.stop()
        shutil.rmtree(server.log_path.parent / ACCOUNTS, ignore_errors=True)

    async def make_agents(self) -> None:
        """Have every agency make its keys and write its request, on its own premises as it were: as programs."""
        await self._all(
            (agency, ("init", "--hub", HUB_ID, "--agency", agency, "--name", name, "--ig-lead-key", self._lead(agency)))
            for agency, name in AGENCIES.items()
        )
        for agency in AGENCIES:
            home = self.agent(agency)
            # Its own section stands last in the file that init wrote.
            source = SOURCES[agency].format(folder=self.source_folder(agency))
            home.config_path.write_text(home.config_path.read_text() + source + "\n")
        await self._all((agency, ("enrol", "--out", str(self.handed(agency, "enrolment")))) for agency in AGENCIES)

    async def accept_replies(self, words: Mapping[str, str]) -> None:
        """Have every agency take the hub's reply, with the ten words that were read out to it."""
        await self._all(
            (agency, ("enrol", str(self.handed(agency, "admission")), "--words", said))
            for agency, said in words.items()
        )

    def handed(self, agency: str, what: str) -> Path:
        """A file that an agency and the hub hand each other: `enrolment` or `admission`."""
        return self.root / "handed" / f"{agency}.{what}"

    def start(self, name: str) -> None:
        """Start a program: one of the hub's, or an agency's."""
        if name in AGENCIES:
            command = self._agent_command(name, "run")
        else:
            command = (sys.executable, "-m", HUB_PROGRAMS[name], "--home", str(self.hub / name))
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
        for server in self.servers.values():
            await server.stop()

    def _lead(self, agency: str) -> str:
        return str(self.root / "handed" / f"{agency}-ig-lead.key")

    async def _all(self, commands: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        """Run a command of several agencies' agents beside each other.

        Raises:
            DidNotStart: one failed; the text is what it said.
        """
        running = [
            asyncio.create_subprocess_exec(
                *self._agent_command(agency, words[0]),
                *words[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            for agency, words in commands
        ]
        for process in [await one for one in running]:
            _, said = await process.communicate()
            if process.returncode:
                raise DidNotStart(said.decode(errors="replace").strip())

    def _agent_command(self, agency: str, command: str) -> tuple[str, ...]:
        return (sys.executable, "-m", f"agents.{agency}", command, "--home", str(self.root / agency))

    def _is_ready(self, name: str) -> bool:
        home = self.agent(name) if name in AGENCIES else Home(self.hub / name)
        try:
            status = CommandClient(home.socket_path).ask("status")
        except Failure:
            return False
        return any(bool(status.get(key)) for key in ("connected", "connected_at", "connected_since"))
