"""Bearing out a proof that a dead key of the hub's log signed: by the log itself, as a live key has signed it since.

The desk mirrors nothing. Only after the log's key was revoked or has ended, and a message that waited still carries a
proof under it, does the desk ask for the log's leaf hashes and see whether the tree of that proof is the beginning of
the tree of now. Whoever stole the key can sign a tree, but cannot make it one. Keeps roots in memory and nothing else.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from broker.node.log_keys import LogKeys, ProofUnborne
from broker.node.post.office import Post
from broker.node.post.port import Received
from schemas.failures import Away
from schemas.ledger.checkpoint import TreeHead
from schemas.ledger.merkle import HASH_BYTES, CompactRange, extend
from schemas.messages.party import Party
from schemas.messages.transport import MAX_PAGE_LEAVES, LogPage, LogQuery

ASK_AGAIN_MS: Final = 5_000


class ProofAwaited(Away):
    """A proof under a dead key of the log: it is believed once the log's own hashes bear it out."""

    code = "proof_awaited"


@dataclass(slots=True)
class Following:
    """Follows the hub's log as far as proofs need it. On the event loop."""

    post: Post
    coordinator: Party
    keys: Callable[[int], LogKeys] = field(repr=False)
    _borne: dict[int, bytes] = field(default_factory=dict)
    """Root by size, of every tree asked for that is a beginning of the log."""
    _wanted: set[int] = field(default_factory=set)
    _range: CompactRange = field(default=CompactRange.EMPTY)
    _found: dict[int, bytes] = field(default_factory=dict)
    _asked_at: int | None = None

    def bear_out(self, head: TreeHead) -> None:
        """That a tree head is a beginning of the log.

        Raises:
            ProofAwaited: it is not known yet; the hashes are asked for.
            ProofUnborne: it is not.
        """
        root = self._borne.get(head.size)
        if root is None:
            self._wanted.add(head.size)
            now = self.post.clock.now()
            if self._asked_at is None or now >= self._asked_at + ASK_AGAIN_MS:
                self._range, self._found = CompactRange.EMPTY, {}
                self._asked_at = now
                self.post.spawn(self._ask(0))
            raise ProofAwaited("it waits for the log's hashes")
        if not hmac.compare_digest(root, head.root):
            raise ProofUnborne("its tree is no beginning of the hub's log")

    async def take_page(self, received: Received, page: LogPage) -> None:
        """Take some of the hashes that were asked for.

        Raises:
            ProofUnborne: the hashes do not give the tree that a live key signed.
        """
        if self._asked_at is None or page.start != self._range.size or len(received.parts) != 2:
            return
        hashes, checkpoint = received.parts
        proof = self.keys(received.at).checkpoint(checkpoint)
        if not proof.is_live or len(hashes) % HASH_BYTES or len(hashes) > HASH_BYTES * MAX_PAGE_LEAVES:
            return
        self._grow([hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)])
        head = proof.proven.head
        if self._range.size < head.size and hashes:
            self._asked_at = received.at
            await self._ask(self._range.size)
            return
        self._asked_at = None
        if self._range.size != head.size or not hmac.compare_digest(self._range.root(), head.root):
            raise ProofUnborne("the hashes are not those of the hub's log")
        self._borne.update(self._found)
        # What the log is too short for was never a beginning of it.
        self._borne.update({size: b"" for size in self._wanted if size > head.size})
        self._wanted -= self._borne.keys()
        self.post.try_again()

    def _grow(self, hashes: list[bytes]) -> None:
        start, taken = self._range.size, 0
        for size in sorted(size for size in self._wanted if start < size <= start + len(hashes)):
            self._range = extend(self._range, hashes[taken : size - start])
            taken = size - start
            self._found[size] = self._range.root()
        self._range = extend(self._range, hashes[taken:])

    async def _ask(self, start: int) -> None:
        await self.post.send(self.post.passing(LogQuery, self.coordinator, start=start))
