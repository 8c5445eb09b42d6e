"""What a bus promises, in words, and the failures it may raise.

The bus carries opaque bytes between parties and remembers nothing. It owns delivery while both ends are connected. It
refuses to know what the bytes are, who signed them, whether they arrived, and when to send them again: senders keep
what they sent until a signed acknowledgement comes back, and receivers commit before they acknowledge.

What every implementation holds to:

* **At most once.** A message is delivered once, or not at all; nobody is told which. Nothing is kept for a party that
  is away, and nothing published while disconnected is sent later.
* **No order across subjects.** Receives of one subscription are started in the order of arrival, but run side by side.
* **A slow listener slows nobody.** Each subscription has a bounded queue; over its bound messages are dropped, counted
  and told. `publish` never waits for a listener.
* **Not integrity, not secrecy.** Whoever runs the bus can read, forge, repeat, reorder and withhold everything on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.failures import Away, Rejected

MAX_PAYLOAD_BYTES: Final = 1_048_576
"""The largest message, in bytes. NATS's own default limit; larger answers are sent in parts under a signed manifest."""

Receive = Callable[[str, bytes], Awaitable[None]]
"""Called with (subject, payload). Whatever it raises is logged without the payload and harms no later message."""


class BusAway(Away):
    """Not connected just now, or the link is backed up: the message was not sent."""

    code = "bus_away"


class PayloadTooLarge(Rejected):
    """The message is over `MAX_PAYLOAD_BYTES`; it was not sent and never will be."""

    code = "payload_too_large"


class BadSubject(Rejected):
    """A subject that NATS would refuse or read as a wildcard."""

    code = "bad_subject"


@dataclass(slots=True)
class BusCounts:
    """Running totals since the bus was made; read by the metrics, written by the bus alone."""

    published: int = 0
    received: int = 0
    dropped: int = 0
    flooded: int = 0
    unheard: int = 0
    reconnects: int = 0


class BusEvents(Protocol):
    """What the owner of a bus is told. Called on the event loop, never from inside `publish`; must not block."""

    def connected(self) -> None:
        """(Again) connected, or elsewhere, and every subscription is known to the server."""

    def disconnected(self) -> None:
        """The connection was lost; `publish` raises until `connected` is told again."""

    def unheard(self, subject: str) -> None:
        """Nobody listened on that subject when the message arrived there. A hint: its absence proves nothing."""

    def dropped(self, subject: str) -> None:
        """A message for us was lost to a full queue."""

    def flooding(self, token: str, rate: int) -> None:
        """Whose token this is sends so many messages a second, which is too many; the excess is dropped.

        Told every tenth of a second while it lasts, by implementations that others share.
        """


class Bus(Protocol):
    """One party's connection to the bus."""

    @property
    def counts(self) -> BusCounts:
        """The running totals."""

    @property
    def account(self) -> str | None:
        """The account of the bus that this party is connected in; None while it is not, or where there are none."""

    @property
    def trouble(self) -> str | None:
        """Why there is no connection just now, and what to do, in words for an operator; None when there is one."""

    async def start(self, events: BusEvents) -> None:
        """Begin to connect, and keep at it until `close`. Returns at once; `events.connected` says when it stands."""

    async def subscribe(self, subject: str, receive: Receive) -> None:
        """Listen on a subject, where a token may be `*` and the last may be `>`; before or after `start`, for good.

        Survives reconnects. When connected, returns once the server knows the subscription.

        Raises:
            BadSubject: not a subject, or a misplaced wildcard.
        """

    async def publish(self, subject: str, payload: bytes) -> None:
        """Hand one message to the bus. Returning promises nothing about its arrival.

        Raises:
            BusAway: at once when not connected; also when the link is so backed up that it must be taken for dead.
            PayloadTooLarge: over `MAX_PAYLOAD_BYTES`.
            BadSubject: not a subject, or one with a wildcard.
        """

    def suspect(self) -> None:
        """Say that what was published some while ago wants an answer that has not come. Returns at once.

        If nothing at all was received since, a sign of life is asked for, and a connection that gives none within
        seconds is taken for lost, as if it had been cut. Costs nothing where something was received.
        """

    async def renew(self, *, elsewhere: bool = False) -> None:
        """Connect anew with the credentials there are now, without a gap: nothing is missed, and nothing heard twice.

        Of the very same bytes, sent to one subject twice within the second, one may be taken for the other's echo.

        Args:
            elsewhere: to another server, where others may be heard that cannot be heard on this one; `connected` is
                told again. Nothing is done where there is no other.

        Raises:
            BusAway: there is no new connection; the one that there was, if any, stays.
        """

    async def close(self) -> None:
        """Leave the bus for good: waiting messages are dropped, receives under way are cancelled and waited for."""


def check_payload(payload: bytes) -> None:
    """Refuse what no implementation may carry.

    Raises:
        PayloadTooLarge: over `MAX_PAYLOAD_BYTES`.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadTooLarge(f"{len(payload)} bytes; at most {MAX_PAYLOAD_BYTES}")
