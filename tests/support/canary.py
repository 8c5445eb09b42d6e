"""An agency and a hub that go on exchanging messages while somebody else does their worst.

Owns what must stay true whatever the others do: every message arrives, unchanged, and nothing else comes to either.
"""

from __future__ import annotations

import asyncio
import secrets
from types import TracebackType
from typing import Final

from tests.support.raw_nats import WITHIN_S, Heard, RawNats
from tests.support.walled import Walls

HUB_ROLES: Final = ("coordinator", "desk", "admission")
FORGED: Final = b"forged by an attacker"


class Canary:
    """Hub and one agency in conversation: `async with Canary(walls, "south") as canary: ...`."""

    def __init__(self, walls: Walls, agency: str) -> None:
        self.token = walls.agencies[agency].token
        self.rounds = 0
        self.mark = secrets.token_hex(16).encode()
        self._walls, self._name = walls, agency
        self._hub: dict[str, RawNats] = {}
        self._seen = {True: 0, False: 0}
        self._agent: RawNats
        self._task: asyncio.Task[None] | None = None
        self._enough, self._went_on = asyncio.Event(), asyncio.Event()

    async def __aenter__(self) -> Canary:
        self._agent = await self._walls.agency(self._name)
        await self._agent.subscribe(f"to.{self.token}.>")
        assert await self._agent.barrier()
        for role in HUB_ROLES:
            client = self._hub[role] = await self._walls.hub(role)
            await client.subscribe(f"hub.{role}")
            await client.subscribe(f"from.*.{role}")
            assert await client.barrier(), client.errors
        await self._round()
        self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._enough.set()
        await self._task
        if error is None:
            await self._round()  # whatever was on its way has been carried before this one is through
            for client in self._hub.values():
                assert await client.barrier(), client.errors
            self.check()

    async def some_rounds(self, more: int) -> None:
        """Let the conversation go on for so many rounds."""
        wanted = self.rounds + more
        async with asyncio.timeout(WITHIN_S):
            while self.rounds < wanted:
                self._went_on.clear()
                if self._task is not None and self._task.done():
                    self._task.result()
                await self._went_on.wait()

    def check(self) -> None:
        """Nothing came to the agency but what the hub said, and nothing to the hub in the agency's name but its own."""
        assert self.rounds >= 2
        for heard in self._agent.heard:
            assert heard.payload.startswith(self.mark), heard
            assert heard.subject == f"to.{self.token}.in", heard
        for role, client in self._hub.items():
            for heard in client.heard:
                if f".{self.token}." in heard.subject:
                    assert heard.payload.startswith(self.mark), (role, heard)
                assert heard.subject.startswith("from."), (role, heard)

    def is_unheard_by(self, client: RawNats) -> bool:
        """Whether nothing of this conversation has come to somebody's connection."""
        secrets_of_ours = (self.mark, self.token.encode())
        return not any(
            one in heard.subject.encode() + heard.reply.encode() + heard.headers + heard.payload
            for heard in client.heard
            for one in secrets_of_ours
        )

    def at_hub(self, role: str = "coordinator", *, token: str | None = None) -> list[Heard]:
        """What has come to a party of the hub from others than the agency (or from one of them)."""
        return [
            heard
            for heard in self._hub[role].heard
            if (f".{token}." in heard.subject if token else f".{self.token}." not in heard.subject)
        ]

    async def _go_on(self) -> None:
        try:
            while not self._enough.is_set():
                await self._round()
        finally:
            self._went_on.set()

    async def _round(self) -> None:
        payload = self.mark + str(self.rounds).encode()
        for speaker, subject, listener in (
            (self._hub["coordinator"], f"to.{self.token}.in", self._agent),
            (self._agent, f"from.{self.token}.coordinator", self._hub["coordinator"]),
        ):
            await speaker.publish(subject, payload)
            await self._until_heard(listener, subject, payload)
        self.rounds += 1
        self._went_on.set()

    async def _until_heard(self, client: RawNats, subject: str, payload: bytes) -> None:
        at = self._seen.get(client is self._agent, 0)
        while True:
            heard = await client.until_heard(at + 1)
            at += 1
            self._seen[client is self._agent] = at
            assert not client.cut.is_set(), client.errors
            if (heard[at - 1].subject, heard[at - 1].payload) == (subject, payload):
                return
