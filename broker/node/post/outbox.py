"""What has been said and not yet been acknowledged: a table, and a schedule of repeats in memory.

A message is put here in the transaction that has its effect, so it is sent if and only if that committed. It is
repeated with the same bytes, ever more slowly, until it is acknowledged, expires or is discarded. When its receiver
says hello, or the bus comes back, it is sent again at once.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from broker.node.post.port import Sent
from broker.node.post.writing import Outgoing
from broker.node.store.port import Transaction

FIRST_REPEAT_MS: Final = 1_000
"""An acknowledgement takes milliseconds; a second means that something was lost."""
SLOWEST_REPEAT_MS: Final = 60_000
"""A receiver that is away says hello when it returns; this only covers a lost hello."""
_COLUMNS: Final = "message_id, receiver, kind, exchange, subject, digest, expires_at, raw"


@dataclass(slots=True)
class Waiting:
    """A message that waits: when it goes out next, and how often it has gone."""

    sent: Sent
    subject: str
    expires_at: int
    due_at: int
    tries: int = 0


@dataclass(slots=True)
class Outbox:
    """The schedule over the table. Its table methods run in works; everything else on the event loop."""

    _fresh: list[Outgoing] = field(default_factory=list)
    _waiting: dict[str, Waiting] = field(default_factory=dict)
    _heap: list[tuple[int, str]] = field(default_factory=list)
    _jitter: random.Random = field(default_factory=random.SystemRandom)

    def put(self, tx: Transaction, outgoing: Outgoing) -> None:
        """Keep a lasting message with the effect it belongs to; it is sent once that is committed."""
        tx.execute(
            f"INSERT INTO outbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # names of ours
            (
                outgoing.message_id,
                outgoing.receiver,
                outgoing.kind,
                outgoing.exchange,
                outgoing.subject,
                outgoing.digest,
                outgoing.expires_at,
                outgoing.raw,
            ),
        )
        self._fresh.append(outgoing)

    def taken(self, tx: Transaction, message_id: str) -> bool:
        """Let go of an acknowledged message; False if it was gone already."""
        return tx.execute("DELETE FROM outbox WHERE message_id = ?", (message_id,)).rowcount == 1

    def discard(self, tx: Transaction, exchange: str, kind: str) -> int:
        """Let go of what an exchange no longer has to say; how many messages that were."""
        return tx.execute("DELETE FROM outbox WHERE exchange = ? AND kind = ?", (exchange, kind)).rowcount

    def reissue(self, tx: Transaction, again: Callable[[bytes, str], Outgoing | None]) -> dict[str, str]:
        """Put kept messages anew; gives back the new id of each. `again` makes one of its bytes and subject, or None.

        What was sent under the old ids is settled by nobody any more; receivers know the effect by what it is about.
        """
        renamed: dict[str, str] = {}
        for message_id, subject, raw in tx.execute("SELECT message_id, subject, raw FROM outbox").fetchall():
            fresh = again(raw, subject)
            if fresh is not None:
                tx.execute("DELETE FROM outbox WHERE message_id = ?", (message_id,))
                self.put(tx, fresh)
                renamed[message_id] = fresh.message_id
        return renamed

    def start_work(self) -> None:
        """A work begins: what it puts is not yet to be sent."""
        self._fresh = []

    def put_by_work(self) -> list[Outgoing]:
        """What the work that just ran has put."""
        return self._fresh

    @staticmethod
    def all_rows(tx: Transaction) -> list[tuple[Sent, str, int]]:
        """Every kept message, without its bytes."""
        return [
            (Sent(row[0], row[1], row[2], row[3], row[5]), row[4], row[6])
            for row in tx.execute(
                "SELECT message_id, receiver, kind, exchange, subject, digest, expires_at FROM outbox ORDER BY rowid"
            )
        ]

    @staticmethod
    def raw_of(tx: Transaction, message_ids: Iterable[str]) -> dict[str, bytes]:
        """The bytes of those messages that are still kept."""
        found = {}
        for message_id in message_ids:
            row = tx.execute("SELECT raw FROM outbox WHERE message_id = ?", (message_id,)).fetchone()
            if row is not None:
                found[message_id] = row[0]
        return found

    @staticmethod
    def drop_expired(tx: Transaction, now: int) -> None:
        """Let go of messages that no receiver would take any more; their exchanges have timers of their own."""
        tx.execute("DELETE FROM outbox WHERE expires_at <= ?", (now,))

    def schedule(self, sent: Sent, subject: str, expires_at: int, *, due_at: int, tries: int = 0) -> None:
        """Have a committed message sent at `due_at`, unless it is scheduled already."""
        if sent.message_id not in self._waiting:
            self._waiting[sent.message_id] = Waiting(sent, subject, expires_at, due_at, tries)
            heapq.heappush(self._heap, (due_at, sent.message_id))

    def find(self, message_id: str) -> Sent | None:
        """The waiting message of that id."""
        waiting = self._waiting.get(message_id)
        return None if waiting is None else waiting.sent

    def forget(self, message_id: str) -> None:
        """Stop sending a message."""
        self._waiting.pop(message_id, None)

    def hasten(self, receiver: str | None, now: int) -> None:
        """Have everything for that receiver (None: for everybody) sent at once."""
        for message_id, waiting in self._waiting.items():
            if receiver is None or waiting.sent.receiver == receiver:
                waiting.due_at = now
                waiting.tries = min(waiting.tries, 1)
                heapq.heappush(self._heap, (now, message_id))

    def due(self, now: int, limit: int) -> list[Waiting]:
        """At most `limit` messages whose time has come, each moved on to its next repeat."""
        found: list[Waiting] = []
        while self._heap and self._heap[0][0] <= now and len(found) < limit:
            due_at, message_id = heapq.heappop(self._heap)
            waiting = self._waiting.get(message_id)
            if waiting is None or waiting.due_at != due_at:
                continue  # acknowledged, or rescheduled: the heap holds a newer line for it
            if waiting.expires_at <= now:
                del self._waiting[message_id]
                continue
            waiting.due_at = now + self._pause(waiting.tries)
            waiting.tries += 1
            heapq.heappush(self._heap, (waiting.due_at, message_id))
            found.append(waiting)
        return found

    def next_due_at(self) -> int | None:
        """When there is something to send next; None if nothing waits."""
        while self._heap and self._heap[0][1] not in self._waiting:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def __len__(self) -> int:
        return len(self._waiting)

    def _pause(self, tries: int) -> int:
        pause = min(FIRST_REPEAT_MS * 2 ** min(tries, 10), SLOWEST_REPEAT_MS)
        return int(pause * self._jitter.uniform(0.8, 1.2))
