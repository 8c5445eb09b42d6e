"""This agency's copy of the hub's log: every leaf hash, the newest checkpoint, and in full the entries that name it.

Works on a transaction and nothing else. It never forgets and never goes back: a checkpoint that does not continue what
is held means that the hub keeps two histories, and the agent halts. What is believed is stored in the same transaction
as whatever is answered on the strength of it. Refuses to know what an entry asks for.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from broker.node.log_keys import Proof, ProofUnborne
from broker.node.store import Transaction
from schemas.failures import Away, GroundLost, Rejected
from schemas.ledger.checkpoint import SignedTreeHead, TreeHead
from schemas.ledger.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    CompactRange,
    Node,
    NodeReader,
    root_from_leaf_hashes,
    root_of,
)
from schemas.ledger.receipt import VerifiedReceipt
from schemas.messages.entry import HubEntry

_START_BYTES: Final = 8


class ForkedLog(GroundLost):
    """The hub signed a log that does not continue the one this agency holds. Keep the store; call a person."""

    code = "forked_log"


class MirrorGap(Away):
    """Leaf hashes between what is held and what came are missing; they are asked for."""

    code = "mirror_gap"


class HeadAwaited(Away):
    """A proof under a key of the hub's log that is dead; it waits for a checkpoint under a live one."""

    code = "head_awaited"


class ExtensionMalformed(Rejected):
    """Bytes that are no extension: not a start and whole hashes."""

    code = "extension_malformed"


class EntryMisnumbered(GroundLost):
    """Two different entries under one of the hub's numbers, or one place of the log."""

    code = "entry_misnumbered"


@dataclass(frozen=True, slots=True)
class Extension:
    """Leaf hashes of the hub's log from `start` on."""

    start: int
    hashes: tuple[bytes, ...]


NO_EXTENSION: Final = Extension(0, ())


def read_extension(raw: bytes) -> Extension:
    """Read an extension part: u64 big-endian start, then hashes; empty bytes where there is none (SPEC 7.5).

    Raises:
        ExtensionMalformed: neither.
    """
    if not raw:
        return NO_EXTENSION
    if len(raw) < _START_BYTES:
        raise ExtensionMalformed("shorter than its start")
    return Extension(int.from_bytes(raw[:_START_BYTES], "big"), split_hashes(raw[_START_BYTES:]))


def split_hashes(raw: bytes) -> tuple[bytes, ...]:
    """Cut joined hashes apart.

    Raises:
        ExtensionMalformed: not a whole number of them.
    """
    if len(raw) % HASH_BYTES:
        raise ExtensionMalformed("not whole hashes")
    return tuple(raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES))


def size_of(tx: Transaction) -> int:
    """How many leaves of the hub's log are held."""
    row = tx.execute("SELECT size FROM mirror_head").fetchone()
    return row[0] if row else 0


Proven: TypeAlias = "Proof[SignedTreeHead] | Proof[VerifiedReceipt]"
"""What carries a checkpoint whose signature by the hub's log was checked."""


