"""Our programs as processes of their own: a hub with its bus and one agency in a folder, each stopped by its id.

Waiting is polling a condition with a deadline that only fails the test: nothing here says how fast anything must be.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from broker.cli.agency import settle_pins
from broker.cli.founding import found_hub, write_bus
from broker.client.hub import LOOPBACK, Hub, OfficerAtDesk
from broker.client.publishing import publish
from broker.demo.county import County, build_county, write_county
from broker.desk.cards import OfficerCard, add_card
from broker.enrolment.at_rest.officers import make_officer
from broker.enrolment.configuration.files import STORE, Node
from broker.node.bus.embedded import EmbeddedServer
from broker.node.clock import SystemClock
from broker.node.command_client import CommandClient, CommandFailed, NotRunning
from broker.node.home import Home
from broker.node.keyfile import read_key_file
from schemas.vocabulary import OfficerRole
from tests.support.nats import free_port
from tests.support.policies import england_files

T = TypeVar("T")

WITHIN_S: Final = 120.0
"""Far longer than anything takes on a busy machine; when it has passed, something hangs."""
_LOOK_EVERY_S: Final = 0.05
HUB_ID: Final = "gwent"
AGENCY: Final = "police"


def until(what: str, look: Callable[[], T | None], *, within_s: float = WITHIN_S) -> T:
    """Look until something true is seen, and give that back.

    Raises:
        AssertionError: it was not seen in time.
    """
    pause, ends_at = threading.Event(), time.monotonic() + within_s
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < ends_at, f"not within {within_s:.0f} s: {what}"
        pause.wait(_LOOK_EVERY_S)


def is_connected(home: Home) -> bool:
    """Whether the program of that home takes commands and is on the bus."""
    try:
        status = CommandClient(home.socket_path).ask("status")
    except (NotRunning, CommandFailed):
        return False
    return any(status.get(name) for name in ("connected", "connected_at", "connected_since"))


@dataclass(slots=True)
class Program:
    """One of our programs: what starts it, whose homes it runs, where it says what happens."""

    name: str
    command: tuple[str, ...]
    homes: tuple[Home, ...]
    log_path: Path
    folder: Path | None = None
    """Where it is started; here, if none is said."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it may take a while until it takes commands."""
        assert self.process is None
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_until_connected(self) -> None:
        """Wait until it takes commands and is on the bus; it must not end meanwhile."""
        for home in self.homes:
            until(f"{self.name} connected; see {self.log_path}", partial(self._is_connected, home))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal, and wait for its end; its exit status, negative for a signal."""
        assert self.process is not None
        self.process.send_signal(number)
        status = self.process.wait(WITHIN_S)
        self.process = None
        return status

    def kill(self) -> None:
        """End it where it stands."""
        assert self.stop(signal.SIGKILL) == -signal.SIGKILL, f"{self.name} had ended by itself; see {self.log_path}"

    def _is_connected(self, home: Home) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.name} ended: {self.log_path.read_text()[-600:]}"
        return is_connected(home)


@dataclass(slots=True)
class HubBus:
    """The server of the hub's bus, with TLS and accounts, as a process of its own."""

    server: EmbeddedServer
    folder: Path

    @classmethod
    def of(cls, hub: Hub, node: Node) -> HubBus:
        """The server that the hub's admission configures."""
        (written,) = write_bus(hub, [node], now=SystemClock().now())
        server = EmbeddedServer(written.parent, node.port, configuration=written.read_text("utf-8"))
        return cls(server, written.parent)

    def start(self) -> None:
        """Start it; again, on the same port."""
        asyncio.run(self.server.start())

    def stop(self) -> None:
        """Stop it."""
        asyncio.run(self.server.stop())

    def start_empty(self) -> None:
        """Start it as one that has never heard of any agency."""
        shutil.rmtree(self.folder / STORE, ignore_errors=True)
        self.start()


