"""T12: an agency, with all of its keys and a client that sends any bytes, tries to speak on another's subjects, into
another's or the hub's inboxes, or as somebody else: directly, by reply subjects, by headers, by the grammar.

Twice: under the template of its signing key, and with a signing key that by mistake has none.
"""

from __future__ import annotations

import json

import pytest

from tests.support.canary import FORGED, Canary
from tests.support.hostile_jwt import UNSCOPED
from tests.support.raw_nats import CRLF, RawNats, Refused
from tests.support.walled import Seat, Walls

WITH, WITHOUT = "under its template", "without a template"
OTHERS = (
    *("to.{0}.in", "to.{0}.desk", "to.{0}.admission", "to.{0}.x", "from.{0}.coordinator", "from.{0}.desk"),
    *("from.{0}.admission", "from.{0}", "{0}", "to.{0}", "to.{0}.in.in", "$SYS.ACCOUNT.{0}.CONNECT"),
)
HUBS = (
    *(
        "hub.coordinator",
        "hub.desk",
        "hub.admission",
        "hub",
        "hub.>",
        "to.*.in",
        "to.>",
        "from.*.coordinator",
        "from.>",
    ),
    *("$SYS.REQ.CLAIMS.UPDATE", "$SYS.REQ.CLAIMS.DELETE", "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO", "$JS.API.INFO"),
    *("$JS.API.STREAM.CREATE.x", "_INBOX.x", "_R_.x", "$GR.x", "_sys_.x", "", ".", "..", "from..coordinator"),
)
OWN = ("from.{0}.coordinator", "from.{0}.desk", "from.{0}.admission", "from.{0}.x", "from.{0}.*", "from.{0}.>")


async def seat_of(walls: Walls, how: str) -> Seat:
    """An agency's seat; `WITHOUT` its template."""
    return walls.agencies["north"] if how == WITH else await walls.admit_by_mistake(scoped=False)


async def inboxes(walls: Walls) -> list[str]:
    """Where the others could be answered, were it known."""
    return [f"{seat.inbox}.1" for seat in (*walls.hub_seats.values(), walls.agencies["south"])]


async def settled(client: RawNats, canary: Canary) -> None:
    """Whatever was let through has come to whom it was meant for."""
    await client.barrier()
    await canary.some_rounds(3)


@pytest.mark.parametrize("how", [WITH, WITHOUT])
async def test_nothing_published_on_another_subject_reaches_anybody(walls: Walls, how: str) -> None:
    seat = await seat_of(walls, how)
    async with Canary(walls, "south") as canary:
        for subject in (*(one.format(canary.token) for one in OTHERS), *HUBS, *await inboxes(walls)):
            client = await walls.enter(seat.credentials())
            await client.publish(subject, FORGED)
            await client.publish(subject, FORGED, reply=f"to.{canary.token}.in")
            await settled(client, canary)
            await client.close()
        assert not [heard for role in walls.hub_seats for heard in canary.at_hub(role) if FORGED in heard.payload]


@pytest.mark.parametrize("how", [WITH, WITHOUT])
async def test_a_reply_subject_carries_nothing_to_another(walls: Walls, how: str) -> None:
    """The confused deputy: somebody who may publish there answers to a subject that the asker chose."""
    seat = await seat_of(walls, how)
    async with Canary(walls, "south") as canary:
        client = await walls.enter(seat.credentials())
        targets = [f"to.{canary.token}.in", f"from.{canary.token}.coordinator", "hub.desk", *await inboxes(walls)]
        for at, target in enumerate(targets, start=1):
            await client.publish(f"from.{seat.token}.coordinator", b"question", reply=target)
            await client.barrier()
            await canary.some_rounds(2)
            heard = canary.at_hub("coordinator")[at - 1]
            # The server has put a subject of its own in the place of the asker's, so even a party that answered, with
            # every permission there is, would answer the asker and nobody else.
            assert heard.reply.startswith("_R_."), heard
            assert target not in heard.reply
        unheard = f"from.{seat.token}.nobody-listens-here"
        for target in targets:  # and the server's own answer, "no responders", goes nowhere else either
            await client.publish(unheard, b"question", reply=target)
        await settled(client, canary)


