"""`broker bus config`, `check` and `leaf`, as a person types them."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from broker.cli import main
from broker.client.hub import Hub
from broker.node.bus.embedded import HOST, find_server
from tests.support.nats import free_port

UNCOMPARED: Final = (
    "warn  admission  not running, so the servers are compared with each other only; start it: broker run admission"
)


def broker(*arguments: object) -> Result:
    """The command, run here."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def port() -> int:
    """Where the hub's server listens."""
    return free_port()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, port: int) -> Hub:
    """A hub that was just made, for a server of its own."""
    home = tmp_path_factory.mktemp("hub") / "home"
    made = broker("init", "--home", home, "--hub-id", "gwent", "--name", "Gwent", "--bus-url", f"tls://{HOST}:{port}")
    assert made.exit_code == 0, made.output
    return Hub(home)


@pytest.fixture
def written(hub: Hub, port: int, tmp_path: Path) -> Path:
    """The configuration of its server."""
    done = broker("bus", "config", "--home", hub.path, "--out", tmp_path, "--node", f"hub-1={HOST}:{port}")
    assert done.exit_code == 0, done.output
    return tmp_path / "hub-1" / "nats-server.conf"


@contextmanager
def running(configuration: Path) -> Iterator[None]:
    """A server started from that file and nothing else."""
    log = configuration.with_name("log")
    with log.open("wb") as said:
        process = subprocess.Popen([find_server(), "--config", configuration], stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + 60
        while "Server is ready" not in log.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait()


def test_a_server_starts_from_what_was_written_and_is_safe(hub: Hub, written: Path) -> None:
    with running(written):
        checked = broker("bus", "check", "--home", hub.path, "--config", written)
    assert checked.output.splitlines() == [UNCOMPARED]
    assert checked.exit_code == 0


def test_a_file_that_was_changed_is_refused_with_its_line(hub: Hub, written: Path) -> None:
    written.write_text(written.read_text().replace("handshake_first: true", "handshake_first: false"))
    with running(written):
        checked = broker("bus", "check", "--home", hub.path, "--config", written, "--json")
    assert checked.exit_code == 1
    found = {one["where"].rpartition("/")[2]: one["said"] for one in json.loads(checked.stdout)}
    line = written.read_text().splitlines().index("  handshake_first: false") + 1
    assert "change it to handshake_first: true" in found[f"nats-server.conf:{line}"]
    assert any("speaks before TLS" in said for said in found.values())


def test_a_hub_whose_server_is_down_is_told_so(hub: Hub) -> None:
    checked = broker("bus", "check", "--home", hub.path)
    assert checked.exit_code == 1
    assert "nothing answers there" in checked.output


def test_a_server_that_was_configured_and_never_seen_is_named(
    hub: Hub, written: Path, port: int, tmp_path: Path
) -> None:
    nodes = ["--node", f"hub-1={HOST}:{port}", "--node", f"hub-2={HOST}:{free_port()}"]
    done = broker("bus", "config", "--home", hub.path, "--out", tmp_path, "--route-port", free_port(), *nodes)
    assert done.exit_code == 0, done.output
    with running(written):
        checked = broker("bus", "check", "--home", hub.path)
    assert checked.exit_code == 1
    assert checked.output.splitlines()[0] == UNCOMPARED
    assert checked.output.splitlines()[1].startswith("FAIL  server hub-2  it does not answer; start it, or run broker")


def test_a_cluster_is_one_folder_a_server_and_each_knows_the_others_keys(hub: Hub, tmp_path: Path) -> None:
    nodes = [part for number in (1, 2, 3) for part in ("--node", f"hub-{number}={HOST}:{4221 + number}")]
    done = broker("bus", "config", "--home", hub.path, "--out", tmp_path, *nodes, "--leaf-port", 7422, "--json")
    assert done.exit_code == 0, done.output
    paths = [Path(path) for path in json.loads(done.stdout)["configurations"]]
    assert [path.parent.name for path in paths] == ["hub-1", "hub-2", "hub-3"]
    pins = {line for path in paths for line in path.read_text().splitlines() if "pinned_certs" in line}
    assert len(pins) == 1
    assert pins.pop().count('"') == 6


def test_a_server_outside_of_what_the_authority_signs_for_is_refused(hub: Hub, tmp_path: Path) -> None:
    done = broker("bus", "config", "--home", hub.path, "--out", tmp_path, "--node", "hub-1=elsewhere.example")
    assert done.exit_code == 1
    assert "[host_invalid]" in done.output


@pytest.mark.parametrize("node", ["hub-1", "=host", "Hub=host", "hub-1=", "hub-1=host:0", "hub-1=u@host"])
def test_a_node_that_is_none_is_refused_as_an_option(node: str, hub: Hub, tmp_path: Path) -> None:
    done = broker("bus", "config", "--home", hub.path, "--out", tmp_path, "--node", node)
    assert done.exit_code == 2
    assert "--node" in done.output
