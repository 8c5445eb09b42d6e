"""The conflict list of an enquiry: to whoever is on it the enquiry does not exist, and the hub's lead can see why."""

from __future__ import annotations

import json

import pytest

from broker.desk.cards import OfficerCard, add_card
from broker.desk.told import ConflictChange, ConflictTold
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.addendum import key_for_reader, open_addendum
from schemas.messages.entry import ConflictEntry, verify_deed
from schemas.messages.model import read
from schemas.messages.party import PartyKind
from schemas.messages.request import sign_as_officer
from schemas.vocabulary import OfficerRole
from tests.support.desk_world import HUB, OFFICER, DeskWorld, issuing, opening
from tests.support.parties import Member, make_member

COLLEAGUE = "o-77be01"
MISSING = "0123456789abcdef" * 2


@pytest.fixture
async def colleague(world: DeskWorld) -> Member:
    """Another officer of the hub."""
    member = make_member(COLLEAGUE, PartyKind.OFFICER, officer_role=OfficerRole.POLICE_OFFICER)
    world.home.pin(member.party.raw)
    world.desk.ground.read_directory_again()
    return member


def told(world: DeskWorld) -> list[ConflictTold]:
    """What the hub's lead reads in the conflict entries, in their order."""
    lead, found = world.cast.desk.identities[KeyPurpose.ADDENDUM], []
    for deed in world.deeds("conflict"):
        leaf, addendum = deed.parts
        entry = verify_deed(ConflictEntry, leaf, world.cast.desk.keys[KeyPurpose.DEED].public).value
        raw = open_addendum(addendum, key_for_reader(addendum, lead), hub=HUB, about=entry.n)
        found.append(read(ConflictTold, raw))
    return found


async def opened(world: DeskWorld, **changes: object) -> str:
    return str((await world.tell("POST", "/enquiries", opening(**changes)))["enquiry"])


def naming(officer: str) -> bytes:
    return json.dumps({"officer": officer}).encode()


async def refusal(world: DeskWorld, who: Member, method: str, path: str, body: bytes = b"") -> tuple[str, str]:
    """Code and words of a refusal."""
    with pytest.raises(Rejected) as refused:
        await world.tell(method, path, body, officer=who)
    await world.settle()
    return refused.value.code, refused.value.detail


async def test_an_enquiry_does_not_exist_for_an_officer_on_its_conflict_list(
    world: DeskWorld, colleague: Member
) -> None:
    enquiry = await opened(world, officers=[COLLEAGUE])
    assert len((await world.tell("GET", "/enquiries", officer=colleague))["enquiries"]) == 1
    await world.tell("POST", f"/enquiries/{enquiry}/conflicts", naming(COLLEAGUE))
    assert await world.tell("GET", "/enquiries", officer=colleague) == {"enquiries": []}
    for method, path, body in (
        ("GET", "/enquiries/{}", b""),
        ("GET", "/enquiries/{}/answers", b""),
        ("GET", "/enquiries/{}/conflicts", b""),
        ("POST", "/enquiries/{}/conflicts", naming(OFFICER)),
        ("POST", "/enquiries/{}/conflicts/removal", naming(COLLEAGUE)),
        ("POST", "/enquiries/{}/close", b""),
        ("POST", "/enquiries/{}/erase", b""),
    ):
        there = await refusal(world, colleague, method, path.format(enquiry), body)
        assert there == await refusal(world, colleague, method, path.format(MISSING), body), path
        assert there[0] == "enquiry_unknown"


async def test_an_officer_on_the_list_signs_nothing_that_was_prepared_before(
    world: DeskWorld, colleague: Member
) -> None:
    add_card(world.home, COLLEAGUE, OfficerCard(name="Robin Field", position="Sergeant"))
    await world.desk.commands["repin"]({})
    enquiry = await opened(world, officers=[COLLEAGUE])
    prepared = await world.tell("POST", f"/enquiries/{enquiry}/requests", issuing(), officer=colleague)
    await world.tell("POST", f"/enquiries/{enquiry}/conflicts", naming(COLLEAGUE))
    signature = sign_as_officer(colleague.keys[KeyPurpose.OFFICER], prepared["digest"])
    body = json.dumps({"signature": signature.raw.hex()}).encode()
    for method, path, said in (
        ("POST", "/requests/{}/signature", body),
        ("GET", "/requests/{}", b""),
        ("POST", "/requests/{}/withdraw", b""),
    ):
        there = await refusal(world, colleague, method, path.format(prepared["exchange"]), said)
        assert there == await refusal(world, colleague, method, path.format(MISSING), said), path
        assert there[0] == "enquiry_unknown"
    asked = await refusal(world, colleague, "POST", f"/enquiries/{enquiry}/requests", issuing())
    assert asked == await refusal(world, colleague, "POST", f"/enquiries/{MISSING}/requests", issuing())


