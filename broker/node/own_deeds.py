"""What a party of the hub did, as an entry of the log that the coordinator keeps: signed, in the message that takes it.

Refuses to know which deeds there are: that is each party's own. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from broker.node.clock import DAY_MS
from broker.node.post.writing import Outgoing, Writer
from broker.node.ring import Hand
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest
from schemas.messages.entry import DeedEntry, nonce, sign_deed
from schemas.messages.party import Party
from schemas.messages.transport import Deed

DEED_VALIDITY_MS: Final = 89 * DAY_MS
"""As long as a message may be valid, less a day: a deed is to be recorded however long the coordinator is away."""
_UNSIGNED: Final = {"deed_key": "0" * 32, "sig": "0" * 128}


def carried_deed(
    model: type[DeedEntry],
    fields: Mapping[str, object],
    *,
    hand: Hand,
    writer: Writer,
    coordinator: Party,
    now: int,
    exchange: str | None = None,
    addendum: bytes | None = None,
) -> tuple[DeedEntry, bytes, Outgoing]:
    """An entry by the hand's owner, its leaf, and the message that takes it, and its addendum, to the coordinator.

    Args:
        fields: those of the kind; they may also say the entry's random bytes.
        exchange: which one the deed belongs to, if it belongs to one.
    """
    me = hand.me
    common = {"log": coordinator.statement.log, "hub": me.statement.hub, "t": now, "n": nonce(), "by": me.id}
    if addendum is not None:
        common["addendum_digest"] = digest(addendum)
    entry = model.model_validate({**common, **_UNSIGNED, **fields})
    leaf = sign_deed(entry, hand.signing(KeyPurpose.DEED))
    parts = (leaf,) if addendum is None else (leaf, addendum)
    expires_at = now + DEED_VALIDITY_MS
    return entry, leaf, writer.write(Deed, coordinator, parts, sent_at=now, expires_at=expires_at, exchange=exchange)
