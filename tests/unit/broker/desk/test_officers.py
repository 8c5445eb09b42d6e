"""A command is carried out for the officer who signed exactly that, now."""

from __future__ import annotations

import pytest

from broker.desk.officers import GOOD_FOR_MS, check_command, sign_command
from schemas.crypto.purposes import KeyPurpose
from schemas.failures import Rejected
from schemas.messages.party import PartyKind
from schemas.vocabulary import OfficerRole
from tests.support.clock import NOON
from tests.support.desk_world import AGENCY, OFFICER, Story
from tests.support.parties import make_member

NONCE = "0123456789abcdef" * 2
PATH = f"/enquiries/{NONCE}/answers"


def header(story: Story, *, sent_at: int = NOON, officer: str = OFFICER) -> str:
    key = story.cast.officer.keys[KeyPurpose.COMMAND]
    return sign_command(key, officer, "GET", PATH, b"", sent_at=sent_at, nonce=NONCE)


def check(story: Story, value: str, method: str = "GET", path: str = PATH, body: bytes = b"", now: int = NOON) -> str:
    return check_command(value, method, path, body, trust=story.cast.trust, now=now).officer


def test_a_signed_command_names_its_officer(story: Story) -> None:
    assert check(story, header(story)) == OFFICER


@pytest.mark.parametrize(
    ("method", "path", "body"), [("POST", PATH, b""), ("GET", "/enquiries", b""), ("GET", PATH, b"{}")]
)
def test_a_signature_is_for_one_method_path_and_body(story: Story, method: str, path: str, body: bytes) -> None:
    with pytest.raises(Rejected) as failed:
        check(story, header(story), method, path, body)
    assert failed.value.code == "command_unsigned"


@pytest.mark.parametrize("off", [-GOOD_FOR_MS - 1, GOOD_FOR_MS + 1])
def test_a_command_is_good_for_a_minute_either_way(story: Story, off: int) -> None:
    assert check(story, header(story), now=NOON + GOOD_FOR_MS) == OFFICER
    with pytest.raises(Rejected) as failed:
        check(story, header(story), now=NOON + off)
    assert failed.value.code == "command_untimely"


@pytest.mark.parametrize("name", ["o-000000", AGENCY, "desk"])
def test_nobody_but_a_pinned_officer_commands(story: Story, name: str) -> None:
    with pytest.raises(Rejected) as failed:
        check(story, header(story, officer=name))
    assert failed.value.code == "command_unsigned"


def test_another_officers_key_does_not_sign_for_this_one(story: Story) -> None:
    other = make_member("o-999999", PartyKind.OFFICER, officer_role=OfficerRole.DECISION_MAKER)
    value = sign_command(other.keys[KeyPurpose.COMMAND], OFFICER, "GET", PATH, b"", sent_at=NOON, nonce=NONCE)
    with pytest.raises(Rejected):
        check(story, value)


def test_changed_time_or_nonce_breaks_the_signature(story: Story) -> None:
    good = header(story)
    for changed in (good.replace(str(NOON), str(NOON + 1)), good.replace(NONCE, "f" * 32)):
        with pytest.raises(Rejected):
            check(story, changed)


@pytest.mark.parametrize("value", ["", "Bearer x", f"{OFFICER} 1 2 3", f"{OFFICER} 0{NOON} {NONCE} {'0' * 128}"])
def test_a_header_of_another_form_is_refused(story: Story, value: str) -> None:
    with pytest.raises(Rejected) as failed:
        check(story, value)
    assert failed.value.code == "command_unsigned"
