"""How a node writes a message: header, parts named by digest, signed by its message key (SPEC 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broker.node.post.port import Sent
from broker.node.ring import Hand
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, signed
from schemas.messages.entry import nonce
from schemas.messages.party import Party
from schemas.messages.transport import Outer, kind_of
from schemas.subjects import subject_for


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it will be sent, byte for byte, however often."""

    message_id: str
    receiver: str
    kind: str
    exchange: str | None
    subject: str
    digest: str
    expires_at: int
    raw: bytes
    is_lasting: bool

    @property
    def sent(self) -> Sent:
        """How the outbox names it."""
        return Sent(self.message_id, self.receiver, self.kind, self.exchange, self.digest)


@dataclass(frozen=True, slots=True)
class Writer:
    """A node's hand: who it is, the keys it signs messages with, its store's epoch."""

    hand: Hand
    epoch: str

    @property
    def me(self) -> Party:
        """The party, by its newest statement."""
        return self.hand.me

    def write(
        self,
        model: type[Outer],
        receiver: Party,
        parts: Sequence[bytes] = (),
        *,
        sent_at: int,
        expires_at: int,
        **fields: object,
    ) -> Outgoing:
        """The message of that kind with these parts and further header fields.

        Raises:
            FrameMalformed: more than a frame holds.
            KeyEnded: the party has no message key in force.
        """
        me, key = self.hand.me, self.hand.signing(KeyPurpose.MESSAGE)
        header = model.model_validate(
            {
                "hub": me.statement.hub,
                "sender": me.id,
                "receiver": receiver.id,
                "message_key": key.id,
                "message_id": nonce(),
                "sent_at": sent_at,
                "expires_at": expires_at,
                "epoch": self.epoch,
                "parts": [digest(part) for part in parts],
                **fields,
            }
        )
        raw_header = header.encode()
        exchange = fields.get("exchange")
        return Outgoing(
            message_id=header.message_id,
            receiver=receiver.id,
            kind=kind_of(model),
            exchange=exchange if isinstance(exchange, str) else None,
            subject=subject_for(me, receiver),
            digest=digest(raw_header),
            expires_at=expires_at,
            raw=signed(raw_header, [key], parts),
            is_lasting=model.lasting,
        )
