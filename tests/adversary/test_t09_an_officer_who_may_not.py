"""T09: somebody who is no officer, not admitted, removed, in the wrong role, or not working on the enquiry."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broker.desk.cards import OfficerCard, add_card
from broker.desk.officers import sign_command
from broker.enrolment.at_rest.officers import make_officer
from broker.node.keyfile import KeyFile, read_key_file
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Failure
from schemas.messages.entry import nonce
from schemas.messages.request import request_digest, sign_as_officer
from schemas.vocabulary import OfficerRole
from tests.support.world import HUB, NHS, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub and one police force, started."""
    world = World(tmp_path)
    await world.start()
    yield world
    await world.stop()


async def colleague(world: World, role: OfficerRole, *, admitted: bool) -> KeyFile:
    """Another officer, with a card at the desk and pinned everywhere."""
    now, path = world.clock.now(), world.folder / f"{role}.key"
    party = make_officer(path, world.folder / f"{role}.party", hub=HUB, role=role, position="Colleague", now=now)
    add_card(world.home("desk"), party.id, OfficerCard(name="Somebody Else", position="Colleague"))
    for name, running in world.running.items():
        world.home(name).pin(party.raw)
        running.ground.read_directory_again()
    await world.command("desk", "repin")
    await world.command("coordinator", "repin")
    if admitted:
        await world.command("coordinator", "admit-officer", {"officer": party.id})
    return read_key_file(path)


async def tell(
    world: World, keys: KeyFile, method: str, path: str, body: object = None, *, key: SigningKey | None = None
) -> object:
    """A command signed by an officer (or, in that officer's name, by another key)."""
    assert keys.party is not None
    text = "" if body is None else json.dumps(body)
    key = key or keys.signing_key(KeyPurpose.COMMAND)
    sent_at, number = world.clock.now(), nonce()
    header = sign_command(key, keys.party.id, method, path, text.encode(), sent_at=sent_at, nonce=number)
    return await world.command("desk", "officer", {"method": method, "path": path, "header": header, "body": text})


async def ask(world: World, keys: KeyFile, enquiry: str) -> str:
    """Prepare, sign and submit a request in an officer's own name."""
    asked = {"agency": "northshire", "categories": [{"category": "police.incident", "mode": "content"}]}
    prepared = await tell(world, keys, "POST", f"/enquiries/{enquiry}/requests", asked)
    assert isinstance(prepared, dict)
    digest = request_digest(prepared["header"].encode())
    signature = sign_as_officer(keys.signing_key(KeyPurpose.OFFICER), digest).raw.hex()
    exchange = str(prepared["exchange"])
    await tell(world, keys, "POST", f"/requests/{exchange}/signature", {"signature": signature})
    for _ in range(5):
        await world.settle()
    return exchange


def code_of(caught: pytest.ExceptionInfo[Failure]) -> str:
    return caught.value.code


async def test_a_command_in_an_officers_name_by_another_key_is_not_carried_out(world: World) -> None:
    await world.open_enquiry()
    with pytest.raises(Failure) as caught:
        await tell(world, world.officer, "GET", "/enquiries", key=SigningKey.generate(KeyPurpose.COMMAND))
    assert code_of(caught) == "command_unsigned"
    assert NHS not in str(caught.value)


async def test_a_command_heard_on_its_way_is_not_carried_out_again(world: World) -> None:
    keys = world.officer
    assert keys.party is not None
    key, now = keys.signing_key(KeyPurpose.COMMAND), world.clock.now()
    header = sign_command(key, keys.party.id, "GET", "/enquiries", b"", sent_at=now, nonce=nonce())
    command = {"method": "GET", "path": "/enquiries", "header": header, "body": ""}
    await world.command("desk", "officer", command)
    with pytest.raises(Failure) as caught:
        await world.command("desk", "officer", command)
    assert code_of(caught) == "command_repeated"
    world.clock.turn(61_000)
    with pytest.raises(Failure) as caught:
        await world.command("desk", "officer", command)
    assert code_of(caught) == "command_untimely"


async def test_a_signed_command_cannot_be_turned_to_another_enquiry_or_another_deed(world: World) -> None:
    keys = world.officer
    assert keys.party is not None
    enquiry = await world.open_enquiry()
    key, now = keys.signing_key(KeyPurpose.COMMAND), world.clock.now()
    header = sign_command(key, keys.party.id, "GET", f"/enquiries/{enquiry}", b"", sent_at=now, nonce=nonce())
    turned = [
        ("GET", f"/enquiries/{enquiry}/answers", ""),
        ("POST", f"/enquiries/{enquiry}/close", ""),
        ("GET", f"/enquiries/{enquiry}", "{}"),
    ]
    for method, path, body in turned:
        with pytest.raises(Failure) as caught:
            await world.command("desk", "officer", {"method": method, "path": path, "header": header, "body": body})
        assert code_of(caught) == "command_unsigned", path


async def test_a_colleague_who_does_not_work_on_an_enquiry_cannot_see_or_use_it(world: World) -> None:
    enquiry = await world.open_enquiry()
    exchange = await world.ask(enquiry)
    await world.opened(exchange)
    other = await colleague(world, OfficerRole.POLICE_OFFICER, admitted=True)
    asked = {"agency": "northshire", "categories": [{"category": "police.incident", "mode": "content"}]}
    for method, path, body in (
        ("GET", f"/enquiries/{enquiry}", None),
        ("GET", f"/enquiries/{enquiry}/answers", None),
        ("GET", f"/requests/{exchange}", None),
        ("POST", f"/requests/{exchange}/withdraw", None),
        ("POST", f"/enquiries/{enquiry}/requests", asked),
        ("POST", f"/enquiries/{enquiry}/close", None),
    ):
        with pytest.raises(Failure) as caught:
            await tell(world, other, method, path, body)
        assert code_of(caught) == "enquiry_unknown", path
    assert await tell(world, other, "GET", "/enquiries") == {"enquiries": []}
    consulted = [entry for entry in await world.entries() if entry["type"] == "consulted"]
    assert consulted == []


