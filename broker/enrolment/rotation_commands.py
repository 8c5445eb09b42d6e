"""What admission's command socket takes about the bus's own keys: one command, which goes as far as it can.

Called again it goes on: after the servers were given their configuration, after a crash. Thin: words in, JSON out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broker.enrolment.bus_rotations import BusRotations
from broker.enrolment.bus_steps import What
from broker.node.command_arguments import Arguments, read_arguments
from broker.node.commands import Command


class _Asked(Arguments):
    what: What
    emergency: bool = False
    without: bool = False


def rotation_commands(rotations: BusRotations) -> Mapping[str, Command]:
    """The command by its name."""

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

    return {"bus-rotate": rotate}
