"""Who a party is: its root key and the keys the root signs, in one file that is handed over and pinned (SPEC 3.6).

The directory holds what was pinned, and gives keys out of nothing else: it cannot be told a new party by the bus.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from schemas.crypto import nkey
from schemas.crypto.keys import PublicKey, SigningKey, public_key
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest, signed, unpack, verify_header
from schemas.failures import Rejected
from schemas.messages.armour import ArmourMalformed, armoured, dearmour
from schemas.messages.fields import Base64, Count, Hex16, Line, Millis, Origin, Slug, decode_base64
from schemas.messages.model import Message, Part, RuleBroken, read
from schemas.vocabulary import AgencyKind, OfficerRole

_MARK: Final = "PARTY"


class PartyKind(StrEnum):
    """What a party runs or is."""

    DESK = "desk"
    COORDINATOR = "coordinator"
    AGENT = "agent"
    ADMISSION = "admission"
    OFFICER = "officer"


_ON_THE_BUS: Final = frozenset({KeyPurpose.MESSAGE, KeyPurpose.DEED, KeyPurpose.BUS_SIGNER, KeyPurpose.BUS_USER})
_WITH_A_LOG: Final = _ON_THE_BUS | {KeyPurpose.LOG, KeyPurpose.ADDENDUM}
STATED: Final[Mapping[PartyKind, frozenset[KeyPurpose]]] = {
    PartyKind.DESK: _WITH_A_LOG | {KeyPurpose.REQUEST},
    PartyKind.COORDINATOR: _WITH_A_LOG | {KeyPurpose.GRANT},
    PartyKind.AGENT: _WITH_A_LOG | {KeyPurpose.ANSWER, KeyPurpose.SEAL, KeyPurpose.WITNESS, KeyPurpose.BUS_ACCOUNT},
    PartyKind.ADMISSION: _ON_THE_BUS | {KeyPurpose.DIRECTORY, KeyPurpose.ADMISSION, KeyPurpose.BUS_ACCOUNT},
    PartyKind.OFFICER: frozenset({KeyPurpose.OFFICER, KeyPurpose.COMMAND, KeyPurpose.POLICY}),
}
"""The purposes of which each kind of party may state keys: a desk's file cannot bring a key that grants."""
_OWNS_AN_ACCOUNT: Final = frozenset({PartyKind.AGENT, PartyKind.ADMISSION})
MAX_KEYS: Final = 64
"""Keys of one statement; what bounds a statement of many sealing keys is the limit of a header."""
MAX_FILE_BYTES: Final = 64 * 1024
"""The largest frame without parts, in base64 and lines, with room for what e-mail puts around them."""


class PartyUnknown(Rejected):
    """No such party has been pinned."""

    code = "party_unknown"


class KeyUnknown(Rejected):
    """The party has no such key for that purpose."""

    code = "key_unknown"


class KeyNotInForce(Rejected):
    """The key is not in force at that time."""

    code = "key_not_in_force"


class KeyRevoked(KeyNotInForce):
    """The key was revoked; what comes in under it now is refused, whatever date it bears."""

    code = "key_revoked"


class PartyFileInvalid(Rejected):
    """A party file that is damaged, not signed by its own root, or of another shape."""

    code = "party_file_invalid"


class KeyStatement(Part):
    """One key of a party: its purpose, and from when until when it is used."""

    purpose: KeyPurpose
    public: Base64
    not_before: Millis
    not_after: Millis
    epoch: Count = 0
    revoked_at: Millis | None = Field(
        default=None, description="Dead from then on, whatever `not_after` says: lost, stolen or suspected to be."
    )

    @model_validator(mode="after")
    def _times_hold(self) -> KeyStatement:
        if not self.not_before < self.not_after:
            raise RuleBroken("not_before < not_after does not hold")
        return self


class PartyStatement(Message):
    """Everything public about a party (SPEC 3.6); signed by its root key."""

    kind: Literal["party"] = "party"
    hub: Slug
    party: Slug
    party_kind: PartyKind
    agency_kind: AgencyKind | None = None
    officer_role: OfficerRole | None = None
    name: Line = Field(description="The organisation's name; for an officer a position, never a person's name.")
    log: Origin | None = Field(default=None, description="Origin of the party's own log.")
    root: Base64
    keys: Annotated[list[KeyStatement], Field(min_length=1, max_length=MAX_KEYS)]
    issued_at: Millis
    serial: Count

    @model_validator(mode="after")
    def _kinds_agree(self) -> PartyStatement:
        if (self.agency_kind is not None) != (self.party_kind is PartyKind.AGENT):
            raise RuleBroken("an agent, and nobody else, has an agency kind")
        if (self.officer_role is not None) != (self.party_kind is PartyKind.OFFICER):
            raise RuleBroken("an officer, and nobody else, has an officer role")
        if any(key.purpose not in STATED[self.party_kind] for key in self.keys):
            raise RuleBroken("a key of a purpose that this kind of party does not state")
        accounts = [key for key in self.keys if key.purpose is KeyPurpose.BUS_ACCOUNT]
        if self.party_kind in _OWNS_AN_ACCOUNT and all(key.revoked_at is not None for key in accounts):
            raise RuleBroken("no bus account that is not revoked")
        return self


