"""The desk's tables: what is written and read where. Every function runs inside a work or a query.

Moves sealed bytes and codes; opens nothing, decides nothing but what the table of transitions says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from broker.desk.asked import Asked
from broker.desk.deeds import Done
from broker.desk.enquiry import Enquiry, EnquiryState
from broker.desk.progress import Event, Progress, Standing, advance
from broker.node.store.port import Transaction
from schemas.failures import Rejected
from schemas.vocabulary import Purpose, Rag, ReviewRole, Stage


class EnquiryUnknown(Rejected):
    """No such enquiry, or none of this officer's."""

    code = "enquiry_unknown"


@dataclass(frozen=True, slots=True)
class EnquiryRow:
    """An enquiry as it lies in the store."""

    id: str
    state: EnquiryState
    stage: Stage
    rag: Rag
    purpose: Purpose
    received_at: int
    opened_at: int
    opened_by: str
    reply_key: str
    sealed_content: bytes | None = field(repr=False)
    sealed_decision: bytes | None = field(repr=False)
    officers: frozenset[str]


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """An exchange as it lies in the store, with what became known of it."""

    asked: Asked
    standing: Standing
    ruling: bytes | None
    code: str | None
    sealed_references: bytes | None = field(repr=False)
    sealed_outcomes: bytes | None = field(repr=False)
    is_part_quarantined: bool
    """Of its answer something was kept back."""


# Enquiries.

_WORKS_ON = "enquiry_officer WHERE (enquiry, officer) NOT IN (SELECT enquiry, officer FROM enquiry_conflict)"
"""Officers and the enquiries they work on: nobody works on an enquiry whose conflict list names him."""


def add_enquiry(tx: Transaction, enquiry: Enquiry, sealed_content: bytes) -> None:
    """Keep a new enquiry. Its keys are durable already."""
    tx.execute(
        "INSERT INTO enquiry (id, state, stage, rag, purpose, received_at, opened_at, opened_by, reply_key,"
        " sealed_content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            enquiry.id,
            enquiry.state,
            enquiry.stage,
            enquiry.rag,
            enquiry.purpose,
            enquiry.received_at,
            enquiry.opened_at,
            enquiry.opened_by,
            enquiry.reply_key,
            sealed_content,
        ),
    )
    rows = [(officer, enquiry.id) for officer in sorted(enquiry.officers)]
    tx.executemany("INSERT INTO enquiry_officer (officer, enquiry) VALUES (?, ?)", rows)


def get_enquiry(tx: Transaction, enquiry: str) -> EnquiryRow:
    """The enquiry of that id.

    Raises:
        EnquiryUnknown: there is none.
    """
    row = tx.execute(
        "SELECT id, state, stage, rag, purpose, received_at, opened_at, opened_by, reply_key, sealed_content,"
        " sealed_decision FROM enquiry WHERE id = ?",
        (enquiry,),
    ).fetchone()
    if row is None:
        raise EnquiryUnknown("no such enquiry of yours")
    officers = tx.execute(f"SELECT officer FROM {_WORKS_ON} AND enquiry = ?", (enquiry,))  # noqa: S608  # ours
    return EnquiryRow(
        row[0],
        EnquiryState(row[1]),
        Stage(row[2]),
        Rag(row[3]),
        Purpose(row[4]),
        row[5],
        row[6],
        row[7],
        row[8],
        row[9],
        row[10],
        frozenset(one for (one,) in officers),
    )


def enquiries_of(tx: Transaction, officer: str) -> list[str]:
    """Ids of the enquiries an officer works on, newest received first."""
    rows = tx.execute(
        f"SELECT id FROM enquiry JOIN (SELECT * FROM {_WORKS_ON} AND officer = ?) ON enquiry = id"  # noqa: S608  # ours
        " ORDER BY received_at DESC, id",
        (officer,),
    )
    return [one for (one,) in rows]


def set_decided(tx: Transaction, enquiry: Enquiry, sealed_decision: bytes) -> None:
    """Keep a decision."""
    tx.execute(
        "UPDATE enquiry SET state = ?, stage = ?, sealed_decision = ? WHERE id = ?",
        (enquiry.state, enquiry.stage, sealed_decision, enquiry.id),
    )


