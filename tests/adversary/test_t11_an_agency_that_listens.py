"""T11: an agency, with all of its keys and any client it likes, tries to hear what is not for it.

Twice: as admitted, under the template of its signing key; and with a signing key that by mistake has no template, so
that only the walls between accounts stand. For each agency against each other one and the hub.
"""

from __future__ import annotations

import pytest

from tests.support.canary import Canary
from tests.support.raw_nats import RawNats
from tests.support.walled import Walls

PATTERNS = (
    *(
        ">",
        "*",
        "*.*",
        "*.*.*",
        "*.>",
        "to.>",
        "to.*.>",
        "to.*.in",
        "to.*.*",
        "from.>",
        "from.*.>",
        "from.*.coordinator",
    ),
    *("hub.>", "hub.coordinator", "hub.desk", "hub.admission", "_INBOX.>", "_INBOX.*", "_INBOX.*.*", "_R_.>", "_R_.*"),
    *("$JS.>", "$JS.API.>", "$SYS.>", "$SYS.ACCOUNT.*.>", "$SYS.REQ.>", "$SYS._INBOX.>", "$GR.>", "$LDS.>", "$NRG.>"),
    *("$MQTT.>", "$KV.>", "$O.>", "_GR_.>", "_$O.>"),
)
OTHERS = ("to.{0}.>", "to.{0}.in", "to.{0}.desk", "from.{0}.>", "from.{0}.coordinator", "$SYS.ACCOUNT.{0}.>", "{0}.>")
PAIRS = [(a, b) for a in ("north", "south", "east") for b in ("north", "south", "east") if a != b]
WITH, WITHOUT = "under its template", "without a template"


async def attacker(walls: Walls, name: str, how: str) -> RawNats:
    """A connection of an agency's; `WITHOUT` its template, from an account made for the purpose."""
    if how == WITH:
        return await walls.agency(name)
    return await walls.enter((await walls.admit_by_mistake(scoped=False)).credentials())


@pytest.mark.parametrize("how", [WITH, WITHOUT])
@pytest.mark.parametrize(("mallory", "victim"), PAIRS)
async def test_no_subscription_hears_anything_of_anothers(walls: Walls, mallory: str, victim: str, how: str) -> None:
    token = walls.agencies[victim].token
    async with Canary(walls, victim) as canary:
        for pattern in (*PATTERNS, *(each.format(token) for each in OTHERS)):
            client = await attacker(walls, mallory, how)
            await client.subscribe(pattern)
            await client.barrier()
            await canary.some_rounds(2)
            await client.barrier()
            assert not client.heard, pattern
            await client.close()


@pytest.mark.parametrize("how", [WITH, WITHOUT])
async def test_no_queue_group_takes_a_share_of_anothers_messages(walls: Walls, how: str) -> None:
    token = walls.agencies["south"].token
    async with Canary(walls, "south") as canary:
        client = await attacker(walls, "north", how)
        for group in ("q", "coordinator", "hub", "_sys_", ">", "*"):
            for pattern in ("from.*.coordinator", f"from.{token}.coordinator", f"to.{token}.in", f"to.{token}.>", ">"):
                await client.subscribe(pattern, queue=group)
        await client.barrier()
        await canary.some_rounds(50)
        assert canary.is_unheard_by(client)