@dataclass(frozen=True, slots=True)
class StatedKey:
    """A key of a party, checked, and when it is in force."""

    key: PublicKey
    not_before: int
    not_after: int
    epoch: int
    revoked_at: int | None = None

    def in_force(self, at: int) -> bool:
        """Whether the key is used at `at` (milliseconds UTC)."""
        return self.not_before <= at < self.not_after and not self.revoked(at)

    def revoked(self, at: int) -> bool:
        """Whether the key was dead by `at` because it was revoked."""
        return self.revoked_at is not None and self.revoked_at <= at


@dataclass(frozen=True, slots=True)
class Party:
    """A party whose statement its own root signed. Made by `read_party`; pinning it is a person's decision."""

    statement: PartyStatement
    root: PublicKey
    keys: tuple[StatedKey, ...]
    frame: bytes
    """What the party file holds: what goes over the bus, and what the statement's digest covers."""
    tokens: tuple[str, ...]
    """The nkeys of all its bus accounts that are not revoked, the newest first: two during a rotation."""
    publics: frozenset[bytes]
    """The bytes of its root and of every key it states, revoked and ended ones included."""

    @property
    def raw(self) -> bytes:
        """The party file in its one form."""
        return armour(self.frame)

    @property
    def digest(self) -> str:
        """SHA-256 of the frame, as the directory names this statement."""
        return digest(self.frame)

    @property
    def id(self) -> str:
        """The party's name within its hub."""
        return self.statement.party

    @property
    def fingerprint(self) -> str:
        """128 bits of the root key's digest in groups of four digits, to be compared by voice."""
        return " ".join(textwrap.wrap(self.root.id, 4))

    @property
    def token(self) -> str:
        """The party's token in bus subjects: the nkey of its newest bus account, which names nobody.

        Raises:
            KeyUnknown: this kind of party has no account of its own.
        """
        if not self.tokens:
            raise KeyUnknown("a party without a bus account of its own")
        return self.tokens[0]


def _tokens(keys: Iterable[StatedKey]) -> tuple[str, ...]:
    live = [one for one in keys if one.key.purpose is KeyPurpose.BUS_ACCOUNT and one.revoked_at is None]
    newest_first = sorted(live, key=lambda one: (one.not_before, one.epoch), reverse=True)
    return tuple(nkey.encode(nkey.Kind.ACCOUNT, one.key.raw) for one in newest_first)


def state_party(statement: PartyStatement, root: SigningKey) -> bytes:
    """The party file of `statement`, signed by `root`."""
    return armour(signed(statement.encode(), [root]))


def armour(raw: bytes) -> bytes:
    """The party file of a frame, as text that survives e-mail."""
    return armoured(_MARK, raw)


def read_party(file: bytes) -> Party:
    """The party a file states.

    Raises:
        PartyFileInvalid: damaged, or not signed by the root key it names.
    """
    try:
        return read_party_frame(dearmour(_MARK, file, limit_bytes=MAX_FILE_BYTES))
    except ArmourMalformed as error:
        raise PartyFileInvalid(f"the party file does not hold ({error.detail})") from None


def read_party_frame(raw: bytes) -> Party:
    """The party that a party file's frame states.

    Raises:
        PartyFileInvalid: damaged, or not signed by the root key it names.
    """
    try:
        return open_party_frame(raw)
    except PartyFileInvalid:
        raise
    except Rejected as failure:
        raise PartyFileInvalid(f"the party file does not hold ({failure.code})") from None


def open_party_frame(raw: bytes) -> Party:
    """The party that a party file's frame states, or what exactly is wrong with it.

    Raises:
        Rejected: the failure of the frame, the statement, a key or the signature.
        PartyFileInvalid: other signatures or parts than one and none.
    """
    envelope = unpack(raw)
    statement = read(PartyStatement, envelope.header)
    root = public_key(KeyPurpose.ROOT, decode_base64(statement.root))
    verify_header(envelope, root, KeyPurpose.ROOT)
    keys = tuple(
        StatedKey(
            public_key(key.purpose, decode_base64(key.public)),
            key.not_before,
            key.not_after,
            key.epoch,
            key.revoked_at,
        )
        for key in statement.keys
    )
    if len(envelope.signatures) != 1 or envelope.parts:
        raise PartyFileInvalid("a party file has one signature and no parts")
    publics = frozenset([root.raw, *(one.key.raw for one in keys)])
    return Party(statement, root, keys, raw, _tokens(keys), publics)