async def opened_by(world: World, keys: KeyFile) -> str:
    """An enquiry of an officer's own."""
    body = {
        "subjects": [{"role": "index_child", "name": {"given": "Any", "family": "Child"}, "birth_date": "2019-03-14"}],
        "stage": "enquiry",
        "rag": "amber",
        "purpose": "child_protection",
        "lawful_bases": ["ca1989-47", "ukgdpr-6-1-e"],
        "consent": "unsafe_to_seek",
        "reason": "A reason.",
        "received_at": world.clock.now(),
    }
    opened = await tell(world, keys, "POST", "/enquiries", body)
    assert isinstance(opened, dict)
    return str(opened["enquiry"])


async def test_an_officer_whom_the_coordinator_has_not_admitted_asks_nothing(world: World) -> None:
    other = await colleague(world, OfficerRole.POLICE_OFFICER, admitted=False)
    exchange = await ask(world, other, await opened_by(world, other))
    shown = await tell(world, other, "GET", f"/requests/{exchange}")
    assert isinstance(shown, dict)
    assert (shown["progress"], shown["not_accepted"]) == ("not_accepted", "officer_not_admitted")
    assert world.sources["northshire"].calls == 0
    assert await world.check() == {}


async def test_an_officer_who_was_removed_asks_nothing_any_more(world: World) -> None:
    first = await world.ask(await world.open_enquiry())
    await world.opened(first)
    looks = world.sources["northshire"].calls
    assert world.officer.party is not None
    await world.command("coordinator", "remove-officer", {"officer": world.officer.party.id})
    second = await world.ask(await world.open_enquiry())
    for _ in range(5):
        await world.settle()
    assert await world.progress(second) == "not_accepted"
    assert world.sources["northshire"].calls == looks
    assert await world.check() == {first: "answered"}


async def test_an_officer_in_a_role_that_may_see_no_content_is_refused_by_rule(world: World) -> None:
    other = await colleague(world, OfficerRole.BUSINESS_SUPPORT, admitted=True)
    exchange = await ask(world, other, await opened_by(world, other))
    shown = await tell(world, other, "GET", f"/requests/{exchange}")
    assert isinstance(shown, dict)
    assert shown["progress"] == "refused"
    assert shown["reasons"]
    assert world.sources["northshire"].calls == 0
    assert await world.check() == {exchange: "refused"}


async def test_an_officer_cannot_sign_what_a_colleague_prepared(world: World) -> None:
    other = await colleague(world, OfficerRole.POLICE_OFFICER, admitted=True)
    assert other.party is not None
    enquiry = await world.open_enquiry(officers=[other.party.id])
    asked = {"agency": "northshire", "categories": [{"category": "police.incident", "mode": "content"}]}
    prepared = await world.tell_desk("POST", f"/enquiries/{enquiry}/requests", asked)
    digest = request_digest(prepared["header"].encode())
    signature = {"signature": sign_as_officer(other.signing_key(KeyPurpose.OFFICER), digest).raw.hex()}
    for keys, code in ((other, "not_yours"), (world.officer, "signature_invalid")):
        with pytest.raises(Failure) as caught:
            await tell(world, keys, "POST", f"/requests/{prepared['exchange']}/signature", signature)
        assert code_of(caught) == code
    await world.settle()
    assert await world.check() == {}


async def test_an_officer_on_an_enquirys_conflict_list_learns_what_there_is_of_none(world: World) -> None:
    other = await colleague(world, OfficerRole.POLICE_OFFICER, admitted=True)
    assert other.party is not None
    enquiry = await world.open_enquiry(officers=[other.party.id])
    exchange = await world.ask(enquiry)
    await world.opened(exchange)
    assert await tell(world, other, "GET", f"/enquiries/{enquiry}/answers")
    await world.tell_desk("POST", f"/enquiries/{enquiry}/conflicts", {"officer": other.party.id})
    asked = {"agency": "northshire", "categories": [{"category": "police.incident", "mode": "content"}]}
    nothing = "0123456789abcdef" * 2
    for method, path, there, body in (
        ("GET", "/enquiries/{}", enquiry, None),
        ("GET", "/enquiries/{}/answers", enquiry, None),
        ("GET", "/requests/{}", exchange, None),
        ("POST", "/requests/{}/withdraw", exchange, None),
        ("POST", "/enquiries/{}/requests", enquiry, asked),
        ("POST", "/enquiries/{}/conflicts/removal", enquiry, {"officer": other.party.id}),
    ):
        said = []
        for target in (there, nothing):
            with pytest.raises(Failure) as caught:
                await tell(world, other, method, path.format(target), body)
            said.append((code_of(caught), str(caught.value)))
        assert said[0] == said[1], path
        assert said[0][0] == "enquiry_unknown", path
    assert await tell(world, other, "GET", "/enquiries") == {"enquiries": []}
    await world.settle()
    types = [entry["type"] for entry in await world.entries()]
    assert types.count("consulted") == 1
    assert types.count("conflict") == 7
    assert await world.check() == {exchange: "answered"}
