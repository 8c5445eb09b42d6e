"""Faults to order: the n-th message of a run, or the n-th commit of a party, goes wrong in one known way."""

from __future__ import annotations

import sqlite3
import threading
from enum import StrEnum

from broker.node.bus.memory import MemoryBus, MemoryHub
from broker.node.store.connection import commit_durably


class MessageFault(StrEnum):
    """What can become of a message on its way."""

    LOST = "lost"
    DOUBLED = "doubled"
    OVERTAKEN = "overtaken"


class FaultyHub(MemoryHub):
    """A bus that treats one message, counted from when it is armed, in one way."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: MessageFault | None = None
        self.at = -1
        self.count = 0
        self.was_hit = False
        self._held: tuple[MemoryBus, str, bytes] | None = None

    def arm(self, fault: MessageFault | None, at: int) -> None:
        """Count from now on, and have the fault happen to message number `at` (from 0)."""
        self.fault, self.at, self.count, self.was_hit = fault, at, 0, False

    def _carry(self, sender: MemoryBus, subject: str, payload: bytes) -> None:
        number, self.count = self.count, self.count + 1
        if self.fault is None or number != self.at:
            super()._carry(sender, subject, payload)
            if self._held is not None:
                held, self._held = self._held, None
                super()._carry(*held)
            return
        self.was_hit = True
        if self.fault is MessageFault.DOUBLED:
            super()._carry(sender, subject, payload)
            super()._carry(sender, subject, payload)
        elif self.fault is MessageFault.OVERTAKEN:
            self._held = (sender, subject, payload)


class CommitFault(StrEnum):
    """How a commit can fail."""

    NOT_APPLIED = "failed and not applied"
    APPLIED = "reported failed but applied"


class FaultyCommit:
    """A store's commit step that fails once: at commit number `at` after it was armed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.fault: CommitFault | None = None
        self.at = -1
        self.count = 0
        self.was_hit = False

    def arm(self, fault: CommitFault | None, at: int) -> None:
        """Count from now on, and have commit number `at` (from 0) fail."""
        with self._lock:
            self.fault, self.at, self.count, self.was_hit = fault, at, 0, False

    def __call__(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            number, self.count = self.count, self.count + 1
            is_hit = self.fault is not None and number == self.at
            self.was_hit = self.was_hit or is_hit
        if is_hit and self.fault is CommitFault.APPLIED:
            commit_durably(connection)
        if is_hit:
            raise sqlite3.OperationalError("disk I/O error (ordered by a test)")
        commit_durably(connection)