async def test_a_service_reply_of_anothers_cannot_be_guessed_or_used(walls: Walls) -> None:
    """South waits for an answer at its inbox; the hub has seen where to answer; north learns that and uses it."""
    async with Canary(walls, "south") as canary:
        south, coordinator = walls.agencies["south"], await walls.hub("coordinator")
        waiting = await walls.agency("south")
        await waiting.subscribe(f"{south.inbox}.>")
        await coordinator.subscribe("from.*.coordinator")
        assert await coordinator.barrier()
        await waiting.publish(f"from.{south.token}.coordinator", canary.mark + b"question", reply=f"{south.inbox}.7")
        leaked = (await coordinator.until_heard(1))[-1].reply
        for seat in (walls.agencies["north"], await walls.admit_by_mistake(scoped=False)):
            client = await walls.enter(seat.credentials())
            for subject in (leaked, "_R_.>", f"{leaked}.x", f"{south.inbox}.7"):
                await client.publish(subject, FORGED)
            await settled(client, canary)
        assert await waiting.barrier()
        assert not waiting.heard


HEADERS = {
    "a trace sent to another": "Nats-Trace-Dest: to.{0}.in",
    "a trace sent to the hub": "Nats-Trace-Dest: hub.desk",
    "a trace that goes no further": "Nats-Trace-Dest: hub.desk\r\nNats-Trace-Only: true",
    "a trace by another standard": "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "another account in the request": 'Nats-Request-Info: {{"acc":"{0}","rtt":1}}',
    "a schedule": "Nats-Schedule: @at 2020-01-01T00:00:00Z\r\nNats-Schedule-Target: to.{0}.in",
    "a republication": "Nats-Subject: to.{0}.in\r\nNats-Stream: x\r\nNats-Sequence: 1",
    "a status": "Status: 503",
    "a reply subject": "Nats-Reply: to.{0}.in",
}


@pytest.mark.parametrize("how", [WITH, WITHOUT])
@pytest.mark.parametrize("header", HEADERS.values(), ids=list(HEADERS))
async def test_a_header_carries_nothing_to_another_and_changes_nobodys_name(
    walls: Walls, header: str, how: str
) -> None:
    seat = await seat_of(walls, how)
    async with Canary(walls, "south") as canary:
        client = await walls.enter(seat.credentials())
        head = f"NATS/1.0\r\n{header.format(canary.token)}\r\n\r\n".encode()
        for subject in (f"from.{seat.token}.coordinator", f"to.{canary.token}.in", "hub.desk", f"to.{seat.token}.in"):
            await client.publish(subject, FORGED, headers=head)
        await settled(client, canary)
        for heard in canary.at_hub("coordinator"):
            assert heard.subject == f"from.{seat.token}.coordinator"  # its own token: the server put nobody else's
        assert not canary.at_hub("desk")
        assert not canary.at_hub("admission")


GRAMMAR = {
    "a second command in the subject": b"PUB from.%(own)s.coordinator\r\nPUB to.%(other)s.in 6\r\nforged\r\n",
    "a line feed alone": b"PUB from.%(own)s.coordinator\nPUB to.%(other)s.in 6\nforged\n",
    "a carriage return alone": b"PUB from.%(own)s\rto.%(other)s.in 6\r\nforged\r\n",
    "a zero byte": b"PUB to.%(other)s.in\x00 6\r\nforged\r\n",
    "a tab for a space": b"PUB\tto.%(other)s.in\t6\r\nforged\r\n",
    "small letters": b"pub to.%(small)s.in 6\r\nforged\r\n",
    "the other's token in small letters": b"PUB from.%(small)s.coordinator 6\r\nforged\r\n",
    "a wildcard for a token": b"PUB from.*.coordinator 6\r\nforged\r\n",
    "bytes that are no text": b"PUB from.\xff\xfe.coordinator 6\r\nforged\r\n",
    "a subject behind the payload": b"PUB from.%(own)s.coordinator 6\r\nforgedPUB to.%(other)s.in 6\r\nforged\r\n",
    "a size that is none": b"PUB from.%(own)s.coordinator -1\r\nforged\r\n",
    "a size beyond all bounds": b"PUB from.%(own)s.coordinator 99999999999999999999\r\nforged\r\n",
    "headers longer than the message": b"HPUB from.%(own)s.coordinator 99 6\r\nforged\r\n",
    "a message of the server's": b"MSG to.%(other)s.in 1 6\r\nforged\r\n",
    "a message between servers": b"RMSG %(other)s to.%(other)s.in 6\r\nforged\r\n",
    "a subscription between servers": b"RS+ %(other)s to.%(other)s.>\r\n",
    "a message of a leaf": b"LMSG to.%(other)s.in 6\r\nforged\r\n",
    "a subscription of a leaf": b"LS+ to.%(other)s.>\r\n",
    "an account's subscription": b"A+ %(other)s\r\n",
    "a description of a server": b'INFO {"server_id":"x","cluster":"hub"}\r\n',
    "a line that never ends": b"PUB from.%(own)s." + b"x" * 8000,
    "another CONNECT": b'CONNECT {"verbose":false,"jwt":"%(victim)s","sig":"AA"}\r\n',
}


