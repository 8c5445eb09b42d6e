"""The hub's policy as it is in force: which signed version decides at an instant, and whether its kept copy is whole.

Versions come from the store alone, each held against its own statement and against the entry of the log that names it;
no folder can change what is in force. A version whose copy is damaged decides nothing. Refuses to know how a version
is taken (`policy_taking`) and how agencies get it (`policy_sending`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from broker.coordinator import policy_records as records
from broker.node.log import get_leaves
from broker.node.store import Store
from broker.node.store.port import Transaction
from broker.policy.pack import Pack, PackFiles
from broker.policy.packs import load
from schemas.failures import Failure, Rejected
from schemas.messages.entry import PolicyEntry, read_entry_as
from schemas.messages.policy import (
    PolicyVersion,
    check_files,
    in_force,
    read_policy,
    read_policy_files,
)
from schemas.messages.request import PolicyStated

_log = structlog.get_logger()


class NoPolicyInForce(Rejected):
    """No version of the hub's policy is in force yet: its IG lead publishes the first (broker policy publish)."""

    code = "no_policy_in_force"


class PolicyStatedOtherwise(Rejected):
    """A request states a version of the policy that the coordinator does not decide by (yet): nothing was decided."""

    code = "policy_stated_otherwise"


class PolicyDamaged(Rejected):
    """The copy that the coordinator keeps of the version in force is damaged or gone: nothing is decided by it."""

    code = "policy_damaged"


@dataclass(slots=True)
class Policies:
    """Made once by the program; `take_up` before anything is decided."""

    _versions: dict[int, PolicyVersion] = field(default_factory=dict)
    _packs: dict[int, Pack] = field(default_factory=dict)
    """Of the version in force and those to come; a version without one is damaged, or is over."""
    _damaged: set[int] = field(default_factory=set)
    _begun: set[int] = field(default_factory=set)
    """In force when they were taken: a clock that is set back afterwards does not end them."""

    async def take_up(self, store: Store, now: int) -> None:
        """Take up every version that is kept, and load those that are or will be in force."""
        kept = await store.read(records.versions)
        for one in kept:
            self._take(read_policy(one.frame), one.taken_at)
        for number in self.current(now):
            await self.look_at(store, number)

    def add(self, version: PolicyVersion, pack: Pack, taken_at: int) -> None:
        """A version was taken: it is in the store and in the log."""
        self._take(version, taken_at)
        self._packs[version.statement.number] = pack

    def current(self, now: int) -> list[int]:
        """The numbers of the version in force and of those to come."""
        first = self.number_at(now)
        return [number for number in self._versions if number >= first]

    def number_at(self, now: int) -> int:
        """The number of the version in force; 0 for none."""
        version = in_force(self._versions.values(), now)
        return max(self._begun | {0 if version is None else version.statement.number})

    def version_at(self, now: int) -> PolicyVersion | None:
        """The version in force."""
        return self._versions.get(self.number_at(now))

    def at(self, now: int) -> Pack:
        """The pack that decides at an instant (milliseconds UTC).

        Raises:
            NoPolicyInForce: there is none.
            PolicyDamaged: its copy is not whole.
        """
        number = self.number_at(now)
        if not number:
            raise NoPolicyInForce("no version of the policy is in force; the IG lead runs: broker policy publish")
        pack = self._packs.get(number)
        if pack is None:
            raise PolicyDamaged(f"the kept copy of version {number} is damaged; see RUNBOOK, The hub's policy")
        return pack

    def check_stated(self, stated: PolicyStated | None, now: int) -> None:
        """That a request was asked under the version in force at an instant, or one before it.

        Raises:
            PolicyStatedOtherwise: the desk states a version that is not kept here, or is to come.
        """
        if stated is None:
            return
        version = self._versions.get(stated.number)
        if version is None or version.digest != stated.statement_digest:
            raise PolicyStatedOtherwise(f"the desk holds a version {stated.number} that is not the coordinator's")
        if stated.number > self.number_at(now):
            raise PolicyStatedOtherwise(f"the desk holds version {stated.number} to be in force already")

    def _take(self, version: PolicyVersion, taken_at: int) -> None:
        self._versions[version.statement.number] = version
        if version.statement.valid_from <= taken_at:
            self._begun.add(version.statement.number)

    def is_whole(self, now: int) -> bool:
        """Whether nothing that is or will be in force is damaged."""
        return all(number in self._packs for number in self.current(now))

    async def look_at(self, store: Store, number: int) -> bool:
        """Hold a version's copy against what was signed and entered; without a whole copy it decides nothing."""
        version = self._versions[number]
        named = version.statement.policy_digest
        try:
            whole = _checked(version, *await store.read(lambda tx: _copy(tx, number, named)))
            if number not in self._packs:
                self._packs[number] = await asyncio.to_thread(load, PackFiles.of(whole))
        except Failure as failure:
            if number not in self._damaged:
                _log.critical("policy_copy_damaged", version=str(number), code=failure.code, digest=named)
            self._packs.pop(number, None)
            self._damaged.add(number)
            return False
        if number in self._damaged:
            _log.warning("policy_copy_whole_again", version=str(number), digest=named)
            self._damaged.discard(number)
        return True


def _copy(tx: Transaction, number: int, policy_digest: str) -> tuple[bytes | None, bytes | None, bytes | None]:
    kept = next((one for one in records.versions(tx) if one.number == number), None)
    if kept is None:
        return None, None, None
    return kept.frame, records.files_of(tx, policy_digest), next(iter(get_leaves(tx, kept.index, kept.index + 1)), None)


def _checked(
    version: PolicyVersion, frame: bytes | None, files: bytes | None, leaf: bytes | None
) -> Mapping[str, bytes]:
    if frame != version.frame or files is None or leaf is None:
        raise PolicyDamaged("its statement, its files or its entry is not the one that was taken")
    entry = read_entry_as(PolicyEntry, leaf)
    if entry.statement_digest != version.digest:
        raise PolicyDamaged("the log names another statement")
    read = read_policy_files(files)
    check_files(version, read)
    return read.by_name