@dataclass(slots=True)
class Parties:
    """A hub with its bus, police with a small county, and an officer."""

    root: Path
    county: County = field(repr=False)
    hub: Hub
    bus: HubBus
    agent: Home
    officer: OfficerAtDesk
    may_run_leaf: bool = False
    programs: dict[str, Program] = field(default_factory=dict)

    @classmethod
    def build(cls, root: Path, *, people: int = 36, leaf_port: int | None = None) -> Parties:
        """Make every home and the officer; nothing runs yet, and nobody is admitted.

        Args:
            leaf_port: where the hub takes agencies' own servers; then this agency may have one.
        """
        county = build_county(1, people)
        write_county(county, root / "county")
        hub, agent = Hub(root / "hub"), Home(root / AGENCY)
        node, now = Node("hub-1", LOOPBACK, free_port(), leaf_port=leaf_port), SystemClock().now()
        found_hub(hub, hub_id=HUB_ID, name="Gwent hub", urls=[node.url], now=now)
        init = ("init", "--hub", HUB_ID, "--agency", AGENCY, "--name", "Gwent Police")
        agent_command(agent, *init, "--ig-lead-key", str(root / "ig-lead.key"))
        database = root / "county" / "police" / "police.sqlite3"
        with agent.config_path.open("a") as config:
            config.write(f'url = "sqlite+pysqlite:///file:{database}?mode=ro&uri=true"\n')
        person = make_officer(
            root / "officer.key",
            root / "officer.party",
            hub=HUB_ID,
            role=OfficerRole.SOCIAL_WORKER,
            position="Duty social worker",
            now=now,
        )
        lead = make_officer(
            root / "lead.key",
            root / "lead.party",
            hub=HUB_ID,
            role=OfficerRole.IG_LEAD,
            position="Information governance lead",
            now=now,
        )
        add_card(hub.desk, lead.id, OfficerCard(name="Sam Price", position="Information governance lead"))
        add_card(hub.desk, person.id, OfficerCard(name="Alex Morgan", position="Duty social worker"))
        for home in (hub.coordinator, hub.desk):
            home.pin(person.raw)
            home.pin(lead.raw)
        officer = OfficerAtDesk.of(hub, root / "officer.key")
        parties = cls(root, county, hub, HubBus.of(hub, node), agent, officer, leaf_port is not None)
        parties._name_programs()
        return parties

    def start(self) -> None:
        """Start the hub, admit the officer and the agency, start the agent."""
        self.bus.start()
        of_hub = [program for name, program in self.programs.items() if name != AGENCY]
        for program in of_hub:
            program.start()
        for program in of_hub:
            program.wait_until_connected()
        lead = read_key_file(self.root / "lead.key")
        assert lead.party is not None
        for officer in (self.officer.officer, lead.party.id):
            self.hub.ask_coordinator("admit-officer", {"officer": officer})
        publish(self.hub.ask_coordinator, self.hub.ask_desk, lead, england_files(), valid_from=None)
        self._admit()
        self.programs[AGENCY].start()
        self.programs[AGENCY].wait_until_connected()

    def _admit(self) -> None:
        """What two administrators do, with the ten words between them."""
        request, reply = self.root / "police.enrolment", self.root / "police.admission"
        agent_command(self.agent, "enrol", "--out", str(request))
        officers = [(self.root / name).read_text("ascii") for name in ("officer.party", "lead.party")]
        arguments = {
            "request": request.read_text("ascii"),
            "officers": officers,
            "replaces": False,
            "may_run_leaf": self.may_run_leaf,
        }
        offered = self.hub.ask_admission("offer", arguments)
        reply.write_text(offered["reply"], "ascii")
        agent_command(self.agent, "enrol", str(reply), "--words", offered["words"])
        self.hub.ask_admission("admit", {"agency": AGENCY, "words": offered["words"]})
        settle_pins(self.hub)

    def stop(self) -> None:
        """Stop what runs."""
        for program in self.programs.values():
            if program.process is not None:
                program.stop()
        self.bus.stop()

    def _name_programs(self) -> None:
        for name, module, home, words in (
            ("admission", "broker.enrolment", self.hub.admission, ()),
            ("coordinator", "broker.coordinator", self.hub.coordinator, ()),
            ("desk", "broker.desk", self.hub.desk, ()),
            (AGENCY, "agents.police", self.agent, ("run",)),
        ):
            command = (sys.executable, "-m", module, *words, "--home", str(home.path))
            self.programs[name] = Program(name, command, (home,), self.root / f"{name}.log")


def agent_command(home: Home, command: str, *arguments: str) -> None:
    """Run a command of the police's agent, as its administrator would."""
    words = (sys.executable, "-m", "agents.police", command, "--home", str(home.path), *arguments)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
