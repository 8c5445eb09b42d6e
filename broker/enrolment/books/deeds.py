"""Admission's own entries: what it did with whom, signed with its deed key and sent to be put in the hub's log.

Each is a leaf and the message that carries it. Writes nothing: whoever commits the step puts the message in the outbox
in the same transaction, so there is a step and its entry, or neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from broker.node.own_deeds import carried_deed
from broker.node.post.writing import Outgoing, Writer
from broker.node.ring import Hand
from schemas.messages.entry import AdmissionEntry, DeedEntry, KeyEntry
from schemas.messages.party import Party

Step: TypeAlias = Literal[
    "offered", "admitted", "renewed", "root-replaced", "suspended", "resumed", "expelled", "refused"
]


@dataclass(frozen=True, slots=True)
class Deeds:
    """Admission's hand for entries of the log that the coordinator keeps."""

    coordinator: Party
    hand: Hand = field(repr=False)
    writer: Writer = field(repr=False)

    def step(self, step: Step, party: Party, now: int, *, file_digest: str = "", reason: str | None = None) -> Outgoing:
        """A step was taken with an agency, by the statement that is in force after it."""
        fields = {
            "step": step,
            "agency": party.id,
            "root": party.root.id,
            "statement_digest": party.digest,
            "file_digest": file_digest or None,
            "reason": reason,
        }
        return self._written(AdmissionEntry, now, fields)

    def refused(self, reason: str, file_digest: str, now: int, *, agency: str | None = None) -> Outgoing:
        """A file was refused; the agency is named only if it is one that was admitted before."""
        fields = {"step": "refused", "agency": agency, "file_digest": file_digest, "reason": reason}
        return self._written(AdmissionEntry, now, fields)

    def of_bus(self, what: str, now: int) -> Outgoing:
        """A step with the bus's own keys; `what` says which and how far, as a word."""
        return self._written(AdmissionEntry, now, {"step": "bus-rotated", "reason": what})

    def directory(self, version: int, directory_digest: str, now: int) -> Outgoing:
        """A directory was made; it is given out once this is in the log."""
        return self._written(KeyEntry, now, {"version": version, "directory_digest": directory_digest})

    def _written(self, model: type[DeedEntry], now: int, fields: Mapping[str, object]) -> Outgoing:
        _, __, outgoing = carried_deed(
            model, fields, hand=self.hand, writer=self.writer, coordinator=self.coordinator, now=now
        )
        return outgoing
