"""What admission's command socket tells of its TLS authorities; they are replaced by `rotation_commands`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broker.enrolment.authority import expires_at
from broker.enrolment.room import Room
from broker.node.command_arguments import NoArguments, read_arguments
from broker.node.commands import Command


def authority_commands(room: Room) -> Mapping[str, Command]:
    """The command by its name."""
    authorities = room.authorities

    async def listed(arguments: dict[str, Any]) -> Any:
        """The authorities that are trusted; the first signs."""
        read_arguments(NoArguments, arguments)
        return {
            "authorities": [
                {"name": name, "signs": at == 0, "expires_at": expires_at(authorities.pem(name))}
                for at, name in enumerate(authorities.names())
            ]
        }

    return {"authorities": listed}
