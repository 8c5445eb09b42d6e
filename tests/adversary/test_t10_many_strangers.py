"""T10: strangers without number at the door, who begin what is no TLS, or TLS without a certificate of the hub's.

Real servers, the product's own bus at both ends of a conversation that goes on meanwhile, and admission, which counts.
A few thousand in every run of the tests; a million in the soak.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from schemas.messages.party import PartyKind
from tests.support.admitting import Admitting
from tests.support.guarded import Conversation, Ears, GuardedHub, on_bus
from tests.support.hub_bus import HubBus

SOME: Final = {"garbage": 2_700, "no-certificate": 210, "wrong-certificate": 90}
A_MILLION: Final = {kind: number * 1000 // 3 for kind, number in SOME.items()}
HOURS_S: Final = 3 * 3600.0
"""Within which they knock, however slow the machine; a test that hangs ends here."""
GROWTH_AT_MOST: Final = 96 * 1024 * 1024
"""Of the server's memory. Ten thousand handshakes kept would be more."""
LOG_AT_MOST: Final = 256 * 1024
LOGS_AT_MOST: Final = 3


def resident_bytes(pid: int) -> int:
    """Of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024


@pytest.mark.parametrize("mix", [SOME, pytest.param(A_MILLION, marks=pytest.mark.soak)], ids=["some", "a million"])
async def test_strangers_without_number_lose_nobody_anything_and_are_all_counted(
    tmp_path: Path, mix: Mapping[str, int]
) -> None:
    bus = HubBus(tmp_path / "bus")
    (configuration,) = bus.configurations
    log = tmp_path / "log" / "nats-server.log"
    log.parent.mkdir()
    limits = f'log_file: "{log}"\nlogfile_size_limit: {LOG_AT_MOST}\nlogfile_max_num: {LOGS_AT_MOST}\n'
    configuration.write_text(configuration.read_text() + limits)
    knocking: list[asyncio.subprocess.Process] = []
    try:
        await bus.start()
        server = bus.processes["hub-1"]
        async with Admitting.of(bus) as admission:
            hub = GuardedHub(bus, admission)
            south, ears = await hub.admit(), Ears(hub)
            async with (
                on_bus(bus, bus.users[PartyKind.COORDINATOR], ears) as coordinator,
                on_bus(bus, south.user, Ears()) as agent,
            ):
                talk = Conversation(coordinator, agent, south.token)
                await talk.begin()
                await coordinator.subscribe("from.*.coordinator", talk.heard)
                await talk.ask(0)
                before, most = resident_bytes(server.pid), 0
                for kind, number in mix.items():
                    knocking.append(await strangers(bus, kind, number))
                all_gone = asyncio.gather(*(one.communicate() for one in knocking))
                asked = 1
                while not all_gone.done():
                    await talk.ask(asked)
                    asked += 1
                    most = max(most, resident_bytes(server.pid))
                    await asyncio.sleep(0.02)
                assert [int(said) for said, _ in await all_gone] == list(mix.values())
                for number in range(asked, asked + 20):
                    await talk.ask(number)
                async with asyncio.timeout(60):
                    while admission.told.strangers < sum(mix.values()):
                        admission.told.changed.clear()
                        await admission.told.changed.wait()
        assert len(talk.seconds) == asked + 20, "not every question was answered"
        assert server.poll() is None
        assert most - before < GROWTH_AT_MOST
        assert sum(file.stat().st_size for file in log.parent.iterdir()) < (LOGS_AT_MOST + 2) * LOG_AT_MOST
    finally:
        for one in knocking:
            if one.returncode is None:
                one.kill()
        bus.stop()


async def strangers(bus: HubBus, kind: str, number: int) -> asyncio.subprocess.Process:
    """A process of so many strangers."""
    words = (sys.executable, "-m", "tests.support.strangers", str(bus.nodes[0].port), kind, str(HOURS_S), str(number))
    return await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
