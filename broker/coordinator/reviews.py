"""The reviews of broken glasses, as functions on a transaction: open with the entry, until a lead closes each.

Who may close one, and on what proof, is `review_closing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from broker.coordinator.exchange import Exchange
from broker.node.store.port import Transaction
from schemas.failures import Rejected
from schemas.vocabulary import ReviewFinding

_COLUMNS: Final = "exchange, agency, officer, manager, entry_hash, opened_at, due_at, closed_at, finding"


class ReviewUnknown(Rejected):
    """No glass was broken for that exchange."""

    code = "review_unknown"


@dataclass(frozen=True, slots=True)
class TwoPeople:
    """The officer who asked, and the manager who broke the glass."""

    officer: str
    manager: str


@dataclass(frozen=True, slots=True)
class Review:
    """One review. Times are milliseconds UTC."""

    exchange: str
    agency: str
    officer: str
    manager: str
    entry_hash: str
    """Leaf hash of the entry that opened it."""
    opened_at: int
    due_at: int
    closed_at: int | None
    finding: str | None

    def shown(self, now: int) -> dict[str, Any]:
        """For the hub's people."""
        members = {name: getattr(self, name) for name in Review.__slots__}
        state = "closed" if self.closed_at is not None else "overdue" if now > self.due_at else "open"
        return {**{name: value for name, value in members.items() if value is not None}, "state": state}


def open_review(tx: Transaction, exchange: Exchange, by: TwoPeople, entry_hash: str, *, now: int, due_at: int) -> None:
    """Open the review of a broken glass."""
    values = (exchange.id, exchange.agency, by.officer, by.manager, entry_hash, now, due_at)
    tx.execute(
        "INSERT INTO review (exchange, agency, officer, manager, entry_hash, opened_at, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        values,
    )


def get_review(tx: Transaction, exchange: str) -> Review:
    """The review of an exchange.

    Raises:
        ReviewUnknown: there is none.
    """
    row = tx.execute(f"SELECT {_COLUMNS} FROM review WHERE exchange = ?", (exchange,)).fetchone()  # noqa: S608
    if row is None:
        raise ReviewUnknown("no glass was broken for that exchange; see: broker break-glass list --all")
    return Review(*row)


def reviews(tx: Transaction, *, closed_too: bool = False) -> list[Review]:
    """The reviews that are open, the one due first in front."""
    where = "" if closed_too else "WHERE closed_at IS NULL"
    rows = tx.execute(f"SELECT {_COLUMNS} FROM review {where} ORDER BY due_at LIMIT 1000").fetchall()  # noqa: S608
    return [Review(*row) for row in rows]


def mark_closed(tx: Transaction, exchange: str, finding: ReviewFinding, now: int) -> None:
    """A lead closed a review."""
    tx.execute("UPDATE review SET closed_at = ?, finding = ? WHERE exchange = ?", (now, finding.value, exchange))


def open_and_overdue(tx: Transaction, now: int) -> tuple[int, int]:
    """How many reviews are open, and how many of those are overdue."""
    row = tx.execute("SELECT count(*), sum(due_at < ?) FROM review WHERE closed_at IS NULL", (now,)).fetchone()
    return int(row[0]), int(row[1] or 0)
