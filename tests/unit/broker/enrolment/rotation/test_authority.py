"""The authority replaced at once: unfinished until nobody trusts the old one, and nobody is cut off meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from broker.enrolment.rotation.authority import AuthorityRotation
from broker.enrolment.rotation.rotations import WouldCutOff
from broker.enrolment.rotation.steps import BusSteps, What
from tests.unit.broker.enrolment.hall import ADDRESS, Hall

AGENCY = "northshire"


async def rotate(hall: Hall, what: str = "authority", **options: bool) -> dict[str, Any]:
    """One call; neither the desk nor the agency runs."""
    done = await hall.command("bus-rotate", what=what, **options)
    assert isinstance(done, dict)
    return done


async def steps(hall: Hall) -> list[str | None]:
    return [reason for step, _, reason in await hall.steps() if step == "bus-rotated"]


def names(hall: Hall) -> list[str]:
    return hall.admission.room.authorities.names()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The servers without their new files, instead of dialling them."""
    lacking = [ADDRESS]

    async def without(rotation: AuthorityRotation, authority: object, **options: object) -> tuple[str, ...]:
        return tuple(lacking)

    monkeypatch.setattr(AuthorityRotation, "_servers_without", without)
    return lacking


async def test_an_emergency_is_unfinished_while_a_server_has_not_its_new_files(hall: Hall, servers: list[str]) -> None:
    await hall.enrol(hall.agency())
    (before,) = names(hall)
    done = await rotate(hall, emergency=True, without=True)
    assert (done["reached"], done["servers"]) == ("dropped", [ADDRESS])
    (after,) = names(hall)
    assert after != before
    # The same command goes on; it does not begin anew.
    assert (await rotate(hall, emergency=True, without=True))["reached"] == "dropped"
    assert names(hall) == [after]
    assert await hall.command("bus-rotations") == {"under_way": ["authority"]}
    servers.clear()
    assert (await rotate(hall, without=True))["reached"] == "done"
    assert names(hall) == [after]
    assert await steps(hall) == ["authority-revoked", "authority-done"]
    assert await hall.command("bus-rotations") == {"under_way": []}


async def test_an_emergency_is_unfinished_while_a_party_has_not_renewed(hall: Hall, servers: list[str]) -> None:
    servers.clear()
    await hall.enrol(hall.agency())
    await rotate(hall, emergency=True)
    done = await rotate(hall, emergency=True)
    assert (done["reached"], done["parties"]) == ("dropped", ["desk", AGENCY])
    assert (await rotate(hall, without=True))["reached"] == "done"


@pytest.mark.parametrize("what", ["account", "operator", "operator-signer"])
async def test_nothing_that_ends_connections_is_begun_while_parties_would_be_let_in_no_more(
    hall: Hall, servers: list[str], what: str
) -> None:
    await hall.enrol(hall.agency())
    await rotate(hall, emergency=True)
    hub = hall.admission.room.issuer().hub
    with pytest.raises(WouldCutOff, match=f"desk, {AGENCY}.*--without"):
        await rotate(hall, what, emergency=True)
    assert hall.admission.room.issuer().hub == hub
    assert await steps(hall) == ["authority-revoked"]
    await rotate(hall, what, emergency=True, without=True)
    assert f"{what}-revoked" in await steps(hall)


async def test_nothing_is_refused_before_the_old_authority_is_gone(hall: Hall, servers: list[str]) -> None:
    await hall.enrol(hall.agency())
    assert (await rotate(hall))["reached"] == "added"
    assert (await rotate(hall, "account"))["reached"] == "done"


async def test_a_crash_before_the_end_is_gone_on_with_and_begins_nothing_anew(
    hall: Hall, servers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(steps: BusSteps, what: What) -> None:
        raise Died

    servers.clear()
    with monkeypatch.context() as patched:
        patched.setattr(BusSteps, "end", die)
        with pytest.raises(Died):
            await rotate(hall, emergency=True, without=True)
    found = names(hall)
    await hall.admission.stop()
    await hall.start_admission()
    await hall.turn(1_000)
    assert (await rotate(hall, without=True))["reached"] == "done"
    assert names(hall) == found
    assert await steps(hall) == ["authority-revoked", "authority-done"]


class Died(Exception):
    """Admission was killed there."""