def set_state(tx: Transaction, enquiry: str, state: EnquiryState) -> None:
    """Note where an enquiry stands."""
    tx.execute("UPDATE enquiry SET state = ? WHERE id = ?", (state, enquiry))


def all_keys(tx: Transaction) -> list[tuple[str, str, EnquiryState]]:
    """Id, reply key and state of every enquiry."""
    return [
        (one, key, EnquiryState(state)) for one, key, state in tx.execute("SELECT id, reply_key, state FROM enquiry")
    ]


def forget_content(tx: Transaction, enquiry: str) -> None:
    """Let go of everything sealed to an enquiry, once its keys are destroyed."""
    of_enquiry = "exchange IN (SELECT id FROM exchange WHERE enquiry = ?)"
    tx.execute(
        "UPDATE enquiry SET state = ?, sealed_content = NULL, sealed_decision = NULL WHERE id = ?",
        (EnquiryState.ERASED, enquiry),
    )
    tx.execute(
        "UPDATE exchange SET body = NULL, addendum = NULL, sealed_references = NULL WHERE enquiry = ?", (enquiry,)
    )
    tx.execute(f"UPDATE answer SET sealed_outcomes = NULL WHERE {of_enquiry}", (enquiry,))  # noqa: S608  # ours
    tx.execute(f"UPDATE quarantine SET sealed_excess = NULL WHERE {of_enquiry}", (enquiry,))  # noqa: S608  # ours


def reference_for(tx: Transaction, enquiry: str, agency: str, fresh: str) -> str:
    """The enquiry's random reference towards an agency; `fresh` becomes it if there is none yet."""
    tx.execute(
        "INSERT INTO enquiry_reference (enquiry, agency, reference) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (enquiry, agency, fresh),
    )
    row = tx.execute(
        "SELECT reference FROM enquiry_reference WHERE enquiry = ? AND agency = ?", (enquiry, agency)
    ).fetchone()
    return str(row[0])


def references_of(tx: Transaction, enquiry: str) -> list[str]:
    """The enquiry's references towards all agencies it asked."""
    rows = tx.execute("SELECT reference FROM enquiry_reference WHERE enquiry = ? ORDER BY reference", (enquiry,))
    return [one for (one,) in rows]


# Exchanges.

_ASKED = (
    "id, enquiry, agency, officer, progress, header, request_digest, asked_at, deadline_at, expires_at, reply_key,"
    " grant_header, grant_digest"
)


def add_exchange(tx: Transaction, asked: Asked, body: bytes, addendum: bytes, sealed_references: bytes) -> None:
    """Keep a prepared request."""
    tx.execute(
        f"INSERT INTO exchange ({_ASKED}, body, addendum, sealed_references)"  # noqa: S608  # names of ours
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            asked.exchange,
            asked.enquiry,
            asked.agency,
            asked.officer,
            asked.progress,
            asked.header,
            asked.request_digest,
            asked.asked_at,
            asked.deadline_at,
            asked.expires_at,
            asked.reply_key,
            None,
            None,
            body,
            addendum,
            sealed_references,
        ),
    )
    _note(tx, asked.exchange, Event.PREPARED, asked.asked_at, None)


def find_asked(tx: Transaction, exchange: str) -> Asked | None:
    """The desk's memory of what it asked; None if it never asked that."""
    row = tx.execute(f"SELECT {_ASKED} FROM exchange WHERE id = ?", (exchange,)).fetchone()  # noqa: S608  # ours
    return None if row is None else _asked(row)


def happened(tx: Transaction, exchange: str, event: Event, at: int, receipt: bytes | None = None) -> bool:
    """Move an exchange on and note the event; False if it was known already.

    Raises:
        NotRuledYet, Concluded: the table of transitions has no such line.
    """
    row = tx.execute("SELECT progress FROM exchange WHERE id = ?", (exchange,)).fetchone()
    after = advance(Progress(row[0]), event)
    tx.execute("UPDATE exchange SET progress = ? WHERE id = ?", (after, exchange))
    return _note(tx, exchange, event, at, receipt)


