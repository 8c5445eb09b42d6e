"""How nats-py is made to connect: once, with a time limit, and with a reason when it fails.

Owns every option given to nats-py, and the words for what went wrong. A TLS-first context and the callbacks for the
user JWT and the nonce's signature are further options here. Refuses to know when to try again: nats-py's own
reconnecting is switched off, because it closes for good on most errors, loops on others, and never adds jitter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import nats.errors

from broker.node.bus.address import ServerAddress


@dataclass(frozen=True, slots=True)
class BusTimings:
    """How patient the bus is. Tests shorten these; the defaults find a dead link within half a minute."""

    connect_within: timedelta = timedelta(seconds=5)
    """For the connection, its admission and all subscriptions together; a server slower than that is taken for dead."""
    ping_interval: timedelta = timedelta(seconds=10)
    """nats-py's default of two minutes finds a half-open link only after six."""
    pings_unanswered: int = 2
    first_wait: timedelta = timedelta(milliseconds=500)
    """The first wait before connecting again is drawn from zero to this, each further one from twice as much."""
    longest_wait: timedelta = timedelta(seconds=10)
    """Where the doubling ends: two thousand agents coming back then knock two hundred times a second."""
    backlog_within: timedelta = timedelta(seconds=2)
    """How long `publish` waits for a link that accepts bytes too slowly, before it says that the bus is away."""


def connect_options(
    address: ServerAddress,
    *,
    name: str,
    timings: BusTimings,
    error_cb: Callable[[Exception], Awaitable[None]],
    closed_cb: Callable[[], Awaitable[None]],
) -> dict[str, Any]:
    """The arguments of `Client.connect` for one attempt at one server.

    `name` is shown in the server's monitoring: the part a program plays, never an agency or a person.
    """
    return {
        "servers": [address.url],
        "name": name,
        "error_cb": error_cb,
        "closed_cb": closed_cb,
        "allow_reconnect": False,
        # 1, not 0: nats-py reads 0 as "for ever". A refused port is tried twice in a row, then NoServersError.
        "max_reconnect_attempts": 1,
        "reconnect_time_wait": 0,
        "connect_timeout": timings.connect_within.total_seconds(),
        "ping_interval": timings.ping_interval.total_seconds(),
        "max_outstanding_pings": timings.pings_unanswered,
        # No buffer while disconnected: `publish` must raise, or messages would be sent after their sender gave up.
        "pending_size": -1,
    }


_SERVER_WORDS: Final = (
    "authorization violation",
    "authentication timeout",
    "authentication expired",
    "authentication revoked",
    "maximum connections exceeded",
    "maximum account active connections exceeded",
    "maximum subscriptions exceeded",
    "maximum payload violation",
    "permissions violation",
    "slow consumer",
    "stale connection",
    "secure connection - tls required",
)
"""What nats-server 2.15 says before it cuts a client. Anything else is not repeated: its text is a stranger's."""


def reason_for(problem: BaseException) -> str:
    """Say what went wrong in words that are safe to log."""
    if isinstance(problem, TimeoutError | nats.errors.TimeoutError):
        return "the server did not answer in time"
    if isinstance(problem, nats.errors.UnexpectedEOF):  # a subclass of the next
        return "the server closed the connection"
    if isinstance(problem, nats.errors.StaleConnectionError):
        return "the link went dead"
    if isinstance(problem, nats.errors.AuthorizationError):
        return "authorization violation"
    if isinstance(problem, nats.errors.Error):
        said = str(problem).lower()
        return next((words for words in _SERVER_WORDS if words in said), "the server does not speak NATS as we know it")
    if isinstance(problem, ConnectionRefusedError):
        return "nothing listens on that port"
    if isinstance(problem, OSError):
        return "the connection broke"
    return f"the connection failed with {type(problem).__name__}"
