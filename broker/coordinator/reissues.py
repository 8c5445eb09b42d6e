"""Messages under another id: what their senders put anew because a key had died is known for what it was before.

Deliveries and deeds are known by what they are about; a submission is answered again with the very parts of the answer
that was given first. Tables and no decisions.
"""

from __future__ import annotations

from collections.abc import Mapping

from broker.coordinator import policy_records
from broker.node.post.inbox import Inbox
from broker.node.store.port import Transaction
from schemas.envelope import unpack


def note_submission(tx: Transaction, exchange: str, message_id: str) -> None:
    """Remember which message brought a request."""
    tx.execute("INSERT INTO submission VALUES (?, ?)", (exchange, message_id))


def answer_given(tx: Transaction, desk: str, exchange: str, request_digest: str) -> tuple[bytes, ...] | None:
    """The parts with which this very request was answered; None if it was not, or its answer is forgotten."""
    row = tx.execute(
        "SELECT message_id FROM submission JOIN exchange ON exchange.id = submission.exchange"
        " WHERE submission.exchange = ? AND exchange.request_digest = ?",
        (exchange, request_digest),
    ).fetchone()
    acknowledgement = None if row is None else Inbox.answer_to(tx, desk, row[0])
    return unpack(acknowledgement).parts if acknowledgement else None


def rename_carriers(tx: Transaction, renamed: Mapping[str, str]) -> None:
    """Messages of ours that carry agencies' entries, or versions of the policy, have other ids now."""
    tx.executemany(
        "UPDATE agency_entry SET message_id = ? WHERE message_id = ?", [(new, old) for old, new in renamed.items()]
    )
    for old, new in renamed.items():
        policy_records.rename_carrier(tx, old, new)
