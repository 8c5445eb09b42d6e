"""The hub's directory: it orders what parties state, goes forward only, and introduces nobody."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from schemas.canonical import encode as canonical_bytes
from schemas.crypto.failures import SignatureInvalid, SignatureMissing
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import PartMismatch, digest, pack, signed, unpack
from schemas.messages.directory import (
    MAX_DIRECTORY_LIFE_MS,
    SKEW_MS,
    Comparison,
    DirectoryBackwards,
    DirectoryExpired,
    DirectoryForeign,
    DirectoryForked,
    DirectoryLies,
    DirectoryLine,
    DirectoryMalformed,
    DirectoryNotLogged,
    DirectoryOlder,
    DirectoryStatement,
    DirectoryUntimely,
    HubDirectory,
    Standing,
    StatementNotListed,
    announced,
    compare,
    is_logged,
    line_of,
    own_standing,
    read_directory,
    state_directory,
    take_statement,
)
from schemas.messages.entry import KeyEntry, read_entry_as
from schemas.messages.fields import encode_base64
from schemas.messages.model import FieldInvalid, KindUnexpected
from schemas.messages.party import (
    Directory,
    KeyNotInForce,
    KeyRevoked,
    KeyUnknown,
    Party,
    PartyFileInvalid,
    PartyUnknown,
    read_party,
    read_party_frame,
    state_party,
)
from schemas.vectors.entries import leaves
from schemas.vectors.parties import (
    ADMISSION,
    AGENCY,
    COORDINATOR,
    DAY_MS,
    DESK,
    HUB,
    OFFICER,
    T0,
    party,
    signing_key,
    statement,
)

KEY = signing_key(ADMISSION, KeyPurpose.DIRECTORY)
LISTED = [party(name) for name in (DESK, COORDINATOR, ADMISSION, AGENCY)]
PINNED = Directory.of(HUB, [*LISTED, party(OFFICER)])


def made(lines: list[DirectoryLine] | None = None, **changes: Any) -> tuple[bytes, bytes]:
    fields: dict[str, Any] = {
        "version": 7,
        "previous": None,
        "issued_at": T0,
        "expires_at": T0 + 5 * DAY_MS,
        "key": KEY,
        **changes,
    }
    hub = fields.pop("hub", HUB)
    return state_directory(hub, [line_of(one) for one in LISTED] if lines is None else lines, **fields)


def taken(
    frame_and_lines: tuple[bytes, bytes], *, held: HubDirectory | None = None, now: int = T0, pinned: Directory = PINNED
) -> HubDirectory:
    return read_directory(*frame_and_lines, pinned=pinned, held=held, now=now)


def newer(who: str, serial: int = 2, **changes: object) -> Party:
    return read_party(state_party(statement(who, serial=serial, **changes), signing_key(who, KeyPurpose.ROOT)))


def lines_with(*changed: Party) -> list[DirectoryLine]:
    return [line_of(one) for one in {each.id: each for each in [*LISTED, *changed]}.values()]


def test_a_directory_says_of_everybody_which_statement_is_the_newest() -> None:
    directory = taken(made())
    assert directory.version == 7
    assert sorted(directory.lines) == list(directory.lines) == sorted(one.id for one in LISTED)
    assert directory.lines[AGENCY] == line_of(party(AGENCY))
    assert directory.digest == digest(unpack(directory.frame).header)
    assert [directory.in_force(at) for at in (T0, T0 + 5 * DAY_MS - 1, T0 + 5 * DAY_MS)] == [True, True, False]


def test_a_directory_of_another_hub_is_refused() -> None:
    with pytest.raises(DirectoryForeign):
        taken(made(hub="other-hub"))


def test_a_directory_that_admission_did_not_sign_is_refused() -> None:
    other = SigningKey.generate(KeyPurpose.DIRECTORY)
    with pytest.raises(KeyUnknown):
        taken(made(key=other))
    frame, lines = made()
    envelope = unpack(frame)
    forged = signed(envelope.header, [other])
    with pytest.raises(SignatureMissing):
        taken((forged, lines))
    by_message_key = DirectoryStatement.model_validate_json(envelope.header).model_copy(
        update={"directory_key": signing_key(ADMISSION, KeyPurpose.MESSAGE).id}
    )
    with pytest.raises(KeyUnknown):
        taken((signed(by_message_key.encode(), [signing_key(ADMISSION, KeyPurpose.MESSAGE)]), lines))
    changed = envelope.header.replace(b'"version":7', b'"version":8')
    with pytest.raises(SignatureInvalid):
        taken((pack(changed, envelope.signatures), lines))


@pytest.mark.parametrize("how", ["none", "two", "a part"])
def test_a_directory_has_one_signature_and_no_parts(how: str) -> None:
    frame, lines = made()
    envelope = unpack(frame)
    signatures = {"none": (), "two": envelope.signatures * 2, "a part": envelope.signatures}[how]
    with pytest.raises(DirectoryMalformed):
        taken((pack(envelope.header, signatures, (lines,) if how == "a part" else ()), lines))


def test_what_is_no_directory_is_none_however_it_is_signed() -> None:
    with pytest.raises(KindUnexpected):
        taken((signed(statement(ADMISSION).encode(), [KEY]), made()[1]))


def test_a_directory_signed_with_a_key_that_is_over_or_revoked_is_refused() -> None:
    with pytest.raises(KeyNotInForce):
        taken(made(issued_at=T0 + 6 * DAY_MS, expires_at=T0 + 7 * DAY_MS), now=T0 + 6 * DAY_MS)
    keys = [
        key.model_copy(update={"revoked_at": T0 + DAY_MS}) if key.purpose is KeyPurpose.DIRECTORY else key
        for key in statement(ADMISSION).keys
    ]
    pinned = PINNED.with_renewed(newer(ADMISSION, keys=keys))
    lines = [line_of(one) for one in pinned.parties.values()]
    assert taken(made(lines), pinned=pinned, now=T0 + DAY_MS - 1)
    with pytest.raises(KeyRevoked):
        taken(made(lines), pinned=pinned, now=T0 + DAY_MS)


def test_other_lines_than_those_signed_are_refused() -> None:
    frame, lines = made()
    with pytest.raises(PartMismatch):
        taken((frame, made(lines_with(newer(DESK)))[1]))
    with pytest.raises(PartMismatch):
        taken((frame, lines + b" "))


@pytest.mark.parametrize("how", ["out of order", "twice", "nobody"])
def test_lines_that_are_out_of_order_or_name_somebody_twice_are_refused(how: str) -> None:
    rows = [line_of(one).model_dump(mode="json") for one in sorted(LISTED, key=lambda one: one.id)]
    listed = {"out of order": rows[::-1], "twice": [rows[0], *rows], "nobody": []}[how]
    lines = canonical_bytes({"v": 1, "kind": "directory-lines", "lines": listed})
    header = DirectoryStatement.model_validate_json(unpack(made()[0]).header).model_copy(
        update={"lines_digest": digest(lines)}
    )
    with pytest.raises(FieldInvalid):
        taken((signed(header.encode(), [KEY]), lines))


def test_a_directory_is_refused_outside_of_its_time() -> None:
    assert taken(made(), now=T0 - SKEW_MS)
    with pytest.raises(DirectoryUntimely):
        taken(made(), now=T0 - SKEW_MS - 1)
    assert taken(made(), now=T0 + 5 * DAY_MS - 1)
    with pytest.raises(DirectoryExpired):
        taken(made(), now=T0 + 5 * DAY_MS)
    assert taken(made(expires_at=T0 + MAX_DIRECTORY_LIFE_MS))
    for expires_at in (T0, T0 - 1, T0 + MAX_DIRECTORY_LIFE_MS + 1):
        with pytest.raises(DirectoryUntimely):
            taken(made(expires_at=expires_at))


def test_a_directory_never_goes_backwards() -> None:
    held = taken(made())
    assert taken(made(), held=held) == held
    with pytest.raises(DirectoryOlder):
        taken(made(version=6), held=held)
    with pytest.raises(DirectoryForked):
        taken(made(issued_at=T0 - 1), held=held)


def test_the_next_directory_follows_on_the_one_held_and_a_later_one_may() -> None:
    held = taken(made())
    assert taken(made(version=8, previous=held.digest), held=held).version == 8
    for previous in (None, "0" * 64):
        with pytest.raises(DirectoryForked):
            taken(made(version=8, previous=previous), held=held)
    assert taken(made(version=9, previous="0" * 64), held=held).version == 9


def test_a_directory_is_logged_by_the_entry_that_names_it_and_by_no_other() -> None:
    directory = taken(made())
    entry = read_entry_as(KeyEntry, leaves()["key"])
    named = entry.model_copy(update={"version": 7, "directory_digest": directory.digest})
    is_logged(directory, named)
    for wrong in ({"version": 8}, {"directory_digest": "0" * 64}, {"hub": "other-hub"}):
        with pytest.raises(DirectoryNotLogged):
            is_logged(directory, named.model_copy(update=wrong))


def test_a_party_finds_itself_in_the_directory_by_what_it_states_or_stated() -> None:
    me, before = newer(AGENCY), party(AGENCY)
    behind = taken(made())
    assert own_standing(behind, before) is Standing.ADMITTED
    assert own_standing(behind, me, {before.digest}) is Standing.ADMITTED
    other_root = party(DESK)  # whoever replaced its root is named by the one before until the next directory
    assert own_standing(behind, dataclasses.replace(me, root=other_root.root), {before.digest}) is Standing.ADMITTED
    suspended = [line_of(one, Standing.SUSPENDED if one.id == AGENCY else Standing.ADMITTED) for one in LISTED]
    assert own_standing(taken(made(suspended)), before) is Standing.SUSPENDED
    assert own_standing(taken(made(lines_with()[:3])), before) is None


def test_a_directory_with_keys_of_mine_that_I_never_stated_lies() -> None:
    swapped = SigningKey.generate(KeyPurpose.ROOT)
    other_root = read_party(state_party(statement(AGENCY, root=encode_base64(swapped.public.raw)), swapped))
    for lie in (other_root, newer(AGENCY, serial=9)):
        with pytest.raises(DirectoryLies):
            own_standing(taken(made(lines_with(lie))), party(AGENCY))


def test_a_holder_asks_for_the_newer_statements_of_those_it_pinned_and_of_nobody_else() -> None:
    assert compare(taken(made()), PINNED) == Comparison((), (), ())
    directory = taken(made(lines_with(newer(DESK))))
    assert compare(directory, PINNED).wanted == (DESK,)
    assert compare(directory, PINNED.without(DESK)).wanted == ()


def test_a_party_with_another_root_is_for_people_and_one_not_listed_is_gone() -> None:
    swapped = SigningKey.generate(KeyPurpose.ROOT)
    other_root = read_party(state_party(statement(DESK, root=encode_base64(swapped.public.raw), serial=9), swapped))
    assert compare(taken(made(lines_with(other_root))), PINNED) == Comparison((), (DESK,), ())
    assert compare(taken(made(lines_with()[1:])), PINNED) == Comparison((), (), (DESK,))


def test_a_directory_that_names_an_older_or_another_statement_than_the_one_held_is_refused() -> None:
    renewed = PINNED.with_renewed(newer(DESK))
    with pytest.raises(DirectoryBackwards):
        compare(taken(made()), renewed)
    with pytest.raises(DirectoryBackwards):
        compare(taken(made(lines_with(newer(DESK, name="Another name")))), renewed)


def test_a_newer_statement_is_taken_if_the_directory_names_it_and_the_pinned_root_signed_it() -> None:
    desk = newer(DESK)
    directory = taken(made(lines_with(desk)))
    assert take_statement(directory, PINNED, desk.frame).party(DESK) == desk
    with pytest.raises(StatementNotListed):
        take_statement(directory, PINNED, newer(DESK, serial=3).frame)
    with pytest.raises(StatementNotListed):
        take_statement(directory, PINNED, party(OFFICER).frame)
    with pytest.raises(PartyFileInvalid):
        take_statement(directory, PINNED, desk.frame[:-1])


def test_a_directory_introduces_nobody_and_replaces_no_root() -> None:
    directory = taken(made(lines_with(newer(DESK))))
    with pytest.raises(PartyUnknown):
        take_statement(directory, PINNED.without(DESK), newer(DESK).frame)
    swapped = SigningKey.generate(KeyPurpose.ROOT)
    stolen = read_party(state_party(statement(DESK, root=encode_base64(swapped.public.raw), serial=9), swapped))
    with pytest.raises(PartyFileInvalid, match="root"):
        take_statement(taken(made(lines_with(stolen))), PINNED, stolen.frame)


def test_a_party_says_itself_that_its_keys_are_new_and_says_so_of_nobody_else() -> None:
    desk = newer(DESK)
    assert announced(PINNED, DESK, desk.frame).party(DESK) == desk
    with pytest.raises(StatementNotListed):
        announced(PINNED, AGENCY, desk.frame)
    with pytest.raises(PartyFileInvalid, match="newer"):
        announced(PINNED, DESK, party(DESK).frame)
    with pytest.raises(PartyUnknown):
        announced(PINNED.without(DESK), DESK, desk.frame)


def test_the_frame_of_a_party_file_is_what_its_digest_covers() -> None:
    assert read_party_frame(party(DESK).frame) == party(DESK)
    assert party(DESK).digest == digest(party(DESK).frame)
