"""How a node writes a message: header, parts named by digest, signed by its message key (SPEC 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broker.node.post.port import Sent
from broker.node.ring import Hand
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, signed, unpack
from schemas.messages.entry import nonce
from schemas.messages.party import Party
from schemas.messages.transport import Outer, kind_of, read_outer
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

    def again(self, raw: bytes, subject: str, *, sent_at: int, parts: Sequence[bytes] | None = None) -> Outgoing:
        """A message of this node's once more: what it said and carried, under a new id and the key in use now.

        Args:
            parts: what it carries now; None for what it did.
        """
        key, envelope = self.hand.signing(KeyPurpose.MESSAGE), unpack(raw)
        carried = envelope.parts if parts is None else parts
        named = [digest(part) for part in carried]
        changes = {"message_key": key.id, "message_id": nonce(), "sent_at": sent_at, "parts": named}
        header = read_outer(envelope.header).model_copy(update=changes)
        raw_header = header.encode()
        exchange = getattr(header, "exchange", None)
        return Outgoing(
            message_id=header.message_id,
            receiver=header.receiver,
            kind=kind_of(type(header)),
            exchange=exchange,
            subject=subject,
            digest=digest(raw_header),
            expires_at=header.expires_at,
            raw=signed(raw_header, [key], carried),
            is_lasting=header.lasting,
        )

    def under_live_key(self, raw: bytes, *, sent_at: int) -> bytes:
        """A message of this node's as it may be sent now: as it is, unless its key was revoked or destroyed since."""
        written = read_outer(unpack(raw).header)
        if self.hand.held(KeyPurpose.MESSAGE, written.message_key) is not None:
            return raw
        return self.again(raw, "", sent_at=sent_at).raw
