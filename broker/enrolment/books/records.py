"""Admission's tables, as functions on a transaction. The one place that knows their columns.

Nothing here decides anything; what is called in one work is committed together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from broker.node.store.migrations import Migration, load_migrations
from broker.node.store.port import Transaction

MIGRATIONS: Final[tuple[Migration, ...]] = load_migrations("broker.enrolment.migrations", "admission")
_MEMBER: Final = "agency, state, statement, request_digest, challenge_digest, is_proven, since, reason, may_run_leaf"
_OFFER: Final = (
    "agency, request_digest, nonce, statement, reply, words, challenge_digest, certificate_key,"
    " certificate, replaces, expires_at, may_run_leaf"
)
_DIRECTORY: Final = "version, frame, lines, digest, message_id, changed, issued_at, expires_at, receipt"


class MemberState(StrEnum):
    """How an agency stands that was admitted once."""

    ADMITTED = "admitted"
    SUSPENDED = "suspended"
    EXPELLED = "expelled"


class Standing(StrEnum):
    """How an account of the bus stands."""

    LIVE = "live"
    SUSPENDED = "suspended"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Member:
    """An agency that was admitted: its newest statement (a frame), and how it stands since when and why."""

    agency: str
    state: MemberState
    statement: bytes
    request_digest: str
    challenge_digest: str
    is_proven: bool
    """Whether it has shown that it can open what is sealed to it."""
    since: int
    reason: str | None = None
    may_run_leaf: bool = False
    """Whether it may connect a server of its own as a leaf node."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What was written for an agency and waits for a person's yes."""

    agency: str
    request_digest: str
    nonce: str
    statement: bytes
    reply: bytes
    words: str
    challenge_digest: str
    certificate_key: bytes
    certificate: bytes
    replaces: bool
    expires_at: int
    may_run_leaf: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The claims that every server is to hold for an account."""

    nkey: str
    party: str
    standing: Standing
    claims: str
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """The newest certificate of a party, and the key it is for."""

    party: str
    public: bytes
    pem: bytes
    expires_at: int


class Entered(StrEnum):
    """How far the log knows of a rotation of the bus's own keys."""

    ADDED = "added"
    REVOKED = "revoked"
    USED = "used"


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A rotation of the bus's own keys: of what, the public name of what is to be gone, and what the log knows."""

    what: str
    replaced: str
    entered: Entered
    gone_at: int | None = None
    """When what is replaced was about to be gone; None before that."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A directory; given out once it has the receipt of its entry. `changed` are the parties that it is about."""

    version: int
    frame: bytes
    lines: bytes
    digest: str
    message_id: str
    changed: tuple[str, ...]
    issued_at: int
    expires_at: int
    receipt: bytes | None = None


# Members and offers.


def members(tx: Transaction) -> dict[str, Member]:
    """Every agency that was ever admitted, by name."""
    rows = tx.execute(f"SELECT {_MEMBER} FROM member ORDER BY agency")  # noqa: S608  # names of ours
    return {
        row[0]: Member(row[0], MemberState(row[1]), row[2], row[3], row[4], bool(row[5]), row[6], row[7], bool(row[8]))
        for row in rows
    }


def put_member(tx: Transaction, member: Member) -> None:
    """Keep how an agency stands."""
    tx.execute(
        f"INSERT OR REPLACE INTO member ({_MEMBER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            member.agency,
            member.state.value,
            member.statement,
            member.request_digest,
            member.challenge_digest,
            member.is_proven,
            member.since,
            member.reason,
            member.may_run_leaf,
        ),
    )


def offers(tx: Transaction) -> dict[str, Offer]:
    """What waits for a yes, by agency."""
    rows = tx.execute(f"SELECT {_OFFER} FROM offer ORDER BY agency")  # noqa: S608
    return {
        row[0]: Offer(*row[:9], replaces=bool(row[9]), expires_at=row[10], may_run_leaf=bool(row[11]))  # type: ignore[misc]
        for row in rows
    }


def put_offer(tx: Transaction, offer: Offer) -> None:
    """Keep an offer; an earlier one for the same agency is forgotten."""
    tx.execute(
        f"INSERT OR REPLACE INTO offer ({_OFFER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            offer.agency,
            offer.request_digest,
            offer.nonce,
            offer.statement,
            offer.reply,
            offer.words,
            offer.challenge_digest,
            offer.certificate_key,
            offer.certificate,
            offer.replaces,
            offer.expires_at,
            offer.may_run_leaf,
        ),
    )


def drop_offer(tx: Transaction, agency: str) -> None:
    """Forget an offer."""
    tx.execute("DELETE FROM offer WHERE agency = ?", (agency,))


def taken_requests(tx: Transaction, nonce: str) -> set[str]:
    """That request's nonce, if it has had its effect."""
    return {row[0] for row in tx.execute("SELECT nonce FROM request WHERE nonce = ?", (nonce,))}


def take_request(tx: Transaction, nonce: str, agency: str, now: int) -> None:
    """Remember that a request has had its effect."""
    tx.execute("INSERT INTO request VALUES (?, ?, ?)", (nonce, agency, now))


# Keys.


def owners(tx: Transaction, publics: Iterable[bytes]) -> set[str]:
    """The parties that stated any of these keys before."""
    found = set()
    for public in publics:
        row = tx.execute("SELECT party FROM key_of WHERE public = ?", (public,)).fetchone()
        if row is not None:
            found.add(row[0])
    return found


def keep_keys(tx: Transaction, party: str, publics: Iterable[bytes]) -> None:
    """Remember whose these keys are."""
    tx.executemany("INSERT OR IGNORE INTO key_of VALUES (?, ?)", [(public, party) for public in publics])


