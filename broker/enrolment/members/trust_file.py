"""Whose signatures make a checkpoint of the hub's log good, as the file that any tool of C2SP reads (tlog-policy).

Witnesses are named once agencies cosign for others to see; until then the file says that none are waited for.
"""

from __future__ import annotations

from schemas.crypto.purposes import KeyPurpose
from schemas.ledger.verifier_key import ED25519, VerifierKey
from schemas.messages.party import Party


def trust_file(coordinator: Party, now: int) -> bytes:
    """The trust file for the log of that coordinator: a line for each of its keys that is not over."""
    origin = coordinator.statement.log
    assert origin is not None  # a coordinator without a log cannot be made
    keys = [one for one in coordinator.keys if one.key.purpose is KeyPurpose.LOG and one.revoked_at is None]
    lines = [f"log {VerifierKey.of(origin, ED25519, one.key.raw)}" for one in keys if now < one.not_after]
    return "\n".join([*lines, "quorum none", ""]).encode("ascii")
