"""What admission's command socket takes about the bus's own keys: one command, which goes as far as it can.

Called again it goes on: after the servers were given their configuration, after a crash. Thin: words in, JSON out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any

from broker.enrolment.authority_rotation import AuthorityRotation
from broker.enrolment.bus_rotation import BusRotation, Progress, Reached
from broker.node.command_arguments import Arguments, read_arguments
from broker.node.commands import Command


class What(StrEnum):
    """What of the bus is replaced."""

    OPERATOR = "operator"
    OPERATOR_SIGNER = "operator-signer"
    SYSTEM = "system"
    ACCOUNT = "account"
    AUTHORITY = "authority"


class _Asked(Arguments):
    what: What
    emergency: bool = False
    without: bool = False


def rotation_commands(
    bus: BusRotation, authority: AuthorityRotation, replace_account: Callable[[], Awaitable[None]]
) -> Mapping[str, Command]:
    """The command by its name. `replace_account` has the hub go on in another account."""
    one_at_a_time = asyncio.Lock()

    async def rotate(arguments: dict[str, Any]) -> Any:
        """Replace something of the bus, as far as that goes now."""
        asked = read_arguments(_Asked, arguments)
        bus.room.ground.catch_up.require()
        async with one_at_a_time:
            progress = await _go_on(asked)
        return {
            "what": asked.what.value,
            "reached": progress.reached.value,
            "servers": list(progress.servers),
            "parties": list(progress.parties),
        }

    async def _go_on(asked: _Asked) -> Progress:
        match asked.what:
            case What.OPERATOR:
                return await bus.operator()
            case What.OPERATOR_SIGNER:
                return await bus.operator_signer(emergency=asked.emergency)
            case What.SYSTEM:
                return await bus.system()
            case What.ACCOUNT:
                await replace_account()
                await bus.enter("account-done")
                return Progress(Reached.DONE)
            case What.AUTHORITY:
                return await authority.go_on(emergency=asked.emergency, without=asked.without)

    return {"bus-rotate": rotate}
