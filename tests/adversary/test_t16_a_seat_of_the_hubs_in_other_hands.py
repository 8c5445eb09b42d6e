"""T16: somebody has the bus keys of one of the hub's three parties, and nothing else of it; or of the system account.

On the bus it may do what that party's template says. It hears what is for that party, all of it sealed or codes, and
can say nothing that holds: messages are signed by keys that are not on the bus.
"""

from __future__ import annotations

import pytest

from broker.enrolment.claims.operator import SYSTEM_ASKS, SYSTEM_HEARS
from schemas.messages.party import PartyKind
from schemas.subjects import ROUTES, TOKEN
from tests.support.canary import FORGED, HUB_ROLES, Canary
from tests.support.hostile_jwt import UNSCOPED
from tests.support.raw_nats import Refused
from tests.support.walled import Seat, Walls

EVERYTHING = (
    *("hub.coordinator", "hub.desk", "hub.admission", "from.*.coordinator", "from.*.desk", "from.*.admission"),
    *("to.*.in", "to.*.desk", "to.*.admission", ">", "hub.>", "from.>", "to.>", "_INBOX.>", "$SYS.>", "$JS.>", "_R_.>"),
)
HEARS = {role: {f"hub.{role}", f"from.*.{role}"} for role in HUB_ROLES}


def speaks_on(role: str, token: str) -> set[str]:
    """The subjects that a party of the hub may publish on to one agency and to the others of the hub."""
    return {route.subject.replace(TOKEN, token) for (sender, _), route in ROUTES.items() if sender is PartyKind(role)}


@pytest.mark.parametrize("role", HUB_ROLES)
async def test_it_hears_what_is_for_that_party_and_nothing_else(walls: Walls, role: str) -> None:
    async with Canary(walls, "south") as canary:
        client = await walls.hub(role)
        inboxes = [f"{seat.inbox}.>" for name, seat in walls.hub_seats.items() if name != role]
        allowed = []
        for subject in (*EVERYTHING, *inboxes, f"to.{canary.token}.>", f"from.{canary.token}.{role}x"):
            before = len(client.errors)
            await client.subscribe(subject)
            assert await client.barrier()
            if len(client.errors) == before:
                allowed.append(subject)
        assert set(allowed) == HEARS[role]
        await canary.some_rounds(5)
        if role != "coordinator":
            assert canary.is_unheard_by(client)


@pytest.mark.parametrize("role", HUB_ROLES)
async def test_it_speaks_where_that_party_may_and_nowhere_else(walls: Walls, role: str) -> None:
    token = walls.agencies["north"].token
    client = await walls.hub(role)
    allowed = []
    inboxes = [f"{seat.inbox}.1" for seat in (*walls.hub_seats.values(), *walls.agencies.values())]
    subjects = {subject.replace("*", token) for subject in EVERYTHING if ">" not in subject}
    for subject in (*sorted(subjects), *inboxes, f"from.{token}.x", f"to.{token}.x", "$SYS.REQ.CLAIMS.UPDATE"):
        before = len(client.errors)
        await client.publish(subject, FORGED)
        assert await client.barrier()
        if len(client.errors) == before:
            allowed.append(subject)
    assert set(allowed) == speaks_on(role, token)


@pytest.mark.parametrize("role", HUB_ROLES)
async def test_it_cannot_make_itself_a_user_that_may_do_more(walls: Walls, role: str) -> None:
    seat = walls.hub_seats[role]
    for other in (role, *(name for name in HUB_ROLES if name != role)):
        # Any user it issues under its key is under the template of that key, whatever the user says of itself.
        client_seat = Seat(walls.hub_account, seat.signer, walls.hub_seats[other].user)
        client = await walls.enter(client_seat.credentials())
        await client.publish(f"to.{walls.agencies['north'].token}.x", FORGED)
        await client.subscribe("from.>")
        assert await client.barrier()
        assert len(client.errors) == 2
    with pytest.raises(Refused):
        await walls.enter(seat.credentials(body={**UNSCOPED, "pub": {"allow": [">"]}, "sub": {"allow": [">"]}}))


async def test_the_system_account_asks_and_hears_what_admission_needs_and_nothing_else(walls: Walls) -> None:
    async with Canary(walls, "south") as canary:
        client = await walls.enter(Seat(walls.system, walls.system_signer).credentials())
        for subject in (">", "to.>", "from.>", "hub.>", "$SYS.>", "$SYS.REQ.>", "$SYS.DEBUG.>"):
            await client.subscribe(subject)
        for subject in (
            "$SYS.REQ.SERVER.X.KICK",
            "$SYS.REQ.SERVER.X.RELOAD",
            "to.x.in",
            "hub.desk",
            "$SYS.DEBUG.SUBSCRIBERS",
        ):
            await client.publish(subject, FORGED)
        assert await client.barrier()
        assert len(client.errors) == 12, client.errors
        for subject in SYSTEM_HEARS:
            await client.subscribe(subject)
        await canary.some_rounds(5)
        assert await client.barrier()
        assert len(client.errors) == 12
        assert not [heard for heard in client.heard if canary.mark in heard.payload]
        assert not [subject for subject in SYSTEM_ASKS if "KICK" in subject or "RELOAD" in subject]
