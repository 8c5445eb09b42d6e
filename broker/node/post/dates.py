"""What the dates of incoming messages say about clocks: whose stands how far from ours, and how many were refused.

Only messages that are sent once and at once count: a lasting message, or an acknowledgement, may be any repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.node.post.port import Received
from schemas.messages.transport import Acknowledgement


@dataclass(slots=True)
class Dates:
    """Kept since the start; read by whoever tells how the node stands."""

    refused: int = 0
    """Messages that were dated too far ahead, or came after their expiry."""
    _offsets: dict[str, int] = field(default_factory=dict)

    def note(self, received: Received) -> None:
        """Take up what the date of a message says."""
        if not received.outer.lasting and not isinstance(received.outer, Acknowledgement):
            self._offsets[received.sender.statement.party_kind.value] = received.outer.sent_at - received.at

    def shown(self) -> dict[str, object]:
        """How far the clock of each kind of party stood ahead of ours in its latest message, in milliseconds."""
        return {"refused": self.refused, "offsets": dict(self._offsets)}
