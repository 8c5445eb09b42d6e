"""The appender of a party's own log: the store's companion that numbers entries, hashes them and signs each group.

Knows the tree and the order of writes; not what a leaf says, nor who cosigns. Signing happens inside the transaction,
just before its commit, on purpose: the signature is in the same group as the entries, so that nothing that was
committed is unsigned; and a signature whose commit failed was seen by nobody, since results are delivered after the
commit. A restart then signs another tree of that size, and no two signed trees of one size ever left this process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from broker.node.log import tree
from broker.node.log.failures import (
    LeafTooLarge,
    LockMissing,
    LogDamaged,
    LogForeign,
    LogForked,
    LogKeyEnded,
    LogReadOnly,
    LogRolledBack,
)
from broker.node.log.lock import LockCopy
from broker.node.log.seal import LogSeal, RecentNodes
from broker.node.store.port import Transaction
from schemas.failures import Failure
from schemas.ledger.checkpoint import TreeHead, parse_tree_head, sign_checkpoint
from schemas.ledger.merkle import EMPTY_ROOT, CompactRange, Node, leaf_hash, root_of
from schemas.ledger.note import NoteSignature, NoteSigner, add_signatures, parse_note
from schemas.ledger.receipt import MAX_LEAF_BYTES

_ASK_WITNESSES: Final = (
    "the log stays read-only: fetch the missing entries from an agency's mirror (runbook: the log is behind)"
)


Signers: TypeAlias = Callable[[], Sequence[NoteSigner]]
"""The log's keys that are in force, asked each time: while a key is rotated a checkpoint bears two signatures."""


@dataclass(frozen=True, slots=True)
class _State:
    """What the tables hold at one moment: a value, so that going back is remembering."""

    range: CompactRange
    checkpoint: bytes