@dataclass(frozen=True, slots=True)
class Directory:
    """The parties somebody pinned, by name."""

    hub: str
    parties: dict[str, Party]

    @classmethod
    def of(cls, hub: str, parties: Iterable[Party]) -> Directory:
        """A directory of these parties.

        Raises:
            PartyFileInvalid: one belongs to another hub, or two share a name, a root or a key.
        """
        directory = cls(hub, {})
        for party in parties:
            directory = directory.with_party(party)
        return directory

    def with_party(self, party: Party) -> Directory:
        """This directory and one party more.

        Raises:
            PartyFileInvalid: it belongs to another hub, or its name or one of its keys is already somebody's.
        """
        if party.statement.hub != self.hub:
            raise PartyFileInvalid("a party of another hub")
        if party.id in self.parties:
            raise PartyFileInvalid("a party of that name is pinned already")
        is_shared = not all(party.publics.isdisjoint(other.publics) for other in self.parties.values())
        if is_shared or len(party.publics) != 1 + len(party.keys):
            raise PartyFileInvalid("one of its keys is used twice")
        return replace(self, parties={**self.parties, party.id: party})

    def with_renewed(self, party: Party) -> Directory:
        """This directory with a newer statement of a party it holds: other keys, the same root, kind and role.

        Raises:
            PartyUnknown: nobody of that name is pinned; a first pinning is a person's decision.
            PartyFileInvalid: another root, kind or role, not newer than the one held, or a key that is somebody's.
        """
        held = self.party(party.id)
        if _who(held) != _who(party):
            raise PartyFileInvalid("a renewed statement keeps root, kind and role")
        if party.statement.serial <= held.statement.serial:
            raise PartyFileInvalid("not newer than the statement held")
        if _comes_back(held, party):
            raise PartyFileInvalid("a revoked key comes back")
        return self.without(party.id).with_party(party)

    def without(self, party: str) -> Directory:
        """This directory less one party."""
        return replace(self, parties={name: other for name, other in self.parties.items() if name != party})

    def party(self, name: str) -> Party:
        """The party of that name.

        Raises:
            PartyUnknown: nobody of that name is pinned.
        """
        try:
            return self.parties[name]
        except KeyError:
            raise PartyUnknown("no such party is pinned here") from None

    def key(self, party: str, purpose: KeyPurpose, key_id: Hex16, at: int, *, seen_at: int | None = None) -> PublicKey:
        """The party's key of that id and purpose, if in force at `at` (milliseconds UTC).

        `at` is what the signed bytes say, and whoever stole a key can write any date. So what comes in only now is read
        with `seen_at` as well, the receiver's own time; what was in a log before a key was revoked is read without.

        Raises:
            PartyUnknown, KeyUnknown, KeyNotInForce: there is none.
            KeyRevoked: it was revoked by `seen_at`.
        """
        for stated in self.party(party).keys:
            if stated.key.purpose is purpose and stated.key.id == key_id:
                if seen_at is not None and stated.revoked(seen_at):
                    raise KeyRevoked(f"that {purpose} key was revoked")
                if not stated.in_force(at):
                    raise KeyNotInForce(f"that {purpose} key is not in force then")
                return stated.key
        raise KeyUnknown(f"the party has no such {purpose} key")

    def newest(self, party: str, purpose: KeyPurpose, at: int) -> tuple[PublicKey, int]:
        """The party's key of that purpose to use at `at`, the latest begun and never a revoked one, and its epoch.

        Raises:
            PartyUnknown, KeyNotInForce: there is none.
        """
        stated_keys = [stated for stated in self.party(party).keys if stated.key.purpose is purpose]
        found = [stated for stated in stated_keys if stated.in_force(at) and stated.revoked_at is None]
        if not found:
            raise KeyNotInForce(f"the party has no {purpose} key in force")
        best = max(found, key=lambda stated: (stated.not_before, stated.epoch))
        return best.key, best.epoch

    def of_kind(self, kind: PartyKind) -> tuple[Party, ...]:
        """Every pinned party of that kind, in order of name."""
        return tuple(
            self.parties[name] for name in sorted(self.parties) if self.parties[name].statement.party_kind is kind
        )

    def only(self, kind: PartyKind) -> Party:
        """The one party of that kind.

        Raises:
            PartyUnknown: there is none, or more than one.
        """
        found = self.of_kind(kind)
        if len(found) != 1:
            raise PartyUnknown(f"not exactly one {kind} is pinned")
        return found[0]


def _who(party: Party) -> tuple[object, ...]:
    stated = party.statement
    return (party.root, stated.party_kind, stated.agency_kind, stated.officer_role)


def _comes_back(held: Party, party: Party) -> bool:
    dead = {key.public: key.revoked_at for key in held.statement.keys if key.revoked_at is not None}
    return any(
        key.public in dead and (key.revoked_at is None or key.revoked_at > dead[key.public])
        for key in party.statement.keys
    )
