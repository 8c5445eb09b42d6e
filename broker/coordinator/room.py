"""The coordinator's room: what all of its parts share, and no part of which any of them owns.

Its node, its policy, who is admitted. Composition; nothing here decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from broker.coordinator import records
from broker.coordinator.policies import Policies
from broker.node.ground import Ground
from broker.node.log import Log, get_leaf_hashes
from broker.node.membership import Membership
from broker.node.metrics import CoordinatorMetrics
from broker.node.post.office import Post
from broker.node.post.port import Received
from broker.node.store.port import Seal, Transaction
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.directory import Standing
from schemas.messages.party import Directory, Party, PartyKind
from schemas.messages.transport import MAX_EXTENSION_LEAVES, Hello

START_BYTES: Final = 8


@dataclass(slots=True)
class Room:
    """Made once by the program. `admitted` follows the table of members: name to the root key's id."""

    ground: Ground
    log: Log
    metrics: CoordinatorMetrics
    policies: Policies = field(default_factory=Policies)
    admitted: dict[str, str] = field(default_factory=dict)
    membership: Membership | None = None
    """What the hub's directory says; none where no admission is pinned."""
    on_hello: Callable[[Received, Hello], Awaitable[None]] | None = None
    """Hears every hello first: a restored coordinator listens for whoever is ahead of it."""

    @property
    def grant_key(self) -> SigningKey:
        """The key that signs grants now.

        Raises:
            KeyEnded: none is in force.
        """
        return self.ground.ring.signing(KeyPurpose.GRANT)

    @property
    def post(self) -> Post:
        """The post office."""
        return self.ground.post

    @property
    def directory(self) -> Directory:
        """Whoever is pinned at this moment."""
        return self.ground.post.directory

    @property
    def hub(self) -> str:
        """The hub's name."""
        return self.directory.hub

    def check_directory(self, now: int) -> None:
        """That a directory of the hub is in force: without one, nobody's suspension or revocation could be seen.

        Raises:
            DirectoryAway: there is none; new requests wait.
        """
        if self.membership is not None:
            self.membership.check_in_force(now)

    def is_suspended(self, party: str) -> bool:
        """Whether the hub's directory says so."""
        return self.membership is not None and self.membership.standing_of(party) is Standing.SUSPENDED

    def desk(self) -> Party | None:
        """The hub's one desk, if it is pinned yet."""
        parties = self.directory.parties.values()
        return next((party for party in parties if party.statement.party_kind is PartyKind.DESK), None)

    def is_admitted(self, party: Party) -> bool:
        """Whether the party was admitted with the root key it is pinned with."""
        return self.admitted.get(party.id) == party.root.id


def extension_from(tx: Transaction, start: int, size: int) -> bytes:
    """The leaf hashes from `start` to `size` as they travel (SPEC 7.5); empty where there are none or too many."""
    if not 0 < size - start <= MAX_EXTENSION_LEAVES:
        return b""  # a mirror further behind asks for pages
    return start.to_bytes(START_BYTES, "big") + b"".join(get_leaf_hashes(tx, start, size))


def extend_agency(tx: Transaction, agency: str, seal: Seal) -> bytes:
    """The leaf hashes that the agency has not been sent yet, up to the seal."""
    return extension_from(tx, records.swap_extended_size(tx, agency, seal.size), seal.size)
