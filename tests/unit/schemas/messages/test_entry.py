"""Entries: one model a type, no room for a personal datum, and deeds signed by who did them."""

from __future__ import annotations

import json

import pytest

from schemas import canonical
from schemas.crypto.failures import SignatureInvalid, WrongPurpose
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.entry import (
    ENTRIES,
    MAX_LEAF_BYTES,
    AdmissionEntry,
    CouldNotLookEntry,
    DeedEntry,
    Entry,
    ReleaseEntry,
    RequestEntry,
    nonce,
    read_entry,
    read_entry_as,
    sign_deed,
    verify_deed,
)
from schemas.messages.model import FieldInvalid, FieldUnknown, KindUnexpected, WordUnknown
from schemas.vectors.entries import deed_party, leaves
from schemas.vectors.parties import AGENCY, DESK, signing_key

DEEDS = {name: model for name, model in ENTRIES.items() if issubclass(model, DeedEntry)}
LONG_TEXTS = {"hub": "h" * 63, "agency": "a" * 63, "by": "b" * 63, "sender": "s" * 63, "log": "l" * 127}
RELEASE = leaves()["release"]
DEED_KEY = signing_key(AGENCY, KeyPurpose.DEED)


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_a_leaf_is_read_as_the_entry_of_its_type(name: str) -> None:
    entry = read_entry(leaves()[name])
    assert type(entry) is ENTRIES[name]
    assert entry.encode() == leaves()[name]


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_the_longest_entry_of_every_type_is_within_the_limit(name: str) -> None:
    members = json.loads(leaves()[name])
    members |= {field: text for field, text in LONG_TEXTS.items() if field in members}
    for field in members:
        if field in {"rules", "enquiries"}:
            members[field] = ["r" * 64] * 32 if field == "rules" else [nonce() for _ in range(32)]
        elif isinstance(members[field], int) and field != "v" and not isinstance(members[field], bool):
            members[field] = canonical.MAX_INTEGER
    assert type(read_entry(canonical.encode(members))) is ENTRIES[name]
    assert len(canonical.encode(members)) <= MAX_LEAF_BYTES


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_no_entry_has_a_field_for_words(name: str) -> None:
    """Every text is a code with a pattern that has no space; so no name and no sentence fits in a leaf."""
    for field in json.loads(leaves()[name]):
        members = json.loads(leaves()[name])
        members[field] = "A Name of Somebody"
        with pytest.raises(Rejected):
            read_entry(canonical.encode(members))
    with pytest.raises(FieldUnknown):
        read_entry(canonical.encode({**json.loads(leaves()[name]), "note": "x"}))


@pytest.mark.parametrize("name", sorted(DEEDS))
def test_a_deed_is_verified_by_the_key_of_who_did_it(name: str) -> None:
    model, key = DEEDS[name], signing_key(deed_party(DEEDS[name]), KeyPurpose.DEED)
    assert verify_deed(model, leaves()[name], key.public).value == read_entry(leaves()[name])
    other = signing_key(AGENCY if deed_party(model) == DESK else DESK, KeyPurpose.DEED)
    with pytest.raises(SignatureInvalid):
        verify_deed(model, leaves()[name], other.public)


@pytest.mark.parametrize("field", sorted(set(json.loads(RELEASE)) - {"v", "type", "sig"}))
def test_every_field_of_a_deed_is_bound_by_its_signature(field: str) -> None:
    members = json.loads(RELEASE)
    value = members[field]
    if isinstance(value, int):
        members[field] = value + 1
    elif field in {"hub", "agency", "by", "log"}:
        members[field] = "other"
    else:
        members[field] = ("1" if value[0] == "0" else "0") + value[1:]
    with pytest.raises(SignatureInvalid):
        verify_deed(ReleaseEntry, canonical.encode(members), DEED_KEY.public)


def test_a_deed_of_one_type_is_not_taken_for_another() -> None:
    members = {**json.loads(RELEASE), "type": "could-not-look"}
    with pytest.raises(SignatureInvalid):
        verify_deed(CouldNotLookEntry, canonical.encode(members), DEED_KEY.public)
    with pytest.raises(KindUnexpected):
        verify_deed(CouldNotLookEntry, RELEASE, DEED_KEY.public)
    with pytest.raises(KindUnexpected):
        read_entry_as(RequestEntry, RELEASE)


def test_a_deed_names_the_key_that_signed_it() -> None:
    entry = ReleaseEntry.model_validate_json(RELEASE)
    leaf = sign_deed(entry.model_copy(update={"deed_key": "00" * 16, "sig": "ff" * 64}), DEED_KEY)
    assert leaf == RELEASE
    members = {**json.loads(RELEASE), "deed_key": "00" * 16}
    with pytest.raises(SignatureInvalid, match="another key"):
        verify_deed(ReleaseEntry, canonical.encode(members), DEED_KEY.public)


def test_only_a_deed_key_signs_a_deed() -> None:
    with pytest.raises(WrongPurpose):
        sign_deed(ReleaseEntry.model_validate_json(RELEASE), signing_key(AGENCY, KeyPurpose.MESSAGE))


def test_every_entry_carries_random_bytes() -> None:
    assert all("n" in json.loads(leaf) for leaf in leaves().values())
    assert nonce() != nonce()
    assert len(nonce()) == 32


def test_the_list_of_entries_is_complete() -> None:
    def below(model: type[Entry]) -> set[type[Entry]]:
        return {model, *(one for sub in model.__subclasses__() for one in below(sub))}

    concrete = {model for model in below(Entry) if not model.model_fields["type"].is_required()}
    assert concrete == set(ENTRIES.values())


def changed_admission(**members: object) -> bytes:
    whole = {**json.loads(leaves()["admission"]), **members}
    return canonical.encode({name: value for name, value in whole.items() if value is not None})


@pytest.mark.parametrize("missing", ["agency", "root", "statement_digest"])
def test_a_step_of_admission_names_the_agency_and_its_statement(missing: str) -> None:
    with pytest.raises(FieldInvalid):
        read_entry(changed_admission(**{missing: None}))
    refused = changed_admission(**{missing: None}, step="refused", reason="key_shared")
    assert type(read_entry(refused)) is AdmissionEntry


def test_a_step_about_the_bus_itself_says_which_and_names_no_agency() -> None:
    about_nobody = {"agency": None, "root": None, "statement_digest": None, "file_digest": None}
    leaf = changed_admission(**about_nobody, step="bus-rotated", reason="operator-signer-added")
    assert type(read_entry(leaf)) is AdmissionEntry
    with pytest.raises(FieldInvalid):
        read_entry(changed_admission(**about_nobody, step="bus-rotated", reason=None))


def test_a_refusal_of_admission_has_a_reason_and_no_word_stands_in_for_a_step() -> None:
    with pytest.raises(FieldInvalid):
        read_entry(changed_admission(step="refused", reason=None))
    with pytest.raises(WordUnknown):
        read_entry(changed_admission(step="forgiven"))
