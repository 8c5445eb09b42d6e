"""The hub's directory: who is admitted and which statement of each is the newest, signed by admission (SPEC 10.1).

It orders statements and publishes them; it introduces nobody. What a holder may take from it is a newer statement of a
party that it pinned, signed by the root it pinned. Refuses to know mirrors: that a directory is in the hub's log is
`is_logged`, given an entry whose receipt somebody checked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import PartMismatch, digest, signed, unpack, verify_header
from schemas.failures import GroundLost, Rejected
from schemas.messages.entry import KeyEntry
from schemas.messages.fields import Count, Hex16, Hex32, Millis, Slug
from schemas.messages.model import Message, Part, RuleBroken, read
from schemas.messages.party import Directory, Party, PartyKind, read_party_frame

MAX_LINES: Final = 2500
"""Parties of one hub; a message with their lines stays below the limit of a frame."""
MAX_LINES_BYTES: Final = 768 * 1024
MAX_DIRECTORY_LIFE_MS: Final = 30 * 24 * 3600 * 1000
"""A month: for longer nobody can be kept from hearing of a revoked key."""
SKEW_MS: Final = 120_000
"""Two clocks may differ by so much (SPEC 4.3)."""


class DirectoryMalformed(Rejected):
    """A directory with other signatures or parts than one and none, or whose lines are out of order."""

    code = "directory_malformed"


class DirectoryForeign(Rejected):
    """A directory of another hub."""

    code = "directory_foreign"


class DirectoryUntimely(Rejected):
    """A directory dated in the future, or valid for too long."""

    code = "directory_untimely"


class DirectoryExpired(Rejected):
    """A directory past its expiry: what was revoked since cannot be seen in it."""

    code = "directory_expired"


class DirectoryOlder(Rejected):
    """A directory older than the one held."""

    code = "directory_older"


class DirectoryForked(Rejected):
    """Two directories of one version, or one that does not follow on the one held: admission tells two stories."""

    code = "directory_forked"


class DirectoryBackwards(Rejected):
    """A directory that names an older statement of a party than the one held, or another under the same number."""

    code = "directory_backwards"


class DirectoryNotLogged(Rejected):
    """The entry is not about this directory."""

    code = "directory_not_logged"


class DirectoryLies(GroundLost):
    """The directory names a root or statement of mine that is not mine: somebody swapped my keys, or mine are lost."""

    code = "directory_lies"


class StatementNotListed(Rejected):
    """A statement that is not the one the directory names."""

    code = "statement_not_listed"


class Standing(StrEnum):
    """How a party stands."""

    ADMITTED = "admitted"
    SUSPENDED = "suspended"


class DirectoryLine(Part):
    """One party: its root, and which statement of it is the newest."""

    party: Slug
    party_kind: PartyKind
    root: Hex16 = Field(description="Key id of its root key.")
    serial: Count
    statement_digest: Hex32 = Field(description="SHA-256 of the frame of its party file.")
    standing: Standing = Field(description="`admitted` or `suspended`.")


class DirectoryLines(Message):
    """Everybody in a directory, in order of name."""

    kind: Literal["directory-lines"] = "directory-lines"
    lines: Annotated[list[DirectoryLine], Field(min_length=1, max_length=MAX_LINES)]

    @model_validator(mode="after")
    def _in_order(self) -> DirectoryLines:
        names = [line.party for line in self.lines]
        if names != sorted(set(names)):
            raise RuleBroken("lines not in order of name, each once")
        return self


class DirectoryStatement(Message):
    """What admission signs: the version, until when it holds, and the digest of the lines."""

    kind: Literal["directory"] = "directory"
    hub: Slug
    directory_key: Hex16
    version: Count = Field(ge=1)
    issued_at: Millis
    expires_at: Millis
    previous: Hex32 | None = Field(default=None, description="Digest of the statement of the version before.")
    lines_digest: Hex32
    authorities: Hex32 | None = Field(
        default=None, description="Digest of the bus's authorities (PEM) as admission hands them out now."
    )


@dataclass(frozen=True, slots=True)
class HubDirectory:
    """A directory that passed the checks of SPEC 10.1. Made by `read_directory`."""

    statement: DirectoryStatement
    lines: dict[str, DirectoryLine]
    frame: bytes
    raw_lines: bytes
    digest: str

    @property
    def version(self) -> int:
        """Its number."""
        return self.statement.version

    def in_force(self, now: int) -> bool:
        """Whether it has not expired (milliseconds UTC)."""
        return now < self.statement.expires_at


def line_of(party: Party, standing: Standing = Standing.ADMITTED) -> DirectoryLine:
    """The line of a party by its newest statement."""
    return DirectoryLine(
        party=party.id,
        party_kind=party.statement.party_kind,
        root=party.root.id,
        serial=party.statement.serial,
        statement_digest=party.digest,
        standing=standing,
    )


def state_directory(
    hub: str,
    lines: Iterable[DirectoryLine],
    *,
    version: int,
    previous: str | None,
    issued_at: int,
    expires_at: int,
    key: SigningKey,
    authorities: str | None = None,
) -> tuple[bytes, bytes]:
    """The frame and the lines of a directory.

    Args:
        previous: digest of the statement of the version before, if there is one.
        key: admission's `directory` key.
        authorities: digest of the bus's authorities, so that whoever trusts others asks for a renewal.

    Raises:
        ValueError: no lines, too many, or two of one name.
    """
    listed = DirectoryLines(lines=sorted(lines, key=lambda line: line.party)).encode()
    statement = DirectoryStatement(
        hub=hub,
        directory_key=key.id,
        version=version,
        issued_at=issued_at,
        expires_at=expires_at,
        previous=previous,
        lines_digest=digest(listed),
        authorities=authorities,
    )
    return signed(statement.encode(), [key]), listed


def read_directory(
    frame: bytes, raw_lines: bytes, *, pinned: Directory, held: HubDirectory | None, now: int
) -> HubDirectory:
    """The directory of these bytes, or the check of SPEC 10.1 that it fails.

    Args:
        pinned: the parties that the holder pinned; admission among them.
        held: the newest directory the holder has.
        now: milliseconds UTC.

    Raises:
        Rejected: the failure names the check.
    """
    envelope = unpack(frame)  # 1  one frame with one signature, of this kind
    statement = read(DirectoryStatement, envelope.header)
    if len(envelope.signatures) != 1 or envelope.parts:
        raise DirectoryMalformed("a directory has one signature, and its lines beside it")
    if statement.hub != pinned.hub:  # 2  of my hub
        raise DirectoryForeign("a directory of another hub")
    admission = pinned.only(PartyKind.ADMISSION)  # 3  signed by admission
    key = pinned.key(admission.id, KeyPurpose.DIRECTORY, statement.directory_key, statement.issued_at, seen_at=now)
    verify_header(envelope, key, KeyPurpose.DIRECTORY)
    if digest(raw_lines) != statement.lines_digest:  # 4  with its lines, everybody once
        raise PartMismatch("the lines are not those of the directory")
    listed = read(DirectoryLines, raw_lines, limit_bytes=MAX_LINES_BYTES).lines
    directory = HubDirectory(statement, {line.party: line for line in listed}, frame, raw_lines, envelope.digest)
    _check_times(statement, now)  # 5  in force
    _check_order(directory, held)  # 6  not older than what I have, and following on it
    return directory


def is_logged(directory: HubDirectory, entry: KeyEntry) -> None:
    """That an entry of the hub's log, whose receipt was checked, is about this directory.

    Raises:
        DirectoryNotLogged: it is about another.
    """
    if (entry.version, entry.directory_digest, entry.hub) != (
        directory.version,
        directory.digest,
        directory.statement.hub,
    ):
        raise DirectoryNotLogged("the entry names another directory")


def own_standing(directory: HubDirectory, me: Party, earlier: Collection[str] = ()) -> Standing | None:
    """How the directory says that I stand; None if it does not list me.

    A renewal takes a while, so the directory may still name an earlier statement of mine.

    Args:
        earlier: digests of my statements before this one.

    Raises:
        DirectoryLies: it gives me a root or a statement that I do not know.
    """
    line = directory.lines.get(me.id)
    if line is None:
        return None
    if line.statement_digest in earlier and line.statement_digest != me.digest:
        return line.standing  # under the root of that time, which may have been another
    if line.root != me.root.id:
        raise DirectoryLies("the hub's directory names another root for this party than its own")
    if line.statement_digest != me.digest:
        raise DirectoryLies("the hub's directory names a statement of this party that it did not make")
    return line.standing


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a directory says of the parties that somebody pinned."""

    wanted: tuple[str, ...]
    """Those with a newer statement, which is to be asked for."""
    rerooted: tuple[str, ...]
    """Those for which it names another root; that takes people, who repeat the ceremony (SPEC 10.2)."""
    gone: tuple[str, ...]
    """Those on the bus that it does not list."""


