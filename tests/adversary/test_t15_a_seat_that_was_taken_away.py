"""T15: an agency that was suspended or expelled stays, comes back, or comes back as it was before.

It has all of its keys, its certificate, the claims it was once given, and users it issued to itself for years ahead.
"""

from __future__ import annotations

import pytest

from broker.enrolment.claims.accounts import AgencyAccount, agency_claims, expelled_claims, suspended_claims
from broker.node.clock import SystemClock
from tests.support.canary import FORGED, Canary
from tests.support.hostile_jwt import Nkey, forged
from tests.support.raw_nats import Credentials, Refused
from tests.support.walled import DAY_MS, Seat, Walls

STEPS = ("suspended", "expelled")


def claims(walls: Walls, seat: Seat, step: str, *, later_s: int) -> str:
    """The account's claims after that step, issued so much later than the first."""
    now = SystemClock().now() + later_s * 1000
    if step == "expelled":
        return expelled_claims(seat.account.public, walls.operator_signer, issued_at=now, expires_at=now + DAY_MS)
    plan = AgencyAccount(seat.account.public, [seat.signer.public])
    make = suspended_claims if step == "suspended" else agency_claims
    return make(plan, walls.hub_token, walls.operator_signer, issued_at=now, expires_at=now + DAY_MS)


def users(seat: Seat) -> list[Credentials]:
    """What it could show: today's user, one for ten years ahead, another user of its making, one under its account."""
    other = Seat(seat.account, seat.signer)
    return [
        seat.credentials(),
        seat.credentials(expires_in_s=315_360_000),
        seat.credentials(expires_in_s=None),
        seat.credentials(issued_ago_s=-3600),
        other.credentials(),
        Seat(seat.account, seat.account).credentials(),
    ]


@pytest.mark.parametrize("step", STEPS)
async def test_it_is_thrown_off_at_once_and_not_let_in_again(walls: Walls, step: str) -> None:
    seat = await walls.admit(f"to be {step}")
    async with Canary(walls, "south") as canary:
        connections = [await walls.enter(seat.credentials()) for _ in range(3)]
        await walls.push(claims(walls, seat, step, later_s=1))
        for client in connections:
            await client.until_cut()
        for credentials in users(seat):
            with pytest.raises(Refused):
                await walls.enter(credentials)
        assert not canary.at_hub()


@pytest.mark.parametrize("step", STEPS)
async def test_what_it_says_in_the_moment_of_being_thrown_off_reaches_nobody_afterwards(
    walls: Walls, step: str
) -> None:
    seat = await walls.admit(f"talking while {step}")
    async with Canary(walls, "south") as canary:
        client = await walls.enter(seat.credentials())
        await walls.push(claims(walls, seat, step, later_s=1))
        await client.publish(f"from.{seat.token}.coordinator", FORGED)
        await client.until_cut()
        await canary.some_rounds(2)
        heard = len(canary.at_hub())
        await client.publish(f"from.{seat.token}.coordinator", FORGED)
        await canary.some_rounds(5)
        assert len(canary.at_hub()) == heard


@pytest.mark.parametrize("step", STEPS)
async def test_what_is_sent_to_it_is_heard_by_nobody(walls: Walls, step: str) -> None:
    seat = await walls.admit(f"deaf once {step}")
    coordinator, inbox = await walls.hub("coordinator"), walls.hub_seats["coordinator"].inbox
    client = await walls.enter(seat.credentials())
    await client.subscribe(f"to.{seat.token}.>")
    assert await client.barrier()
    await walls.push(claims(walls, seat, step, later_s=1))
    await client.until_cut()
    await coordinator.subscribe(f"{inbox}.>")
    await coordinator.publish(f"to.{seat.token}.in", b"for somebody who has gone", reply=f"{inbox}.1")
    assert b"503" in (await coordinator.until_heard(1))[0].headers
    assert not client.heard


@pytest.mark.parametrize("step", STEPS)
async def test_claims_that_the_operator_did_not_sign_do_not_bring_it_back(walls: Walls, step: str) -> None:
    """Even on the server, whose store takes whatever is pushed. (True ones would: only admission can push.)"""
    seat = await walls.admit(f"once {step}")
    await walls.push(claims(walls, seat, step, later_s=1))
    for issuer in (seat.as_attacker("account"), Nkey.make("operator")):
        imports = [{"name": "to", "subject": f"to.{seat.token}.>", "account": walls.hub_token, "type": "stream"}]
        body = {
            "limits": {"conn": -1, "subs": -1},
            "imports": imports,
            "signing_keys": [seat.as_attacker("signer").public],
        }
        await walls.push(forged(issuer, seat.token, "account", body, issued_ago_s=-60))
        for scoped in (True, False):
            with pytest.raises(Refused):
                await walls.enter(Seat(seat.account, seat.signer, seat.user, is_scoped=scoped).credentials())


async def test_a_resumed_agency_is_as_it_was(walls: Walls) -> None:
    seat = await walls.admit("resumed")
    await walls.push(claims(walls, seat, "suspended", later_s=1))
    with pytest.raises(Refused):
        await walls.enter(seat.credentials())
    await walls.push(claims(walls, seat, "resumed", later_s=2))
    client = await walls.enter(seat.credentials())
    assert await client.barrier()


async def test_a_user_that_was_revoked_stays_so_whatever_is_issued_later(walls: Walls) -> None:
    seat = await walls.admit("a user revoked")
    client = await walls.enter(seat.credentials())
    now = SystemClock().now() + 1000
    plan = AgencyAccount(seat.account.public, [seat.signer.public], revoked_users=[seat.user.public])
    await walls.push(
        agency_claims(plan, walls.hub_token, walls.operator_signer, issued_at=now, expires_at=now + DAY_MS)
    )
    await client.until_cut()
    for credentials in (seat.credentials(), seat.credentials(issued_ago_s=-3600), seat.credentials(issued_ago_s=3600)):
        with pytest.raises(Refused):
            await walls.enter(credentials)
    await walls.enter(Seat(seat.account, seat.signer).credentials())  # another user of the same account goes on


async def test_a_signing_key_that_was_taken_out_signs_nobody_in(walls: Walls) -> None:
    seat = await walls.admit("a signing key replaced")
    successor = Seat(seat.account)
    client = await walls.enter(seat.credentials())
    now = SystemClock().now() + 1000
    plan = AgencyAccount(seat.account.public, [successor.signer.public])
    await walls.push(
        agency_claims(plan, walls.hub_token, walls.operator_signer, issued_at=now, expires_at=now + DAY_MS)
    )
    await client.until_cut()
    with pytest.raises(Refused):
        await walls.enter(seat.credentials())
    await walls.enter(successor.credentials())
