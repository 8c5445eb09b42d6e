"""The kept copy of the policy in force, looked at while the coordinator runs: a policy that went away is no policy.

What decides is what was signed, entered and kept (`policies`). Where that copy is damaged or gone nobody can say any
more what is decided by, so everything is refused (`policy_damaged`) and an alarm is raised, until it is whole again.
Says in the journal, too, when another version has come into force. Owns no rule and no key.
"""

from __future__ import annotations

from typing import Final

import structlog

from broker.coordinator.room import Room

LOOK_EVERY_MS: Final = 15_000
"""How long a policy that went away may still decide."""

_log = structlog.get_logger()


class PolicyWatch:
    """Made once by the program."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._number = 0

    async def run(self) -> None:
        """Look again and again."""
        clock = self._room.post.clock
        while True:
            await self.look()
            await clock.sleep_until(clock.now() + LOOK_EVERY_MS)

    async def look(self) -> bool:
        """Look once at every version that is or will be in force; whether all of them are whole."""
        room, now = self._room, self._room.post.clock.now()
        for number in room.policies.current(now):
            await room.policies.look_at(room.post.store, number)
        is_whole, number = room.policies.is_whole(now), room.policies.number_at(now)
        room.metrics.policy_lost.set(not is_whole)
        room.metrics.policy_version.set(number)
        if number != self._number:
            self._number = number
            _log.info("policy_version_in_force", version=str(number))
        return is_whole

    async def is_there(self) -> bool:
        """Whether the policy in force is there (a readiness check)."""
        return self._room.policies.is_whole(self._room.post.clock.now())
