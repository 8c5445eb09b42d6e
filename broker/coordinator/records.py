"""The coordinator's tables, as functions on a transaction. The one place that knows their columns.

Nothing here decides anything; what is called in one work is committed together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from broker.coordinator.effects import TimerKind
from broker.coordinator.exchange import Exchange, Progress
from broker.node.store.migrations import Migration, load_migrations
from broker.node.store.port import Transaction
from schemas.failures import Rejected
from schemas.vocabulary import Rag, ReviewRole

MIGRATIONS: Final[tuple[Migration, ...]] = load_migrations("broker.coordinator.migrations", "coordinator")
URGENCY: Final = {Rag.RED: 0, Rag.AMBER: 1, Rag.GREEN: 2, Rag.BLUE: 3}
"""Timers due together fire in this order."""
_COLUMNS: Final = (
    "id, enquiry, agency, rag, request_digest, asked_at, deadline_at, expires_at, progress, grant_digest,"
    " answer_digest, alerted, is_undecided, is_escalated, is_late"
)
_INSERT: Final = f"INSERT INTO exchange ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_SELECT: Final = f"SELECT {_COLUMNS}, reviewer FROM exchange WHERE id = ?"  # noqa: S608


class ExchangeUnknown(Rejected):
    """No such exchange of that party."""

    code = "exchange_unknown"


class ExchangeUsed(Rejected):
    """The exchange id is another request's."""

    code = "exchange_used"


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer whose time has come."""

    exchange: str
    kind: TimerKind
    due_at: int


@dataclass(frozen=True, slots=True)
class AgencyEntry:
    """An entry the coordinator made that names an agency, and the message that carried it there last."""

    seq: int
    exchange: str
    index: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is admitted."""

    party: str
    kind: str
    root: str
    admitted_at: int


# Exchanges.


def add_exchange(tx: Transaction, exchange: Exchange) -> None:
    """Keep a new exchange.

    Raises:
        ExchangeUsed: there is one of that id.
    """
    if tx.execute("SELECT 1 FROM exchange WHERE id = ?", (exchange.id,)).fetchone():
        raise ExchangeUsed
    values = (
        exchange.id,
        exchange.enquiry,
        exchange.agency,
        exchange.rag.value,
        exchange.request_digest,
        exchange.asked_at,
        exchange.deadline_at,
        exchange.expires_at,
        exchange.progress.value,
        exchange.grant_digest,
        exchange.answer_digest,
        exchange.alerted,
        exchange.is_undecided,
        exchange.is_escalated,
        exchange.is_late,
    )
    tx.execute(_INSERT, values)


def get_exchange(tx: Transaction, exchange_id: str) -> Exchange:
    """The exchange of that id.

    Raises:
        ExchangeUnknown: there is none.
    """
    row = tx.execute(_SELECT, (exchange_id,)).fetchone()
    if row is None:
        raise ExchangeUnknown
    return Exchange(
        id=row[0],
        enquiry=row[1],
        agency=row[2],
        rag=Rag(row[3]),
        request_digest=row[4],
        asked_at=row[5],
        deadline_at=row[6],
        expires_at=row[7],
        progress=Progress(row[8]),
        grant_digest=row[9],
        answer_digest=row[10],
        alerted=None if row[11] is None else TimerKind(row[11]),
        is_undecided=bool(row[12]),
        is_escalated=bool(row[13]),
        is_late=bool(row[14]),
        reviewer=None if row[15] is None else ReviewRole(row[15]),
    )


def put_exchange(tx: Transaction, exchange: Exchange) -> None:
    """Keep what a step changed of an exchange."""
    tx.execute(
        "UPDATE exchange SET progress = ?, grant_digest = ?, answer_digest = ?, alerted = ?, is_undecided = ?,"
        " is_escalated = ?, is_late = ?, reviewer = ? WHERE id = ?",
        (
            exchange.progress.value,
            exchange.grant_digest,
            exchange.answer_digest,
            exchange.alerted,
            exchange.is_undecided,
            exchange.is_escalated,
            exchange.is_late,
            exchange.reviewer,
            exchange.id,
        ),
    )


def note_delivery_code(tx: Transaction, exchange_id: str, code: str) -> None:
    """Keep the code with which the agency answered the delivery, when it was not taken in."""
    tx.execute("UPDATE exchange SET delivery_code = ? WHERE id = ?", (code, exchange_id))


def put_question(tx: Transaction, exchange_id: str, asked: bytes, policy_digest: str) -> None:
    """Keep what a request asked for, in the codes that the policy read, and which policy that was."""
    tx.execute("INSERT INTO question VALUES (?, ?, ?)", (exchange_id, asked, policy_digest))


def get_question(tx: Transaction, exchange_id: str) -> tuple[bytes, str]:
    """What a request asked for, in codes, and the digest of the policy that decided it.

    Raises:
        ExchangeUnknown: there is none, or it was decided before this was kept.
    """
    row = tx.execute("SELECT asked, policy_digest FROM question WHERE exchange = ?", (exchange_id,)).fetchone()
    if row is None:
        raise ExchangeUnknown
    return bytes(row[0]), row[1]


