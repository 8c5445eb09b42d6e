"""An agency whose agent reaches the hub through a server of the agency's own, as its README says to set it up."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from broker.cli import main
from broker.node.bus.embedded import HOST, find_server
from broker.node.command_client import CommandClient
from tests.integration.processes.driver import Driver, check_everything
from tests.support.nats import free_port
from tests.support.processes import AGENCY, Parties, agent_command, until
from tests.support.proxy import FaultProxy

UNTOLD: Final = "# The hub's reply to the enrolment says where the bus is."
NOT_LET_IN: Final = "authorization violation"


def broker(*arguments: object) -> str:
    """A command of the hub; what it printed."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


class Leaf:
    """The agency's server: its folder, and where its agent finds it."""

    def __init__(self, parties: Parties, hub_port: int) -> None:
        self.parties = parties
        self.folder = parties.root / "leaf"
        self.port = free_port()
        self._hub_port = hub_port
        self._process: subprocess.Popen[bytes] | None = None

    def set_up(self) -> None:
        """What the README says: the agency's files, the hub's configuration, the agent's way to it."""
        self.write()
        printed = broker(
            *("bus", "leaf", "--home", self.parties.hub.path, "--remote", f"{HOST}:{self._hub_port}"),
            *("--listen", f"{HOST}:{self.port}", "--installed-in", self.folder, AGENCY),
        )
        (self.folder / "leaf.conf").write_text(printed)
        config = self.parties.agent.config_path
        config.write_text(config.read_text().replace(UNTOLD, f'urls = ["tls://{HOST}:{self.port}"]'))

    def write(self) -> None:
        """What a timer runs at the agency."""
        agent_command(self.parties.agent, "leaf", "--out", str(self.folder), "--host", HOST)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The server."""
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen([find_server(), "-c", self.folder / "leaf.conf"], stdout=log, stderr=log)
        self._process = process
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def read_anew(self) -> None:
        """`nats-server --signal reload`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def refusals(self) -> int:
        """How often the hub has refused it."""
        return (self.folder / "log").read_text().lower().count(NOT_LET_IN)


@pytest.fixture
async def link(tmp_path: Path) -> AsyncIterator[tuple[Parties, Leaf, FaultProxy]]:
    """A hub that takes leaf nodes, an agency whose agent goes through its own, and the wire between the two."""
    hub_port = free_port()
    proxy = FaultProxy(hub_port)
    await proxy.start()
    parties = Parties.build(tmp_path, leaf_port=hub_port)
    try:
        await asyncio.to_thread(parties.start)
        leaf, agent = Leaf(parties, proxy.port), parties.programs[AGENCY]
        assert await asyncio.to_thread(agent.stop) == 0
        await asyncio.to_thread(leaf.set_up)
        with leaf.running():
            agent.start()
            await asyncio.to_thread(agent.wait_until_connected)
            yield parties, leaf, proxy
            assert await asyncio.to_thread(agent.stop) == 0
    finally:
        await proxy.stop()
        await asyncio.to_thread(parties.stop)


async def _refused_again(leaf: Leaf) -> None:
    before = leaf.refusals()
    await asyncio.to_thread(until, "the hub refuses the agency's server", lambda: leaf.refusals() > before)


async def test_an_agency_behind_its_own_server_answers_whatever_happens_to_the_link_until_it_is_expelled(
    link: tuple[Parties, Leaf, FaultProxy],
) -> None:
    parties, leaf, proxy = link
    driver = Driver(parties)
    driver.begin(15)
    driver.allow(3)
    await asyncio.to_thread(driver.wait_until_asked, 3)
    proxy.black_hole()
    driver.allow(3)  # asked while nothing passes and nobody is told
    await asyncio.to_thread(driver.wait_until_asked, 6)
    proxy.heal()
    await proxy.cut()
    driver.allow(3)
    await asyncio.to_thread(driver.wait_until_asked, 9)
    answered: Callable[[], bool] = lambda: driver.is_answered(driver.enquiries[-1])  # noqa: E731
    await asyncio.to_thread(until, "answered through the healed link", answered)
    # The hub goes on in another account: left alone, the link would stand and pass no request.
    await asyncio.to_thread(broker, "bus", "rotate", "account", "--home", parties.hub.path)
    driver.allow(3)
    await asyncio.to_thread(driver.wait_until_asked, 12)
    await asyncio.to_thread(until, "answered through the hub's new account", answered)
    # The hub takes its leave back, and gives it again.
    await asyncio.to_thread(broker, "agency", "leaf", AGENCY, "off", "--home", parties.hub.path)
    await _refused_again(leaf)
    driver.allow(3)
    await asyncio.to_thread(driver.wait_until_asked, 15)
    await asyncio.to_thread(broker, "agency", "leaf", AGENCY, "on", "--home", parties.hub.path)
    check: Callable[[], None] = lambda: check_everything(parties, driver.finish())  # noqa: E731
    await asyncio.to_thread(check)
    assert "may run a leaf node" in await asyncio.to_thread(broker, "agency", "list", "--home", parties.hub.path)
    await asyncio.to_thread(broker, "agency", "expel", AGENCY, "--yes", "--home", parties.hub.path)
    await _refused_again(leaf)


async def test_a_new_signing_key_of_the_agency_is_let_in_once_its_server_has_read_its_files_anew(
    link: tuple[Parties, Leaf, FaultProxy],
) -> None:
    parties, leaf, _ = link
    account = parties.agent.path / "bus" / "account.jwt"
    before = account.read_text()
    rotated = {"purpose": "bus-signer", "emergency": False}
    await asyncio.to_thread(CommandClient(parties.agent.socket_path).ask, "rotate-key", rotated)
    await asyncio.to_thread(until, "the account's claims name the new key", lambda: account.read_text() != before)
    await asyncio.to_thread(leaf.write)
    leaf.read_anew()
    driver = Driver(parties)
    driver.begin(2)
    driver.allow(2)
    await asyncio.to_thread(driver.finish)
    await asyncio.to_thread(parties.programs[AGENCY].wait_until_connected)
