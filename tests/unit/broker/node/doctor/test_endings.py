"""The doctor on what ends: told 60, 30, 14 and 3 days ahead, and refused once it has."""

from __future__ import annotations

import pytest

from broker.node.clock import DAY_MS
from broker.node.doctor.checked import NotWell, Warned
from broker.node.doctor.endings import check_endings, notice
from broker.node.doctor.expiring import Expiry, expiries
from broker.node.home import KEPT, KEY_LIFE_MS, Home
from schemas.crypto.purposes import KeyPurpose
from schemas.messages.party import PartyKind
from tests.support.clock import NOON


def one(days: float) -> list[Expiry]:
    return [
        Expiry("grant", "the grant key", NOON + 300 * DAY_MS, "broker keys rotate coordinator grant"),
        Expiry(
            "client-certificate", "the client certificate", NOON + int(days * DAY_MS), "broker keys renew coordinator"
        ),
    ]


@pytest.mark.parametrize(
    ("days", "ahead"), [(60, 60), (30.5, 60), (30, 30), (14.01, 30), (14, 14), (3.5, 14), (3, 3), (0.1, 3)]
)
def test_what_ends_soon_is_told_with_its_notice_and_what_to_run(days: float, ahead: int) -> None:
    found = check_endings("coordinator", one(days), NOON)
    assert isinstance(found, Warned)
    assert f"({ahead}-day notice)" in found.said
    assert "run: broker keys renew coordinator" in found.said
    assert "grant" not in found.said


def test_what_ends_late_is_well_and_the_first_is_named() -> None:
    found = check_endings("coordinator", one(60.5), NOON)
    assert found == "coordinator: the first to end is the client certificate, in 60 days"
    assert notice(61 * DAY_MS) is None


@pytest.mark.parametrize("days", [0, -1, -400])
def test_what_has_ended_says_which_since_when_and_what_to_run(days: int) -> None:
    with pytest.raises(
        NotWell, match=r"the client certificate ended 2\d{3}-\d\d-\d\d \d\d:\d\dZ, .* run: broker keys renew"
    ):
        check_endings("coordinator", one(days), NOON)


def test_what_renews_over_the_bus_is_not_renewed_once_the_bus_refuses_it() -> None:
    renewed = Expiry("account-jwt", "the JWT", NOON + DAY_MS, "agent keys renew", "agent enrol --replace-root")
    ahead = check_endings("north", [renewed], NOON)
    assert isinstance(ahead, Warned)
    assert "run: agent keys renew" in ahead.said
    with pytest.raises(NotWell, match="run: agent enrol --replace-root"):
        check_endings("north", [renewed], NOON + DAY_MS)


def test_every_stated_key_but_the_weekly_ones_is_among_what_ends(home: Home) -> None:
    found = {one.what: one for one in expiries(home)}
    kept = {purpose for purpose in KEPT[PartyKind.AGENT] if purpose is not KeyPurpose.SEAL} | {KeyPurpose.ADDENDUM}
    assert set(found) == {f"the {purpose.value} key" for purpose in kept}
    assert {one.ends_at for one in found.values()} == {NOON + KEY_LIFE_MS}