def _note(tx: Transaction, exchange: str, event: Event, at: int, receipt: bytes | None) -> bool:
    noted = tx.execute(
        "INSERT INTO exchange_event (exchange, event, at, receipt) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (exchange, event, at, receipt),
    )
    return noted.rowcount == 1


def mark(tx: Transaction, exchange: str, *, is_undecided: bool, reviewer: ReviewRole | None) -> None:
    """Keep that the deadline fell inside an outage of the hub, or in which role somebody reviews the request."""
    changed = "UPDATE exchange SET undecided = max(undecided, ?), reviewer = coalesce(?, reviewer) WHERE id = ?"
    tx.execute(changed, (is_undecided, reviewer, exchange))


def set_ruling(tx: Transaction, exchange: str, ruling: bytes, grant: bytes | None, grant_digest: str | None) -> None:
    """Keep a ruling, and the grant if it permits."""
    tx.execute(
        "UPDATE exchange SET ruling = ?, grant_header = ?, grant_digest = ? WHERE id = ?",
        (ruling, grant, grant_digest, exchange),
    )


def set_code(tx: Transaction, exchange: str, code: str) -> None:
    """Keep why the coordinator did not accept a submission, or the agency did not take a delivery."""
    tx.execute("UPDATE exchange SET code = ? WHERE id = ?", (code, exchange))


def parts_of(tx: Transaction, exchange: str) -> tuple[bytes, bytes] | None:
    """Sealed body and addendum of a prepared request; None once they were let go."""
    row = tx.execute("SELECT body, addendum FROM exchange WHERE id = ?", (exchange,)).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


def drop_parts(tx: Transaction, exchange: str) -> None:
    """Let go of a request's sealed parts: the outbox has them from here on."""
    tx.execute("UPDATE exchange SET body = NULL, addendum = NULL WHERE id = ?", (exchange,))


def drop_prepared(tx: Transaction, exchange: str) -> None:
    """Forget a request that was never signed; nobody else knows of it."""
    tx.execute("DELETE FROM exchange_event WHERE exchange = ?", (exchange,))
    tx.execute("DELETE FROM exchange WHERE id = ? AND progress = ?", (exchange, Progress.PREPARED))


def drop_all_prepared(tx: Transaction) -> None:
    """Forget every request that was never signed, as far as this store knows."""
    prepared = "SELECT id FROM exchange WHERE progress = ?"
    tx.execute(f"DELETE FROM exchange_event WHERE exchange IN ({prepared})", (Progress.PREPARED,))  # noqa: S608  # ours
    tx.execute("DELETE FROM exchange WHERE progress = ?", (Progress.PREPARED,))


def exchanges_of(tx: Transaction, enquiry: str) -> list[ExchangeRow]:
    """Every exchange of an enquiry, in the order they were made."""
    ids = tx.execute("SELECT id FROM exchange WHERE enquiry = ? ORDER BY asked_at, id", (enquiry,)).fetchall()
    return [row for (one,) in ids if (row := find_exchange(tx, one)) is not None]


def find_exchange(tx: Transaction, exchange: str) -> ExchangeRow | None:
    """An exchange with all that became known of it."""
    row = tx.execute(
        f"SELECT {_ASKED}, undecided, ruling, code, sealed_references, sealed_outcomes,"  # noqa: S608  # names of ours
        " quarantine.exchange IS NOT NULL, reviewer FROM exchange LEFT JOIN answer ON answer.exchange = exchange.id"
        " LEFT JOIN quarantine ON quarantine.exchange = exchange.id WHERE id = ?",
        (exchange,),
    ).fetchone()
    if row is None:
        return None
    asked = _asked(row)
    events = tx.execute("SELECT event, at FROM exchange_event WHERE exchange = ?", (exchange,))
    at: Mapping[Event, int] = {Event(event): when for event, when in events}
    standing = Standing(asked.progress, at, asked.deadline_at, asked.expires_at, bool(row[13]), row[19])
    return ExchangeRow(asked, standing, row[14], row[15], row[16], row[17], bool(row[18]))


def _asked(row: tuple[str, str, str, str, str, bytes, str, int, int, int, str, bytes | None, str | None]) -> Asked:
    return Asked(row[0], row[1], row[2], row[3], Progress(row[4]), *row[5:13])