def take_head(tx: Transaction, proof: Proven, extension: Extension, now: int) -> None:
    """Believe a checkpoint that the hub's log signed, or find that it cannot be believed.

    A newer one is stored with its leaves; an older one has to be of the same history. One under a key that is dead is
    believed only as an older one, within what a live key has signed.

    Raises:
        MirrorGap: leaves are missing; nothing was stored.
        HeadAwaited: it waits for a checkpoint under a live key; nothing was stored.
        ProofUnborne: a dead key signed another history, as whoever stole it can; nothing was stored.
        ForkedLog: a live key signed another history.
    """
    proven, held = proof.proven, size_of(tx)
    head = proven.head
    if not proof.is_live and head.size > live_size(tx):
        raise HeadAwaited("a key of the log that is dead signed it; a checkpoint under a live one is asked for")
    if head.size <= held:
        if not _is_of_this_history(tx, head):
            if not proof.is_live:
                raise ProofUnborne("a key of the log that is dead signed another history than the one that is held")
            raise ForkedLog("an older checkpoint of the hub is of another history than the one that is held")
        if head.size == held and held and proof.is_live:
            tx.execute(
                "UPDATE mirror_head SET seen_at = max(seen_at, ?), live_size = ?, checkpoint = ?",
                (now, held, _note_of(proven)),
            )
        return
    fresh = extension.hashes[held - extension.start :] if extension.start <= held else ()
    fresh = fresh[: head.size - held]
    if held + len(fresh) < head.size:
        raise MirrorGap("leaf hashes are missing between the mirror and a checkpoint")
    grown, nodes = _grow(_range_of(tx, held), fresh)
    if not hmac.compare_digest(grown.root(), head.root):
        raise ForkedLog("a checkpoint of the hub does not continue the log that is held")
    _store(tx, held, fresh, nodes)
    tx.execute(
        "INSERT INTO mirror_head (only_row, size, root, checkpoint, seen_at, live_size) VALUES (1, ?, ?, ?, ?, ?)"
        " ON CONFLICT (only_row) DO UPDATE SET size = excluded.size, root = excluded.root,"
        " checkpoint = excluded.checkpoint, seen_at = max(mirror_head.seen_at, excluded.seen_at),"
        " live_size = excluded.live_size",
        (head.size, head.root, _note_of(proven), now, head.size),
    )


def live_size(tx: Transaction) -> int:
    """How far the mirror is borne out by a key of the log that is live."""
    row = tx.execute("SELECT live_size FROM mirror_head").fetchone()
    return row[0] if row else 0


def believe_only(tx: Transaction, is_live: Callable[[bytes], bool]) -> None:
    """The hub's log keys have changed: what only a key that is dead now has signed waits for a live one."""
    row = tx.execute("SELECT checkpoint FROM mirror_head").fetchone()
    if row is not None and not is_live(row[0]):
        tx.execute("UPDATE mirror_head SET live_size = 0")


def _note_of(proven: SignedTreeHead | VerifiedReceipt) -> bytes:
    return proven.note if isinstance(proven, SignedTreeHead) else proven.checkpoint


def take_entry(tx: Transaction, index: int, leaf: bytes, *, type_: str, exchange: str | None, seq: int | None) -> bool:
    """Hold an entry that a receipt proved at `index`; False if it was held before.

    Raises:
        EntryMisnumbered: another entry stands at that place or under that number.
    """
    found = tx.execute(
        "SELECT leaf FROM mirror_entry WHERE idx = ? OR (seq IS NOT NULL AND seq = ?)", (index, seq)
    ).fetchall()
    if found:
        if any(row[0] != leaf for row in found):
            raise EntryMisnumbered("the hub gave one number or place of its log to two entries")
        return False
    tx.execute(
        "INSERT INTO mirror_entry (idx, seq, exchange, type, leaf) VALUES (?, ?, ?, ?, ?)",
        (index, seq, exchange, type_, leaf),
    )
    if seq is not None:
        _advance(tx)
    return True


def take_hub_entry(tx: Transaction, index: int, leaf: bytes, entry: HubEntry) -> bool:
    """Hold an entry that the hub numbered for this agency; see `take_entry`."""
    return take_entry(tx, index, leaf, type_=entry.type, exchange=entry.exchange, seq=entry.seq)


