"""What the coordinator keeps for when an agency is a member no more, as functions on a transaction. Decides nothing."""

from __future__ import annotations

from broker.coordinator import policy_records, records
from broker.node.store.port import Transaction


def open_exchanges_of(tx: Transaction, agency: str) -> list[str]:
    """The exchanges with an agency that have no conclusion."""
    rows = tx.execute(
        "SELECT id FROM exchange WHERE agency = ? AND progress IN ('permitted', 'delivered', 'overdue') ORDER BY id",
        (agency,),
    )
    return [row[0] for row in rows]


def forget_messages_to(tx: Transaction, party: str) -> None:
    """Take back what waits for a party: nobody is to be sent it any more."""
    tx.execute("DELETE FROM outbox WHERE receiver = ?", (party,))
    policy_records.forget_sent(tx, party)


def keep_agency_statement(tx: Transaction, party: str, statement: bytes) -> None:
    """Keep the newest statement of an agency, for when it is a member no more."""
    tx.execute("INSERT OR REPLACE INTO agency_statement VALUES (?, ?)", (party, statement))


def agency_statements(tx: Transaction) -> dict[str, bytes]:
    """The newest statement of every agency that was ever a member."""
    return dict(tx.execute("SELECT party, statement FROM agency_statement").fetchall())


def note_late(tx: Transaction, exchange_id: str, agency: str, code: str) -> bool:
    """Note that a removed agency sent something about an exchange; False if it is none of its, or noted before."""
    row = tx.execute("SELECT agency, delivery_code FROM exchange WHERE id = ?", (exchange_id,)).fetchone()
    if row is None or row[0] != agency or row[1] == code:
        return False
    records.note_delivery_code(tx, exchange_id, code)
    return True
