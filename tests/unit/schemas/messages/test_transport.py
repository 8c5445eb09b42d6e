"""Outer messages: each kind is read as what it says it is, and lasting kinds are told from passing ones."""

from __future__ import annotations

import json

import pytest

from schemas import canonical
from schemas.messages.model import FieldInvalid, FieldMissing, FieldUnknown, KindUnexpected, VersionUnknown
from schemas.messages.transport import OUTER, Acknowledgement, Outer, kind_of, own_statement_part, read_outer
from schemas.vectors.entries import outers


@pytest.mark.parametrize("kind", sorted(OUTER))
def test_an_outer_message_is_read_as_the_kind_it_names(kind: str) -> None:
    outer = outers()[kind]
    assert read_outer(outer.encode()) == outer
    assert kind_of(type(outer)) == kind == json.loads(outer.encode())["kind"]


def test_lasting_kinds_are_those_that_somebody_waits_for() -> None:
    lasting = {kind for kind, model in OUTER.items() if model.lasting}
    assert lasting == {"submission", "delivery", "deed", "released", "notice", "not_taken", "policy", "renewal"}


def test_every_kind_of_outer_message_is_in_the_table() -> None:
    assert set(Outer.__subclasses__()) == set(OUTER.values())


def changed(**members: object) -> bytes:
    whole = {**json.loads(outers()["deed"].encode()), **members}
    return canonical.encode({name: value for name, value in whole.items() if value is not None})


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("committed", "committed"),
        ("officer_untrusted", "officer_untrusted"),
        ("rejected", "rejected"),
        ("jane_example", "rejected"),
        ("store_away", "rejected"),
    ],
)
def test_a_word_of_an_acknowledgement_that_is_on_no_list_reads_as_rejected(said: str, read: str) -> None:
    raw = canonical.encode({**json.loads(outers()["acknowledgement"].encode()), "code": said})
    outer = read_outer(raw)
    assert isinstance(outer, Acknowledgement)
    assert outer.code == read


@pytest.mark.parametrize(
    ("raw", "failure"),
    [
        (changed(kind="gossip"), KindUnexpected),
        (changed(kind=None), KindUnexpected),
        (changed(v=2), VersionUnknown),
        (changed(parts=None), FieldMissing),
        (changed(epoch=None), FieldMissing),
        (changed(parts=["00" * 32] * 17), FieldInvalid),
        (changed(last_seq=1), FieldUnknown),
    ],
)
def test_a_header_of_no_kind_is_refused(raw: bytes, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        read_outer(raw)


def test_a_deed_need_not_name_an_exchange() -> None:
    assert "exchange" not in json.loads(read_outer(changed(exchange=None)).encode())


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("flooding", {"token": "U" + "A" * 55}),
        ("flooding", {"token": "A" * 55}),
        ("flooding", {"token": "example-police"}),
        ("directory_query", {"wanted": ["party"] * 13}),
        ("directory_query", {"wanted": ["A Name"]}),
        ("renewal", {"challenge_digest": "00"}),
    ],
)
def test_a_message_about_members_is_refused_beyond_its_bounds(kind: str, members: dict[str, object]) -> None:
    whole = {**json.loads(outers()[kind].encode()), **members}
    with pytest.raises(FieldInvalid):
        read_outer(canonical.encode(whole))


def test_only_a_renewal_and_a_directory_bring_the_senders_own_statement() -> None:
    places = {kind: own_statement_part(outer) for kind, outer in outers().items()}
    assert {kind: place for kind, place in places.items() if place is not None} == {"renewal": 0, "directory": 3}
