"""What desk, coordinator and agent each are to the post, and what they are given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from broker.node.store.port import AfterSeal, Transaction
from schemas.failure_codes import COMMITTED
from schemas.failures import Away, Failure, Rejected
from schemas.messages.party import Party
from schemas.messages.transport import Acknowledgement, Outer, kind_of


class AcknowledgementForeign(Rejected):
    """An acknowledgement of a message that was sent to somebody else, or of other bytes than were sent."""

    code = "acknowledgement_foreign"


class Equivocation(Rejected):
    """One message id, two different messages by one sender."""

    code = "equivocation"


class StatementAwaited(Away):
    """It names a key of its sender that nobody has stated here yet; it is taken in once the statement has come."""

    code = "statement_awaited"


class PartyRemoved(Rejected):
    """A message of a party that was pinned once and is not any more."""

    code = "party_removed"


@dataclass(frozen=True, slots=True)
class Received:
    """A message that passed every check of SPEC 4.3; what it carries is not checked yet."""

    outer: Outer
    parts: tuple[bytes, ...]
    sender: Party
    digest: str
    at: int
    subject: str = ""
    """The subject it came in on: an agent's acknowledgement goes back to the account that it came from."""

    @property
    def kind(self) -> str:
        """The word for what it carries."""
        return kind_of(type(self.outer))


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of ours that waits, or waited, for its acknowledgement."""

    message_id: str
    receiver: str
    kind: str
    exchange: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What an acknowledgement will say of a message that was committed."""

    parts: tuple[bytes, ...] = ()
    code: str = COMMITTED


Work: TypeAlias = Callable[[Transaction], "Reply | AfterSeal[Reply]"]
Settlement: TypeAlias = Callable[[Transaction], "AfterSeal[None] | None"]


class Correspondent(Protocol):
    """Whoever the post is for. The coroutines verify and decide; only the works have effects."""

    async def prepare(self, received: Received) -> Work:
        """Check what a lasting message carries and say what committing it will do.

        The work runs in one transaction with the memory of the message's id, at most once in effect.

        Raises:
            Rejected: it does not hold; recorded in the own log, acknowledged with the failure's code, never retried.
            Away: something needed is away; nothing is acknowledged, and the sender will repeat.
            GroundLost: the node stops.
        """

    async def settled(self, sent: Sent, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        """Check the acknowledgement of a message of ours; its work runs in the transaction that lets the message go.

        Raises: as `prepare`; the message then stays in the outbox.
        """

    async def passing(self, received: Received) -> None:
        """Take note of a message that is not acknowledged (hello, head, log query, log page)."""

    def record_rejection(self, received: Received, failure: Rejected) -> Callable[[Transaction], None]:
        """The work that enters a rejected message in the own log."""


class Directories(Protocol):
    """Whoever keeps the hub's directory for the node (`broker.node.membership`)."""

    async def take(self, received: Received) -> None:
        """Take a directory, and the newer statements that it brings.

        Raises: as `Correspondent.prepare`.
        """

    async def renewed(self, acknowledgement: Acknowledgement, parts: tuple[bytes, ...]) -> Settlement:
        """Take what admission gave for a renewal; its work runs in the transaction that lets the renewal go."""

    def may_lack(self, received: Received, failure: Failure) -> bool:
        """Whether a message may have failed for a key whose statement has not come yet; then it is asked for."""

    def ask_soon(self) -> None:
        """Ask for the newest directory, unless that was just done."""


class PostObserver(Protocol):
    """Is told what goes through, for metrics; must be quick and must not raise."""

    def received(self, kind: str) -> None:
        """A message passed the generic checks."""

    def rejected(self, kind: str, code: str) -> None:
        """A message did not hold; `kind` is `unknown` if it was not even a message."""

    def sent(self, kind: str, *, again: bool) -> None:
        """A message was handed to the bus, for the first time or `again`."""

    def waiting(self, messages: int) -> None:
        """So many messages wait for their acknowledgement."""


Halt: TypeAlias = Callable[[Failure], None]
Deliver: TypeAlias = Callable[[str, bytes], Awaitable[None]]
