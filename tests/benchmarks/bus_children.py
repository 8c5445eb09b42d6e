"""The processes beside admission when the control of the bus is measured: a flooder, the hub, another agency.

`python -m tests.benchmarks.bus_children flood|hub|agent`, told who to be by one line of JSON; says what happens, and
when on the machine's monotonic clock, a line each.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any

from broker.node.bus.nats import NatsBus
from broker.node.bus.port import BusAway
from broker.node.clock import SystemClock
from broker.node.journal import configure_journal
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from tests.support.hub_bus import BusUser, connect

FLOOD = b"f" * 128


def user_told(told: dict[str, Any], context: ssl.SSLContext) -> BusUser:
    """A user out of what the parent said."""
    return BusUser(
        told["account"],
        SigningKey.from_seed(KeyPurpose.BUS_SIGNER, bytes.fromhex(told["signer"])),
        SigningKey.from_seed(KeyPurpose.BUS_USER, bytes.fromhex(told["user"])),
        context,
    )


def context_told(told: dict[str, Any]) -> ssl.SSLContext:
    """TLS out of what the parent said."""
    context = ssl.create_default_context(cadata=told["authority"])
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(told["certificate"])
        file.flush()
        context.load_cert_chain(file.name)
    return context


def say(what: str, **facts: Any) -> None:
    """Tell the parent."""
    print(json.dumps({"what": what, "at": time.monotonic(), **facts}), flush=True)


async def heard() -> str:
    """The parent's next line; empty at its end."""
    line: str = await asyncio.to_thread(sys.stdin.readline)
    return line.strip()


async def flood(told: dict[str, Any]) -> None:
    """An agency that says as much as it can as soon as it is told to, until it is cut off."""
    user = user_told(told["users"][0], context_told(told))
    client = await connect(user, told["url"])
    say("ready")
    await heard()
    subject = f"from.{user.account}.coordinator"
    say("begun")
    while True:  # until the parent has seen enough: nats-py itself may wait for ever once it was cut off
        for _ in range(200):
            await client.client.publish(subject, FLOOD)
        await asyncio.sleep(0)


class _Ears:
    def connected(self) -> None:
        say("ready")

    def disconnected(self) -> None:
        say("lost")

    def unheard(self, subject: str) -> None:
        pass

    def dropped(self, subject: str) -> None:
        pass

    def flooding(self, token: str, rate: int) -> None:
        say("flooding", token=token, rate=rate)


async def hub(told: dict[str, Any]) -> None:
    """The coordinator's end: answers what is no flood, and tells of what is."""
    user = user_told(told["users"][0], context_told(told))
    bus = NatsBus([told["url"]], name="coordinator", access=lambda: user, clock=SystemClock())

    async def answer(subject: str, payload: bytes) -> None:
        if payload != FLOOD:
            await bus.publish(f"to.{subject.split('.')[1]}.in", payload)

    await bus.subscribe("from.*.coordinator", answer)
    await bus.start(_Ears())
    await heard()
    await bus.close()


async def agent(told: dict[str, Any]) -> None:
    """Another agency's end: answers whatever it is asked."""
    user = user_told(told["users"][0], context_told(told))
    bus = NatsBus([told["url"]], name="agent", access=lambda: user, clock=SystemClock())

    async def answer(subject: str, payload: bytes) -> None:
        with suppress(BusAway):  # it is asked again
            await bus.publish(f"from.{user.account}.coordinator", payload)

    await bus.subscribe(f"to.{user.account}.>", answer)
    await bus.start(_Ears())
    await heard()
    await bus.close()


if __name__ == "__main__":
    configure_journal("bench")
    asyncio.run({"flood": flood, "hub": hub, "agent": agent}[sys.argv[1]](json.loads(sys.stdin.readline())))
