"""Questions to every server of the bus at once, and their answers (NATS system services).

Owns the form of a server's answer, and how many are waited for. Refuses to know what is asked, and what follows.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from broker.enrolment.servers.connection import SystemConnection

ANSWER_WITHIN: Final = timedelta(seconds=2)
"""For one question to all servers; they answer in milliseconds, and one that does not is asked again."""


class ServerName(BaseModel):
    """Which server speaks: an id that is new at each start, and the name in its configuration."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str


class ServerAnswer(BaseModel):
    """What a server answers; the form is its own, of which only this is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    server: ServerName
    data: Any = None


@dataclass(slots=True)
class _Question:
    owed: Counter[str]
    wanted: int
    heard: Callable[[ServerAnswer], None] | None = None
    answers: list[ServerAnswer] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, payload: bytes) -> None:
        with suppress(ValidationError):
            self._count(ServerAnswer.model_validate_json(payload))

    def _count(self, answer: ServerAnswer) -> None:
        self.answers.append(answer)
        if self.heard is not None:
            self.heard(answer)
        if self.owed[answer.server.id] > 0:
            self.owed[answer.server.id] -= 1
            self.wanted -= 1
        elif not self.owed:
            self.wanted -= 1
        if self.wanted <= 0:
            self.done.set()


@dataclass(slots=True)
class _Texts:
    """Answers without a form: the claims of one account, as each server has them."""

    wanted: int
    answers: list[bytes] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, payload: bytes) -> None:
        self.answers.append(payload)
        if len(self.answers) >= self.wanted:
            self.done.set()


class Asking:
    """Asks over a system connection. Made before the connection is started."""

    def __init__(self, connection: SystemConnection) -> None:
        self._connection = connection
        self._questions: dict[str, _Question | _Texts] = {}
        connection.listen_for_answers(self._on_answer)

    async def ask(
        self,
        subject: str,
        payload: bytes = b"",
        *,
        of: Collection[str] | int,
        within: timedelta = ANSWER_WITHIN,
        heard: Callable[[ServerAnswer], None] | None = None,
    ) -> list[ServerAnswer]:
        """Ask every server, and give the answers; fewer than wanted if time is over.

        Args:
            of: the ids of the servers that are waited for, or how many there may be.
            heard: called with each answer as it comes.

        Raises:
            BusAway: not connected.
        """
        return await self.ask_each(subject, [payload], 1, of=of, within=within, heard=heard)

    async def ask_each(
        self,
        subject: str,
        payloads: Iterable[bytes],
        number: int,
        *,
        of: Collection[str] | int,
        within: timedelta = ANSWER_WITHIN,
        heard: Callable[[ServerAnswer], None] | None = None,
    ) -> list[ServerAnswer]:
        """The same for several questions on one subject, `number` of them.

        Each is taken from `payloads` in the moment in which it is sent: servers keep what they are told last, so what
        was decided meanwhile must not be followed by what it replaced.
        """
        if isinstance(of, int):
            question = _Question(Counter(), of * number, heard)
        else:
            question = _Question(Counter(dict.fromkeys(of, number)), len(of) * number, heard)
        await self._send(question, subject, payloads, within if question.wanted else timedelta())
        return question.answers

    async def ask_for_texts(self, subject: str, number: int, *, within: timedelta = ANSWER_WITHIN) -> list[bytes]:
        """Ask something that `number` servers answer with bare text; fewer if time is over.

        Raises:
            BusAway: not connected.
        """
        question = _Texts(number)
        await self._send(question, subject, [b""], within)
        return question.answers

    async def _send(
        self, question: _Question | _Texts, subject: str, payloads: Iterable[bytes], within: timedelta
    ) -> None:
        token = secrets.token_hex(8)
        self._questions[token] = question
        try:
            for payload in payloads:
                await self._connection.ask(subject, payload, reply=f"{self._connection.inbox}.{token}")
            with suppress(TimeoutError):
                async with asyncio.timeout(within.total_seconds()):
                    await question.done.wait()
        finally:
            del self._questions[token]

    async def _on_answer(self, subject: str, payload: bytes) -> None:
        question = self._questions.get(subject.rpartition(".")[2])
        if question is not None:
            question.take(payload)
