"""T13: the operator signs, by mistake or under pressure, claims that give an agency what is another's.

First what the product refuses to show to any server; then what a server does that has such claims all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from broker.enrolment.claims.accounts import AgencyAccount, agency_body
from broker.enrolment.claims.check import ClaimsRefused, Trusted, check_claims
from broker.node.bus.claims import ClaimsInvalid
from broker.node.clock import SystemClock
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from tests.support.canary import FORGED, Canary
from tests.support.hostile_jwt import Nkey, forged
from tests.support.walled import NotTaken, Seat, Walls

Change = Callable[[Walls, str, dict[str, Any]], None]


def imports(walls: Walls, *wanted: tuple[str, str], **more: str) -> list[dict[str, str]]:
    """Imports from the hub's account; each kind and subject."""
    return [
        {"name": f"{kind}{at}", "subject": subject, "account": walls.hub_token, "type": kind, **more}
        for at, (kind, subject) in enumerate(wanted)
    ]


def beside(*wanted: tuple[str, str], **more: str) -> Change:
    """Its own imports, and those; `{}` is the victim's token."""

    def change(walls: Walls, victim: str, body: dict[str, Any]) -> None:
        body["imports"] += imports(walls, *((kind, subject.format(victim)) for kind, subject in wanted), **more)
        body["limits"]["imports"] = -1

    return change


def instead(**members: Any) -> Change:
    """Other members of the claims."""

    def change(walls: Walls, victim: str, body: dict[str, Any]) -> None:
        body.update(members)

    return change


def limit(**limits: int | bool) -> Change:
    """Other limits."""

    def change(walls: Walls, victim: str, body: dict[str, Any]) -> None:
        body["limits"] |= limits

    return change


def mapped(walls: Walls, victim: str, body: dict[str, Any]) -> None:
    """What is published on its own subject becomes the victim's."""
    own = body["imports"][1]["subject"].removesuffix(">")
    body["mappings"] = {
        f"{own}coordinator": [{"subject": f"from.{victim}.coordinator"}],
        "x": [{"subject": "hub.desk"}],
    }


def exported(walls: Walls, victim: str, body: dict[str, Any]) -> None:
    """It offers the victim's subjects to whoever imports them."""
    body["exports"] = [
        {"name": "a", "subject": f"to.{victim}.>", "type": "stream"},
        {"name": "b", "subject": "hub.>", "type": "service"},
        {"name": "c", "subject": ">", "type": "stream"},
    ]
    body["limits"]["exports"] = -1


def renamed(walls: Walls, victim: str, body: dict[str, Any]) -> None:
    """The victim's subjects under a name of its own."""
    body["imports"] += imports(walls, ("stream", f"to.{victim}.>"), local_subject="t.>")
    body["imports"] += imports(walls, ("service", f"from.{victim}.>"), local_subject="f.>")
    body["limits"]["imports"] = -1


def of_the_victims_account(walls: Walls, victim: str, body: dict[str, Any]) -> None:
    """Imports not from the hub but from the victim itself."""
    body["imports"] += [
        {"name": "v", "subject": f"to.{victim}.>", "account": victim, "type": "stream"},
        {"name": "w", "subject": ">", "account": victim, "type": "stream"},
        {"name": "y", "subject": "$SYS.>", "account": walls.system_token, "type": "stream"},
        {"name": "z", "subject": "$SYS.REQ.CLAIMS.UPDATE", "account": walls.system_token, "type": "service"},
    ]
    body["limits"]["imports"] = -1


