"""One table of key purposes: who holds such a key, of which algorithm, under which context it is used (SPEC 3.1).

One key, one purpose, one context. Adding a use is adding a line here; two uses on one line would be a defect that a
reviewer can see. Contexts start every signed or derived byte string, so no signature can be taken for another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Algorithm(StrEnum):
    """What kind of key it is."""

    ED25519 = "ed25519"
    HPKE_HYBRID = "mlkem768-x25519"
    AES_256_GCM = "aes-256-gcm"


class Holder(StrEnum):
    """Who holds the private half."""

    PARTY = "every party"
    OFFICER = "officer"
    DESK = "desk"
    COORDINATOR = "coordinator"
    AGENT = "agent"
    IG_LEAD = "information-governance lead"


class KeyPurpose(StrEnum):
    """What a key is for; the word is part of its context and of its key id."""

    ROOT = "root"
    MESSAGE = "message"
    DEED = "deed"
    REQUEST = "request"
    OFFICER = "officer"
    COMMAND = "command"
    GRANT = "grant"
    ANSWER = "answer"
    LOG = "log"
    SEAL = "seal"
    REPLY = "reply"
    ADDENDUM = "addendum"
    STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Use:
    """A line of the table."""

    holder: Holder
    algorithm: Algorithm
    meaning: str

    @property
    def signs(self) -> bool:
        """Whether keys of this purpose sign (the others are sealed to, or keep things at rest)."""
        return self.algorithm is Algorithm.ED25519


USES: Final[Mapping[KeyPurpose, Use]] = {
    KeyPurpose.ROOT: Use(Holder.PARTY, Algorithm.ED25519, "signs the party's other keys; pinned when parties meet"),
    KeyPurpose.MESSAGE: Use(Holder.PARTY, Algorithm.ED25519, "signs every message on the bus and its acknowledgement"),
    KeyPurpose.DEED: Use(Holder.PARTY, Algorithm.ED25519, "signs the entries that record what the party did"),
    KeyPurpose.REQUEST: Use(Holder.DESK, Algorithm.ED25519, "signs request headers"),
    KeyPurpose.OFFICER: Use(Holder.OFFICER, Algorithm.ED25519, "signs the digest of a request the officer makes"),
    KeyPurpose.COMMAND: Use(Holder.OFFICER, Algorithm.ED25519, "signs what the officer tells the desk to do or show"),
    KeyPurpose.GRANT: Use(Holder.COORDINATOR, Algorithm.ED25519, "signs grants"),
    KeyPurpose.ANSWER: Use(Holder.AGENT, Algorithm.ED25519, "signs answer headers"),
    KeyPurpose.LOG: Use(Holder.PARTY, Algorithm.ED25519, "signs the party's log's checkpoints (C2SP signed note)"),
    KeyPurpose.SEAL: Use(Holder.AGENT, Algorithm.HPKE_HYBRID, "opens request bodies; one an epoch"),
    KeyPurpose.REPLY: Use(Holder.DESK, Algorithm.HPKE_HYBRID, "opens answers; one an enquiry"),
    KeyPurpose.ADDENDUM: Use(Holder.IG_LEAD, Algorithm.HPKE_HYBRID, "opens the keys of addenda"),
    KeyPurpose.STORAGE: Use(Holder.PARTY, Algorithm.AES_256_GCM, "seals what a party keeps at rest"),
}


def context(purpose: KeyPurpose) -> bytes:
    """What starts every byte string that a key of this purpose signs: `needtoknow/v1/<purpose>` and a zero byte.

    The log's checkpoints are the one exception: C2SP's signed-note format brings its own text.
    """
    return b"needtoknow/v1/" + purpose.encode("ascii") + b"\x00"
