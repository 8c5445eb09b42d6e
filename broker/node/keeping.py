"""A program's keys and directory, kept while it runs: the same for desk, coordinator, agent and admission.

`take_up` before anything comes in, `keep` once it does. Composition, the alerts before something ends, and the two
commands `keys` and `rotate-key`; what they do is `membership` and `rotation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from broker.node.bus.port import BusAway
from broker.node.clock import DAY_MS
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command
from broker.node.doctor.expiring import Expiry, expiries
from broker.node.ground import Ground
from broker.node.membership import Membership, Prove
from broker.node.renewals import Renewals
from broker.node.rotation import Rotation
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure
from schemas.messages.fields import Base64, decode_base64

_log = structlog.get_logger()

LOOK_EVERY_MS: Final = 3_600_000
WARNED_DAYS: Final = (60, 30, 14, 3)
"""How many days before its end a key, certificate or JWT is warned of, each once."""
DIRECTORY_WARNED_DAYS: Final = (3,)
"""The directory is made anew every day: it is warned of only when that does not come about."""


class ToRotate(Arguments):
    """Which key is to be replaced."""

    purpose: KeyPurpose
    emergency: bool = False
    public: Base64 = ""
    """Where another person keeps the key: the new one's public half."""


@dataclass(slots=True)
class Keeping:
    """Made by `keep_keys`."""

    ground: Ground
    membership: Membership
    rotation: Rotation
    _told: dict[str, int] = field(default_factory=dict)
    """What was warned of, and how many days before its end."""

    async def take_up(self) -> None:
        """Take up directory and keys from before; finish what a crash interrupted."""
        await self.membership.take_up()
        self.ground.post.account = self.rotation.renewals.account()
        await self.rotation.settle()

    def keep(self) -> None:
        """Ask, look after keys and warn, as long as the post runs."""
        post = self.ground.post
        post.spawn(self.membership.ask_for_ever())
        post.spawn(self.rotation.settle_for_ever())
        post.spawn(self._warn_for_ever())

    async def connected(self) -> None:
        """The bus is there (again): what was missed of the directory comes now."""
        await self.membership.ask()

    def commands(self) -> Mapping[str, Command]:
        """The commands of the socket."""
        return {"keys": self._keys, "rotate-key": self._rotate, "renew": self._renew}

    def expiries(self) -> list[Expiry]:
        """Everything of this party that ends by itself, the directory it holds included; the soonest first."""
        found = expiries(self.ground.home)
        held = self.membership.held
        if held is not None:
            ends_at = held.statement.expires_at
            found.append(Expiry("directory", "the hub's directory", ends_at, "broker run admission (at the hub)"))
        return sorted(found, key=lambda one: (one.ends_at, one.label))

    async def _keys(self, arguments: dict[str, Any]) -> Any:
        """Every stated key, the directory held, and what ends when."""
        read_arguments(NoArguments, arguments)
        me, held, now = self.ground.me, self.membership.held, self.ground.clock.now()
        return {
            "party": me.id,
            "serial": me.statement.serial,
            "now": now,
            "keys": [
                {
                    "purpose": one.key.purpose.value,
                    "id": one.key.id,
                    "not_before": one.not_before,
                    "not_after": one.not_after,
                    "revoked_at": one.revoked_at,
                    "epoch": one.epoch,
                    "in_force": one.in_force(now),
                }
                for one in me.keys
            ],
            "directory": None
            if held is None
            else {
                "version": held.version,
                "expires_at": held.statement.expires_at,
                "in_force": held.in_force(now),
                "names_newest": held.lines[me.id].statement_digest == me.digest if me.id in held.lines else False,
            },
            "expiries": [
                {"what": one.label, "at": one.ends_at, "warned": warned_days(one, now), "run": one.remedy}
                for one in self.expiries()
            ],
        }

    async def _rotate(self, arguments: dict[str, Any]) -> Any:
        """Replace a key, or take up another one where another person keeps it."""
        asked = read_arguments(ToRotate, arguments)
        public = decode_base64(asked.public)
        me = await self.rotation.rotate(asked.purpose, emergency=asked.emergency, public=public)
        return {"party": me.id, "serial": me.statement.serial, "purpose": asked.purpose.value}

    async def _renew(self, arguments: dict[str, Any]) -> Any:
        """Ask admission for a certificate and the account's newest JWT, now."""
        read_arguments(NoArguments, arguments)
        if self.ground.post.connected_at is None:
            raise BusAway(f"nobody can be asked while there is no bus: {self.ground.post.bus.trouble or 'wait for it'}")
        await self.rotation.renew()
        return {"party": self.ground.me.id}

    async def _warn_for_ever(self) -> None:
        clock = self.ground.clock
        while True:
            try:
                self._warn(clock.now())
            except Failure as failure:
                _log.error("expiries_unknown", code=failure.code)
            await clock.sleep_until(clock.now() + LOOK_EVERY_MS)

    def _warn(self, now: int) -> None:
        held = self.membership.held
        if held is not None:
            self.ground.metrics.node.expires_seconds.labels("directory").set(held.statement.expires_at / 1000)
        for one in self.expiries():
            days = warned_days(one, now)
            if days is None:
                self._told.pop(one.label, None)
            elif self._told.get(one.label) != days:
                self._told[one.label] = days
                left = max(one.ends_at - now, 0) // DAY_MS
                _log.warning("expires_soon", purpose=one.label, ends_at=one.ends_at, count=left)


def warned_days(one: Expiry, now: int) -> int | None:
    """The smallest number of days of warning that has been passed; None while it is long enough, 0 once it is over."""
    if one.ends_at <= now:
        return 0
    warned = DIRECTORY_WARNED_DAYS if one.label == "directory" else WARNED_DAYS
    return min((days for days in warned if one.ends_at - now < days * DAY_MS), default=None)


def keep_keys(ground: Ground, prove: Prove) -> Keeping:
    """Compose the keeping of a program's keys and directory; nothing runs yet.

    Args:
        prove: how the program believes an entry of the hub's log.
    """
    renewals = Renewals(ground.home, ground.keys, ground.post)
    membership = Membership(ground.home, ground.post, prove, renewals)
    rotation = Rotation(ground.home, ground.keys, ground.ring, ground.post, membership, renewals)

    async def renewed() -> None:
        await membership.ask()
        await rotation.settle()  # what was kept until admission's word had come

    renewals.told = renewed
    ground.post.directories = membership
    ground.ring.is_published = membership.names_newest
    membership.changed.append(lambda: ground.post.spawn(rotation.renew_if_needed()))
    return Keeping(ground, membership, rotation)
