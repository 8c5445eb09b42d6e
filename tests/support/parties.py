"""Parties with their private keys, made in memory for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.node.home import KEPT
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import USES, Algorithm, KeyPurpose
from schemas.messages.fields import encode_base64
from schemas.messages.party import KeyStatement, Party, PartyKind, PartyStatement, read_party, state_party
from schemas.vocabulary import AgencyKind, OfficerRole
from tests.support.clock import NOON

DAY_MS = 24 * 3600 * 1000
STATED = {
    PartyKind.DESK: (*KEPT[PartyKind.DESK], KeyPurpose.ADDENDUM),
    PartyKind.COORDINATOR: KEPT[PartyKind.COORDINATOR],
    PartyKind.AGENT: (*KEPT[PartyKind.AGENT], KeyPurpose.ADDENDUM),
    PartyKind.ADMISSION: KEPT[PartyKind.ADMISSION],
    PartyKind.OFFICER: (KeyPurpose.OFFICER, KeyPurpose.COMMAND, KeyPurpose.POLICY),
}


@dataclass(frozen=True)
class Member:
    """A party as it knows itself: its public file and every private key."""

    party: Party
    root: SigningKey
    keys: dict[KeyPurpose, SigningKey] = field(default_factory=dict)
    identities: dict[KeyPurpose, Identity] = field(default_factory=dict)

    @property
    def me(self) -> Party:
        """The party (with the two methods below: `broker.node.ring.Hand`)."""
        return self.party

    def signing(self, purpose: KeyPurpose) -> SigningKey:
        """Its one key of that purpose."""
        return self.keys[purpose]

    def held(self, purpose: KeyPurpose, key_id: str) -> SigningKey | None:
        """Its one key of that purpose, if it is that one."""
        key = self.keys.get(purpose)
        return key if key is not None and key.id == key_id else None


def make_member(
    name: str,
    kind: PartyKind,
    *,
    hub: str = "testhub",
    agency_kind: AgencyKind | None = None,
    officer_role: OfficerRole | None = None,
    from_at: int = NOON - DAY_MS,
    until: int = NOON + 400 * DAY_MS,
) -> Member:
    """A new party of that name and kind with every key its kind states."""
    keys: dict[KeyPurpose, SigningKey] = {}
    identities: dict[KeyPurpose, Identity] = {}
    stated = []
    for purpose in STATED[kind]:
        key: SigningKey | Identity
        if USES[purpose].algorithm is Algorithm.HPKE_HYBRID:
            key = identities[purpose] = Identity.generate(purpose)
        else:
            key = keys[purpose] = SigningKey.generate(purpose)
        epoch = 1 if purpose is KeyPurpose.SEAL else 0
        public = encode_base64(key.public.raw)
        stated.append(KeyStatement(purpose=purpose, public=public, not_before=from_at, not_after=until, epoch=epoch))
    root = SigningKey.generate(KeyPurpose.ROOT)
    has_log = kind in (PartyKind.COORDINATOR, PartyKind.AGENT)
    statement = PartyStatement(
        hub=hub,
        party=name,
        party_kind=kind,
        agency_kind=agency_kind,
        officer_role=officer_role,
        name=f"The {name} of {hub}",
        log=f"{name}.{hub}.example/log" if has_log else None,
        root=encode_base64(root.public.raw),
        keys=stated,
        issued_at=from_at,
        serial=1,
    )
    return Member(read_party(state_party(statement, root)), root, keys, identities)