class Log:
    """One party's append-only log, as the companion of its store.

    `head` may be read from any thread: the newest tree head that is on disk. Everything else belongs to works.
    """

    def __init__(self, origin: str, signers: Signers, lock: LockCopy, *, is_read_only: bool = False) -> None:
        self.origin = origin
        self._signers = signers
        self._lock = lock
        self._is_read_only = is_read_only
        self.gate: Callable[[], None] | None = None
        """Raises while nothing may be entered, for example in a store that was restored and has not caught up."""
        self.head = TreeHead(origin, 0, EMPTY_ROOT)
        self._committed = self._state = _State(CompactRange.EMPTY, b"")
        self._sealed_head: TreeHead | None = None
        self._fresh: list[Node] = []  # subtrees completed in this group, leaves included
        self._leaves: list[bytes] = []  # the leaves of this group
        self._recent = RecentNodes()

    def append(self, tx: Transaction, leaf: bytes) -> int:
        """Add an entry to the log within a work's transaction; gives back its index.

        `leaf` is opaque here: its canonical form is checked where it is made or taken in.
        Raises: LeafTooLarge (4096 bytes), LogReadOnly, LogKeyEnded.
        """
        if len(leaf) > MAX_LEAF_BYTES:
            raise LeafTooLarge(f"an entry has at most {MAX_LEAF_BYTES} bytes")
        if self._is_read_only:
            raise LogReadOnly("the log was opened read-only")
        if self.gate is not None:
            self.gate()
        if not self._leaves and not self._signers():
            # Here rather than at the seal: what cannot be signed is not begun, and the work's sender repeats it.
            raise LogKeyEnded("no key of the log is in force, so nothing can be entered; rotate the log key")
        if self._sealed_head is not None:
            raise RuntimeError("the group is sealed: a builder cannot append")
        index = self._state.range.size
        digest = leaf_hash(leaf)
        grown, completed = self._state.range.append(digest)
        tree.insert_entry(tx, index, leaf, digest)
        self._fresh += (Node(0, index, digest), *completed)
        self._leaves.append(leaf)
        self._state = _State(grown, self._state.checkpoint)
        return index

    def standing(self, tx: Transaction) -> LogSeal:
        """What the log can prove of its newest committed head, for queries and for works that append nothing."""
        return self._seal_of(tx, self._committed, {}, [])

    # ---- what the store calls ----

    def opened(self, tx: Transaction) -> None:
        """Take up the log and refuse to go on from a state that is damaged, foreign, or behind the lock copy.

        Bounded work: some reads for each power of two in the size. `verify_whole` hashes everything.
        Raises: LogDamaged, LogForeign, LogRolledBack, LogForked, LockMissing.
        """
        head = tree.get_head(tx)
        if head is None:
            head = self._begin(tx)
        if head.origin != self.origin:
            raise LogForeign("the store holds a log of another origin; check the configured origin and store path")
        node = tree.node_reader(tx)
        whole = tree.compact_range(head.size, node)
        if tree.count_entries(tx) != head.size or whole.root() != head.root:
            raise LogDamaged("entries, subtrees and head do not agree; restore the store, or rebuild it from a mirror")
        self._committed = self._state = _State(whole, self._standing_checkpoint(tx, head))
        self.head = head
        if not self._is_read_only:
            self._compare_with_lock(tx, head)

    def mark(self) -> object:
        """Name the present state."""
        return self._state, len(self._fresh), len(self._leaves)

    def rollback(self, mark: object) -> None:
        """Forget what a work appended that left nothing."""
        assert isinstance(mark, tuple)
        self._state, fresh, leaves = mark
        del self._fresh[fresh:], self._leaves[leaves:]

    def seal(self, tx: Transaction, *, wanted: bool) -> LogSeal | None:
        """Write subtrees, head and the one signed checkpoint of the group."""
        if not self._leaves:
            return self.standing(tx) if wanted else None
        head = TreeHead(self.origin, self._state.range.size, self._state.range.root())
        checkpoint = self._sign(head)
        tree.insert_nodes(tx, [node for node in self._fresh if node.level])
        tree.put_head(tx, head)
        tree.insert_checkpoint(tx, head.size, checkpoint)
        self._sealed_head = head
        self._state = _State(self._state.range, checkpoint)
        fresh = {(node.level, node.position): node.hash for node in self._fresh}
        return self._seal_of(tx, self._state, fresh, self._leaves)

    def settled(self, *, committed: bool) -> None:
        """Follow the group to disk, lock copy included, or back to the state before it."""
        if committed and self._sealed_head is not None:
            # A crash before this line leaves the lock copy behind the store, which `opened` allows. A crash after it:
            # the group is durable and nobody has heard of it yet; senders repeat and find it done.
            self._lock.write(self._sealed_head)
            self._recent.add(self._fresh)
            self._committed = self._state
            self.head = self._sealed_head
        else:
            self._state = self._committed
        self._sealed_head = None
        self._fresh, self._leaves = [], []

    # ---- inside ----

    def _sign(self, head: TreeHead) -> bytes:
        signers = self._signers()
        if not signers:
            raise LogKeyEnded("no key of the log is in force, so no checkpoint can be signed; rotate the log key")
        note, text = sign_checkpoint(head, signers[0]), head.text.encode()
        further = [NoteSignature(one.name, one.key_id, one.sign(text)) for one in signers[1:]]
        return add_signatures(note, further) if further else note

    def _begin(self, tx: Transaction) -> TreeHead:
        if tree.count_entries(tx) or tree.get_checkpoint(tx, 0) is not None:
            raise LogDamaged("the log has lost its head; restore the store, or rebuild it from a mirror")
        head = TreeHead(self.origin, 0, EMPTY_ROOT)
        if self._is_read_only:
            return head
        tree.put_head(tx, head)
        tree.insert_checkpoint(tx, 0, self._sign(head))
        return head

    def _standing_checkpoint(self, tx: Transaction, head: TreeHead) -> bytes:
        checkpoint = tree.get_checkpoint(tx, head.size)
        if checkpoint is None:
            if self._is_read_only and head.size == 0:
                return b""
            raise LogDamaged("the checkpoint of the newest head is missing; restore the store")
        try:
            signed = parse_tree_head(parse_note(checkpoint).text)
        except Failure as failure:
            raise LogDamaged("the newest checkpoint cannot be read; restore the store") from failure
        if signed != head:
            raise LogDamaged("the newest checkpoint signs another tree than the head; restore the store")
        return checkpoint

    def _compare_with_lock(self, tx: Transaction, head: TreeHead) -> None:
        locked = self._lock.read()
        if locked is None:
            if head.size:
                raise LockMissing(
                    "the lock copy is missing or unreadable: if the store was not restored from a backup, compare its"
                    " newest checkpoint with the agencies' and renew the lock copy (runbook: the lock copy is missing)"
                )
            self._lock.create(head)
            return
        if locked.origin != self.origin:
            raise LogForeign("the lock copy is of a log of another origin; check the configured lock path")
        if locked.size > head.size:
            raise LogRolledBack(
                f"the store is {locked.size - head.size} entries behind the lock copy; {_ASK_WITNESSES}"
            )
        if root_of(locked.size, tree.node_reader(tx)) != locked.root:
            raise LogForked(f"the store's log does not continue the one the lock copy remembers; {_ASK_WITNESSES}")

    def _seal_of(
        self, tx: Transaction, state: _State, fresh: dict[tuple[int, int], bytes], leaves: list[bytes]
    ) -> LogSeal:
        return LogSeal(
            state.range.size, state.checkpoint, tx, self._recent, fresh, state.range.size - len(leaves), leaves
        )
