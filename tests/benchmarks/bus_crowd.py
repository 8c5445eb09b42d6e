"""A process of many agencies, each with the product's own supervised bus, told who they are by one line of JSON.

Says `ready` when all are connected; from then on, whenever all have come back after a loss, `back` with the instant of
each on the machine's monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from broker.node.bus.nats import NatsBus
from broker.node.journal import configure_journal
from tests.benchmarks.bus_children import context_told, heard, say, user_told

_AT_A_TIME = 25


class _Ears:
    def __init__(self, crowd: _Crowd) -> None:
        self._crowd = crowd

    def connected(self) -> None:
        self._crowd.came.append(time.monotonic())
        if len(self._crowd.came) == self._crowd.number:
            self._crowd.is_whole.set()

    def disconnected(self) -> None:
        self._crowd.is_whole.clear()

    def unheard(self, subject: str) -> None:
        pass

    def dropped(self, subject: str) -> None:
        pass

    def flooding(self, token: str, rate: int) -> None:
        pass


class _Crowd:
    def __init__(self, number: int) -> None:
        self.number = number
        self.came: list[float] = []
        self.is_whole = asyncio.Event()


async def _nothing(subject: str, payload: bytes) -> None:
    return


async def main(told: dict[str, Any]) -> None:
    """Connect, say so; then report each return."""
    context = context_told(told)
    users = [user_told(each, context) for each in told["users"]]
    crowd, buses = _Crowd(len(users)), []
    for start in range(0, len(users), _AT_A_TIME):
        for user in users[start : start + _AT_A_TIME]:
            bus = NatsBus([told["url"]], name="agent", access=lambda user=user: user)  # type: ignore[misc]
            await bus.subscribe(f"to.{user.account}.>", _nothing)
            await bus.start(_Ears(crowd))
            buses.append(bus)
        while len(crowd.came) < len(buses):  # noqa: ASYNC110 - not what is measured
            await asyncio.sleep(0.01)
    say("ready")
    while await heard():
        # The parent has said that the server goes: whoever comes from now on comes back.
        crowd.came.clear()
        crowd.is_whole.clear()
        await crowd.is_whole.wait()
        say("back", came=crowd.came)


if __name__ == "__main__":
    configure_journal("bench")
    asyncio.run(main(json.loads(sys.stdin.readline())))
