"""What lies at the desk of a glass that is to be broken, as functions on a transaction."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.node.store.port import Transaction


@dataclass(frozen=True, slots=True)
class Waiting:
    """A prepared request that needs a manager's word."""

    exchange: str
    manager: str
    sealed_reason: bytes = field(repr=False)
    officer_signature: bytes | None = field(repr=False)
    """None until the officer who asks has signed."""


def add_waiting(tx: Transaction, exchange: str, manager: str, sealed_reason: bytes) -> None:
    """Keep that a prepared request needs a manager's word."""
    tx.execute(
        "INSERT INTO broken_glass (exchange, manager, sealed_reason) VALUES (?, ?, ?)",
        (exchange, manager, sealed_reason),
    )


def waiting_for(tx: Transaction, exchange: str) -> Waiting | None:
    """Whose word a request waits for; None if it needs none, or has it."""
    row = tx.execute(
        "SELECT exchange, manager, sealed_reason, officer_signature FROM broken_glass WHERE exchange = ?", (exchange,)
    ).fetchone()
    return None if row is None else Waiting(*row)


def waiting_at(tx: Transaction, manager: str) -> list[str]:
    """Exchanges that the officer has signed and that wait for that manager's word."""
    rows = tx.execute(
        "SELECT exchange FROM broken_glass WHERE manager = ? AND officer_signature IS NOT NULL ORDER BY exchange",
        (manager,),
    )
    return [row[0] for row in rows]


def keep_officers_word(tx: Transaction, exchange: str, signature: bytes) -> None:
    """Keep the officer's signature until the manager's is there."""
    tx.execute("UPDATE broken_glass SET officer_signature = ? WHERE exchange = ?", (signature, exchange))


def forget_waiting(tx: Transaction, exchange: str) -> None:
    """The request is on its way: the reason stands in its addendum from here on."""
    tx.execute("DELETE FROM broken_glass WHERE exchange = ?", (exchange,))


def has_closing(tx: Transaction, exchange: str) -> bool:
    """Whether a closing of the review is entered, or on its way there."""
    found = tx.execute(
        "SELECT 1 FROM deed WHERE exchange = ? AND type = 'review-closed' AND code IS NULL", (exchange,)
    ).fetchone()
    return found is not None
