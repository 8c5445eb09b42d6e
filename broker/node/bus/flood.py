"""How fast each agency sends, and what of it is too much.

Owns the counting: per token of `from.<token>.…`, in integers, before anything of the message is read. What is over the
limit is dropped, and so is all of that token for a twentieth of a second: that can be done without reading it
(`broker.node.bus.sieve`). Its sender repeats what matters. Refuses to know who an agency is and what becomes of a
flooder.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

FROM_AGENCIES: Final = "from."
_MICROSECOND: Final = timedelta(microseconds=1)
_FRESH_US: Final = 1_000_000
_FLOWS: Final = 4096
"""Twice the agencies of a large hub; over it, the quiet ones are forgotten."""


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """How much one agency may send to one program."""

    a_second: int = 2000
    """For as long as it likes: ten times what the busiest agency's answers and acknowledgements come to."""
    at_once: int = 2000
    """On top of it, in one go. An agent with more to send keeps to its pace (`broker.node.post.pacing`)."""
    messages_at_once: int = 500
    """The same, with each message counted as one: what is let in of a flood of small ones before it is known for one
    keeps the program from all others for as long as it takes, some milliseconds."""
    tell_every: timedelta = timedelta(milliseconds=100)
    """So that whoever suspends hears of it well within half a second, also if the first word is lost."""
    bytes_apiece: int = 4096
    """Larger messages count as several. Two thousand of these are 8 MB a second, a sixth of what a hub's program reads;
    with sixteen times as much, a flood of the largest messages has the server cut off the hub before the flooder."""
    shut_for: timedelta = timedelta(milliseconds=50)
    """How long nothing of a token is let in after something was over its limit; its sender repeats after a second."""


class _Flow:
    __slots__ = ("count", "full_at", "many_at", "open_at", "since", "tell_at")

    def __init__(self, now: int) -> None:
        self.full_at = now
        self.many_at = now
        self.open_at = now
        self.since = now
        self.tell_at = now
        self.count = 0


class FloodGauge:
    """The flows of all tokens, each a leaky bucket (the virtual scheduling of ITU-T I.371 annex A)."""

    def __init__(self, limits: FloodLimits, tell: Callable[[str, int], None]) -> None:
        """`tell` is given a token and its rate in messages a second."""
        self._apart_us = max(1, _FRESH_US // limits.a_second)
        self._ahead_us = limits.at_once * self._apart_us
        self._many_us = limits.messages_at_once * self._apart_us
        self._shut_us = limits.shut_for // _MICROSECOND
        self._tell_every_us = limits.tell_every // _MICROSECOND
        self._bytes_apiece = limits.bytes_apiece
        self._tell = tell
        self._flows: dict[str, _Flow] = {}
        self._shut: dict[bytes, _Flow] = {}

    def takes(self, subject: str, now: int, size: int = 0) -> bool:
        """Whether a message on `from.<token>.…` is within its sender's limit.

        Args:
            now: in microseconds, of any origin.
            size: of the payload, in bytes.
        """
        worth = 1 + size // self._bytes_apiece
        token = subject.split(".", 2)[1]
        flow = self._flows.get(token)
        if flow is None:
            flow = self._begin(token, now)
        if now - flow.since > _FRESH_US:
            flow.since, flow.count = now, 0
        flow.count += worth
        full_at = max(flow.full_at, now) + worth * self._apart_us
        many_at = max(flow.many_at, now) + self._apart_us
        if now >= flow.open_at and full_at - now <= self._ahead_us and many_at - now <= self._many_us:
            flow.full_at, flow.many_at = full_at, many_at
            return True
        if now >= flow.open_at:
            flow.open_at = now + self._shut_us
            self._shut[token.encode("ascii", "replace")] = flow
        self._tell_of(token, flow, now)
        return False

    def shut(self, now: int) -> Collection[bytes]:
        """The tokens of which nothing is let in just now; nearly always none."""
        if self._shut:
            self._shut = {token: flow for token, flow in self._shut.items() if now < flow.open_at}
        return self._shut

    def passed_over(self, token: bytes, messages: int, size: int, now: int) -> None:
        """Count messages, and the bytes of all their payloads, that were dropped because their token is shut."""
        name = token.decode("ascii", "replace")
        flow = self._flows.get(name)
        if flow is None:
            flow = self._begin(name, now)
        flow.count += messages + size // self._bytes_apiece
        self._tell_of(name, flow, now)

    def _tell_of(self, token: str, flow: _Flow, now: int) -> None:
        if now >= flow.tell_at:
            self._tell(token, flow.count * _FRESH_US // max(self._tell_every_us, now - flow.since))
            flow.tell_at = now + self._tell_every_us
            flow.since, flow.count = now, 0

    def _begin(self, token: str, now: int) -> _Flow:
        if len(self._flows) >= _FLOWS:
            self._flows = {name: flow for name, flow in self._flows.items() if flow.full_at > now}
        flow = self._flows[token] = _Flow(now)
        return flow
