"""What admission's command socket takes about the bus's own keys: which authorities there are, and one to rotate by.

`bus-rotate` goes as far as it can. Called again it goes on: after the servers were given their configuration, after a
crash. Thin: words in, JSON out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broker.enrolment.rotation.rotations import BusRotations
from broker.enrolment.rotation.steps import What
from broker.enrolment.tls.authority import expires_at
from broker.node.command_arguments import Arguments, NoArguments, read_arguments
from broker.node.commands import Command


class _Asked(Arguments):
    what: What
    emergency: bool = False
    without: bool = False


def rotation_commands(rotations: BusRotations) -> Mapping[str, Command]:
    """The commands, each by its name."""
    authorities = rotations.steps.room.authorities

    async def rotate(arguments: dict[str, Any]) -> Any:
        """Replace something of the bus, as far as that goes now."""
        asked = read_arguments(_Asked, arguments)
        rotations.steps.room.ground.catch_up.require()
        progress = await rotations.go_on(asked.what, emergency=asked.emergency, without=asked.without)
        return {
            "what": asked.what.value,
            "reached": progress.reached.value,
            "servers": list(progress.servers),
            "parties": list(progress.parties),
        }

    async def under_way(arguments: dict[str, Any]) -> Any:
        """What was begun and is not at its end."""
        read_arguments(NoArguments, arguments)
        return {"under_way": sorted(what.value for what in await rotations.steps.under_way())}

    async def listed(arguments: dict[str, Any]) -> Any:
        """The authorities that are trusted; the first signs."""
        read_arguments(NoArguments, arguments)
        return {
            "authorities": [
                {"name": name, "signs": at == 0, "expires_at": expires_at(authorities.pem(name))}
                for at, name in enumerate(authorities.names())
            ]
        }

    return {"bus-rotate": rotate, "bus-rotations": under_way, "authorities": listed}
