"""Party files and the directory: keys come out of what was pinned and out of nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.crypto import nkey
from schemas.crypto.keys import Identity, SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import pack, signed
from schemas.messages.fields import decode_base64, encode_base64
from schemas.messages.party import (
    MAX_FILE_BYTES,
    STATED,
    Directory,
    KeyNotInForce,
    KeyRevoked,
    KeyStatement,
    KeyUnknown,
    Party,
    PartyFileInvalid,
    PartyKind,
    PartyUnknown,
    armour,
    read_party,
    state_party,
)
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
    party_file,
    signing_key,
    statement,
)
from schemas.vocabulary import AgencyKind

ROOT = signing_key(DESK, KeyPurpose.ROOT)
FILE = party_file(DESK)
ALL = [party(name) for name in (DESK, COORDINATOR, AGENCY, ADMISSION, OFFICER)]
DIRECTORY = Directory.of(HUB, ALL)


def stated(who: str = DESK, /, **changes: object) -> Party:
    """A party whose own root signs these changes."""
    return read_party(state_party(statement(who, **changes), signing_key(who, KeyPurpose.ROOT)))


def test_a_party_is_read_from_its_file() -> None:
    read_one = read_party(FILE)
    assert read_one.statement == statement(DESK)
    assert read_one.root == ROOT.public
    assert [each.key.purpose for each in read_one.keys] == [key.purpose for key in statement(DESK).keys]
    assert read_one.raw == FILE


def test_a_fingerprint_has_128_bits_and_is_the_roots() -> None:
    groups = party(DESK).fingerprint.split(" ")
    assert [len(group) for group in groups] == [4] * 8
    assert "".join(groups) == ROOT.id
    assert len({each.fingerprint for each in ALL}) == len(ALL)


def test_a_token_names_nobody_and_follows_from_the_bus_account() -> None:
    assert party(AGENCY).token == stated(AGENCY, name="Another Name", serial=9).token
    assert party(AGENCY).token == nkey.of(signing_key(AGENCY, KeyPurpose.BUS_ACCOUNT).public)
    with pytest.raises(KeyUnknown):
        _ = party(DESK).token


def bus_account(begins: int, **changes: object) -> KeyStatement:
    raw = SigningKey.generate(KeyPurpose.BUS_ACCOUNT).public.raw
    stated_key = KeyStatement(
        purpose=KeyPurpose.BUS_ACCOUNT, public=encode_base64(raw), not_before=begins, not_after=begins + 400 * DAY_MS
    )
    return stated_key.model_copy(update=changes)


def token_of(key: KeyStatement) -> str:
    return nkey.encode(nkey.Kind.ACCOUNT, decode_base64(key.public))


def test_during_a_rotation_both_tokens_count_and_the_newest_is_used() -> None:
    new, old, dead = bus_account(T0), bus_account(T0 - DAY_MS), bus_account(T0 + DAY_MS, revoked_at=T0)
    rotating = stated(AGENCY, keys=[old, new, dead])
    assert rotating.tokens == (token_of(new), token_of(old))
    assert rotating.token == token_of(new)


@pytest.mark.parametrize("name", [AGENCY, ADMISSION])
def test_an_agent_and_admission_state_a_bus_account_that_is_not_revoked(name: str) -> None:
    others = [key for key in statement(name).keys if key.purpose is not KeyPurpose.BUS_ACCOUNT]
    for keys in (others, [*others, bus_account(T0, revoked_at=T0 + DAY_MS)]):
        with pytest.raises(PartyFileInvalid, match="field_invalid"):
            stated(name, keys=keys)


@pytest.mark.parametrize(
    "how",
    [
        lambda text: "\n\n" + text + "\n\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "  \n\t"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.rstrip("\n"),
        lambda text: "".join(
            line if line.startswith("-") else line[:20] + "\n" + line[20:] for line in text.splitlines(True)
        ),
    ],
)
def test_what_e_mail_does_to_spaces_and_lines_does_no_harm(how: object) -> None:
    assert callable(how)
    read_one = read_party(how(FILE.decode()).encode())
    assert read_one.raw == FILE


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"-----BEGIN NEEDTOKNOW PARTY-----\n-----END NEEDTOKNOW PARTY-----\n",
        FILE.replace(b"BEGIN NEEDTOKNOW", b"BEGIN  NEEDTOKNOW"),
        FILE.replace(b"-----END NEEDTOKNOW PARTY-----", b""),
        FILE + FILE,
        FILE.replace(b"\n", "\n\u00e9".encode(), 1),
        b"x" * (MAX_FILE_BYTES + 1),
        FILE.replace(b"\n", b"\n" + b" " * MAX_FILE_BYTES, 1),
    ],
)
def test_a_damaged_file_is_refused(file: bytes) -> None:
    with pytest.raises(PartyFileInvalid):
        read_party(file)


@given(st.data())
@settings(max_examples=60)
def test_a_file_with_a_changed_letter_is_refused(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(FILE) - 1))
    letter = data.draw(st.sampled_from(b"ABCxyz019+/=-"))
    if FILE[position] in b"\n" or FILE[position] == letter:
        return
    with pytest.raises(PartyFileInvalid):
        read_party(FILE[:position] + bytes([letter]) + FILE[position + 1 :])


def test_a_file_signed_by_another_root_or_by_none_is_refused() -> None:
    raw, other = statement(DESK).encode(), SigningKey.generate(KeyPurpose.ROOT)
    for frame in (signed(raw, [other]), pack(raw), signed(raw, [ROOT, other]), signed(raw, [ROOT], [b""])):
        with pytest.raises(PartyFileInvalid):
            read_party(armour(frame))


def test_another_root_key_is_another_party() -> None:
    other = SigningKey.generate(KeyPurpose.ROOT)
    resigned = read_party(state_party(statement(DESK, root=encode_base64(other.public.raw)), other))
    assert resigned.fingerprint != party(DESK).fingerprint
    with pytest.raises(PartyFileInvalid):
        DIRECTORY.with_renewed(resigned)


def test_what_is_not_a_statement_is_no_party_however_it_is_signed() -> None:
    for raw in (b"{}", b"no json", statement(DESK).encode().replace(b'"kind":"party"', b'"kind":"grant"')):
        with pytest.raises(PartyFileInvalid):
            read_party(armour(signed(raw, [ROOT])))


@pytest.mark.parametrize("name", [DESK, COORDINATOR, AGENCY, ADMISSION, OFFICER])
def test_a_party_states_keys_of_its_own_kind_only(name: str) -> None:
    own = STATED[party(name).statement.party_kind]
    for purpose in KeyPurpose:
        key = statement(name).keys[0].model_copy(update={"purpose": purpose})
        file = state_party(statement(name, keys=[key]), signing_key(name, KeyPurpose.ROOT))
        if purpose not in own:
            with pytest.raises(PartyFileInvalid):
                read_party(file)


def test_a_stated_key_that_is_weak_is_refused() -> None:
    weak = statement(DESK).keys[0].model_copy(update={"public": encode_base64(bytes(32))})
    with pytest.raises(PartyFileInvalid, match="key_malformed"):
        stated(keys=[weak])


def test_a_party_of_another_hub_is_not_pinned() -> None:
    with pytest.raises(PartyFileInvalid, match="another hub"):
        DIRECTORY.with_party(stated(hub="other-hub", party="other"))


def test_a_name_is_pinned_once() -> None:
    with pytest.raises(PartyFileInvalid, match="name"):
        DIRECTORY.with_party(party(DESK))


def test_no_key_is_used_twice_neither_by_two_parties_nor_by_one() -> None:
    theirs = statement(DESK).keys[1]
    stolen = stated(COORDINATOR, party="second", root=statement(COORDINATOR).root, keys=[theirs])
    assert isinstance(stolen, Party)
    with pytest.raises(PartyFileInvalid, match="twice"):
        Directory.of(HUB, [party(DESK), stolen])
    same = theirs.model_copy(update={"purpose": KeyPurpose.MESSAGE})
    with pytest.raises(PartyFileInvalid, match="twice"):
        Directory.of(HUB, [stated(keys=[theirs, same])])
    root_too = theirs.model_copy(update={"public": statement(DESK).root})
    with pytest.raises(PartyFileInvalid, match="twice"):
        Directory.of(HUB, [stated(keys=[root_too])])


def test_a_key_is_found_by_party_purpose_and_id_while_in_force() -> None:
    key = signing_key(DESK, KeyPurpose.REQUEST).public
    assert DIRECTORY.key(DESK, KeyPurpose.REQUEST, key.id, T0) == key
    with pytest.raises(PartyUnknown):
        DIRECTORY.key("nobody", KeyPurpose.REQUEST, key.id, T0)
    with pytest.raises(KeyUnknown):
        DIRECTORY.key(COORDINATOR, KeyPurpose.REQUEST, key.id, T0)
    with pytest.raises(KeyUnknown):
        DIRECTORY.key(DESK, KeyPurpose.MESSAGE, key.id, T0)
    with pytest.raises(KeyUnknown):
        DIRECTORY.key(DESK, KeyPurpose.REQUEST, "00" * 16, T0)
    first = party(DESK).keys[0]
    for at, in_force in [
        (first.not_before - 1, False),
        (first.not_before, True),
        (first.not_after - 1, True),
        (first.not_after, False),
    ]:
        assert first.in_force(at) is in_force
    with pytest.raises(KeyNotInForce):
        DIRECTORY.key(DESK, KeyPurpose.REQUEST, key.id, first.not_after)


def revoked(who: str, number: int, at: int) -> list[KeyStatement]:
    keys = list(statement(who).keys)
    keys[number] = keys[number].model_copy(update={"revoked_at": at})
    return keys


def test_a_revoked_key_is_dead_from_that_instant_and_refused_to_whatever_comes_in_later() -> None:
    directory = Directory.of(HUB, [stated(keys=revoked(DESK, 0, T0))])
    key = signing_key(DESK, KeyPurpose.MESSAGE).public
    assert directory.key(DESK, KeyPurpose.MESSAGE, key.id, T0 - 1) == key
    assert directory.key(DESK, KeyPurpose.MESSAGE, key.id, T0 - 1, seen_at=T0 - 1) == key
    with pytest.raises(KeyNotInForce):
        directory.key(DESK, KeyPurpose.MESSAGE, key.id, T0)
    with pytest.raises(KeyRevoked):
        directory.key(DESK, KeyPurpose.MESSAGE, key.id, T0 - 1, seen_at=T0)


def test_a_key_to_be_revoked_is_not_used_any_more_by_anybody() -> None:
    directory = Directory.of(HUB, [stated(keys=revoked(DESK, 0, T0 + DAY_MS))])
    with pytest.raises(KeyNotInForce):
        directory.newest(DESK, KeyPurpose.MESSAGE, T0)


def test_a_revoked_key_never_comes_back() -> None:
    directory = Directory.of(HUB, [stated(keys=revoked(DESK, 0, T0), serial=2)])
    with pytest.raises(PartyFileInvalid, match="comes back"):
        directory.with_renewed(stated(serial=3))
    with pytest.raises(PartyFileInvalid, match="comes back"):
        directory.with_renewed(stated(keys=revoked(DESK, 0, T0 + 1), serial=3))
    sooner = stated(keys=revoked(DESK, 0, T0 - 1), serial=3)
    assert directory.with_renewed(sooner).party(DESK) == sooner
    without_it = stated(keys=statement(DESK).keys[1:], serial=3)
    assert directory.with_renewed(without_it).party(DESK) == without_it


def seal_key(epoch: int, begins: int) -> KeyStatement:
    raw = Identity.generate(KeyPurpose.SEAL).public.raw
    return KeyStatement(
        purpose=KeyPurpose.SEAL,
        public=encode_base64(raw),
        not_before=begins,
        not_after=begins + 7 * DAY_MS,
        epoch=epoch,
    )


def test_the_newest_key_is_the_one_that_began_last_and_is_in_force() -> None:
    keys = [seal_key(1, T0 - DAY_MS), seal_key(2, T0), seal_key(3, T0 + DAY_MS)]
    directory = Directory.of(HUB, [stated(AGENCY, keys=[bus_account(T0), *keys])])
    assert [directory.newest(AGENCY, KeyPurpose.SEAL, at)[1] for at in (T0 - 1, T0, T0 + DAY_MS)] == [1, 2, 3]
    assert directory.newest(AGENCY, KeyPurpose.SEAL, T0)[0].raw == decode_base64(keys[1].public)
    with pytest.raises(KeyNotInForce):
        directory.newest(AGENCY, KeyPurpose.SEAL, T0 - 2 * DAY_MS)


def test_a_renewed_statement_keeps_the_root_and_counts_up() -> None:
    keys = [*statement(AGENCY).keys, seal_key(48, T0)]
    renewed = stated(AGENCY, keys=keys, serial=2)
    directory = DIRECTORY.with_renewed(renewed)
    assert directory.party(AGENCY) == renewed
    assert DIRECTORY.party(AGENCY) == party(AGENCY)
    for stale in (renewed, party(AGENCY)):
        with pytest.raises(PartyFileInvalid, match="newer"):
            directory.with_renewed(stale)
    with pytest.raises(PartyFileInvalid, match="role"):
        DIRECTORY.with_renewed(stated(AGENCY, agency_kind=AgencyKind.HEALTH, serial=2))
    with pytest.raises(PartyUnknown):
        DIRECTORY.without(AGENCY).with_renewed(renewed)


def test_the_one_party_of_a_kind_is_found_only_where_there_is_one() -> None:
    assert DIRECTORY.only(PartyKind.DESK).id == DESK
    assert [each.id for each in DIRECTORY.of_kind(PartyKind.AGENT)] == [AGENCY]
    with pytest.raises(PartyUnknown):
        DIRECTORY.without(DESK).only(PartyKind.DESK)


def test_no_failure_shows_what_the_file_said() -> None:
    name = "Secret Name Of A Person"
    broken = armour(signed(statement(DESK, name=name, serial=-1).encode(), [ROOT]))
    with pytest.raises(PartyFileInvalid) as refused:
        read_party(broken)
    assert name not in str(refused.value)
