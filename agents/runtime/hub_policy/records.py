"""What an agent keeps of the hub's policy versions, as functions on a transaction. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from broker.node.store import Transaction
from schemas.messages.policy import PolicyVersion, read_policy

_KEPT_VERSIONS: Final = 256
"""Statements read lately, by their frames: every delivery asks for all that are held. A hub makes some in a year."""


@dataclass(frozen=True, slots=True)
class Held:
    """A version that is held, and since when."""

    version: PolicyVersion
    taken_at: int

    @property
    def number(self) -> int:
        """Its number."""
        return self.version.statement.number


def add(tx: Transaction, version: PolicyVersion, files: bytes, index: int, now: int) -> None:
    """Keep a version and its files."""
    statement = version.statement
    row = (statement.number, version.frame, statement.policy_digest, index, now)
    tx.execute("INSERT INTO hub_policy VALUES (?, ?, ?, ?, ?)", row)
    tx.execute("INSERT OR REPLACE INTO hub_policy_files VALUES (?, ?)", (statement.policy_digest, files))


def held(tx: Transaction) -> dict[int, Held]:
    """Every version by its number, in order."""
    rows = tx.execute("SELECT number, statement, taken_at FROM hub_policy ORDER BY number")
    return {number: Held(_read(frame), taken_at) for number, frame, taken_at in rows}


def files_of(tx: Transaction, policy_digest: str) -> bytes | None:
    """The files of that digest."""
    row = tx.execute("SELECT files FROM hub_policy_files WHERE policy_digest = ?", (policy_digest,)).fetchone()
    return None if row is None else bytes(row[0])


@lru_cache(maxsize=_KEPT_VERSIONS)
def _read(frame: bytes) -> PolicyVersion:
    return read_policy(frame)
