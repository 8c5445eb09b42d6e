"""A flood through the whole product: counted at the coordinator, reported, and the agency suspended by admission."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.client.hub import LOOPBACK
from broker.node.bus.access import HomeAccess
from broker.node.bus.address import read_address
from broker.node.clock import SystemClock
from broker.node.home import Home
from broker.node.tls_key import load_tls_key
from schemas.crypto.purposes import KeyPurpose
from tests.support.processes import AGENCY, Parties, is_connected, until


@pytest.fixture
def parties(tmp_path: Path) -> Iterator[Parties]:
    made = Parties.build(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def flooder(home: Home, folder: Path, *, size: int) -> subprocess.Popen[str]:
    """A stranger's program with everything the agency has: its keys, its certificate, its place on the bus."""
    keys = home.keys_to_read()
    access = HomeAccess.load(home, keys)
    address = read_address((home.path / "bus" / "addresses").read_text("ascii").split()[0], setting="addresses")
    key = load_tls_key(keys.get(KeyPurpose.TLS, keys.names(KeyPurpose.TLS)[-1]))
    private = folder / "stolen.key"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    told = {
        "host": LOOPBACK,
        "port": address.port,
        "ca": str(home.path / "bus" / "ca.pem"),
        "chain": str(home.path / "bus" / "client.pem"),
        "key": str(private),
        "jwt": access.user_jwt(SystemClock().now()),
        "seed": home.signing_key(keys, KeyPurpose.BUS_USER).seed().hex(),
        "subject": f"from.{access.account}.coordinator",
        "size": size,
        "seconds": 60,
    }
    words = (sys.executable, "-m", "tests.support.flooder")
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    return process


def standing(parties: Parties) -> dict[str, Any]:
    """How admission has the agency."""
    (found,) = parties.hub.ask_admission("agencies")["agencies"]
    return dict(found)


def steps_in_the_log(parties: Parties) -> list[str]:
    """What admission has entered."""
    entries = parties.hub.ask_coordinator("log", {"start": 0, "limit": 1000})["entries"]
    return [one["entry"]["step"] for one in entries if one["entry"]["type"] == "admission"]


@pytest.mark.parametrize("size", [128, 1_000_000])
def test_a_flooder_is_suspended_and_the_hub_goes_on(parties: Parties, tmp_path: Path, size: int) -> None:
    with flooder(parties.agent, tmp_path, size=size) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "cut\n"
    until("the flooder's agency suspended", lambda: standing(parties)["state"] == "suspended")
    assert standing(parties)["reason"] == "flooding"
    until("its suspension in the log", lambda: steps_in_the_log(parties)[-1] == "suspended")
    for home in (parties.hub.coordinator, parties.hub.desk):
        until("the hub goes on", partial(is_connected, home))
    until("the agent cut off too", lambda: not is_connected(parties.agent))
    assert parties.programs[AGENCY].process is not None
    assert parties.programs[AGENCY].process.poll() is None, "an agent that is suspended waits to be let in again"