def note_told(tx: Transaction, last_seq: int) -> None:
    """Remember the newest number that the hub says it has given out for this agency."""
    tx.execute("UPDATE mirror_seq SET told = ? WHERE told < ?", (last_seq, last_seq))


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the mirror is: leaves, numbers held without a gap, numbers told of, when a head was last seen."""

    size: int
    held: int
    told: int
    seen_at: int

    @property
    def is_whole(self) -> bool:
        """Whether every entry the hub has told of is held."""
        return self.held >= self.told


NOTHING_HELD: Final = Standing(0, 0, 0, 0)


def standing(tx: Transaction) -> Standing:
    """How the mirror stands."""
    head = tx.execute("SELECT size, seen_at FROM mirror_head").fetchone() or (0, 0)
    held, told = tx.execute("SELECT held, told FROM mirror_seq").fetchone()
    return Standing(head[0], held, told, head[1])


def newest_checkpoint(tx: Transaction) -> bytes:
    """The newest checkpoint of the hub that is held, as the hub signed it; empty if there is none."""
    row = tx.execute("SELECT checkpoint FROM mirror_head").fetchone()
    return bytes(row[0]) if row else b""


def forget_seen(tx: Transaction) -> None:
    """After a restore: what the hub says has to be heard anew before anything is answered on it."""
    tx.execute("UPDATE mirror_head SET seen_at = 0")


def is_concluded(tx: Transaction, exchange: str) -> bool:
    """Whether the hub has ended the exchange: an answer would reach nobody."""
    return (
        tx.execute(
            "SELECT 1 FROM mirror_entry WHERE exchange = ? AND type IN ('expired', 'withdrawn', 'refusal')", (exchange,)
        ).fetchone()
        is not None
    )


def node_reader(tx: Transaction) -> NodeReader:
    """Read complete subtrees of the mirror."""

    def read(level: int, position: int) -> bytes:
        if level == 0:
            row = tx.execute("SELECT hash FROM mirror_leaf WHERE idx = ?", (position,)).fetchone()
        else:
            row = tx.execute(
                "SELECT hash FROM mirror_node WHERE level = ? AND position = ?", (level, position)
            ).fetchone()
        if row is None:
            raise ForkedLog("the mirror itself is damaged; restore the store and let it catch up")
        subtree: bytes = row[0]
        return subtree

    return read


def _is_of_this_history(tx: Transaction, head: TreeHead) -> bool:
    return hmac.compare_digest(root_of(head.size, node_reader(tx)), head.root)


def _range_of(tx: Transaction, size: int) -> CompactRange:
    node = node_reader(tx)
    levels = range(size.bit_length() - 1, -1, -1)
    return CompactRange(size, tuple(node(level, (size >> level) - 1) for level in levels if size >> level & 1))


def _grow(start: CompactRange, hashes: Sequence[bytes]) -> tuple[CompactRange, list[Node]]:
    grown = start
    nodes: list[Node] = []
    for one in hashes:
        grown, completed = grown.append(one)
        nodes += completed
    return grown, nodes


def _store(tx: Transaction, start: int, hashes: Sequence[bytes], nodes: Sequence[Node]) -> None:
    tx.executemany("INSERT INTO mirror_leaf (idx, hash) VALUES (?, ?)", list(enumerate(hashes, start)))
    # Deeds of mine that the hub had not shown yet: few, so that this costs one small query an extension.
    missing = {row[0] for row in tx.execute("SELECT hash FROM own_deed WHERE hub_idx IS NULL")}
    shown = [(index, one) for index, one in enumerate(hashes, start) if one in missing]
    tx.executemany("UPDATE own_deed SET hub_idx = ? WHERE hash = ?", shown)
    if nodes:
        tx.executemany(
            "INSERT INTO mirror_node (level, position, hash) VALUES (?, ?, ?)",
            [(node.level, node.position, node.hash) for node in nodes],
        )


def _advance(tx: Transaction) -> None:
    held = tx.execute("SELECT held FROM mirror_seq").fetchone()[0]
    ahead = held
    while tx.execute("SELECT 1 FROM mirror_entry WHERE seq = ?", (ahead + 1,)).fetchone():
        ahead += 1
    if ahead != held:
        tx.execute("UPDATE mirror_seq SET held = ?, told = max(told, ?)", (ahead, ahead))


def verify_whole(tx: Transaction) -> int:
    """Hash every leaf of the mirror again and compare with the newest checkpoint; how many leaves that were.

    Raises:
        ForkedLog: they are not the log that the checkpoint signs.
    """
    head = tx.execute("SELECT size, root FROM mirror_head").fetchone() or (0, EMPTY_ROOT)
    size, root = root_from_leaf_hashes(row[0] for row in tx.execute("SELECT hash FROM mirror_leaf ORDER BY idx"))
    if size != head[0] or not hmac.compare_digest(root, head[1]):
        raise ForkedLog("the mirror does not hold what the newest checkpoint signs; restore the store")
    return size
