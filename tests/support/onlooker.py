"""An onlooker who keeps everything that a world's bus carried and holds it against what every party has stored.

What was proved once must stay proved: receipts and tree heads given out hold in the log as it now stands, no answer is
on its way without its entry, and the stores of different parties never say different things. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from broker.coordinator.exchange import CONCLUSIONS, Progress
from broker.node.ground import Ground
from broker.node.log import get_leaves
from broker.node.log_keys import LogKeys
from broker.node.store.port import Transaction
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import unpack, verify_header
from schemas.failures import Rejected
from schemas.ledger.checkpoint import read_checkpoint
from schemas.ledger.merkle import CompactRange, leaf_hash
from schemas.messages.entry import (
    CouldNotLookEntry,
    DeedEntry,
    Entry,
    ExpiredEntry,
    HubEntry,
    OpenedEntry,
    RefusalEntry,
    ReleaseEntry,
    RequestEntry,
    WithdrawnEntry,
    read_entry,
)
from schemas.messages.party import Directory
from schemas.messages.transport import Acknowledgement, Delivery, Head, LogPage, Notice, Outer, Released, read_outer

ENDS = {
    RefusalEntry: Progress.REFUSED,
    ReleaseEntry: Progress.ANSWERED,
    CouldNotLookEntry: Progress.ANSWERED,
    ExpiredEntry: Progress.EXPIRED,
    WithdrawnEntry: Progress.WITHDRAWN,
}
OVERSLEPT_MS = 120_000
"""An exchange is concluded this long after its expiry, if the hub was there all the time."""


@dataclass
class Onlooker:
    """What has been seen so far. One for a world; `look` may be called after any step."""

    leaves: dict[int, bytes] = field(default_factory=dict)
    """Leaf hashes by index, from every receipt given out."""
    heads: dict[int, bytes] = field(default_factory=dict)
    """Roots by size, from every checkpoint given out."""
    answers: dict[str, str] = field(default_factory=dict)
    """Digest of each answer that was let go of, and its exchange."""
    not_proofs: int = 0
    """Parts in a proof's place that prove nothing: there are none unless somebody lies."""
    _looked_at: dict[int, tuple[Sequence[tuple[str, bytes]], int]] = field(default_factory=dict)

    async def look(self, captured: Sequence[tuple[str, bytes]], grounds: Mapping[str, Ground]) -> None:
        """Take in what was carried since, then hold all of it against the stores of whoever runs."""
        running = {name: ground for name, ground in grounds.items() if not ground.post.halted.done()}
        hub = running.get("coordinator")
        if hub is None:
            return
        _, start = self._looked_at.get(id(captured), (captured, 0))
        self._looked_at[id(captured)] = (captured, len(captured))
        for _, raw in captured[start:]:
            self._take(raw, hub.directory)
        leaves: list[bytes] = await hub.store.read(lambda tx: get_leaves(tx, 0, 1 << 40))
        entries = [read_entry(leaf) for leaf in leaves]
        self._hold_against(leaves)
        ends = conclusions(entries)
        self._check_answers(entries)
        await _check_exchanges(hub, ends)
        for name, ground in running.items():
            await _check_outbox(name, ground)
            if name == "desk":
                await _check_desk(ground, ends, entries)
            elif name not in ("coordinator", "admission"):
                await _check_agent(name, ground, leaves, entries)

    def _take(self, raw: bytes, directory: Directory) -> None:
        try:
            frame = unpack(raw)
            outer = read_outer(frame.header)
            key = directory.key(outer.sender, KeyPurpose.MESSAGE, outer.message_key, outer.sent_at)
            verify_header(frame, key, KeyPurpose.MESSAGE)
        except Rejected:
            return  # a stranger's, or damaged on its way: nobody's word
        kind_of_sender = directory.party(outer.sender).statement.party_kind
        log = LogKeys.of(directory.party("coordinator"), outer.sent_at)
        for proof in _receipts(outer, frame.parts, by_hub=kind_of_sender == "coordinator"):
            self._keep_receipt(proof, log)
        if isinstance(outer, Head | LogPage) and outer.sender == "coordinator":
            self._keep_head(frame.parts[0] if isinstance(outer, Head) else frame.parts[1])
        if isinstance(outer, Released):
            with suppress(Rejected):  # a lie, and no answer
                self.answers[unpack(frame.parts[0]).digest] = outer.exchange

    def _keep_receipt(self, raw: bytes, log: LogKeys) -> None:
        try:
            receipt = log.receipt(raw).proven
        except Rejected:
            self.not_proofs += 1
            return
        held = self.leaves.setdefault(receipt.index, leaf_hash(receipt.leaf))
        assert held == leaf_hash(receipt.leaf), "two receipts prove two entries at one place of the log"
        self._keep_head(receipt.checkpoint)

    def _keep_head(self, checkpoint: bytes) -> None:
        head = read_checkpoint(checkpoint)
        held = self.heads.setdefault(head.size, head.root)
        assert held == head.root, "the hub signed two trees of one size"

    def _hold_against(self, leaves: Sequence[bytes]) -> None:
        whole = CompactRange.EMPTY
        roots = {0: whole.root()}
        for index, leaf in enumerate(leaves):
            whole, _ = whole.append(leaf_hash(leaf))
            roots[index + 1] = whole.root()
        for index, held in self.leaves.items():
            assert index < len(leaves), "a receipt was given for an entry that the log does not have"
            assert leaf_hash(leaves[index]) == held, "a receipt that was given out does not hold any more"
        for size, root in self.heads.items():
            assert roots.get(size) == root, "a tree head that was given out is no prefix of the log any more"

    def _check_answers(self, entries: Sequence[Entry]) -> None:
        released = {one.answer_digest for one in entries if isinstance(one, ReleaseEntry | CouldNotLookEntry)}
        assert self.answers.keys() <= released, "an answer left without the entry of its release"


