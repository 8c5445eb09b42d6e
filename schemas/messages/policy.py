"""A version of the hub's policy: what the hub's information-governance lead signs, and its files (SPEC 11).

A version is known by the digest of its files, and in force from an instant on; versions are numbered, and each names
the statement before it. Refuses to know what any file says: that is the hub's business (`broker.policy`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import check_parts, signed, unpack, verify_header
from schemas.failures import Away, Rejected
from schemas.messages.fields import Count, Hex16, Hex32, Millis, Slug, Word
from schemas.messages.model import Message, Part, RuleBroken, read
from schemas.messages.party import Directory, PartyKind
from schemas.messages.request import PolicyStated
from schemas.vocabulary import Nation, OfficerRole

MAX_POLICY_BYTES: Final = 512 * 1024
"""The files of one version as they travel; those that come with the program are about 90 kB."""
MAX_POLICY_FILES: Final = 66
"""Sixty-four of a pack's own, the schema and the legal bases."""
POLICY_SCHEMA: Final = "hub.cedarschema"
POLICY_BASES: Final = "legal-bases.toml"
BEGAN_EARLY_MS: Final = 120_000
"""How long before its instant a version may have been decided by: the permitted difference of clocks."""
ENDED_LATE_MS: Final = 240_000
"""How long after its end: twice that, since a version may be handed in as late as the one difference allows."""
_KINDS: Final = ("cedarschema", "cedar", "toml")


class PolicyForeign(Rejected):
    """The policy version of another hub."""

    code = "policy_foreign"


class PolicySignerUnknown(Rejected):
    """The officer who signed a policy version is not known here."""

    code = "policy_signer_unknown"


class PolicySignerRefused(Rejected):
    """A policy version that somebody signed who is no information-governance lead of the hub."""

    code = "policy_signer_refused"


class PolicyFilesDiffer(Rejected):
    """The files that came with a policy version are not those it names."""

    code = "policy_files_differ"


class PolicyOutOfOrder(Rejected):
    """A policy version that does not follow on the one before it, by number, that statement's digest or instant."""

    code = "policy_out_of_order"


class PolicyUnknown(Away):
    """Check 23: a version of the hub's policy that a grant or its request names has not come yet; the request waits."""

    code = "policy_unknown"


class PolicyNotInForce(Rejected):
    """A grant by a version that was not in force when it was made, or that is over by the word of desk and officer."""

    code = "policy_not_in_force"


class PolicyDoubled(Rejected):
    """The hub shows two statements under one number: only one of them is in force."""

    code = "policy_doubled"


class PolicyStatement(Message):
    """One version of the hub's policy (SPEC 11.1); signed by an officer whose role is `ig_lead`."""

    kind: Literal["policy-version"] = "policy-version"
    hub: Slug
    number: Count = Field(description="1 for the hub's first version, and one higher for each that follows.")
    policy_digest: Hex32 = Field(description="Digest of the version's files (11.2); grants and refusals name it.")
    nation: Nation
    pack: Word
    pack_version: Count = Field(description="The pack's own number, as its authors count.")
    valid_from: Millis = Field(description="In force from then on, until the next version is.")
    previous: Hex32 | None = Field(default=None, description="Digest of the statement before; the first has none.")
    made_at: Millis
    officer: Slug
    officer_key: Hex16

    @model_validator(mode="after")
    def _begins_or_follows(self) -> PolicyStatement:
        if self.number < 1:
            raise RuleBroken("versions are numbered from 1")
        if (self.number == 1) is not (self.previous is None):
            raise RuleBroken("the first version has none before it, and every other one names it")
        return self


class PolicyFile(Part):
    """One file of a version."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}\.(cedarschema|cedar|toml)$")]
    text: Annotated[str, StringConstraints(max_length=MAX_POLICY_BYTES)]


class PolicyFiles(Message):
    """The files of one version as they travel (SPEC 11.2)."""

    kind: Literal["policy-files"] = "policy-files"
    files: Annotated[list[PolicyFile], Field(min_length=2, max_length=MAX_POLICY_FILES)]

    @model_validator(mode="after")
    def _in_order(self) -> PolicyFiles:
        names = [one.name for one in self.files]
        if names != _ordered(names) or len(set(names)) != len(names):
            raise RuleBroken("each file stands once, in the order of the digest")
        if names[:2] != [POLICY_SCHEMA, POLICY_BASES]:
            raise RuleBroken("the Cedar schema and the legal bases come first")
        return self

    @property
    def by_name(self) -> dict[str, bytes]:
        """The bytes of each file."""
        return {one.name: one.text.encode() for one in self.files}

    @property
    def policy_digest(self) -> str:
        """What statements, grants and refusals name these files by."""
        return policy_digest(self.by_name)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A version whose signature holds. `digest` is that of its statement."""

    statement: PolicyStatement
    digest: str
    frame: bytes = field(repr=False)


