"""Who a party is: its root key and the keys the root signs, in one file that is handed over and pinned (SPEC 3.6).

The directory holds what was pinned, and gives keys out of nothing else: it cannot be told a new party by the bus.
"""

from __future__ import annotations

import hashlib
import textwrap
from base64 import b32encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from schemas.crypto.keys import PublicKey, SigningKey, public_key
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import signed, unpack, verify_header
from schemas.failures import Rejected
from schemas.messages.fields import Base64, Count, Hex16, Line, Millis, Origin, Slug, decode_base64, encode_base64
from schemas.messages.model import Message, Part, RuleBroken, read
from schemas.vocabulary import AgencyKind, OfficerRole

_BEGIN: Final = "-----BEGIN NEEDTOKNOW PARTY-----"
_END: Final = "-----END NEEDTOKNOW PARTY-----"


class PartyKind(StrEnum):
    """What a party runs or is."""

    DESK = "desk"
    COORDINATOR = "coordinator"
    AGENT = "agent"
    OFFICER = "officer"


_BY_EVERYONE: Final = frozenset({KeyPurpose.MESSAGE, KeyPurpose.DEED, KeyPurpose.LOG, KeyPurpose.ADDENDUM})
STATED: Final[Mapping[PartyKind, frozenset[KeyPurpose]]] = {
    PartyKind.DESK: _BY_EVERYONE | {KeyPurpose.REQUEST},
    PartyKind.COORDINATOR: _BY_EVERYONE | {KeyPurpose.GRANT},
    PartyKind.AGENT: _BY_EVERYONE | {KeyPurpose.ANSWER, KeyPurpose.SEAL},
    PartyKind.OFFICER: frozenset({KeyPurpose.OFFICER, KeyPurpose.COMMAND}),
}
"""The purposes of which each kind of party may state keys: a desk's file cannot bring a key that grants."""
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
    keys: Annotated[list[KeyStatement], Field(min_length=1, max_length=32)]
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
        return self


@dataclass(frozen=True, slots=True)
class StatedKey:
    """A key of a party, checked, and when it is in force."""

    key: PublicKey
    not_before: int
    not_after: int
    epoch: int

    def in_force(self, at: int) -> bool:
        """Whether the key is used at `at` (milliseconds UTC)."""
        return self.not_before <= at < self.not_after


@dataclass(frozen=True, slots=True)
class Party:
    """A party whose statement its own root signed. Made by `read_party`; pinning it is a person's decision."""

    statement: PartyStatement
    root: PublicKey
    keys: tuple[StatedKey, ...]
    raw: bytes

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
        """The party's token in bus subjects: names nobody, and follows from the root key."""
        return _token(self.root.raw)


@cache
def _token(root: bytes) -> str:
    return b32encode(hashlib.sha256(b"needtoknow/v1/token\x00" + root).digest()[:20]).decode("ascii")


def state_party(statement: PartyStatement, root: SigningKey) -> bytes:
    """The party file of `statement`, signed by `root`."""
    return armour(signed(statement.encode(), [root]))


def armour(raw: bytes) -> bytes:
    """`raw` as text that survives e-mail: base64 in lines of 64 between two marks."""
    return "\n".join([_BEGIN, *textwrap.wrap(encode_base64(raw), 64), _END, ""]).encode("ascii")


def read_party(file: bytes) -> Party:
    """The party a file states.

    Raises:
        PartyFileInvalid: damaged, or not signed by the root key it names.
    """
    if len(file) > MAX_FILE_BYTES:
        raise PartyFileInvalid(f"more than {MAX_FILE_BYTES} bytes")
    try:
        lines = [line.strip() for line in file.decode("ascii").strip().splitlines()]
        if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
            raise PartyFileInvalid("not between the two marks of a party file")
        raw = decode_base64("".join(lines[1:-1]))
        envelope = unpack(raw)
        statement = read(PartyStatement, envelope.header)
        root = public_key(KeyPurpose.ROOT, decode_base64(statement.root))
        verify_header(envelope, root, KeyPurpose.ROOT)
        keys = tuple(
            StatedKey(public_key(key.purpose, decode_base64(key.public)), key.not_before, key.not_after, key.epoch)
            for key in statement.keys
        )
    except PartyFileInvalid:
        raise
    except (ValueError, Rejected) as error:
        reason = error.code if isinstance(error, Rejected) else "not ASCII or not base64"
        raise PartyFileInvalid(f"the party file does not hold ({reason})") from None
    if len(envelope.signatures) != 1 or envelope.parts:
        raise PartyFileInvalid("a party file has one signature and no parts")
    return Party(statement, root, keys, armour(raw))


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
        mine = _all_keys(party)
        if any(mine & _all_keys(other) for other in self.parties.values()) or len(mine) != 1 + len(
            party.statement.keys
        ):
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

    def key(self, party: str, purpose: KeyPurpose, key_id: Hex16, at: int) -> PublicKey:
        """The party's key of that id and purpose, if in force at `at` (milliseconds UTC).

        Raises:
            PartyUnknown, KeyUnknown, KeyNotInForce: there is none.
        """
        for stated in self.party(party).keys:
            if stated.key.purpose is purpose and stated.key.id == key_id:
                if not stated.in_force(at):
                    raise KeyNotInForce(f"that {purpose} key is not in force then")
                return stated.key
        raise KeyUnknown(f"the party has no such {purpose} key")

    def newest(self, party: str, purpose: KeyPurpose, at: int) -> tuple[PublicKey, int]:
        """The party's key of that purpose to use at `at`, the latest begun, and its epoch.

        Raises:
            PartyUnknown, KeyNotInForce: there is none.
        """
        found = [stated for stated in self.party(party).keys if stated.key.purpose is purpose and stated.in_force(at)]
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


def _all_keys(party: Party) -> set[str]:
    return {encode_base64(party.root.raw)} | {key.public for key in party.statement.keys}