# Answers.


def answer_digest_of(tx: Transaction, exchange: str) -> str | None:
    """Digest of the answer that was opened for an exchange."""
    row = tx.execute("SELECT answer_digest FROM answer WHERE exchange = ?", (exchange,)).fetchone()
    return None if row is None else str(row[0])


def add_answer(
    tx: Transaction, exchange: str, digest: str, envelope: bytes, opened_at: int, sealed_outcomes: bytes
) -> None:
    """Keep an opened answer, sealed again, and its header and signature as evidence."""
    tx.execute(
        "INSERT INTO answer (exchange, answer_digest, envelope, opened_at, sealed_outcomes) VALUES (?, ?, ?, ?, ?)",
        (exchange, digest, envelope, opened_at, sealed_outcomes),
    )


def add_quarantine(tx: Transaction, exchange: str, sealed_excess: bytes) -> None:
    """Keep apart what exceeded a grant."""
    tx.execute("INSERT INTO quarantine (exchange, sealed_excess) VALUES (?, ?)", (exchange, sealed_excess))


# Deeds, rejections, commands.


def add_deed(tx: Transaction, done: Done) -> None:
    """Keep a deed; the message that carries it goes to the outbox in the same transaction."""
    tx.execute(
        "INSERT INTO deed (message_id, type, enquiry, exchange, made_at, leaf, leaf_hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (done.outgoing.message_id, done.type, done.enquiry, done.exchange, done.at, done.leaf, done.leaf_hash),
    )


def find_deed(tx: Transaction, message_id: str) -> bytes | None:
    """The leaf that a message of ours carried."""
    row = tx.execute("SELECT leaf FROM deed WHERE message_id = ?", (message_id,)).fetchone()
    return None if row is None else bytes(row[0])


def has_withdraw(tx: Transaction, exchange: str, leaf_hash: str) -> bool:
    """Whether that entry is this desk's own request to take the exchange back."""
    row = tx.execute(
        "SELECT 1 FROM deed WHERE exchange = ? AND leaf_hash = ? AND type = 'withdraw'", (exchange, leaf_hash)
    ).fetchone()
    return row is not None


def set_deed_receipt(tx: Transaction, message_id: str, receipt: bytes) -> None:
    """Keep the proof that a deed is in the log."""
    tx.execute("UPDATE deed SET receipt = ? WHERE message_id = ?", (receipt, message_id))


def set_deed_code(tx: Transaction, message_id: str, code: str) -> None:
    """Keep why a deed was not taken."""
    tx.execute("UPDATE deed SET code = ? WHERE message_id = ?", (code, message_id))


def add_rejection(tx: Transaction, digest: str, kind: str, sender: str, code: str, at: int) -> None:
    """Note a message that did not hold; the same one again is noted once."""
    tx.execute(
        "INSERT INTO rejection (message_digest, kind, sender, code, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (digest, kind, sender, code, at),
    )


def take_nonce(tx: Transaction, officer: str, nonce: str, forget_at: int, now: int) -> bool:
    """Remember a command's nonce; False if it was used before."""
    tx.execute("DELETE FROM command_seen WHERE forget_at < ?", (now,))
    taken = tx.execute(
        "INSERT INTO command_seen (officer, nonce, forget_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (officer, nonce, forget_at),
    )
    return taken.rowcount == 1


def counts(tx: Transaction) -> dict[str, dict[str, int]]:
    """How many enquiries, exchanges, rejections and deeds there are, by code."""
    return {
        "enquiries": _counted(tx.execute("SELECT state, count(*) FROM enquiry GROUP BY state")),
        "exchanges": _counted(tx.execute("SELECT progress, count(*) FROM exchange GROUP BY progress")),
        "rejections": _counted(tx.execute("SELECT code, count(*) FROM rejection GROUP BY code")),
        "deeds_unrecorded": _counted(
            tx.execute("SELECT coalesce(code, 'waiting'), count(*) FROM deed WHERE receipt IS NULL GROUP BY code")
        ),
    }


def _counted(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    return dict(rows)