def policy_digest(files: Mapping[str, bytes]) -> str:
    """The digest of a version's files: what `sha256sum` makes of its own output on them, in order (SPEC 11.2)."""
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in _ordered(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def pack_policy_files(files: Mapping[str, bytes]) -> bytes:
    """The files of a version as they travel.

    Raises:
        PolicyFilesDiffer: they cannot be sent as they are: not UTF-8, a name that is none, too many or too large.
    """
    try:
        listed = [PolicyFile(name=name, text=files[name].decode()) for name in _ordered(files)]
        raw = PolicyFiles(files=listed).encode()
    except (ValueError, Rejected):
        raise PolicyFilesDiffer("a file is not UTF-8 text, or has a name that no file of a version has") from None
    if len(raw) > MAX_POLICY_BYTES:
        raise PolicyFilesDiffer(f"the files are {len(raw)} bytes as they travel, at most {MAX_POLICY_BYTES}")
    return raw


def read_policy_files(raw: bytes) -> PolicyFiles:
    """The files of a version, as they came.

    Raises:
        Rejected: not such files.
    """
    return read(PolicyFiles, raw, limit_bytes=MAX_POLICY_BYTES)


def sign_policy(statement: PolicyStatement, key: SigningKey) -> bytes:
    """The frame of a statement, signed by its officer's `policy` key."""
    return signed(statement.encode(), [key])


def read_policy(frame: bytes) -> PolicyVersion:
    """A version as it was kept: its signature was checked when it came.

    Raises:
        Rejected: not the frame of one.
    """
    envelope = unpack(frame)
    return PolicyVersion(read(PolicyStatement, envelope.header), envelope.digest, frame)


def verify_policy(frame: bytes, directory: Directory, *, seen_at: int) -> PolicyVersion:
    """A version that an information-governance lead of the hub has signed.

    Args:
        seen_at: when it came in, or was entered (milliseconds UTC); a key revoked by then signs nothing.

    Raises:
        PolicyForeign: of another hub.
        PolicySignerUnknown: its officer is not pinned here.
        PolicySignerRefused: its officer is none, or has another role.
        Rejected: not such a frame, or a signature or key that does not hold.
    """
    version, envelope = read_policy(frame), unpack(frame)
    check_parts(envelope, [])
    statement = version.statement
    if statement.hub != directory.hub:
        raise PolicyForeign("of another hub")
    officer = directory.parties.get(statement.officer)
    if officer is None:
        raise PolicySignerUnknown("the officer who signed it is not pinned here")
    stated = officer.statement
    if stated.party_kind is not PartyKind.OFFICER or stated.officer_role is not OfficerRole.IG_LEAD:
        raise PolicySignerRefused("whoever signed it is not admitted as the hub's information-governance lead")
    key = directory.key(officer.id, KeyPurpose.POLICY, statement.officer_key, statement.made_at, seen_at=seen_at)
    if len(envelope.signatures) != 1:
        raise PolicySignerRefused("it has one signature, the officer's")
    verify_header(envelope, key, KeyPurpose.POLICY)
    return version


def check_files(version: PolicyVersion, files: PolicyFiles) -> None:
    """That these are the version's files.

    Raises:
        PolicyFilesDiffer: they are not.
    """
    if files.policy_digest != version.statement.policy_digest:
        raise PolicyFilesDiffer("the digest of the files is not the one that was signed")


def check_follows(before: PolicyVersion | None, version: PolicyVersion) -> None:
    """That a version follows on the one before it.

    Raises:
        PolicyOutOfOrder: it does not.
    """
    statement = version.statement
    if statement.number != (1 if before is None else before.statement.number + 1):
        raise PolicyOutOfOrder("another number than the next")
    if before is not None and statement.previous != before.digest:
        raise PolicyOutOfOrder("it follows on another statement than the one before it")
    if before is not None and statement.valid_from < before.statement.valid_from:
        raise PolicyOutOfOrder("it would be in force before the version it follows on")


def in_force(versions: Iterable[PolicyVersion], at: int) -> PolicyVersion | None:
    """The version in force at an instant: of those that have begun, the one with the highest number."""
    begun = [one for one in versions if one.statement.valid_from <= at]
    return max(begun, key=lambda one: one.statement.number, default=None)


def was_in_force(version: PolicyVersion, following: PolicyVersion | None, at: int) -> bool:
    """Whether a hub may have decided by a version at an instant, give or take its clock (SPEC 11.4).

    Args:
        following: the version of the next number, if there is one.
    """
    begins, ends = version.statement.valid_from, None if following is None else following.statement.valid_from
    if at < begins - BEGAN_EARLY_MS:
        return False
    return ends is None or (ends > begins and at < ends + ENDED_LATE_MS)


def check_granted(
    held: Mapping[int, PolicyVersion], *, policy_digest: str, at: int, stated: PolicyStated | None
) -> None:
    """That a grant is good under the versions that are held (SPEC 11.4).

    Args:
        held: versions by their numbers.
        policy_digest: what the grant names.
        at: when it was made, and not before its request was asked (milliseconds UTC).
        stated: the version that desk and officer state to be in force; the grant is by that one or a later one.

    Raises:
        PolicyUnknown: only a version that is not held could tell.
        PolicyNotInForce: it is good under none of them, whatever else there is.
        PolicyDoubled: another statement is held under the number that is stated.
    """
    oldest = 0 if stated is None else stated.number
    if stated is not None and oldest not in held:
        raise PolicyUnknown("the version of the hub's policy that desk and officer state has not come yet")
    if stated is not None and held[oldest].digest != stated.statement_digest:
        raise PolicyDoubled("a request states another statement under that number: ring the hub's IG lead")
    named = [number for number, one in held.items() if one.statement.policy_digest == policy_digest]
    # How long a version was in force is not known before the next one is held.
    untold = [number for number in named if number + 1 not in held and number < max(held) and number >= oldest]
    told = [number for number in named if number >= oldest and number not in untold]
    if any(was_in_force(held[number], held.get(number + 1), at) for number in told):
        return
    if untold or not named:
        raise PolicyUnknown("the version of the hub's policy that it was granted by has not come yet")
    raise PolicyNotInForce("granted by a version of the hub's policy that was not in force then")


def _ordered(names: Iterable[str]) -> Sequence[str]:
    """The schema, the legal bases, the Cedar files, the other TOML files; each sort in order of name."""
    return sorted(names, key=lambda name: (_rank(name), name))


def _rank(name: str) -> int:
    return 1 if name == POLICY_BASES else (0, 2, 3)[_KINDS.index(name.rpartition(".")[2])]
