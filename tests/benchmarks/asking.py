"""The officer of the benchmark, in the desk's process: prepares, signs, waits until the desk has opened the answer."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from broker.desk.officers import Commander
from broker.desk.program import Desk
from broker.node.keyfile import read_key_file
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.entry import nonce
from schemas.messages.request import sign_as_officer
from tests.benchmarks.measured import MeasuredParty
from tests.benchmarks.profiling import Profiles
from tests.benchmarks.staging import AGENCY, Stage, enquiry_opened, request_issued
from tests.benchmarks.timeline import Timeline

WAIT_S = 60.0
"""No exchange of a benchmark takes a minute; one that does was lost, and the run says so."""


class AskingDesk(MeasuredParty):
    """The desk's process: what every party answers, and `exchange`."""

    def __init__(
        self, desk: Desk, timeline: Timeline, profiles: Profiles, *, officer: str, key: SigningKey, enquiry: str
    ) -> None:
        super().__init__(desk, timeline, profiles)
        self._questions = desk.counter.questions
        self._officer = officer
        self._key = key
        self._enquiry = enquiry
        self._waiting: dict[str, asyncio.Future[None]] = {}
        timeline.on_committed = self._committed

    @classmethod
    async def open(cls, desk: Desk, timeline: Timeline, profiles: Profiles, stage: Stage) -> AskingDesk:
        """Open the one enquiry that everything is asked in."""
        key = read_key_file(stage.officer_key).signing_key(KeyPurpose.OFFICER)
        shown = await desk.casework.open(stage.officer, enquiry_opened(desk.ground.clock.now()))
        return cls(desk, timeline, profiles, officer=stage.officer, key=key, enquiry=shown["enquiry"])

    async def answer(self, what: str, details: dict[str, Any]) -> Any:
        """Answer the driver's question."""
        match what:
            case "exchange":
                return await self._many(int(details["concurrency"]), int(details["count"]))
            case "leave open":
                for _ in range(int(details["count"])):
                    await self._ask(str(details["agency"]))
                return None
            case _:
                return await super().answer(what, details)

    async def _many(self, concurrency: int, count: int) -> dict[str, Any]:
        """So many exchanges, `concurrency` under way at a time; seconds each, and in all until nothing waits."""
        remaining = iter(range(count))
        seconds: list[float] = []

        async def one_after_the_other() -> None:
            for _ in remaining:
                started = time.perf_counter()
                await self._exchange()
                seconds.append(time.perf_counter() - started)

        started = time.perf_counter()
        at_rest = len(self.program.ground.post.outbox)
        async with asyncio.TaskGroup() as officers:
            for _ in range(concurrency):
                officers.create_task(one_after_the_other())
        while len(self.program.ground.post.outbox) > at_rest:  # noqa: ASYNC110 - the product is not changed to tell us
            await asyncio.sleep(0.001)
        return {"seconds": seconds, "elapsed": time.perf_counter() - started}

    async def _exchange(self) -> None:
        opened = asyncio.get_running_loop().create_future()
        exchange = await self._ask(AGENCY, opened)
        try:
            async with asyncio.timeout(WAIT_S):
                await opened
        finally:
            del self._waiting[exchange]

    async def _ask(self, agency: str, opened: asyncio.Future[None] | None = None) -> str:
        started = time.monotonic_ns()
        # An officer with one key signs with it, whenever it began.
        commander = Commander(self._officer, nonce(), forget_at=0, since=0)
        prepared = await self._questions.prepare(commander, self._enquiry, request_issued(agency))
        exchange = str(prepared["exchange"])
        if opened is not None:
            self._waiting[exchange] = opened
        self.timeline.note(exchange, "began", started)
        self.timeline.note(exchange, "prepared")
        signature = sign_as_officer(self._key, prepared["digest"])
        await self._questions.sign(self._officer, exchange, json.dumps({"signature": signature.raw.hex()}).encode())
        self.timeline.note(exchange, "asked")
        return exchange

    def _committed(self, exchange: str, step: str) -> None:
        waiting = self._waiting.get(exchange)
        if step == "released" and waiting is not None and not waiting.done():
            waiting.set_result(None)
