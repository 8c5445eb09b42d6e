"""What the dates of incoming messages say about clocks: whose stands how far from ours, and how many were refused.

Only messages that are sent once and at once tell how far: a lasting message, or an acknowledgement, may be any repeat.
Of those it is kept how soon after its date the soonest came: all there is where the sender takes nothing from us.
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
    _soonest: dict[str, int] = field(default_factory=dict)

    def note(self, received: Received) -> None:
        """Take up what the date of a message says."""
        sender, offset = received.sender.id, received.outer.sent_at - received.at
        self._soonest[sender] = max(offset, self._soonest.get(sender, offset))
        if not received.outer.lasting and not isinstance(received.outer, Acknowledgement):
            self._offsets[sender] = offset

    def note_refused(self, received: Received, now: int) -> None:
        """Take up what the date of a message says that was refused for it, and is proven to be its sender's."""
        offset = received.outer.sent_at - now
        if offset > 0 or not received.outer.lasting:
            self._offsets[received.sender.id] = offset

    def shown(self) -> dict[str, object]:
        """How far each party's clock stood ahead of ours in its latest message, in milliseconds.

        `soonest` is the same of any message, and the largest: no sender's clock is further behind than that.
        """
        return {"refused": self.refused, "offsets": dict(self._offsets), "soonest": dict(self._soonest)}
