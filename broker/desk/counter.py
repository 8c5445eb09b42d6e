"""The desk's counter: which command goes where. A command names its officer by a signature, or is not heard.

Plain values in and out; the socket it is served on is `broker.node`'s. Only the status is told without a signature: it
counts, and names nobody.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from broker.desk import register
from broker.desk.casework import Casework
from broker.desk.conflicts import Conflicts
from broker.desk.glass import Glass
from broker.desk.officers import Commander, CommandRepeated, check_command
from broker.desk.questions import Questions
from broker.desk.reading import Reading
from broker.desk.trust import Trust
from broker.node.backup_catchup import CatchUp
from broker.node.post.office import Post
from schemas.failures import Rejected

Answer: TypeAlias = "dict[str, Any]"
Act: TypeAlias = "Callable[[Counter, Commander, str, bytes], Awaitable[Answer]]"
"""Counter, officer, the id in the path ("" where there is none), body."""

_ID: Final = "([0-9a-f]{32})"


class CommandUnknown(Rejected):
    """No such command."""

    code = "command_unknown"


@dataclass(slots=True)
class Counter:
    """Takes signed commands and carries each out once."""

    trust: Trust
    post: Post
    casework: Casework = field(repr=False)
    questions: Questions = field(repr=False)
    reading: Reading = field(repr=False)
    conflicts: Conflicts = field(repr=False)
    glass: Glass = field(repr=False)
    catch_up: CatchUp

    async def serve(self, method: str, path: str, header: str, body: bytes) -> Answer:
        """Carry out one command.

        Args:
            path: as it was signed, without a query.
            header: the value of the header `officers.HEADER`.

        Raises:
            CommandUnknown, CommandUnsigned, CommandUntimely, CommandRepeated, and what the command itself raises.
            CatchingUp: the desk was restored and has not heard the coordinator yet.
        """
        act, target = _find(method, path)
        self.catch_up.require()
        now = self.post.clock.now()
        commander = check_command(header, method, path, body, trust=self.trust, now=now)
        is_new = await self.post.store.write(
            lambda tx: register.take_nonce(tx, commander.officer, commander.nonce, commander.forget_at, now)
        )
        if not is_new:
            raise CommandRepeated("this command was carried out before; sign a new one")
        try:
            return await act(self, commander, target, body)
        except register.EnquiryUnknown:
            # Beside the refusal, for every unknown id alike: how soon it comes tells nobody whether there is one.
            self.post.spawn(self.conflicts.tried(commander.officer, target))
            raise

    async def status(self) -> Answer:
        """Counts by code; no ids and no names."""
        counts = await self.post.store.read(register.counts)
        return {
            "connected_since": self.post.connected_at,
            "waiting": len(self.post.outbox),
            "dates": self.post.dates.shown(),
            "halted": self.post.halted.done(),
            "restored": self.catch_up.shown(),
            **counts,
        }


COMMANDS: Final[Mapping[tuple[str, str], Act]] = {
    ("POST", "/enquiries"): lambda at, who, _, body: at.casework.open(who.officer, body),
    ("GET", "/enquiries"): lambda at, who, _, __: at.casework.all(who.officer),
    ("GET", "/enquiries/{id}"): lambda at, who, on, _: at.reading.progress(who.officer, on),
    ("GET", "/enquiries/{id}/answers"): lambda at, who, on, _: at.reading.answers(who.officer, on),
    ("POST", "/enquiries/{id}/requests"): lambda at, who, on, body: at.questions.prepare(who, on, body),
    ("GET", "/enquiries/{id}/conflicts"): lambda at, who, on, _: at.conflicts.listed(who.officer, on),
    ("POST", "/enquiries/{id}/conflicts"): lambda at, who, on, body: at.conflicts.add(who.officer, on, body),
    ("POST", "/enquiries/{id}/conflicts/removal"): lambda at, who, on, body: at.conflicts.remove(who.officer, on, body),
    ("POST", "/enquiries/{id}/decision"): lambda at, who, on, body: at.casework.decide(who.officer, on, body),
    ("POST", "/enquiries/{id}/close"): lambda at, who, on, _: at.casework.close(who.officer, on),
    ("POST", "/enquiries/{id}/erase"): lambda at, who, on, _: at.casework.erase(who.officer, on),
    ("POST", "/requests/{id}/signature"): lambda at, who, on, body: at.questions.sign(who.officer, on, body),
    ("GET", "/requests/{id}"): lambda at, who, on, _: at.questions.show(who.officer, on),
    ("GET", "/break-glass"): lambda at, who, _, __: at.glass.waiting(who.officer),
    ("GET", "/break-glass/{id}"): lambda at, who, on, _: at.glass.show(who.officer, on),
    ("POST", "/break-glass/{id}/signature"): lambda at, who, on, body: at.glass.sign(who.officer, on, body),
    ("POST", "/break-glass/{id}/closing"): lambda at, who, on, body: at.glass.close(who.officer, on, body),
    ("POST", "/requests/{id}/withdraw"): lambda at, who, on, _: at.questions.withdraw(who.officer, on),
}
_PATTERNS: Final = tuple(
    (method, re.compile(template.replace("{id}", _ID)), act) for (method, template), act in COMMANDS.items()
)


def _find(method: str, path: str) -> tuple[Act, str]:
    for known, pattern, act in _PATTERNS:
        match = pattern.fullmatch(path) if known == method else None
        if match is not None:
            return act, match[1] if match.groups() else ""
    raise CommandUnknown("no such command")
