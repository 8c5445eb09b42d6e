"""A deed that was refused because the key that signed it had died: signed anew, to be sent again under another id.

A deed may wait for days, and its key may be revoked meanwhile. Nobody takes it under that key any more: a thief could
have written it, under any date. What it says stays as it is, but for when it was signed and by which key; `done_at`
keeps when it was done. The refusal is proof that the log does not hold it, since a deed that the log holds is answered
with its receipt whatever became of its key. Refuses to know what a deed means, and who else keeps its leaf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import structlog

from broker.node.post.outbox import Outbox
from broker.node.post.port import Sent
from broker.node.post.writing import Outgoing, Writer
from broker.node.store.sqlite import Store
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import unpack
from schemas.messages.entry import DeedEntry, read_entry, sign_deed
from schemas.messages.party import KeyRevoked, KeyUnknown, Party
from schemas.subjects import subject_for

_log = structlog.get_logger()

_FOR_ITS_KEY: Final = frozenset({KeyRevoked.code, KeyUnknown.code})


@dataclass(frozen=True, slots=True)
class SignedAnew:
    """The deed as it was refused and as it is sent now; whoever commits it puts `outgoing` in the outbox."""

    before: bytes = field(repr=False)
    leaf: bytes = field(repr=False)
    entry_type: str
    outgoing: Outgoing = field(repr=False)


async def sign_anew(
    sent: Sent, code: str, *, store: Store, outbox: Outbox, writer: Writer, receiver: Party, now: int
) -> SignedAnew | None:
    """The deed of a message that was refused with that code; None if another signature would change nothing.

    Args:
        receiver: who refused it.

    Raises:
        KeyUnpublished, KeyEnded: there is no key to sign with just now; the refusal comes again with the next repeat.
    """
    if code not in _FOR_ITS_KEY:
        return None
    kept = await store.read(lambda tx: outbox.raw_of(tx, [sent.message_id]))
    if sent.message_id not in kept:
        return None
    raw = kept[sent.message_id]
    parts, key = unpack(raw).parts, writer.hand.signing(KeyPurpose.DEED)
    entry = read_entry(parts[0])
    if not isinstance(entry, DeedEntry) or entry.deed_key == key.id:
        return None
    leaf = deed_again(entry, key, now)
    _log.warning("deed_signed_anew", exchange=sent.exchange, code=code)
    outgoing = writer.again(raw, subject_for(writer.me, receiver), sent_at=now, parts=(leaf, *parts[1:]))
    return SignedAnew(parts[0], leaf, entry.type, outgoing)


def deed_again(entry: DeedEntry, key: SigningKey, now: int) -> bytes:
    """The leaf of a deed under another key: what it says stays, and so do its random bytes, by which it is known."""
    done_at = entry.t if entry.done_at is None else entry.done_at
    return sign_deed(entry.model_copy(update={"t": now, "done_at": done_at}), key)