# The hub's own parties.


def hub_statements(tx: Transaction) -> dict[str, bytes]:
    """The newest statements of the hub's own parties that came by renewal."""
    return dict(tx.execute("SELECT party, statement FROM hub_statement").fetchall())


def put_hub_statement(tx: Transaction, party: str, statement: bytes) -> None:
    """Keep the newest statement of one of the hub's own parties."""
    tx.execute("INSERT OR REPLACE INTO hub_statement VALUES (?, ?)", (party, statement))


# What the bus is to hold.


def accounts(tx: Transaction) -> dict[str, Account]:
    """Every account that the servers are to hold, by nkey."""
    rows = tx.execute("SELECT nkey, party, standing, claims, issued_at, expires_at FROM account ORDER BY nkey")
    return {row[0]: Account(row[0], row[1], Standing(row[2]), *row[3:]) for row in rows}


def put_account(tx: Transaction, account: Account) -> None:
    """Keep what the servers are to hold for an account."""
    tx.execute(
        "INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?, ?)",
        (account.nkey, account.party, account.standing, account.claims, account.issued_at, account.expires_at),
    )


def drop_account(tx: Transaction, nkey: str) -> None:
    """Forget an account: no server holds it any more."""
    tx.execute("DELETE FROM account WHERE nkey = ?", (nkey,))


def certificates(tx: Transaction) -> dict[str, Certificate]:
    """The newest certificate of each party."""
    rows = tx.execute("SELECT party, public, pem, expires_at FROM certificate ORDER BY party")
    return {row[0]: Certificate(*row) for row in rows}


def put_certificate(tx: Transaction, certificate: Certificate) -> None:
    """Keep a party's newest certificate."""
    values = (certificate.party, certificate.public, certificate.pem, certificate.expires_at)
    tx.execute("INSERT OR REPLACE INTO certificate VALUES (?, ?, ?, ?)", values)


# Rotations of the bus's own keys.


def bus_rotations(tx: Transaction) -> dict[str, UnderWay]:
    """Those that are under way, by what they replace."""
    rows = tx.execute("SELECT what, replaced, entered, gone_at FROM bus_rotation ORDER BY what")
    return {row[0]: UnderWay(row[0], row[1], Entered(row[2]), row[3]) for row in rows}


def put_bus_rotation(tx: Transaction, rotation: UnderWay) -> None:
    """Keep that a rotation is under way, and how far the log knows of it."""
    values = (rotation.what, rotation.replaced, rotation.entered.value, rotation.gone_at)
    tx.execute("INSERT OR REPLACE INTO bus_rotation (what, replaced, entered, gone_at) VALUES (?, ?, ?, ?)", values)


def drop_bus_rotation(tx: Transaction, what: str) -> bool:
    """Forget a rotation; False if it was not under way."""
    return tx.execute("DELETE FROM bus_rotation WHERE what = ?", (what,)).rowcount == 1


def led(tx: Transaction) -> dict[str, str]:
    """To which account of the hub the leaf nodes of each server lead, by the server's name."""
    return dict(tx.execute("SELECT server, hub FROM led").fetchall())


def put_led(tx: Transaction, servers: Iterable[str], hub: str) -> None:
    """Keep that these servers' leaf nodes lead to that account of the hub."""
    tx.executemany("INSERT OR REPLACE INTO led VALUES (?, ?)", [(server, hub) for server in servers])


# Directories.


def newest_directory(tx: Transaction, *, given_out: bool = False) -> Issued | None:
    """The newest directory; with `given_out` the newest that has its receipt."""
    which = "WHERE receipt IS NOT NULL" if given_out else ""
    row = tx.execute(
        f"SELECT {_DIRECTORY} FROM issued_directory {which} ORDER BY version DESC LIMIT 1"  # noqa: S608
    ).fetchone()
    return None if row is None else _issued(row)


def add_directory(tx: Transaction, issued: Issued) -> None:
    """Keep a new directory."""
    tx.execute(
        f"INSERT INTO issued_directory ({_DIRECTORY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            issued.version,
            issued.frame,
            issued.lines,
            issued.digest,
            issued.message_id,
            " ".join(issued.changed),
            issued.issued_at,
            issued.expires_at,
            issued.receipt,
        ),
    )


def put_receipt(tx: Transaction, message_id: str, receipt: bytes) -> Issued | None:
    """Keep the receipt that a directory waited for; gives it back, unless the message was about none."""
    tx.execute(
        "UPDATE issued_directory SET receipt = ? WHERE message_id = ? AND receipt IS NULL", (receipt, message_id)
    )
    row = tx.execute(
        f"SELECT {_DIRECTORY} FROM issued_directory WHERE message_id = ?",  # noqa: S608
        (message_id,),
    ).fetchone()
    return None if row is None else _issued(row)


def rename_carriers(tx: Transaction, renamed: Mapping[str, str]) -> None:
    """The messages that carry directories' entries have other ids now."""
    tx.executemany(
        "UPDATE issued_directory SET message_id = ? WHERE message_id = ?", [(new, old) for old, new in renamed.items()]
    )


def drop_older_directories(tx: Transaction, version: int) -> None:
    """Forget directories that a newer one, which was given out, has replaced."""
    tx.execute("DELETE FROM issued_directory WHERE version < ?", (version,))


def _issued(row: tuple[object, ...]) -> Issued:
    version, frame, lines, digest, message_id, changed, *rest = row
    return Issued(version, frame, lines, digest, message_id, tuple(str(changed).split()), *rest)  # type: ignore[arg-type]