def put_request(tx: Transaction, exchange_id: str, envelope: bytes, grant_envelope: bytes) -> None:
    """Keep the sealed request and its grant."""
    tx.execute("INSERT INTO request VALUES (?, ?, ?)", (exchange_id, envelope, grant_envelope))


def get_request(tx: Transaction, exchange_id: str) -> tuple[bytes, bytes] | None:
    """The sealed request and its grant, unless the exchange is concluded."""
    row: tuple[bytes, bytes] | None = tx.execute(
        "SELECT envelope, grant_envelope FROM request WHERE exchange = ?", (exchange_id,)
    ).fetchone()
    return row


def forget_request(tx: Transaction, exchange_id: str) -> None:
    """Delete the sealed request and its grant."""
    tx.execute("DELETE FROM request WHERE exchange = ?", (exchange_id,))


# Timers.


def set_timer(tx: Transaction, exchange: Exchange, kind: TimerKind, due_at: int) -> None:
    """Have a timer of an exchange fire."""
    tx.execute("INSERT INTO timer VALUES (?, ?, ?, ?)", (exchange.id, kind.value, URGENCY[exchange.rag], due_at))


def cancel_timers(tx: Transaction, exchange_id: str) -> None:
    """Delete an exchange's timers."""
    tx.execute("DELETE FROM timer WHERE exchange = ?", (exchange_id,))


def take_due_timers(tx: Transaction, now: int, limit: int) -> list[DueTimer]:
    """Delete and give back the most urgent of the timers that are due: by rating, then by when they were due."""
    rows = tx.execute(
        "SELECT exchange, kind, due_at FROM timer WHERE due_at <= ? ORDER BY urgency, due_at LIMIT ?", (now, limit)
    ).fetchall()
    tx.executemany("DELETE FROM timer WHERE exchange = ? AND kind = ?", [row[:2] for row in rows])
    return [DueTimer(exchange, TimerKind(kind), due_at) for exchange, kind, due_at in rows]


def next_due_at(tx: Transaction) -> int | None:
    """When the next timer is due."""
    due_at: int | None = tx.execute("SELECT min(due_at) FROM timer").fetchone()[0]
    return due_at


# What each agency has.


def next_seq(tx: Transaction, agency: str) -> int:
    """The number of the next entry that names the agency; gapless from 1."""
    row = tx.execute(
        "INSERT INTO agency VALUES (?, 1, 0, 0) ON CONFLICT (party) DO UPDATE SET seq = seq + 1 RETURNING seq",
        (agency,),
    ).fetchone()
    return int(row[0])


def last_seq(tx: Transaction, agency: str) -> int:
    """The number of the newest entry that names the agency; 0 if there is none."""
    row = tx.execute("SELECT seq FROM agency WHERE party = ?", (agency,)).fetchone()
    return 0 if row is None else int(row[0])


def swap_extended_size(tx: Transaction, agency: str, size: int) -> int:
    """Remember up to which size of the log the agency is sent leaf hashes; gives back up to which it was before."""
    row = tx.execute("SELECT extended_size FROM agency WHERE party = ?", (agency,)).fetchone()
    tx.execute(
        "INSERT INTO agency VALUES (?, 0, ?, 0)"
        " ON CONFLICT (party) DO UPDATE SET extended_size = excluded.extended_size",
        (agency, size),
    )
    return 0 if row is None else int(row[0])


def note_heard(tx: Transaction, agency: str, at: int) -> None:
    """Remember when an agency last said hello."""
    tx.execute(
        "INSERT INTO agency VALUES (?, 0, 0, ?) ON CONFLICT (party) DO UPDATE SET heard_at = excluded.heard_at",
        (agency, at),
    )


def add_agency_entry(tx: Transaction, agency: str, entry: AgencyEntry) -> None:
    """Remember an entry that names an agency."""
    tx.execute(
        "INSERT INTO agency_entry VALUES (?, ?, ?, ?, ?)",
        (agency, entry.seq, entry.exchange, entry.index, entry.message_id),
    )


def note_carrier(tx: Transaction, agency: str, seq: int, message_id: str) -> None:
    """Remember which message carries an entry to its agency."""
    tx.execute("UPDATE agency_entry SET message_id = ? WHERE agency = ? AND seq = ?", (message_id, agency, seq))


def entries_not_under_way(tx: Transaction, agency: str, after: int, limit: int, now: int) -> list[AgencyEntry]:
    """Entries above a number that no waiting message carries any more: acknowledged and lost since, or expired."""
    rows = tx.execute(
        "SELECT seq, exchange, idx, message_id FROM agency_entry WHERE agency = ? AND seq > ?"
        " AND message_id NOT IN (SELECT message_id FROM outbox WHERE receiver = ? AND expires_at > ?)"
        " ORDER BY seq LIMIT ?",
        (agency, after, agency, now, limit),
    ).fetchall()
    return [AgencyEntry(*row) for row in rows]


