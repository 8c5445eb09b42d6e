"""T17: somebody who carries the files of an admission, or reads them, changes them or answers with files of their own.

Both people read ten words to each other before anything is effective. Whatever was done to the files in between, either
a file is refused by name, or the words differ.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.node.tls_key import generate_tls_key
from schemas.crypto.failures import SealBroken
from schemas.crypto.keys import SigningKey
from schemas.crypto.purposes import KeyPurpose
from schemas.envelope import pack, signed, unpack
from schemas.failures import Rejected
from schemas.messages.admission import MARK as ADMISSION
from schemas.messages.admission import PARTS, open_challenge
from schemas.messages.armour import armoured, dearmour
from schemas.messages.enrolment import MARK as ENROLMENT
from schemas.messages.party import PartyKind
from schemas.messages.words import WordsDiffer, check_words
from tests.support.between import a_hub, an_agency, answered, received, request_of, taken_in, with_key, words

AGENCY, HUB = an_agency(), a_hub()
FILE = request_of(AGENCY)
REPLY = answered(taken_in(FILE), HUB)
WORDS = words(FILE, REPLY)
SWAPPABLE = [key.purpose for key in AGENCY.party.statement.keys]


def test_both_sides_read_the_same_words_when_nobody_meddles() -> None:
    assert words(FILE, REPLY) == WORDS
    assert len(WORDS) == 10


@pytest.mark.parametrize("purpose", SWAPPABLE)
def test_an_agencys_key_cannot_be_swapped_in_its_request(purpose: KeyPurpose) -> None:
    """Under its own root there is no signature; under another root there are other words."""
    forged = with_key(AGENCY, purpose, SigningKey.generate(KeyPurpose.ROOT)).member
    file = request_of(forged)
    request = taken_in(file)
    assert request.party.root != AGENCY.party.root
    reply = answered(request, HUB)
    hubs_words = words(file, reply)
    with pytest.raises(Rejected):  # the agency has made another request than the one that was answered
        received(reply, taken_in(FILE))
    assert hubs_words != WORDS


@pytest.mark.parametrize("purpose", SWAPPABLE)
def test_a_swapped_statement_under_the_agencys_request_is_refused(purpose: KeyPurpose) -> None:
    forged = with_key(AGENCY, purpose, SigningKey.generate(KeyPurpose.ROOT)).member
    envelope = unpack(dearmour(ENROLMENT, FILE))
    for signatures in (envelope.signatures, ()):
        raw = pack(envelope.header, signatures, [forged.party.frame, envelope.parts[1]])
        with pytest.raises(Rejected):
            taken_in(armoured(ENROLMENT, raw))


def test_a_key_that_the_asker_does_not_hold_is_not_admitted() -> None:
    """Somebody else's public key put into one's own statement, and the proof made by another key."""
    victim, mallory = an_agency("southshire"), an_agency("mallory")
    for purpose in victim.keys:
        stolen = with_key(mallory, purpose, SigningKey.generate(KeyPurpose.ROOT)).member
        stolen.keys[purpose] = mallory.keys[purpose]  # what it can sign with is not what it states
        with pytest.raises(Rejected):
            taken_in(request_of(stolen))


MEDDLING: dict[str, Callable[[], bytes]] = {
    "a hub of the attacker's own": lambda: answered(taken_in(FILE), a_hub()),
    "a coordinator of the attacker's": lambda: answered(
        taken_in(FILE), {**HUB, PartyKind.COORDINATOR: a_hub()[PartyKind.COORDINATOR]}
    ),
    "a desk of the attacker's": lambda: answered(taken_in(FILE), {**HUB, PartyKind.DESK: a_hub()[PartyKind.DESK]}),
    "an admission of the attacker's": lambda: answered(
        taken_in(FILE), {**HUB, PartyKind.ADMISSION: a_hub()[PartyKind.ADMISSION]}
    ),
    "the same once more": lambda: answered(taken_in(FILE), HUB),
    "another account": lambda: answered(taken_in(FILE), HUB, account=b"another"),
    "another authority": lambda: answered(taken_in(FILE), HUB, authorities=b"another"),
    "another trust file": lambda: answered(taken_in(FILE), HUB, trust=b"another"),
}


@pytest.mark.parametrize("reply", MEDDLING.values(), ids=list(MEDDLING))
def test_whatever_else_a_reply_holds_the_words_are_others(reply: Callable[[], bytes]) -> None:
    read_at_the_agency = words(FILE, reply())
    assert read_at_the_agency != WORDS
    with pytest.raises(WordsDiffer):
        check_words(" ".join(read_at_the_agency), WORDS)


@pytest.mark.parametrize("place", range(len(PARTS)), ids=PARTS)
def test_a_part_of_a_reply_cannot_be_exchanged(place: int) -> None:
    envelope, other = unpack(dearmour(ADMISSION, REPLY)), unpack(dearmour(ADMISSION, answered(taken_in(FILE), a_hub())))
    parts = list(envelope.parts)
    for part in (other.parts[place] or b"x", b"", parts[place] + b"\x00"):
        if part == parts[place]:
            continue
        exchanged = [*parts[:place], part, *parts[place + 1 :]]
        with pytest.raises(Rejected):
            received(armoured(ADMISSION, pack(envelope.header, envelope.signatures, exchanged)), taken_in(FILE))
        again = signed(envelope.header, [SigningKey.generate(KeyPurpose.ADMISSION)], exchanged)
        with pytest.raises(Rejected):  # and signed again by whoever the hub is not
            received(armoured(ADMISSION, again), taken_in(FILE))


@settings(max_examples=150)
@given(st.data())
def test_a_changed_byte_of_either_file_is_refused_or_changes_the_words(data: st.DataObject) -> None:
    which = data.draw(st.sampled_from([ENROLMENT, ADMISSION]))
    raw = bytearray(dearmour(which, FILE if which == ENROLMENT else REPLY))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    changed = armoured(which, bytes(raw))
    try:
        said = words(changed, REPLY) if which == ENROLMENT else words(FILE, changed)
    except Rejected:
        return
    assert said != WORDS


def test_the_words_cannot_be_chosen_by_who_asks() -> None:
    """A request is made first; the reply has a fresh nonce, so nobody can try requests until the words come out."""
    request = taken_in(FILE)
    assert len({words(FILE, answered(request, HUB)) for _ in range(20)}) == 20


def test_somebody_who_reads_both_files_learns_no_secret_and_cannot_answer_the_challenge() -> None:
    request, reader = taken_in(FILE), an_agency("reader")
    reply = received(REPLY, request)
    opened = open_challenge(request, reply.welcome.challenge, AGENCY.identities[KeyPurpose.SEAL])
    with pytest.raises(SealBroken):
        open_challenge(request, reply.welcome.challenge, reader.identities[KeyPurpose.SEAL])
    both = dearmour(ENROLMENT, FILE) + dearmour(ADMISSION, REPLY)
    secrets = [key.seed() for key in (AGENCY.root, *AGENCY.keys.values())]
    secrets += [identity.seed() for identity in AGENCY.identities.values()]
    assert not [secret for secret in (*secrets, bytes.fromhex(opened)) if secret in both]


def test_a_reply_to_another_request_of_the_same_agency_is_refused() -> None:
    again = request_of(AGENCY, tls_key=generate_tls_key())
    with pytest.raises(Rejected):
        received(REPLY, taken_in(again))
