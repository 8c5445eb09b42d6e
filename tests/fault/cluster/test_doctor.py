"""What the doctor says of a real bus: who answers, who does not, and why not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from broker.node.bus.address import ServerAddress, read_address
from broker.node.bus.embedded import HOST
from broker.node.doctor import bus
from broker.node.doctor.bus import check_access, check_bus, configured_servers
from broker.node.doctor.checked import NotWell, Warned
from tests.support.clustered import ClusteredWorld
from tests.support.nats import free_port

pytestmark = pytest.mark.asyncio(loop_scope="package")
AGENCY = "northshire"


async def tried(world: ClusteredWorld, *addresses: ServerAddress) -> str | Warned:
    return await asyncio.to_thread(check_bus, world.home(AGENCY), addresses, None, world.clock.now())


async def test_every_server_is_dialled_for_real_and_those_that_do_not_admit_say_why(
    world: ClusteredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = replace(bus._TIMINGS, connect_within=timedelta(minutes=1))
    monkeypatch.setattr(bus, "_TIMINGS", patient)  # the machine may be busy; these servers are not away
    home = world.home(AGENCY)
    home.config_path.write_text("")
    addresses, proxy = configured_servers(home)
    assert proxy is None
    said = await tried(world, *addresses)
    assert isinstance(said, str)
    assert said.count("admitted, its certificate holds until 2") == 3
    assert "account JWT fit" in await asyncio.to_thread(check_access, home, world.clock.now())

    world.servers.kill(world.nodes[1].name)
    found = await tried(world, *addresses)
    assert isinstance(found, Warned)
    assert f"{world.nodes[1].url}: nothing listens on that port" in found.said

    port = world.nodes[0].port
    with pytest.raises(NotWell, match="another host name"):
        await tried(world, read_address(f"tls://localhost:{port}", setting="bus.urls"))
    with pytest.raises(NotWell, match="nothing listens"):
        await tried(world, read_address(f"tls://{HOST}:{free_port()}", setting="bus.urls"))

    # Another agency's certificate and JWT would do; an authority that is not the hub's would not.
    trusted = home.path / "bus" / "ca.pem"
    right = trusted.read_bytes()
    trusted.write_bytes((home.path / "bus" / "client.pem").read_bytes())
    try:
        with pytest.raises(NotWell, match="not from an authority that we trust"):
            await tried(world, *addresses)
    finally:
        trusted.write_bytes(right)
