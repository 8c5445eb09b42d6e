"""Versions of a hub's policy as its IG lead signs them, for worlds and scenes that need one in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from broker.policy.pack import PackFiles
from broker.policy.packs import ENGLAND, folder_of, gather, load
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import digest
from schemas.messages.fields import encode_base64
from schemas.messages.party import PartyKind
from schemas.messages.policy import (
    POLICY_BASES,
    POLICY_SCHEMA,
    PolicyStatement,
    pack_policy_files,
    policy_digest,
    sign_policy,
)
from schemas.vocabulary import Nation, OfficerRole
from tests.support.parties import Member, make_member

IG_LEAD: Final = make_member("o-9e01ad", PartyKind.OFFICER, officer_role=OfficerRole.IG_LEAD)
SMALL: Final = {
    POLICY_SCHEMA: b"entity Officer; action look appliesTo {principal: Officer, resource: Officer};\n",
    POLICY_BASES: b"# none\n",
    "pack.toml": b'title = "A small pack"\n',
    "agreements.toml": b"[break_glass]\nat_most_hours = 24\nreview_within_hours = 120\n",
    "rules.cedar": b'@id("look")\n@sentence("Officers look at officers.")\npermit (principal, action, resource);\n',
}
"""Files that an agent takes without asking what they say, and that it can show."""


@dataclass(frozen=True)
class Version:
    """A signed version and its files as they travel."""

    statement: PolicyStatement
    frame: bytes
    files: bytes

    @property
    def digest(self) -> str:
        """Of its statement."""
        return digest(self.statement.encode())

    def arguments(self) -> dict[str, str]:
        """What the coordinator's command `publish-policy` is given."""
        return {"statement": encode_base64(self.frame), "files": self.files.decode()}


def make_version(
    valid_from: int,
    *,
    after: Version | None = None,
    whole: Mapping[str, bytes] | PackFiles = SMALL,
    by: Member = IG_LEAD,
    **changes: Any,
) -> Version:
    """The version that follows on another, or the first; `changes` are to its statement."""
    files = whole.whole if isinstance(whole, PackFiles) else whole
    members: dict[str, Any] = {
        "hub": "testhub",
        "number": 1 if after is None else after.statement.number + 1,
        "policy_digest": policy_digest(files),
        "nation": Nation.ENGLAND,
        "pack": "england",
        "pack_version": 1,
        "valid_from": valid_from,
        "previous": None if after is None else after.digest,
        "made_at": valid_from,
        "officer": by.party.id,
        "officer_key": by.keys[KeyPurpose.POLICY].id,
    }
    statement = PolicyStatement.model_validate({**members, **changes})
    return Version(statement, sign_policy(statement, by.keys[KeyPurpose.POLICY]), pack_policy_files(files))


@cache
def england_files() -> PackFiles:
    """The pack for England, as it comes with the program."""
    return gather(folder_of(ENGLAND))


def commented(note: str) -> PackFiles:
    """England's pack with a comment more: the same rules under another digest."""
    files = england_files()
    changed = {"00-bounds.cedar": files.files["00-bounds.cedar"] + note.encode()}
    return PackFiles(files.schema, files.bases, {**files.files, **changed})


def agreeing(at_most_hours: int, review_within_hours: int = 48) -> PackFiles:
    """England's pack with other hours for a broken glass; its expected decisions about those are left out."""
    files = england_files().files
    agreed = files["agreements.toml"].decode()
    agreed = agreed.replace("at_most_hours = 24", f"at_most_hours = {at_most_hours}")
    agreed = agreed.replace("review_within_hours = 120", f"review_within_hours = {review_within_hours}")
    expected = files["expected.toml"].decode().partition('[[case]]\nid = "R31-break-glass-too-long')[0]
    changed = {"agreements.toml": agreed.encode(), "expected.toml": expected.encode()}
    return PackFiles(england_files().schema, england_files().bases, {**files, **changed})


def make_pack_version(
    valid_from: int, *, after: Version | None = None, files: PackFiles | None = None, **changes: Any
) -> Version:
    """The version of a whole pack, or of England's, as a coordinator takes it."""
    whole = files or england_files()
    pack = load(whole)
    said = {"pack": pack.name, "pack_version": pack.version, "nation": pack.nation}
    return make_version(valid_from, after=after, whole=whole, **{**said, **changes})
