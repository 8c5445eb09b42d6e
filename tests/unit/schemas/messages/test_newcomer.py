"""A newcomer clashes with nobody: not by its name, nor by a name that reads like it, nor by a key."""

from __future__ import annotations

import pytest

from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.enrolment import KeyShared
from schemas.messages.fields import encode_base64
from schemas.messages.newcomer import (
    AgencyKnown,
    AgencyUnknown,
    EnrolmentRepeated,
    NameConfusable,
    RootUnchanged,
    check_newcomer,
    skeleton,
)
from schemas.messages.party import Party, PartyFileInvalid, read_party, state_party
from schemas.vectors.ceremony import enrolment_request
from schemas.vectors.parties import ADMISSION, AGENCY, COORDINATOR, DESK, party, statement

REQUEST = enrolment_request()
HUB_PARTIES = [party(name) for name in (DESK, COORDINATOR, ADMISSION)]


def other(name: str, *shared: KeyPurpose) -> Party:
    """Another agency of that name, which states those keys of the newcomer's and its own otherwise."""
    root = SigningKey.generate(KeyPurpose.ROOT)
    account = SigningKey.generate(KeyPurpose.BUS_ACCOUNT).public.raw
    keys = [
        one.model_copy(update={"public": encode_base64(account)})
        for one in statement(AGENCY).keys
        if one.purpose is KeyPurpose.BUS_ACCOUNT
    ]
    keys += [one for one in statement(AGENCY).keys if one.purpose in shared]
    return read_party(state_party(statement(AGENCY, party=name, root=encode_base64(root.public.raw), keys=keys), root))


def test_a_newcomer_that_clashes_with_nobody_is_welcome() -> None:
    check_newcomer(REQUEST, known=[*HUB_PARTIES, other("example-health")], seen=())


def test_a_request_is_taken_in_once() -> None:
    with pytest.raises(EnrolmentRepeated):
        check_newcomer(REQUEST, known=HUB_PARTIES, seen={REQUEST.header.nonce})


def test_a_name_that_is_there_is_nobody_elses() -> None:
    with pytest.raises(AgencyKnown):
        check_newcomer(REQUEST, known=[*HUB_PARTIES, other(AGENCY)], seen=())


@pytest.mark.parametrize(
    "name",
    [
        "examplepolice",
        "example--police",
        "example-po1ice",
        "examp1e-police",
        "example-p0lice",
        "example-pol1ce",
        "exarnple-police",
        "exampie-poilce",
    ],
)
def test_a_name_that_reads_like_another_is_refused(name: str) -> None:
    assert skeleton(name) == skeleton(AGENCY)
    with pytest.raises(NameConfusable):
        check_newcomer(REQUEST, known=[*HUB_PARTIES, other(name)], seen=())


@pytest.mark.parametrize(
    "names",
    [
        ("northshire-police", "southshire-police"),
        ("police-1", "police-2"),
        ("a", "b"),
        ("example-police", "example-polices"),
        ("gwent", "went"),
    ],
)
def test_names_that_a_person_tells_apart_are_two(names: tuple[str, str]) -> None:
    assert skeleton(names[0]) != skeleton(names[1])


@pytest.mark.parametrize(
    "name", ["Example-Police", "\u0435xample-police", "example_police", "example police", "1a", ""]
)
def test_a_name_in_capitals_or_other_letters_is_no_name(name: str) -> None:
    root = SigningKey.generate(KeyPurpose.ROOT)
    changed = statement(AGENCY).model_copy(update={"party": name, "root": encode_base64(root.public.raw)})
    with pytest.raises(PartyFileInvalid, match="field_invalid"):
        read_party(state_party(changed, root))


@pytest.mark.parametrize("purpose", [one.purpose for one in statement(AGENCY).keys])
def test_no_key_of_another_party_is_the_newcomers(purpose: KeyPurpose) -> None:
    holder = party(AGENCY) if purpose is KeyPurpose.BUS_ACCOUNT else other("example-health", purpose)
    if purpose is KeyPurpose.BUS_ACCOUNT:
        root = SigningKey.generate(KeyPurpose.ROOT)
        shared = statement(AGENCY, party="example-health", root=encode_base64(root.public.raw))
        holder = read_party(state_party(shared, root))
    with pytest.raises(KeyShared):
        check_newcomer(REQUEST, known=[*HUB_PARTIES, holder], seen=())


def test_a_root_is_replaced_only_where_a_person_says_so_and_only_by_another() -> None:
    before = other(AGENCY, KeyPurpose.DEED)
    check_newcomer(REQUEST, known=[*HUB_PARTIES, before], seen=(), replaces=True)
    with pytest.raises(AgencyUnknown):
        check_newcomer(REQUEST, known=HUB_PARTIES, seen=(), replaces=True)
    with pytest.raises(RootUnchanged):
        check_newcomer(REQUEST, known=[party(AGENCY)], seen=(), replaces=True)


def test_every_refusal_has_a_name_of_its_own() -> None:
    kinds: list[type[Rejected]] = [
        EnrolmentRepeated,
        AgencyKnown,
        AgencyUnknown,
        NameConfusable,
        RootUnchanged,
        KeyShared,
    ]
    assert len({kind.code for kind in kinds}) == len(kinds)