def first_seq(tx: Transaction, agency: str, exchange_id: str) -> int:
    """The number of the first entry about an exchange: the one of its decision."""
    row = tx.execute("SELECT min(seq) FROM agency_entry WHERE agency = ? AND exchange = ?", (agency, exchange_id))
    return int(row.fetchone()[0] or 0)


# Deeds and addenda.


def find_deed(tx: Transaction, leaf_hash: bytes) -> int | None:
    """The index of a deed that is in the log already."""
    row = tx.execute("SELECT idx FROM deed WHERE leaf_hash = ?", (leaf_hash,)).fetchone()
    return None if row is None else int(row[0])


def has_deed(tx: Transaction, exchange_id: str, entry_type: str) -> bool:
    """Whether the exchange has a deed of that type in the log."""
    found = tx.execute("SELECT 1 FROM deed WHERE exchange = ? AND type = ?", (exchange_id, entry_type)).fetchone()
    return found is not None


def add_deed(tx: Transaction, leaf_hash: bytes, exchange_id: str | None, entry_type: str, index: int) -> None:
    """Remember a deed's place in the log."""
    tx.execute("INSERT INTO deed VALUES (?, ?, ?, ?)", (leaf_hash, exchange_id, entry_type, index))


def put_addendum(tx: Transaction, sha256: str, exchange_id: str | None, raw: bytes) -> None:
    """Keep a sealed addendum."""
    tx.execute("INSERT OR IGNORE INTO addendum VALUES (?, ?, ?)", (sha256, exchange_id, raw))


def get_addendum(tx: Transaction, sha256: str) -> bytes | None:
    """A sealed addendum, unless it was erased."""
    row = tx.execute("SELECT raw FROM addendum WHERE sha256 = ?", (sha256,)).fetchone()
    return None if row is None else bytes(row[0])


def close_enquiry(tx: Transaction, enquiry: str) -> None:
    """Remember that an enquiry is closed."""
    tx.execute("INSERT OR IGNORE INTO closed_enquiry VALUES (?)", (enquiry,))


def is_enquiry_closed(tx: Transaction, enquiry: str) -> bool:
    """Whether the desk closed the enquiry."""
    return tx.execute("SELECT 1 FROM closed_enquiry WHERE enquiry = ?", (enquiry,)).fetchone() is not None


# Members, standing.


def members(tx: Transaction) -> dict[str, Member]:
    """Who is admitted, by name."""
    rows = tx.execute("SELECT party, kind, root, admitted_at FROM member ORDER BY party")
    return {row[0]: Member(*row) for row in rows}


def add_member(tx: Transaction, member: Member) -> None:
    """Admit somebody."""
    tx.execute("INSERT INTO member VALUES (?, ?, ?, ?)", (member.party, member.kind, member.root, member.admitted_at))


def drop_member(tx: Transaction, party: str) -> None:
    """Remove somebody."""
    tx.execute("DELETE FROM member WHERE party = ?", (party,))


def open_by_progress(tx: Transaction) -> dict[str, int]:
    """How many exchanges without a conclusion there are, by where they stand."""
    return {
        progress.value: int(
            tx.execute("SELECT count(*) FROM exchange WHERE progress = ?", (progress.value,)).fetchone()[0]
        )
        for progress in (Progress.PERMITTED, Progress.DELIVERED, Progress.OVERDUE)
    }


def agencies(tx: Transaction) -> list[tuple[str, int, int]]:
    """Each agency that is known: its name, the number of its newest entry, when it last said hello."""
    return tx.execute("SELECT party, seq, heard_at FROM agency ORDER BY party").fetchall()


def most_pressing(tx: Transaction, limit: int) -> list[tuple[object, ...]]:
    """Open exchanges for the status: id, agency, rating, progress, deadline, last alert, delivery's code, reviewer."""
    return tx.execute(
        "SELECT id, agency, rag, progress, deadline_at, alerted, delivery_code, reviewer FROM exchange"
        " WHERE progress IN ('permitted', 'delivered', 'overdue') ORDER BY deadline_at LIMIT ?",
        (limit,),
    ).fetchall()


# Outages of the hub.


def beat(tx: Transaction, now: int) -> int | None:
    """Remember that the hub lives and hears; gives back when it last did."""
    row = tx.execute("SELECT alive_at FROM heartbeat").fetchone()
    tx.execute("INSERT OR REPLACE INTO heartbeat VALUES (1, ?)", (now,))
    return None if row is None else int(row[0])


def add_outage(tx: Transaction, from_at: int, until_at: int) -> None:
    """Remember that nobody could reach the hub."""
    tx.execute("INSERT INTO outage VALUES (?, ?)", (from_at, until_at))


def was_away(tx: Transaction, at: int) -> bool:
    """Whether `at` falls into an outage of the hub."""
    found = tx.execute("SELECT 1 FROM outage WHERE until_at > ? AND from_at <= ? LIMIT 1", (at, at)).fetchone()
    return found is not None
