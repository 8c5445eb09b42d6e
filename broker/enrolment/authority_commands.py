"""What admission's command socket takes about its TLS authorities: a planned change, in three steps.

`authority-add` makes the next one, which everybody who renews then trusts; `authority-use` has it sign;
`authority-retire` ends the old one. Between the steps a person waits until every party and server has renewed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broker.enrolment.authority import expires_at
from broker.enrolment.room import Room
from broker.node.bus.address import read_address
from broker.node.commands import Command, CommandMalformed


def authority_commands(room: Room) -> Mapping[str, Command]:
    """The commands by name."""
    authorities = room.authorities

    def shown() -> Any:
        return {
            "authorities": [
                {"name": name, "signs": at == 0, "expires_at": _expires_at(room, name)}
                for at, name in enumerate(authorities.names())
            ]
        }

    async def listed(arguments: dict[str, Any]) -> Any:
        """The authorities that are trusted; the first signs."""
        if arguments:
            raise CommandMalformed("authorities takes no arguments")
        return shown()

    async def add(arguments: dict[str, Any]) -> Any:
        """Make the next authority, for the hosts of the addresses that parties dial."""
        if arguments:
            raise CommandMalformed("authority-add takes no arguments")
        hosts = list(dict.fromkeys(read_address(url, setting="bus.urls").host for url in room.addresses))
        authorities.create(hosts, now=room.post.clock.now())
        return shown()

    async def use(arguments: dict[str, Any]) -> Any:
        """Have an authority sign from now on."""
        authorities.sign_with(_name(arguments))
        return shown()

    async def retire(arguments: dict[str, Any]) -> Any:
        """Trust an authority no more, and destroy its key."""
        authorities.retire(_name(arguments))
        return shown()

    return {"authorities": listed, "authority-add": add, "authority-use": use, "authority-retire": retire}


def _expires_at(room: Room, name: str) -> int:
    return expires_at(room.authorities.pem(name))


def _name(arguments: dict[str, Any]) -> str:
    name = arguments.get("name")
    if not isinstance(name, str) or set(arguments) != {"name"}:
        raise CommandMalformed("the name of an authority is missing; see: broker authority list")
    return name