async def test_an_officer_who_is_on_no_list_works_on_an_enquiry_as_ever(world: DeskWorld, colleague: Member) -> None:
    enquiry = await opened(world, officers=[COLLEAGUE])
    assert (await world.tell("GET", f"/enquiries/{enquiry}/conflicts", officer=colleague))["conflicts"] == []
    assert (await world.tell("GET", f"/enquiries/{enquiry}", officer=colleague))["enquiry"] == enquiry
    assert told(world) == []


async def test_each_change_of_the_list_and_each_try_is_an_entry_that_the_hubs_lead_can_read(
    world: DeskWorld, colleague: Member
) -> None:
    enquiry = await opened(world, conflicts=[COLLEAGUE])
    await refusal(world, colleague, "GET", f"/enquiries/{enquiry}/answers")
    await refusal(world, colleague, "GET", f"/enquiries/{MISSING}")
    await world.tell("POST", f"/enquiries/{enquiry}/conflicts", naming(COLLEAGUE))
    await world.tell("POST", f"/enquiries/{enquiry}/conflicts/removal", naming(COLLEAGUE))
    assert [(one.enquiry, one.officer, one.by, one.change) for one in told(world)] == [
        (enquiry, COLLEAGUE, OFFICER, ConflictChange.ADDED),
        (enquiry, COLLEAGUE, COLLEAGUE, ConflictChange.TRIED),
        (enquiry, COLLEAGUE, OFFICER, ConflictChange.REMOVED),
    ]


async def test_an_officer_who_was_taken_off_the_list_sees_the_enquiry_again(
    world: DeskWorld, colleague: Member
) -> None:
    enquiry = await opened(world, officers=[COLLEAGUE])
    await world.tell("POST", f"/enquiries/{enquiry}/conflicts", naming(COLLEAGUE))
    await world.tell("POST", f"/enquiries/{enquiry}/conflicts/removal", naming(COLLEAGUE))
    assert (await world.tell("GET", f"/enquiries/{enquiry}", officer=colleague))["enquiry"] == enquiry


async def test_the_list_outlives_a_restart(world: DeskWorld, colleague: Member) -> None:
    enquiry = await opened(world, officers=[COLLEAGUE])
    await world.tell("POST", f"/enquiries/{enquiry}/conflicts", naming(COLLEAGUE))
    await world.restart()
    assert (await refusal(world, colleague, "GET", f"/enquiries/{enquiry}"))[0] == "enquiry_unknown"


@pytest.mark.usefixtures("colleague")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"officers": [COLLEAGUE], "conflicts": [COLLEAGUE]}, "conflicts.0"),
        ({"conflicts": [COLLEAGUE, OFFICER]}, "conflicts.1"),
        ({"conflicts": ["o-nobody"]}, "conflicts.0"),
        ({"officers": ["o-nobody"]}, "officers.0"),
    ],
)
async def test_an_enquiry_cannot_be_opened_with_a_list_that_contradicts_itself(
    world: DeskWorld, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Rejected) as refused:
        await world.tell("POST", "/enquiries", opening(**changes))
    assert (refused.value.code, f"field {field} " in refused.value.detail) == ("field_invalid", True)


async def test_nobody_is_put_on_a_list_whom_the_hub_does_not_know_or_without_whom_nobody_is_left(
    world: DeskWorld,
) -> None:
    enquiry = await opened(world)
    for officer in ("o-nobody", OFFICER):
        with pytest.raises(Rejected) as refused:
            await world.tell("POST", f"/enquiries/{enquiry}/conflicts", naming(officer))
        assert refused.value.code == "field_invalid"
    with pytest.raises(Rejected) as refused:
        await world.tell("POST", f"/enquiries/{enquiry}/conflicts/removal", naming(OFFICER))
    assert refused.value.code == "field_invalid"
    assert (await world.tell("GET", f"/enquiries/{enquiry}"))["enquiry"] == enquiry
