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
    ECDSA_P256 = "ecdsa-p256"


class Holder(StrEnum):
    """Who holds the private half."""

    PARTY = "every party"
    OFFICER = "officer"
    DESK = "desk"
    COORDINATOR = "coordinator"
    AGENT = "agent"
    ADMISSION = "admission"
    ACCOUNT = "agent; admission for the hub"
    IG_LEAD = "information-governance lead"
    HUB_IG_LEAD = "officer in the role ig_lead"


class KeyPurpose(StrEnum):
    """What a key is for; the word is part of its context and of its key id."""

    ROOT = "root"
    MESSAGE = "message"
    DEED = "deed"
    REQUEST = "request"
    OFFICER = "officer"
    COMMAND = "command"
    POLICY = "policy"
    GRANT = "grant"
    ANSWER = "answer"
    LOG = "log"
    SEAL = "seal"
    REPLY = "reply"
    ADDENDUM = "addendum"
    STORAGE = "storage"
    WITNESS = "witness"
    DIRECTORY = "directory"
    ADMISSION = "admission"
    BUS_ACCOUNT = "bus-account"
    BUS_SIGNER = "bus-signer"
    BUS_USER = "bus-user"
    BUS_OPERATOR = "bus-operator"
    BUS_OPERATOR_SIGNER = "bus-operator-signer"
    BUS_SYSTEM = "bus-system"
    BUS_SYSTEM_SIGNER = "bus-system-signer"
    BUS_SYSTEM_USER = "bus-system-user"
    TLS = "tls"
    TLS_AUTHORITY = "tls-authority"


@dataclass(frozen=True, slots=True)
class Use:
    """A line of the table."""

    holder: Holder
    algorithm: Algorithm
    meaning: str

    @property
    def signs(self) -> bool:
        """Whether keys of this purpose sign in a context of ours (the others seal, or sign in TLS's own ways)."""
        return self.algorithm is Algorithm.ED25519


USES: Final[Mapping[KeyPurpose, Use]] = {
    KeyPurpose.ROOT: Use(Holder.PARTY, Algorithm.ED25519, "signs the party's other keys; pinned when parties meet"),
    KeyPurpose.MESSAGE: Use(Holder.PARTY, Algorithm.ED25519, "signs every message on the bus and its acknowledgement"),
    KeyPurpose.DEED: Use(Holder.PARTY, Algorithm.ED25519, "signs the entries that record what the party did"),
    KeyPurpose.REQUEST: Use(Holder.DESK, Algorithm.ED25519, "signs request headers"),
    KeyPurpose.OFFICER: Use(
        Holder.OFFICER, Algorithm.ED25519, "signs the digest of what the officer asks, or lets a colleague ask"
    ),
    KeyPurpose.COMMAND: Use(Holder.OFFICER, Algorithm.ED25519, "signs what the officer tells the desk to do or show"),
    KeyPurpose.POLICY: Use(
        Holder.HUB_IG_LEAD,
        Algorithm.ED25519,
        "signs the versions of the hub's policy",
    ),
    KeyPurpose.GRANT: Use(Holder.COORDINATOR, Algorithm.ED25519, "signs grants"),
    KeyPurpose.ANSWER: Use(Holder.AGENT, Algorithm.ED25519, "signs answer headers"),
    KeyPurpose.LOG: Use(Holder.PARTY, Algorithm.ED25519, "signs the party's log's checkpoints (C2SP signed note)"),
    KeyPurpose.SEAL: Use(Holder.AGENT, Algorithm.HPKE_HYBRID, "opens request bodies; one an epoch"),
    KeyPurpose.REPLY: Use(Holder.DESK, Algorithm.HPKE_HYBRID, "opens answers; one an enquiry"),
    KeyPurpose.ADDENDUM: Use(Holder.IG_LEAD, Algorithm.HPKE_HYBRID, "opens the keys of addenda"),
    KeyPurpose.STORAGE: Use(Holder.PARTY, Algorithm.AES_256_GCM, "seals what a party keeps at rest"),
    KeyPurpose.WITNESS: Use(Holder.AGENT, Algorithm.ED25519, "cosigns checkpoints of the hub's log (C2SP cosignature)"),
    KeyPurpose.DIRECTORY: Use(Holder.ADMISSION, Algorithm.ED25519, "signs the hub's directory"),
    KeyPurpose.ADMISSION: Use(Holder.ADMISSION, Algorithm.ED25519, "signs what answers an enrolment request"),
    KeyPurpose.BUS_ACCOUNT: Use(Holder.ACCOUNT, Algorithm.ED25519, "is an account of the bus; its nkey is the token"),
    KeyPurpose.BUS_SIGNER: Use(Holder.PARTY, Algorithm.ED25519, "issues the party's own user JWT"),
    KeyPurpose.BUS_USER: Use(Holder.PARTY, Algorithm.ED25519, "answers the bus server's nonce"),
    KeyPurpose.BUS_OPERATOR: Use(Holder.ADMISSION, Algorithm.ED25519, "is the bus's operator; names its signing key"),
    KeyPurpose.BUS_OPERATOR_SIGNER: Use(Holder.ADMISSION, Algorithm.ED25519, "issues account JWTs"),
    KeyPurpose.BUS_SYSTEM: Use(Holder.ADMISSION, Algorithm.ED25519, "is the bus's system account"),
    KeyPurpose.BUS_SYSTEM_SIGNER: Use(Holder.ADMISSION, Algorithm.ED25519, "issues the system account's user JWTs"),
    KeyPurpose.BUS_SYSTEM_USER: Use(Holder.ADMISSION, Algorithm.ED25519, "pushes account JWTs and kicks connections"),
    KeyPurpose.TLS: Use(Holder.PARTY, Algorithm.ECDSA_P256, "is the party's end of its TLS connections"),
    KeyPurpose.TLS_AUTHORITY: Use(Holder.ADMISSION, Algorithm.ECDSA_P256, "signs the certificates of the bus"),
}


def context(purpose: KeyPurpose) -> bytes:
    """What starts every byte string that a key of this purpose signs: `needtoknow/v1/<purpose>` and a zero byte.

    Other people's formats bring a text of their own and are the exceptions: a `log` or `witness` key signs C2SP's, a
    bus key the JWTs and nonces of NATS. None of those begins like a context.
    """
    return b"needtoknow/v1/" + purpose.encode("ascii") + b"\x00"
