"""The files of the policy in force, looked at while the coordinator runs: a policy that went away is no policy.

The version in force stays in memory, and a file that changes on disk changes nothing: another version is put in force
on purpose. But where the files are missing nobody can say any more what is decided by, so everything is refused by
`policy-error`, and an alarm is raised, until the same version is back. Owns no rule and no key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Final, TypeAlias

import structlog

from broker.coordinator.room import Room
from broker.node.policy import PolicyInvalid
from broker.policy.pack import PackFiles, read_manifest

LOOK_EVERY_MS: Final = 15_000
"""How long a policy that went away may still decide."""

Gather: TypeAlias = Callable[[], PackFiles]
"""Reads the files of the policy in force anew."""

_log = structlog.get_logger()


class Found(StrEnum):
    """How the files were found."""

    INTACT = "intact"
    CHANGED = "changed"
    """They are a pack, and not the version in force, which goes on deciding."""
    MISSING = "missing"
    """A file that the pack had is not there, or cannot be read: everything is refused."""


class PolicyWatch:
    """Made once by the program."""

    def __init__(self, room: Room, gather: Gather) -> None:
        self._room = room
        self._gather = gather
        self._found = Found.INTACT
        self._names = frozenset(gather().files)

    async def run(self) -> None:
        """Look again and again."""
        clock = self._room.post.clock
        while True:
            await self.look()
            await clock.sleep_until(clock.now() + LOOK_EVERY_MS)

    async def look(self) -> Found:
        """Look once, and let the policy decide, or not, accordingly."""
        found = await asyncio.to_thread(self._look)
        if self._found is Found.MISSING and found is Found.CHANGED:
            found = Found.MISSING  # what came back is another version: it has to be put in force first
        if found is not self._found:
            self._found = found
            self._room.policy = replace(self._room.policy, is_lost=found is Found.MISSING)
            self._room.metrics.policy_lost.set(found is Found.MISSING)
            self._room.metrics.policy_changed.set(found is Found.CHANGED)
            level = "info" if found is Found.INTACT else "error"
            getattr(_log, level)(f"policy_files_{found}", digest=self._room.policy.digest)
        return found

    async def is_there(self) -> bool:
        """Whether the policy in force is there (a readiness check)."""
        return self._found is not Found.MISSING

    def _look(self) -> Found:
        try:
            files = self._gather()
            if files.digest == self._room.policy.digest:
                return Found.INTACT
            read_manifest(files.files)  # a pack in which a file is missing is none
        except PolicyInvalid:
            return Found.MISSING
        return Found.CHANGED if self._names <= files.files.keys() else Found.MISSING