def conclusions(entries: Sequence[Entry]) -> dict[str, Progress | None]:
    """Each exchange's one conclusion by the log alone; None while it is open."""
    standing: dict[str, Progress | None] = {}
    numbers: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, HubEntry):
            numbers[entry.agency] = numbers.get(entry.agency, 0) + 1
            assert entry.seq == numbers[entry.agency], "the hub's numbers for an agency have a gap"
        exchange = getattr(entry, "exchange", None)
        if exchange is None or not isinstance(entry, HubEntry | DeedEntry):
            continue
        if isinstance(entry, RequestEntry | RefusalEntry):
            assert exchange not in standing, "one exchange was decided twice"
            standing[exchange] = None
        assert exchange in standing, f"{entry.type} of an exchange that was never decided"
        end = ENDS.get(type(entry))
        if end is not None:
            assert standing[exchange] is None, "an exchange has two conclusions"
            standing[exchange] = end
        if isinstance(entry, OpenedEntry):
            assert standing[exchange] is Progress.ANSWERED, "an answer was opened that was never released"
    return standing


def _receipts(outer: Outer, parts: Sequence[bytes], *, by_hub: bool) -> list[bytes]:
    match outer:
        case Delivery():
            return list(parts[2:3])
        case Notice():
            return list(parts[:1])
        case Released():
            return list(parts[1:2])
        case Acknowledgement() if by_hub and parts:
            # Of a submission: ruling, receipt, perhaps the grant. Of a deed: receipt, perhaps an extension.
            return list(parts[1:2] if parts[0].startswith(b"{") else parts[:1])
        case _:
            return []


