"""When an agency is suspended without a person being asked: it floods, or it connects again and again.

Accounts isolate what is said, not how much. The hub's own subscribers count, because that costs nothing while nobody
floods: asking the servers often enough to be as quick would alone use up what an idle hub may (`tests/benchmarks`).
Admission asks `Guard` about each report and each connect; it is a function of what it was told and when. Refuses to
know claims and servers, and never lifts a suspension: only a person does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

COOL_OFF: Final = timedelta(minutes=10)
"""Before a person may resume an agency that was suspended here: time to have stopped what did it."""
_MS: Final = timedelta(milliseconds=1)


class SuspensionReason(StrEnum):
    """Why; a word of the log's entry."""

    FLOODING = "flooding"
    RECONNECTING = "reconnecting"


@dataclass(frozen=True, slots=True)
class Suspend:
    """An account is to be suspended at once."""

    account: str
    reason: SuspensionReason


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """What an agency may do. An agent at its busiest, catching up after a day's outage, stays under a tenth of it."""

    rate: int = 2_000
    """Messages a second, as the hub's subscribers count them."""
    sustained: timedelta = timedelta(milliseconds=80)
    """How far apart two reports have to be: what an agent held back while it was away may come in one burst."""
    forgotten_after: timedelta = timedelta(seconds=1)
    at_once: int = 50_000
    """Messages a second at which one report is enough. More than the first report of any burst can say
    (`broker.node.bus.flood`): what an honest agency sent while a line, or the hub itself, stood still comes at once."""
    connects: int = 120
    """Connects of an account within `connects_within`; an agent waits between them, longer each time."""
    connects_within: timedelta = timedelta(seconds=20)


_DEFAULT_LIMITS: Final = GuardLimits()


class Guard:
    """Decides from reports and connects. Remembers a second of the ones and twenty of the others, by account."""

    def __init__(self, limits: GuardLimits = _DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._first_report: dict[str, tuple[int, int]] = {}
        self._connects: dict[str, deque[int]] = {}

    def reported(self, account: str, rate: int, *, now: int) -> Suspend | None:
        """The coordinator or the desk counted `rate` messages a second under that account's token.

        The caller has checked that the report is theirs, and that it knows such an account.
        """
        limits = self._limits
        if rate < limits.rate:
            return None
        first, newest = self._first_report.get(account, (now, now))
        if not 0 <= now - newest <= limits.forgotten_after // _MS:
            first = now
        self._first_report[account] = (first, now)
        if rate >= limits.at_once or now - first >= limits.sustained // _MS:
            return self._suspend(account, SuspensionReason.FLOODING)
        return None

    def connected(self, account: str, *, now: int) -> Suspend | None:
        """A user of that account connected to a server: each time costs the server a millisecond of TLS."""
        recent = self._connects.setdefault(account, deque())
        recent.append(now)
        while now - recent[0] > self._limits.connects_within // _MS:
            recent.popleft()
        if len(recent) > self._limits.connects:
            return self._suspend(account, SuspensionReason.RECONNECTING)
        return None

    def _suspend(self, account: str, reason: SuspensionReason) -> Suspend:
        # Forgotten with it: what was counted before does not count after a person has resumed the account.
        self._first_report.pop(account, None)
        self._connects.pop(account, None)
        return Suspend(account, reason)


def resumable_at(suspended_at: int) -> int:
    """From when on a person may resume an account that the guard suspended at `suspended_at` (milliseconds UTC)."""
    return suspended_at + COOL_OFF // _MS