@pytest.mark.parametrize("how", [WITH, WITHOUT])
@pytest.mark.parametrize("raw", GRAMMAR.values(), ids=list(GRAMMAR))
async def test_no_bytes_make_another_command_of_it(walls: Walls, raw: bytes, how: str) -> None:
    seat, victim = await seat_of(walls, how), walls.agencies["south"]
    names = {"own": seat.token, "other": victim.token, "small": victim.token.lower(), "victim": victim.jwt}
    async with Canary(walls, "south") as canary:
        client = await walls.enter(seat.credentials())
        for role in walls.hub_seats:
            await client.subscribe(f"from.*.{role}")
        await client.send(raw % {name.encode(): value.encode() for name, value in names.items()} + CRLF)
        await settled(client, canary)
        assert canary.is_unheard_by(client)
        assert not canary.at_hub("desk")


KINDS = ("CLIENT", "ROUTER", "GATEWAY", "LEAF", "SYSTEM")


@pytest.mark.parametrize("kind", KINDS)
async def test_an_agency_is_no_server_of_the_cluster_and_no_leaf(walls: Walls, kind: str) -> None:
    seat = walls.agencies["north"]
    async with Canary(walls, "south") as canary:
        client = await walls.dial()
        name = json.dumps({"type": kind, "cluster": "hub", "server_id": seat.token, "remote_account": canary.token})
        await client.send(f"INFO {name}\r\n".encode())
        fields = {
            "kind": kind,
            "cluster": "hub",
            "account": canary.token,
            "remote_account": canary.token,
            "gateway": "hub",
        }
        try:
            await client.enter(seat.credentials(), **fields)
        except Refused:
            return
        await client.subscribe(f"to.{canary.token}.>")
        await client.publish(f"to.{canary.token}.in", FORGED)
        await settled(client, canary)
        assert canary.is_unheard_by(client)


BODIES = {
    "permissions of its own": {**UNSCOPED, "pub": {"allow": [">"]}, "sub": {"allow": [">"]}},
    "no limits": dict(UNSCOPED),
    "a bearer's": {"pub": {}, "sub": {}, "bearer_token": True},
    "a leaf's": {"pub": {}, "sub": {}, "allowed_connection_types": ["LEAFNODE", "STANDARD"]},
    "answers": {"pub": {}, "sub": {}, "resp": {"max": 100, "ttl": 1_000_000_000}},
    "another's tags": {"pub": {}, "sub": {}, "tags": ["hub", "coordinator"]},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
async def test_a_user_that_an_agency_issues_itself_may_do_no_more_than_the_template(
    walls: Walls, body: dict[str, object]
) -> None:
    seat = walls.agencies["north"]
    async with Canary(walls, "south") as canary:
        try:
            client = await walls.enter(seat.credentials(body=body))
        except Refused:
            return
        for subject in (">", "_INBOX.>", f"to.{seat.token}.in"):
            await client.subscribe(subject)
        await client.publish(f"from.{seat.token}.elsewhere", FORGED)
        await client.publish("anything", FORGED)
        await settled(client, canary)
        assert len([text for text in client.errors if "Permissions Violation" in text]) == 4, client.errors
