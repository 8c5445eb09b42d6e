"""The keys under which a log's checkpoints are believed, as the party that keeps the log states them at one moment.

A live key is believed by itself. Under one that ended or was revoked, a proof is only a claim: whoever stole the key
can sign any tree. Such a proof says so (`is_live`), and holds as far as a checkpoint under a live key bears it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.ledger.checkpoint import SignedTreeHead, open_checkpoint
from schemas.ledger.failures import NoteNotSigned
from schemas.ledger.receipt import VerifiedReceipt, verify_receipt
from schemas.ledger.verifier_key import ED25519, VerifierKey
from schemas.messages.party import Party

T = TypeVar("T")


class ProofUnborne(Rejected):
    """A proof under a dead key of the log whose tree is no beginning of the log: somebody else has signed it."""

    code = "proof_unborne"


@dataclass(frozen=True, slots=True)
class Proof(Generic[T]):
    """What one of the log's keys signed, and whether that key is live."""

    proven: T = field(repr=False)
    is_live: bool


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The log keys that a party states, by whether they are live; the newest first."""

    origin: str
    live: tuple[VerifierKey, ...]
    dead: tuple[VerifierKey, ...]

    @classmethod
    def of(cls, party: Party, at: int) -> LogKeys:
        """The keys of a party's log at that time (milliseconds UTC).

        Raises:
            NoteNotSigned: the party states no log.
        """
        origin = party.statement.log
        if origin is None:
            raise NoteNotSigned("the party states no log")
        stated = [one for one in party.keys if one.key.purpose is KeyPurpose.LOG]
        stated.sort(key=lambda one: one.not_before, reverse=True)
        keys = [(VerifierKey.of(origin, ED25519, one.key.raw), one) for one in stated]
        live = [key for key, one in keys if one.in_force(at) and one.revoked_at is None]
        return cls(origin, tuple(live), tuple(key for key, _ in keys if key not in live))

    def receipt(self, raw: bytes) -> Proof[VerifiedReceipt]:
        """The entry of a receipt that the log gave.

        Raises: as `schemas.ledger.receipt.verify_receipt`.
        """
        return self._opened(lambda key: verify_receipt(raw, log=key, origin=self.origin))

    def checkpoint(self, raw: bytes) -> Proof[SignedTreeHead]:
        """The tree head of a checkpoint that the log signed.

        Raises: as `schemas.ledger.checkpoint.open_checkpoint`.
        """
        return self._opened(lambda key: open_checkpoint(raw, log=key, origin=self.origin))

    def _opened(self, verify: Callable[[VerifierKey], T]) -> Proof[T]:
        for key in (*self.live, *self.dead):
            try:
                return Proof(verify(key), key in self.live)
            except NoteNotSigned:
                continue
        raise NoteNotSigned