def compare(directory: HubDirectory, pinned: Directory) -> Comparison:
    """What is new of the pinned parties. Parties that are not pinned are not even looked at.

    Raises:
        DirectoryBackwards: it names an older statement than the one pinned, or another with the same serial.
    """
    wanted, rerooted, gone = [], [], []
    for name, party in sorted(pinned.parties.items()):
        line = directory.lines.get(name)
        if line is None:
            if party.statement.party_kind is not PartyKind.OFFICER:
                gone.append(name)
        elif line.root != party.root.id:
            rerooted.append(name)
        elif line.serial > party.statement.serial:
            wanted.append(name)
        elif line.serial < party.statement.serial or line.statement_digest != party.digest:
            raise DirectoryBackwards("the directory names an older statement of a party than the one held")
    return Comparison(tuple(wanted), tuple(rerooted), tuple(gone))


def take_statement(directory: HubDirectory, pinned: Directory, frame: bytes) -> Directory:
    """The pinned parties with the newer statement of one of them: the one the directory names.

    Raises:
        StatementNotListed: the directory does not name it.
        PartyFileInvalid: damaged, another root, or a key that is somebody's.
        PartyUnknown: nobody pinned that party; a directory introduces nobody.
    """
    party = read_party_frame(frame)
    line = directory.lines.get(party.id)
    if line is None or line.statement_digest != digest(frame) or line.serial != party.statement.serial:
        raise StatementNotListed("not the statement that the directory names")
    return pinned.with_renewed(party)