async def _check_exchanges(hub: Ground, ends: Mapping[str, Progress | None]) -> None:
    def read(tx: Transaction) -> list[tuple[str, str, int]]:
        return tx.execute("SELECT id, progress, expires_at FROM exchange").fetchall()

    rows: list[tuple[str, str, int]] = await hub.store.read(read)
    timers: list[tuple[str]] = await hub.store.read(lambda tx: tx.execute("SELECT exchange FROM timer").fetchall())
    assert {row[0] for row in rows} == set(ends), "the hub's exchanges are not those of its log"
    now, since = hub.clock.now(), hub.post.connected_at
    for exchange, progress, expires_at in rows:
        is_concluded = Progress(progress) in CONCLUSIONS
        assert ends[exchange] == (Progress(progress) if is_concluded else None), "log and hub differ on a conclusion"
        assert is_concluded != ((exchange,) in timers), "an open exchange without timers, or timers of a concluded one"
        if since is not None and now > max(expires_at, since) + OVERSLEPT_MS:
            assert is_concluded, "an exchange past its expiry has no conclusion"


async def _check_outbox(name: str, ground: Ground) -> None:
    def read(tx: Transaction) -> list[tuple[str, str, int, bytes]]:
        return tx.execute("SELECT message_id, digest, expires_at, raw FROM outbox").fetchall()

    for message_id, named, expires_at, raw in await ground.store.read(read):
        frame = unpack(raw)
        assert (frame.digest, read_outer(frame.header).message_id) == (named, message_id), f"{name}: a changed message"
        is_scheduled = ground.post.outbox.find(message_id) is not None
        assert is_scheduled or expires_at <= ground.clock.now(), f"{name}: a message that waits is not on the schedule"


async def _check_agent(name: str, ground: Ground, leaves: Sequence[bytes], entries: Sequence[Entry]) -> None:
    def mirrored(tx: Transaction) -> tuple[list[bytes], list[tuple[int, bytes]]]:
        hashes = [row[0] for row in tx.execute("SELECT hash FROM mirror_leaf ORDER BY idx")]
        return hashes, tx.execute("SELECT idx, leaf FROM mirror_entry").fetchall()

    hashes, held = await ground.store.read(mirrored)
    assert hashes == [leaf_hash(leaf) for leaf in leaves[: len(hashes)]], f"{name} mirrors another log"
    assert all(leaves[index] == leaf for index, leaf in held), f"{name} holds an entry that the hub has not"
    own: set[bytes] = {
        row[0] for row in await ground.store.read(lambda tx: tx.execute("SELECT hash FROM own_deed").fetchall())
    }
    for leaf, entry in zip(leaves, entries, strict=True):
        if isinstance(entry, DeedEntry) and entry.by == name:
            assert leaf_hash(leaf) in own, f"the hub shows a deed that {name} has not done"
    released = {one.exchange: one.answer_digest for one in entries if isinstance(one, ReleaseEntry | CouldNotLookEntry)}
    let_go: list[tuple[str, str]] = await ground.store.read(
        lambda tx: tx.execute("SELECT exchange, answer_digest FROM job WHERE state IN ('released', 'done')").fetchall()
    )
    for exchange, answer in let_go:
        assert released.get(exchange) == answer, f"{name} let go of an answer that the hub has not entered"


async def _check_desk(ground: Ground, ends: Mapping[str, Progress | None], entries: Sequence[Entry]) -> None:
    def read(tx: Transaction) -> tuple[list[tuple[str, str]], set[str]]:
        rows = tx.execute("SELECT id, progress FROM exchange").fetchall()
        on_their_way = {row[0] for row in tx.execute("SELECT exchange FROM outbox WHERE kind = 'deed'")}
        return rows, on_their_way

    rows, on_their_way = await ground.store.read(read)
    opened = {one.exchange for one in entries if isinstance(one, OpenedEntry)}
    for exchange, progress in rows:
        end = ends.get(exchange)
        match progress:
            case "answered" | "opened":
                assert end is Progress.ANSWERED, f"the desk has {progress} what is {end} in the log"
                assert progress == "answered" or exchange in opened | on_their_way, "opened and not recorded"
            case "refused" | "expired" | "withdrawn":
                assert end == progress, f"the desk has {progress} what is {end} in the log"
            case "prepared" | "not_accepted":
                assert exchange not in ends, f"the log decided what is {progress} at the desk"
            case _:
                continue  # the desk follows what it was told so far
