"""How nats-py is made to connect: once, over a wire that stands, with a time limit.

Owns every option given to nats-py, and how patient the bus is. Refuses to know when to try again: nats-py's own
reconnecting is switched off, because it closes for good on most errors, loops on others, and never adds jitter.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from broker.node.bus.access import Access
from broker.node.bus.address import ServerAddress

PLAIN_INBOX: Final = "_INBOX"
"""NATS's own prefix, for connections without a user."""


@dataclass(frozen=True, slots=True)
class BusTimings:
    """How patient the bus is. Tests shorten these; the defaults find a dead link within five seconds if something is
    said that wants an answer, and within seventeen if not; a server that stands still on a machine that lives within
    thirty."""

    connect_within: timedelta = timedelta(seconds=5)
    """For the connection, its admission and all subscriptions together; a server slower than that is taken for dead."""
    ping_interval: timedelta = timedelta(seconds=25)
    """nats-py's default of two minutes finds a half-open link only after six, and is longer than firewalls remember. At
    12 seconds the pings of a thousand idle agents cost their server most of two hundredths of a core. What they would
    find sooner the kernel finds, which asks more often (`wire`): a machine that is gone, a firewall that forgot the
    link. They find what its kernel hides: a server that stands still. Its own interval is longer (`server_config`), so
    that it does not ask as well."""
    ping_interval_relayed: timedelta = timedelta(seconds=12)
    """The same where the kernel at the other end is not the server's, or ours does not ask: through a proxy, in a
    WebSocket."""
    pong_within: timedelta = timedelta(seconds=3)
    """How long a regular ping may go unanswered for the link to be suspected; half the interval, if that is shorter."""
    pings_unanswered: int = 2
    """The limit for a link that is still taking bytes, slowly: the others are given up sooner."""
    suspect_after: timedelta = timedelta(seconds=1)
    """How long nothing may have been received after something was published, for the link to be suspected."""
    life_within: timedelta = timedelta(seconds=2)
    """How soon a suspected link must bring something: far longer than the way to a server and back, or than it halts
    for."""
    first_wait: timedelta = timedelta(seconds=3)
    """The first wait before connecting again is drawn from zero to this, each further one from twice as much. A
    thousand agents within half a second have a server make so many handshakes at once that most last longer than
    `connect_within`, and are begun again (`tests/benchmarks/bus_storms.py`)."""
    longest_wait: timedelta = timedelta(seconds=8)
    """Where the doubling ends: two thousand agents coming back then knock five hundred times a second."""
    longest_wait_refused: timedelta = timedelta(seconds=30)
    """Where it ends while the server refuses our credentials: each try costs it a handshake, and changes nothing."""
    backlog_within: timedelta = timedelta(seconds=2)
    """How long `publish` waits for a link that accepts bytes too slowly, before it says that the bus is away."""


def timings_over(timings: BusTimings, *, is_probed: bool) -> BusTimings:
    """The same over one connection, by whether its kernel feels the server's (`Wire.is_probed`)."""
    if is_probed:
        return timings
    return replace(timings, ping_interval=min(timings.ping_interval, timings.ping_interval_relayed))


def connect_options(
    address: ServerAddress,
    *,
    name: str,
    timings: BusTimings,
    error_cb: Callable[[Exception], Awaitable[None]],
    closed_cb: Callable[[], Awaitable[None]],
    lame_duck_mode_cb: Callable[[], Awaitable[None]],
) -> dict[str, Any]:
    """The arguments of `Client.connect` for one attempt at one server.

    `name` is shown in the server's monitoring: the part a program plays, never an agency or a person.
    """
    return {
        # For nats-py's own books alone: the transport is given to it.
        "servers": [f"nats://{address.authority}"],
        "name": name,
        "error_cb": error_cb,
        "closed_cb": closed_cb,
        "lame_duck_mode_cb": lame_duck_mode_cb,
        "allow_reconnect": False,
        "max_reconnect_attempts": 1,
        "reconnect_time_wait": 0,
        "connect_timeout": timings.connect_within.total_seconds(),
        "ping_interval": timings.ping_interval.total_seconds(),
        "max_outstanding_pings": timings.pings_unanswered,
        # No buffer while disconnected: `publish` must raise, or messages would be sent after their sender gave up.
        "pending_size": -1,
    }


def credentials(access: Access, user_jwt: str, tls: ssl.SSLContext) -> dict[str, Any]:
    """The further arguments that have nats-py show who we are; `tls` is only there so that it makes none of its own."""

    def sign(nonce: str) -> bytes:
        return base64.urlsafe_b64encode(access.sign_nonce(nonce.encode())).rstrip(b"=")

    return {
        "user_jwt_cb": lambda: user_jwt.encode("ascii"),
        "signature_cb": sign,
        "inbox_prefix": access.inbox,
        "tls": tls,
        "tls_handshake_first": True,
    }