def announced(pinned: Directory, sender: str, frame: bytes) -> Directory:
    """The pinned parties with the sender's own newer statement, which its root signed: no directory is needed for that.

    So a party whose message key died can say so itself, under the key that its new statement brings (SPEC 4.3).

    Raises:
        StatementNotListed: a statement of somebody else.
        PartyFileInvalid, PartyUnknown: see `Directory.with_renewed`.
    """
    party = read_party_frame(frame)
    if party.id != sender:
        raise StatementNotListed("not the sender's own statement")
    return pinned.with_renewed(party)


def _check_times(statement: DirectoryStatement, now: int) -> None:
    if not statement.issued_at < statement.expires_at <= statement.issued_at + MAX_DIRECTORY_LIFE_MS:
        raise DirectoryUntimely("valid for no time, or for too long")
    if statement.issued_at > now + SKEW_MS:
        raise DirectoryUntimely("dated later than the permitted clock skew")
    if now >= statement.expires_at:
        raise DirectoryExpired("past its expiry; admission makes a new one every day")


def _check_order(directory: HubDirectory, held: HubDirectory | None) -> None:
    if held is None:
        return
    if directory.version < held.version:
        raise DirectoryOlder("older than the directory held")
    if directory.version == held.version and directory.digest != held.digest:
        raise DirectoryForked("another directory of the version held")
    if directory.version == held.version + 1 and directory.statement.previous != held.digest:
        raise DirectoryForked("it does not follow on the directory held")
