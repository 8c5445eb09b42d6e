"""What the coordinator keeps of policy versions, as functions on a transaction: statements, files, who has which.

Decides nothing. Files are kept once, under the digest that statements name them by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from broker.node.store.port import Transaction
from schemas.failure_codes import COMMITTED

ASKED_AGAIN_MS: Final = 3_600_000
"""How long after an agency refused a version it is sent it again: by then somebody may have seen to it there."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A version as it is kept: its number, the frame that was signed, and where in the log its entry stands."""

    number: int
    frame: bytes = field(repr=False)
    policy_digest: str
    index: int
    taken_at: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What an agency said to a version: when, and `committed` or why not; nothing of either before it did."""

    agency: str
    number: int
    answered_at: int | None
    code: str | None


def add_version(tx: Transaction, kept: Kept, files: bytes) -> None:
    """Keep a version and its files."""
    row = (kept.number, kept.frame, kept.policy_digest, kept.index, kept.taken_at)
    tx.execute("INSERT INTO policy_version VALUES (?, ?, ?, ?, ?)", row)
    tx.execute("INSERT OR REPLACE INTO policy_files VALUES (?, ?)", (kept.policy_digest, files))


def versions(tx: Transaction) -> list[Kept]:
    """Every version, in order."""
    rows = tx.execute("SELECT number, statement, policy_digest, idx, taken_at FROM policy_version ORDER BY number")
    return [Kept(*row) for row in rows]


def newest(tx: Transaction) -> Kept | None:
    """The version of the highest number."""
    row = tx.execute(
        "SELECT number, statement, policy_digest, idx, taken_at FROM policy_version ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return None if row is None else Kept(*row)


def files_of(tx: Transaction, policy_digest: str) -> bytes | None:
    """The files of that digest."""
    row = tx.execute("SELECT files FROM policy_files WHERE policy_digest = ?", (policy_digest,)).fetchone()
    return None if row is None else bytes(row[0])


def note_sent(tx: Transaction, agency: str, number: int, message_id: str) -> None:
    """Remember which message carries a version to an agency."""
    tx.execute("INSERT OR REPLACE INTO policy_sent VALUES (?, ?, ?, NULL, NULL)", (agency, number, message_id))


def note_answer(tx: Transaction, message_id: str, code: str, at: int) -> None:
    """Remember what an agency answered to the message that carried a version."""
    tx.execute("UPDATE policy_sent SET answered_at = ?, code = ? WHERE message_id = ?", (at, code, message_id))


def rename_carrier(tx: Transaction, old: str, new: str) -> None:
    """A message that carries a version has another id now."""
    tx.execute("UPDATE policy_sent SET message_id = ? WHERE message_id = ?", (new, old))


def forget_sent(tx: Transaction, agency: str) -> None:
    """Take it that the agency has no version: its store was restored, or it is a member no more."""
    tx.execute("DELETE FROM policy_sent WHERE agency = ?", (agency,))


def answers(tx: Transaction) -> list[Answered]:
    """What each agency said to each version that it was sent."""
    rows = tx.execute("SELECT agency, number, answered_at, code FROM policy_sent ORDER BY agency, number")
    return [Answered(*row) for row in rows]


def lacking(tx: Transaction, agency: str, *, needed_from: int, now: int) -> list[int]:
    """The versions that an agency lacks and that no waiting message carries.

    Args:
        needed_from: the number of the first version by which a request that is still open may have been decided. An
            agency that has others is sent those that follow on them too, so that none is missing in between.
    """
    rows = tx.execute(
        "SELECT number FROM policy_version AS version WHERE (number >= :needed OR number >"
        "   (SELECT max(number) FROM policy_sent WHERE agency = :agency AND code = :committed))"
        " AND NOT EXISTS (SELECT 1 FROM policy_sent AS sent WHERE sent.agency = :agency"
        "   AND sent.number = version.number AND (sent.code = :committed"
        "     OR (sent.code IS NOT NULL AND sent.answered_at > :refused_before)"
        "     OR sent.message_id IN (SELECT message_id FROM outbox WHERE receiver = :agency AND expires_at > :now)))"
        " ORDER BY number",
        {
            "agency": agency,
            "needed": needed_from,
            "committed": COMMITTED,
            "refused_before": now - ASKED_AGAIN_MS,
            "now": now,
        },
    )
    return [int(row[0]) for row in rows]