MISTAKES: dict[str, Change] = {
    "another's stream": beside(("stream", "to.{}.>")),
    "another's service": beside(("service", "from.{}.>")),
    "one subject of another's": beside(("stream", "to.{}.in"), ("service", "from.{}.coordinator")),
    "everybody's streams": beside(("stream", "to.>")),
    "everybody's streams by token": beside(("stream", "to.*.>")),
    "everybody's services": beside(("service", "from.>")),
    "everybody's services by token": beside(("service", "from.*.>")),
    "everything": beside(("stream", ">"), ("service", ">")),
    "the hub's own subjects": beside(("stream", "hub.>"), ("service", "hub.coordinator"), ("service", "hub.desk")),
    "the hub's inboxes": beside(("stream", "_INBOX.>"), ("service", "_INBOX.>")),
    "a stream as a service": beside(("service", "to.{}.>"), ("stream", "from.{}.>")),
    "another's under a name of its own": renamed,
    "another's from another's account": of_the_victims_account,
    "subjects mapped to another's": mapped,
    "exports of another's": exported,
    "no limit of connections": limit(conn=-1),
    "leaf nodes": limit(leaf=-1),
    "JetStream": limit(mem_storage=-1, disk_storage=-1, streams=-1, consumer=-1),
    "bearers": limit(disallow_bearer=False),
    "a larger payload": limit(payload=-1),
    "permissions for those without a template": instead(default_permissions={"pub": {"allow": [">"]}}),
    "a trace's destination": instead(trace={"dest": "to.x.in", "sampling": 100}),
    "another's authorisation": instead(authorization={"auth_users": ["UX"]}),
    "a cluster's traffic": instead(cluster_traffic="owner"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
async def test_claims_that_give_more_are_shown_to_no_server(walls: Walls, mistake: Change) -> None:
    seat = Seat(SigningKey.generate(KeyPurpose.BUS_ACCOUNT))
    trusted = Trusted(walls.hub_token, {walls.signing.public})
    body = agency_body(AgencyAccount(seat.account.public, [seat.signer.public]), walls.hub_token)
    now = SystemClock().now()
    assert check_claims(forged(walls.signing, seat.token, "account", body), trusted, now=now).subject == seat.token
    mistake(walls, walls.agencies["south"].token, body)
    with pytest.raises(ClaimsRefused):
        check_claims(forged(walls.signing, seat.token, "account", body), trusted, now=now)


async def test_claims_of_somebody_elses_making_are_shown_to_no_server(walls: Walls) -> None:
    seat, south = Seat(SigningKey.generate(KeyPurpose.BUS_ACCOUNT)), walls.agencies["south"]
    trusted = Trusted(walls.hub_token, {walls.signing.public}, {south.as_attacker("signer").public: south.token})
    body = agency_body(AgencyAccount(seat.account.public, [seat.signer.public]), walls.hub_token)
    now = SystemClock().now()
    souths = agency_body(AgencyAccount(seat.account.public, [south.signer.public]), walls.hub_token)
    ended = forged(walls.signing, seat.token, "account", body, expires_in_s=-5, issued_ago_s=60)
    for text in (
        forged(seat.as_attacker("account"), seat.token, "account", body),
        forged(Nkey.make("operator"), seat.token, "account", body),
        forged(walls.signing, seat.token, "account", body, expires_in_s=None),
        forged(walls.signing, seat.token, "account", souths),
        forged(walls.signing, seat.token, "user", body),
        ended,
        ended[:-1],
        "",
    ):
        with pytest.raises((ClaimsRefused, ClaimsInvalid)):
            check_claims(text, trusted, now=now)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
@pytest.mark.parametrize("scoped", [True, False], ids=["under its template", "without a template"])
async def test_claims_that_a_server_has_all_the_same_open_nothing_of_anothers(
    walls: Walls, mistake: Change, scoped: bool
) -> None:
    async with Canary(walls, "south") as canary:

        def change(body: dict[str, Any]) -> None:
            mistake(walls, canary.token, body)

        try:
            seat = await walls.admit_by_mistake(scoped=scoped, change=change)
        except NotTaken:
            return
        client = await walls.enter(seat.credentials(), echo=False)
        for subject in (">", f"to.{canary.token}.>", "t.>", "hub.>", "_INBOX.>", f"to.{seat.token}.>", "$SYS.>"):
            await client.subscribe(subject)
        for subject in (f"to.{canary.token}.in", f"from.{canary.token}.coordinator", "f.coordinator", "t.in", "x"):
            await client.publish(subject, FORGED)
        await client.publish(f"from.{seat.token}.coordinator", FORGED)
        await client.barrier()
        await canary.some_rounds(5)
        await client.barrier()
        assert canary.is_unheard_by(client)
        assert {heard.subject for heard in canary.at_hub()} <= {f"from.{seat.token}.coordinator"}
        assert not canary.at_hub("desk")


async def test_beside_an_import_that_is_not_its_own_an_account_keeps_those_that_are(walls: Walls) -> None:
    async with Canary(walls, "south") as canary:

        def change(body: dict[str, Any]) -> None:
            beside(("stream", "to.*.>"), ("service", "from.{}.>"))(walls, canary.token, body)

        seat = await walls.admit_by_mistake(change=change)
        client, coordinator = await walls.enter(seat.credentials()), await walls.hub("coordinator")
        await client.subscribe(f"to.{seat.token}.>")
        assert await client.barrier()
        await coordinator.publish(f"to.{seat.token}.in", b"for its own ears")
        assert (await client.until_heard(1))[0].payload == b"for its own ears"
        await client.publish(f"from.{seat.token}.coordinator", b"by its own mouth")
        await client.barrier()
        await canary.some_rounds(2)
        assert [heard.payload for heard in canary.at_hub(token=seat.token)] == [b"by its own mouth"]
