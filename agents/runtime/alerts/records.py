"""What the hub has told this agency's information-governance lead: kept until the lead says that it was seen.

An alert is an entry of the hub's log, known by its place there, with its addendum beside it, sealed to the lead. Works
on a transaction and nothing else. Refuses to know what any kind of entry means, and cannot read an addendum.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from broker.node.store import Transaction
from schemas.failures import Rejected

MAX_LISTED: Final = 500
_COLUMNS: Final = "idx, kind, exchange, entry_at, came_at, leaf, addendum, told_at, seen_at"


class AlertUnknown(Rejected):
    """No alert of that number."""

    code = "alert_unknown"


class AlertSeen(Rejected):
    """The alert was seen before."""

    code = "alert_seen"


@dataclass(frozen=True, slots=True)
class Alert:
    """One entry of the hub's log that this agency's lead is told of. Times are milliseconds UTC."""

    index: int
    """Its place in the hub's log: the number it is known by."""
    kind: str
    """The entry's type."""
    exchange: str
    entry_at: int
    came_at: int
    leaf: bytes = field(repr=False)
    addendum: bytes = field(repr=False)
    told_at: int | None = None
    """When the agency's own command was told of it."""
    seen_at: int | None = None


def add(tx: Transaction, alert: Alert) -> bool:
    """Keep an alert; False if it was kept before."""
    known = tx.execute("SELECT 1 FROM alert WHERE idx = ?", (alert.index,)).fetchone() is not None
    if not known:
        tx.execute(
            "INSERT INTO alert (idx, kind, exchange, entry_at, came_at, leaf, addendum) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                alert.index,
                alert.kind,
                alert.exchange,
                alert.entry_at,
                alert.came_at,
                alert.leaf,
                alert.addendum,
            ),
        )
    return not known


def listed(tx: Transaction, *, seen_too: bool = False) -> list[Alert]:
    """Alerts that nobody has seen, oldest first; with `seen_too` the newest of all."""
    where = "" if seen_too else "WHERE seen_at IS NULL"
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM (SELECT * FROM alert {where} ORDER BY idx DESC LIMIT {MAX_LISTED}) ORDER BY idx"  # noqa: S608
    ).fetchall()
    return [Alert(*row) for row in rows]


def get(tx: Transaction, index: int) -> Alert:
    """The alert of that number.

    Raises:
        AlertUnknown: there is none.
    """
    row = tx.execute(f"SELECT {_COLUMNS} FROM alert WHERE idx = ?", (index,)).fetchone()  # noqa: S608
    if row is None:
        raise AlertUnknown(f"there is no alert {index}; see: agent alerts list --all")
    return Alert(*row)


def mark_seen(tx: Transaction, index: int, now: int) -> Alert:
    """The lead has seen an alert.

    Raises:
        AlertUnknown, AlertSeen.
    """
    alert = get(tx, index)
    if alert.seen_at is not None:
        raise AlertSeen(f"alert {index} was acknowledged before")
    tx.execute("UPDATE alert SET seen_at = ? WHERE idx = ?", (now, index))
    return alert


def untold(tx: Transaction) -> list[tuple[int, str]]:
    """Number and kind of what the agency's own command has not been told of."""
    return tx.execute("SELECT idx, kind FROM alert WHERE told_at IS NULL AND seen_at IS NULL ORDER BY idx").fetchall()


def mark_told(tx: Transaction, index: int, now: int) -> None:
    """The agency's own command was told of an alert."""
    tx.execute("UPDATE alert SET told_at = ? WHERE idx = ?", (now, index))


def open_by_kind(tx: Transaction) -> dict[str, int]:
    """How many alerts nobody has seen, by kind."""
    return dict(tx.execute("SELECT kind, count(*) FROM alert WHERE seen_at IS NULL GROUP BY kind").fetchall())
