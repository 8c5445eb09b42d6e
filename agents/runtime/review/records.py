"""What the store keeps of reviews: the ruling on each request, who lets it leave, and the key of what was shown.

Every function runs within a work's transaction. No record and no name of anybody asked about is kept.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from agents.runtime.gatekeeping.ruling import Ruling
from broker.node.store import Transaction

_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody's word that what was shown may leave."""

    reviewer: str
    shown: str
    pressed_at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the review of one request stands."""

    ruling: Ruling
    presses: tuple[Press, ...]


def key_of(tx: Transaction) -> bytes:
    """The key that records and what was shown are named under; made at the first use."""
    row = tx.execute("SELECT key FROM review_key").fetchone()
    if row is None:
        row = (secrets.token_bytes(_KEY_BYTES),)
        tx.execute("INSERT INTO review_key (key) VALUES (?)", row)
    key: bytes = row[0]
    return key


def standing(tx: Transaction, exchange: str) -> Standing:
    """How the review of a request stands."""
    row = tx.execute("SELECT ruling FROM review_ruling WHERE exchange = ?", (exchange,)).fetchone()
    presses = tx.execute(
        "SELECT reviewer, shown, pressed_at FROM review_press WHERE exchange = ? ORDER BY pressed_at", (exchange,)
    ).fetchall()
    ruling = Ruling() if row is None else Ruling.model_validate_json(row[0])
    return Standing(ruling, tuple(Press(*press) for press in presses))


def put_ruling(tx: Transaction, exchange: str, ruling: Ruling) -> None:
    """Keep a ruling; whoever let something leave let something else leave, so that goes."""
    tx.execute(
        "INSERT INTO review_ruling (exchange, ruling) VALUES (?, ?)"
        " ON CONFLICT (exchange) DO UPDATE SET ruling = excluded.ruling",
        (exchange, ruling.model_dump_json()),
    )
    drop_presses(tx, exchange)


def put_press(tx: Transaction, exchange: str, press: Press) -> None:
    """Keep somebody's word; a second one of the same person takes the place of the first."""
    tx.execute(
        "INSERT OR REPLACE INTO review_press (exchange, reviewer, shown, pressed_at) VALUES (?, ?, ?, ?)",
        (exchange, press.reviewer, press.shown, press.pressed_at),
    )


def drop_presses(tx: Transaction, exchange: str) -> None:
    """Forget who let it leave."""
    tx.execute("DELETE FROM review_press WHERE exchange = ?", (exchange,))
