"""The hub's policy as its desk knows it: which signed version each request is to state, and how long a glass is broken.

Versions are handed in beside the coordinator, by the hub's IG lead or from what the lead signed. So the version that a
request states, and desk and officer sign, is not the coordinator's word: one that it keeps from an agency is missed
there (SPEC 11.4). Refuses to know what the rules say: the coordinator decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import structlog
from pydantic import Field

from broker.desk.trust import Trust
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command
from broker.node.post.office import Post
from broker.node.store.port import Transaction
from schemas.messages.fields import Base64, decode_base64
from schemas.messages.glass import GlassTerms, check_glass_lasts, glass_terms
from schemas.messages.policy import (
    MAX_POLICY_BYTES,
    PolicyDoubled,
    PolicyVersion,
    check_files,
    check_follows,
    in_force,
    read_policy,
    read_policy_files,
    verify_policy,
)
from schemas.messages.request import PolicyStated

_log = structlog.get_logger()


class _Version(Arguments):
    statement: Base64
    """The signed frame."""
    files: Annotated[str, Field(max_length=MAX_POLICY_BYTES)]


@dataclass(slots=True)
class DeskPolicies:
    """Made once by the program; `take_up` before anything is asked."""

    trust: Trust
    post: Post
    _versions: dict[int, PolicyVersion] = field(default_factory=dict)
    _glass: dict[int, GlassTerms | None] = field(default_factory=dict)

    async def take_up(self) -> None:
        """Take up every version that is kept."""
        self._versions, self._glass = await self.post.store.read(lambda tx: (_versions(tx), _glass(tx)))

    async def take(self, frame: bytes, files: bytes) -> PolicyVersion:
        """Keep a version; one that is kept already changes nothing.

        Raises:
            PolicyDoubled: another statement is kept under its number.
            PolicyOutOfOrder: it does not follow on the one before it, or the next does not follow on it.
            Rejected: signature, role or files do not hold.
        """
        now = self.post.clock.now()
        version = verify_policy(frame, self.trust.directory, seen_at=now)
        read = read_policy_files(files)
        check_files(version, read)

        def work(tx: Transaction) -> dict[int, PolicyVersion]:
            held, number = _versions(tx), version.statement.number
            if number in held:
                if held[number].digest != version.digest:
                    raise PolicyDoubled("the desk keeps another statement under that number")
                return held
            if number - 1 in held or number == 1:
                check_follows(held.get(number - 1), version)
            if number + 1 in held:
                check_follows(version, held[number + 1])
            tx.execute("INSERT INTO policy_version VALUES (?, ?, ?, ?)", (number, frame, files, now))
            return {**held, number: version}

        self._versions = await self.post.commit(work)
        self._glass[version.statement.number] = glass_terms(read.by_name)
        _log.info("policy_version_taken", version=str(version.statement.number), digest=version.statement.policy_digest)
        return version

    def stated(self, at: int) -> PolicyStated | None:
        """What a request that is asked at an instant (milliseconds UTC) states; nothing while no version is kept."""
        version = in_force(self._versions.values(), at)
        if version is None:
            return None
        return PolicyStated(number=version.statement.number, statement_digest=version.digest)

    def check_glass(self, lasts_ms: int, at: int) -> None:
        """That a glass may be broken at an instant, and for so long. Where no version is kept, the bound in code holds.

        Raises:
            GlassNotAgreed: the sharing agreements of the version in force say otherwise.
        """
        version = in_force(self._versions.values(), at)
        if version is not None:
            check_glass_lasts(lasts_ms, self._glass[version.statement.number])

    def commands(self) -> Mapping[str, Command]:
        """The socket's: whoever may use it hands a version in; what makes it one is the signature of the IG lead."""

        async def take_policy(arguments: dict[str, Any]) -> Any:
            given = read_arguments(_Version, arguments)
            version = await self.take(decode_base64(given.statement), given.files.encode())
            return _shown(version)

        async def policies(arguments: dict[str, Any]) -> Any:
            read_arguments(NoArguments, arguments)
            stated = self.stated(self.post.clock.now())
            return {
                "in_force": 0 if stated is None else stated.number,
                "versions": [_shown(one) for _, one in sorted(self._versions.items())],
            }

        return {"take-policy": take_policy, "policy-versions": policies}


def _versions(tx: Transaction) -> dict[int, PolicyVersion]:
    rows = tx.execute("SELECT number, statement FROM policy_version ORDER BY number")
    return {number: read_policy(frame) for number, frame in rows}


def _glass(tx: Transaction) -> dict[int, GlassTerms | None]:
    rows = tx.execute("SELECT number, files FROM policy_version")
    return {number: glass_terms(read_policy_files(files).by_name) for number, files in rows}


def _shown(version: PolicyVersion) -> dict[str, Any]:
    return {"number": version.statement.number, "statement_digest": version.digest}
